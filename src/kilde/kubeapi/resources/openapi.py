"""OpenAPI: version 3's index and each group's document, and version 2's one of all, as kubectl's apply, diff and explain need them.

`OpenApi(catalog, schemas)` is made anew for each catalog; documents of built-in groups are made once a process, those of CRDs once
a catalog, each when first asked for. A document's hash is that of its bytes, so an unchanged group keeps its URL.
"""

import functools
import hashlib
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from kilde.core.objects.ref import join_api_version
from kilde.kubeapi.resources import openapi_v2, openapi_v2_protobuf
from kilde.kubeapi.resources.catalog import Catalog
from kilde.kubeapi.resources.discovery import Document
from kilde.kubeapi.resources.kinds import Resource
from kilde.kubeapi.resources.openapi_paths import ANSWERS, group_name, looked_up, paths_of, valid_name
from kilde.kubeapi.resources.openapi_schemas import META, closure, custom_schemas, definition_name, referred
from kilde.kubeapi.resources.release import Release, release

_KINDS = "x-kubernetes-group-version-kind"
_OF_EVERY_GROUP = {META + "DeleteOptions", META + "WatchEvent"}
# Groups that the part of a real server does not know which serves the built-in kinds and tells of those that CRDs make.
_OF_OTHER_SERVERS = ("admission.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io", "imagepolicy.k8s.io")
_VERSION_INFO = "io.k8s.apimachinery.pkg.version.Info"
_OWN_GROUP_ALONE = 36  # the minor from which kinds of every group are told of the core and the document's own alone
_API_VERSIONS = "get available API versions"
# path -> the operation's name, its tag, what it does, and what it answers: media types and the definition ("" for a text)
_ONE_PATH: Mapping[str, tuple[str, str, str, tuple[str, ...], str]] = {
    "api": ("getCoreAPIVersions", "core", _API_VERSIONS, ANSWERS, META + "APIVersions"),
    "apis": ("getAPIVersions", "apis", _API_VERSIONS, ANSWERS, META + "APIGroupList"),
    "version": (
        "getCodeVersion",
        "version",
        "get the version information for this server",
        ("application/json",),
        _VERSION_INFO,
    ),
    ".well-known/openid-configuration": (
        "getServiceAccountIssuerOpenIDConfiguration",
        "WellKnown",
        "get service account issuer OpenID configuration, also known as the 'OIDC discovery doc'",
        ("application/json",),
        "",
    ),
    "openid/v1/jwks": (
        "getServiceAccountIssuerOpenIDKeyset",
        "openid",
        "get service account issuer OpenID JSON Web Key Set (contains public token verification keys)",
        ("application/jwk-set+json",),
        "",
    ),
}

Schemas = Mapping[tuple[str, str, str], Mapping[str, Any] | None]


class OpenApi:
    """The documents of one catalog. `schemas` are the CRDs' `openAPIV3Schema` by (group, version, kind); None where a version has none."""

    def __init__(self, catalog: Catalog, schemas: Schemas | None = None, serves: Release | None = None) -> None:
        """`serves` None is the newest release."""
        self._catalog, self._schemas, self._release = catalog, schemas or {}, serves or release()
        self._custom: dict[tuple[str, str], Document] = {}

    @functools.cached_property
    def index(self) -> Document:
        """`GET /openapi/v3`: every document's address, its hash in it."""
        paths = {
            path: {"serverRelativeURL": f"/openapi/v3/{path}?hash={self.hash(path)}"} for path in sorted(self._paths())
        }
        return _document({"paths": paths}, "text/plain;charset=utf-8")

    @functools.cached_property
    def v2(self) -> Document:
        """`GET /openapi/v2`: all of it in one document of the older form."""
        documents = (self.document(path) for path in self._paths())
        parsed = [msgspec.json.decode(one.body) for one in documents if one is not None]
        custom = {definition_name(one) for one in self._catalog.resources if one.custom}
        whole = closure(_OF_EVERY_GROUP, self._release.types)
        return _document(openapi_v2.document(self._release.minor, parsed, custom, whole))

    @functools.cached_property
    def v2_in_protobuf(self) -> bytes:
        """The same as openapi.v2.Document."""
        return openapi_v2_protobuf.encode(msgspec.json.decode(self.v2.body))

    def hash(self, path: str) -> str:
        """The hash in a document's address: upper-case hex. KeyError if there is no such document."""
        found = self.document(path)
        if found is None:
            raise KeyError(path)
        return found.etag.strip('"')

    def document(self, path: str) -> Document | None:
        """The document at `/openapi/v3/<path>` (`api/v1`, `apis/apps/v1`, …); None if there is none."""
        if path in _ONE_PATH:
            return _small(self._release, path)
        parts = path.split("/")
        if parts == ["api", "v1"]:
            return self._group_version("", "v1")
        if len(parts) not in (2, 3) or parts[0] != "apis" or not self._catalog.versions(parts[1]):
            return None
        if len(parts) == 2:
            return _small(self._release, path) if self._is_builtin(parts[1]) else None
        return self._group_version(parts[1], parts[2]) if parts[2] in self._catalog.versions(parts[1]) else None

    def _paths(self) -> list[str]:
        found = [*_ONE_PATH, "api/v1"]
        for group in self._catalog.groups:
            if self._is_builtin(group):
                found.append(f"apis/{group}")
            found.extend(f"apis/{group}/{version}" for version in self._catalog.versions(group))
        return found

    def _is_builtin(self, group: str) -> bool:
        return any(one.group == group for one in self._release.resources)

    def _group_version(self, group: str, version: str) -> Document:
        custom = [found for found in self._catalog.of_group_version(group, version) if found.custom]
        if not custom:
            return _builtin(self._release, group, version)
        found = self._custom.get((group, version))
        if found is None:
            schemas = custom_schemas([(one, self._schemas.get((group, version, one.kind))) for one in custom])
            found = self._custom[group, version] = _custom(self._release, custom, schemas)
        return found


@functools.lru_cache(maxsize=64)
def _builtin(serves: Release, group: str, version: str) -> Document:
    resources = sorted(
        (one for one in serves.resources if (one.group, one.version) == (group, version)), key=lambda one: one.plural
    )
    first, words = resources[0], group_name(group)
    name = f"get{valid_name(words, capital=True)}{valid_name(version, capital=True)}APIResources"
    listed = looked_up(name, f"{words}_{version}", "get available resources", ANSWERS, META + "APIResourceList")
    paths = {_root(first) + "/": {"get": listed}} | _paths(serves, resources)
    schemas = closure(referred(paths), serves.types)
    if serves.number >= _OWN_GROUP_ALONE:
        _limit(schemas, lambda one: (one["group"], one["version"]) in (("", "v1"), (group, version)))
    return _document({**_head(serves), "paths": paths, "components": _components(schemas) | _SECURED})


def _custom(serves: Release, resources: list[Resource], own: Mapping[str, Any]) -> Document:
    """The document of a group's version that CRDs make: `own` are its definitions."""
    paths = _paths(serves, resources)
    schemas = {**closure({*referred(paths), *referred(own)} - own.keys(), serves.types), **own}
    _limit(schemas, lambda one: one["group"] not in _OF_OTHER_SERVERS)
    head = {"openapi": "3.0.0", "info": {"title": "Kubernetes CRD Swagger", "version": "v0.1.0"}}
    return _document({**head, "paths": paths, "components": _components(schemas)})


def _paths(serves: Release, resources: list[Resource]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for resource in resources:
        found.update(paths_of(resource, _root(resource), serves.number))
    return dict(sorted(found.items()))


def _limit(schemas: dict[str, Any], told: Callable[[Mapping[str, str]], bool]) -> None:
    """Of the kinds that every group knows, only these (group, version, kind) are told."""
    for name in _OF_EVERY_GROUP & schemas.keys():
        kinds = [one for one in schemas[name][_KINDS] if told(one)]
        schemas[name] = {**schemas[name], _KINDS: kinds}


def _head(serves: Release) -> dict[str, Any]:
    return {"openapi": "3.0.0", "info": {"title": "Kubernetes", "version": serves.minor}}


def _components(schemas: Mapping[str, Any]) -> dict[str, Any]:
    return {"schemas": dict(sorted(schemas.items()))} if schemas else {}


_SECURED = {"securitySchemes": {"BearerToken": openapi_v2.BEARER}}


def _root(resource: Resource) -> str:
    prefix = "/apis/" if resource.group else "/api/"
    return prefix + join_api_version(resource.group, resource.version)


@functools.lru_cache(maxsize=256)
def _small(serves: Release, path: str) -> Document:
    """The document of a path that only answers GET."""
    group = group_name(path.rpartition("/")[2])
    of_group = (
        f"get{valid_name(group, capital=True)}APIGroup",
        group,
        "get information of a group",
        ANSWERS,
        META + "APIGroup",
    )
    name, tag, text, media, answer = _ONE_PATH.get(path, of_group)
    operation = looked_up(name, tag, text, media, answer)
    schemas = closure([answer], serves.types)
    paths = {f"/{path}/": {"get": operation}}
    return _document({**_head(serves), "paths": paths, "components": _components(schemas) | _SECURED})


def _document(value: Mapping[str, Any], content_type: str = "application/json") -> Document:
    body = msgspec.json.encode(value)
    return Document(body, content_type, f'"{hashlib.sha512(body).hexdigest().upper()}"')
