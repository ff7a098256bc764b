"""Discovery documents: what kubectl and every client ask first, as the bytes a real server answers.

One `Discovery` is made for each `Catalog`; each document is built when first asked for and kept. Its `etag` is the SHA-512 of its bytes.
"""

import base64
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec

from kilde.core.objects.ref import join_api_version
from kilde.kubeapi.resources.catalog import Catalog
from kilde.kubeapi.resources.kinds import Resource, SubResource

V2 = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
V2_BETA1 = "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList"
JSON = "application/json"

# What the apiextensions server says instead of the sorted verbs.
_CUSTOM_VERBS = ("delete", "deletecollection", "get", "list", "patch", "create", "update", "watch")


@dataclass(frozen=True, slots=True)
class Document:
    """A body ready to send. `etag` is quoted, as the header wants it."""

    body: bytes
    content_type: str
    etag: str


class Discovery:
    """The discovery documents of one catalog."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self._made: dict[tuple[str, ...], Document] = {}

    def api_versions(self, address: str) -> Document:
        """`GET /api`: the versions of the core group; `address` is this server's host and port."""
        return self._document(("api", address), lambda: _api_versions(address))

    @property
    def groups(self) -> Document:
        """`GET /apis`: every group but the core group."""
        return self._document(("apis",), self._group_list)

    def aggregated(self, content_type: str, *, core: bool) -> Document:
        """`GET /api` (core) and `GET /apis` for a client that asks for V2 or V2_BETA1: everything in one answer."""
        version = "v2beta1" if content_type == V2_BETA1 else "v2"
        return self._document((version, str(core)), lambda: self._aggregated(version, core=core), content_type)

    def group(self, group: str) -> Document | None:
        """`GET /apis/<group>`; None if there is no such group."""
        if not group or not self.catalog.versions(group):
            return None
        return self._document(("group", group), lambda: {"kind": "APIGroup", "apiVersion": "v1", **self._group(group)})

    def resources(self, group: str, version: str) -> Document | None:
        """`GET /api/v1` and `GET /apis/<group>/<version>`; None if there is no such version."""
        if version not in self.catalog.versions(group):
            return None
        return self._document(("resources", group, version), lambda: self._resource_list(group, version))

    def _document(self, key: tuple[str, ...], make: Callable[[], Any], content_type: str = JSON) -> Document:
        found = self._made.get(key)
        if found is None:
            body = msgspec.json.encode(make())
            etag = f'"{hashlib.sha512(body).hexdigest().upper()}"'
            found = self._made[key] = Document(body, content_type, etag)
        return found

    def _group(self, group: str) -> dict[str, Any]:
        versions = [
            {"groupVersion": f"{group}/{version}", "version": version} for version in self.catalog.versions(group)
        ]
        return {"name": group, "versions": versions, "preferredVersion": versions[0]}

    def _group_list(self) -> dict[str, Any]:
        groups = [self._group(group) for group in self.catalog.groups]
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}

    def _resource_list(self, group: str, version: str) -> dict[str, Any]:
        entries: list[dict[str, Any]] = []
        for resource in self.catalog.of_group_version(group, version):
            entries.append(_legacy(resource))
            entries.extend(_legacy_sub(resource, sub) for sub in resource.sub_resources)
        about = {"apiVersion": "v1"} if group else {}  # the core group's list has none
        named = {"groupVersion": join_api_version(group, version)}
        return {"kind": "APIResourceList", **about, **named, "resources": entries}

    def _aggregated(self, version: str, *, core: bool) -> dict[str, Any]:
        groups = ("",) if core else self.catalog.groups
        return {
            "kind": "APIGroupDiscoveryList",
            "apiVersion": f"apidiscovery.k8s.io/{version}",
            "metadata": {},
            "items": [self._aggregated_group(group) for group in groups],
        }

    def _aggregated_group(self, group: str) -> dict[str, Any]:
        versions = [
            {
                "version": version,
                "resources": [_aggregated_resource(found) for found in self.catalog.of_group_version(group, version)],
                "freshness": "Current",
            }
            for version in self.catalog.versions(group)
        ]
        return {"metadata": {"name": group} if group else {}, "versions": versions}

    @cached_property
    def paths(self) -> tuple[str, ...]:
        """What `GET /` lists of this: `/api`, `/api/v1`, `/apis`, `/apis/apps`, …"""
        return tuple(sorted(self._paths()))

    def _paths(self) -> Iterator[str]:
        yield from ("/api", "/api/v1", "/apis", "/apis/")
        for group in self.catalog.groups:
            yield f"/apis/{group}"
            yield from (f"/apis/{group}/{version}" for version in self.catalog.versions(group))


def storage_version_hash(group: str, version: str, kind: str) -> str:
    """The `storageVersionHash` of a resource stored as this kind (apiserver/pkg/endpoints/discovery)."""
    return base64.b64encode(hashlib.sha256(f"{group}/{version}/{kind}".encode()).digest()[:8]).decode()


def _api_versions(address: str) -> dict[str, Any]:
    addresses = [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}]
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": addresses}


def _verbs(resource: Resource) -> list[str]:
    return list(_CUSTOM_VERBS if resource.custom else resource.verbs)


def _legacy(resource: Resource) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "name": resource.plural,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": _verbs(resource),
    }
    if resource.short_names:
        entry["shortNames"] = list(resource.short_names)
    if resource.categories:
        entry["categories"] = list(resource.categories)
    if {"create", "update"} <= set(resource.verbs):
        entry["storageVersionHash"] = storage_version_hash(resource.group, resource.stored_version, resource.kind)
    return entry


def _legacy_sub(resource: Resource, sub: SubResource) -> dict[str, Any]:
    group, version, kind = sub.body
    entry: dict[str, Any] = {
        "name": f"{resource.plural}/{sub.name}",
        "singularName": "",
        "namespaced": resource.namespaced,
    }
    if version:
        entry |= {"group": group, "version": version}
    return entry | {"kind": kind, "verbs": list(sub.verbs)}


def _aggregated_resource(resource: Resource) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "resource": resource.plural,
        "responseKind": _response_kind(resource, ("", "", resource.kind)),
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular,
        "verbs": _verbs(resource),
    }
    if resource.short_names:
        entry["shortNames"] = list(resource.short_names)
    if resource.categories:
        entry["categories"] = list(resource.categories)
    if resource.sub_resources:
        entry["subresources"] = [
            {"subresource": sub.name, "responseKind": _response_kind(resource, sub.body), "verbs": list(sub.verbs)}
            for sub in resource.sub_resources
        ]
    return entry


def _response_kind(resource: Resource, body: tuple[str, str, str]) -> dict[str, str]:
    group, version, kind = body
    if not version and resource.custom:  # only the apiextensions server fills in what is the parent's
        group, version = resource.group, resource.version
    return {"group": group, "version": version, "kind": kind}
