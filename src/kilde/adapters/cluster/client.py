"""KubeCluster: ports.cluster.Cluster over HTTP, for any conformant API server from Kubernetes 1.27 on."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from typing import Any, Final, Literal, TypeAlias

import msgspec

from kilde.adapters.cluster import paths, wire
from kilde.adapters.cluster.access import Access
from kilde.adapters.cluster.discovery import discover
from kilde.adapters.cluster.limits import ClientLimits
from kilde.adapters.cluster.transport import PULSE, WRITES, Answer, Call, Transport
from kilde.adapters.cluster.watching import Scope, Watch, pages
from kilde.core.basics.errors import ClusterError
from kilde.core.basics.values import Object
from kilde.ports.clock import Clock
from kilde.ports.cluster import Applied, Discovery, Propagation, Resource, WatchEvent

SERVICES: Final = Resource("", "v1", "Service", "services", True)
Bodies: TypeAlias = list[bytes]  # inside the class, `list` is the verb
_PATCH_TYPES: Final = {
    "merge": "application/merge-patch+json",
    "json": "application/json-patch+json",
    "strategic": "application/strategic-merge-patch+json",
}
_WARNING: Final = re.compile(r'^299 \S+ "((?:[^"\\]|\\.)*)"')
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict).decode


class KubeCluster:
    """One API server as one user. Opens its connections at the first call; `close` ends them."""

    def __init__(self, access: Access, clock: Clock, *, limits: ClientLimits | None = None) -> None:
        self.limits = limits or ClientLimits()
        self._clock = clock
        self._transport = Transport(access, clock, self.limits)
        self._discovery: Discovery | None = None
        self._discovering = asyncio.Lock()
        self._schemas: dict[str, str] | None = None  # where the server keeps each group version's document
        self.access = access

    async def version(self) -> str:
        """The server's gitVersion, such as v1.36.3."""
        answer = await self._send(Call(method="GET", path="/version", verb="version", about="version"))
        return str(_object(answer.body, "version").get("gitVersion", ""))

    async def discovery(self, *, refresh: bool = False) -> Discovery:
        """What is served; remembered until refresh. Those who ask at the same time share one reading."""
        before = self._discovery
        async with self._discovering:
            if self._discovery is None or (refresh and self._discovery is before):
                self._discovery = await discover(self._transport)
                self._schemas = None
            return self._discovery

    async def schemas(self, group: str, version: str) -> Object | None:
        """The OpenAPI v3 document of a group version; None if there is none."""
        key = f"apis/{group}/{version}" if group else f"api/{version}"
        if self._schemas is None:
            self._schemas = await self._schema_index()
        path = self._schemas.get(key)
        if path is None:
            return None
        return await self._optional(Call(method="GET", path=path, verb="openapi", about=f"OpenAPI of {key}"))

    async def _schema_index(self) -> dict[str, str]:
        index = await self._optional(Call(method="GET", path="/openapi/v3", verb="openapi", about="OpenAPI"))
        found: dict[str, str] = {}
        for key, entry in ((index or {}).get("paths") or {}).items():
            url = entry.get("serverRelativeURL") if isinstance(entry, dict) else None
            if isinstance(url, str) and url.startswith("/") and not url.startswith("//"):
                found[key] = url
        return found

    async def get(self, resource: Resource, namespace: str, name: str) -> bytes | None:
        """The object's JSON, or None when it is not there (404)."""
        call = Call(
            method="GET",
            path=paths.one(resource, namespace, name),
            verb="get",
            about=paths.about(resource, namespace, name),
        )
        try:
            return (await self._send(call)).body
        except ClusterError as error:
            if error.status == 404:
                return None
            raise

    async def list(
        self, resource: Resource, namespace: str = "", *, label_selector: str = "", metadata_only: bool = False
    ) -> Bodies:
        """Each object's JSON; apiVersion and kind are filled in. Listed anew, once, when the server forgot the list."""
        scope = Scope(
            resource=resource, namespace=namespace, label_selector=label_selector, metadata_only=metadata_only
        )
        try:
            return await self._list(scope)
        except ClusterError as error:
            if error.status != 410:
                raise
        return await self._list(scope)

    async def _list(self, scope: Scope) -> Bodies:
        found = []
        async with aclosing(pages(self._transport, scope, self.limits)) as listed:
            async for page in listed:
                for item in page.items or ():
                    raw = bytes(item)
                    found.append(wire.completed(raw, wire.head(raw, scope.about).kind, scope.resource))
        return found

    def watch(
        self, resource: Resource, namespace: str = "", *, label_selector: str = "", metadata_only: bool = False
    ) -> AsyncIterator[WatchEvent]:
        """See ports.cluster: lists, then streams, and never ends by itself."""
        scope = Scope(
            resource=resource, namespace=namespace, label_selector=label_selector, metadata_only=metadata_only
        )
        return Watch(self._transport, self._clock, self.limits, scope).events()

    async def apply(
        self, resource: Resource, body: Object, *, manager: str, force: bool = True, dry_run: bool = False
    ) -> Applied:
        """Server-side apply of `body` (its metadata names it)."""
        call = self._write(
            "PATCH",
            "apply",
            resource,
            body,
            _query(manager, dry_run, force="true" if force else "false"),
            content_type="application/apply-patch+yaml",
        )
        return _applied(await self._send(call))

    async def create(self, resource: Resource, body: Object, *, manager: str, dry_run: bool = False) -> Applied:
        """POST; with metadata.generateName the server finds the name."""
        namespace, name = _place(body)
        if resource.namespaced and not namespace:
            raise ClusterError("a namespace is required", about=paths.about(resource, "", name), reason="Invalid")
        call = Call(
            method="POST",
            path=paths.collection(resource, namespace),
            verb="create",
            about=paths.about(resource, namespace, name),
            query=_query(manager, dry_run),
            body=_encode(body),
        )
        return _applied(await self._send(call))

    async def replace(self, resource: Resource, body: Object, *, manager: str, dry_run: bool = False) -> Applied:
        """PUT; a metadata.resourceVersion in `body` must be the live one (else 409)."""
        return _applied(await self._send(self._write("PUT", "update", resource, body, _query(manager, dry_run))))

    async def patch(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        patch: Any,
        *,
        kind: Literal["merge", "json", "strategic"] = "merge",
        manager: str,
        subresource: str = "",
    ) -> bytes:
        """The object as the patch left it."""
        call = Call(
            method="PATCH",
            path=paths.one(resource, namespace, name, subresource),
            verb="patch",
            about=paths.about(resource, namespace, name),
            query=_query(manager, dry_run=False),
            body=_encode(patch),
            content_type=_PATCH_TYPES[kind],
        )
        return (await self._send(call)).body

    async def delete(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        *,
        propagation: Propagation = "Foreground",
        uid: str = "",
        resource_version: str = "",
    ) -> bool:
        """True when the object was there. `uid` and `resource_version` are preconditions: a mismatch is a ClusterError 409."""
        options: dict[str, Any] = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": propagation}
        preconditions = {"uid": uid, "resourceVersion": resource_version}
        if any(preconditions.values()):
            options["preconditions"] = {key: value for key, value in preconditions.items() if value}
        call = Call(
            method="DELETE",
            path=paths.one(resource, namespace, name),
            verb="delete",
            about=paths.about(resource, namespace, name),
            body=_encode(options),
        )
        try:
            await self._send(call)
        except ClusterError as error:
            if error.status == 404:
                return False
            raise
        return True

    async def allowed(self, verb: str, resource: Resource, namespace: str = "") -> bool:
        """Whether our identity may do this (SelfSubjectAccessReview)."""
        attributes = {
            "verb": verb,
            "group": resource.group,
            "version": resource.version,
            "resource": resource.plural,
            "namespace": namespace if resource.namespaced else "",
        }
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {key: value for key, value in attributes.items() if value}},
        }
        about = f"asking whether we may {verb} {resource.plural}"
        path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        answer = await self._send(Call(method="POST", path=path, verb="review", about=about, body=_encode(review)))
        status = _object(answer.body, about).get("status")
        return isinstance(status, dict) and status.get("allowed") is True

    async def whoami(self) -> str:
        """The user that the server takes us for (SelfSubjectReview)."""
        review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        about, path = "asking who we are", "/apis/authentication.k8s.io/v1/selfsubjectreviews"
        answer = await self._send(Call(method="POST", path=path, verb="review", about=about, body=_encode(review)))
        status = _object(answer.body, about).get("status") or {}
        return str((status.get("userInfo") or {}).get("username", ""))

    async def refusal(
        self, method: Literal["PATCH", "DELETE"], resource: Resource, namespace: str, name: str, subresource: str = ""
    ) -> ClusterError | None:
        """Why the server would not let us change (by an annotation of ours) or delete it; None where it would. Nothing is written."""
        note = {"metadata": {"annotations": {"kilde.dev/guard-test": "tried"}}}
        options = {"kind": "DeleteOptions", "apiVersion": "v1", "dryRun": ["All"]}
        call = Call(
            method=method,
            path=paths.one(resource, namespace, name, subresource),
            verb="dry-run",
            about=paths.about(resource, namespace, name),
            query={"dryRun": "All"},
            body=_encode(note if method == "PATCH" else options),
            content_type=_PATCH_TYPES["merge"] if method == "PATCH" else "application/json",
        )
        try:
            await self._send(call)
        except ClusterError as error:
            return error
        return None

    async def through_service(
        self, namespace: str, service: str, path: str, *, body: bytes | None = None, accept: str = "*/*"
    ) -> bytes:
        """What a Service answers, asked through the API server's proxy; POST if there is a body. `service`: scheme:name:port."""
        call = Call(
            method="GET" if body is None else "POST",
            path=f"{paths.one(SERVICES, namespace, service, 'proxy')}{path}",
            verb="proxy",
            about=f"services/{service}",
            body=body,
            accept=accept,
        )
        return (await self._send(call)).body

    async def metrics(self) -> str | None:
        """The server's own page of metrics; None where we may not read it or it has none."""
        call = Call(method="GET", path="/metrics", verb="metrics", about="/metrics", accept="text/plain")
        try:
            return (await self._send(call)).body.decode("utf-8", "replace")
        except ClusterError as error:
            if error.status in (401, 403, 404):
                return None
            raise

    async def date(self) -> str:
        """The Date header of a small request (RFC 9110, whole seconds); "" if the server sends none."""
        answer = await self._send(Call(method="GET", path="/version", verb="version", about="version"))
        return answer.headers.get("Date", "")

    def acting(self, user: str) -> "KubeCluster":
        """The same cluster, whose writes are made as another user; connections, counts and budgets are ours."""
        return _Acting(self, user)

    def counts(self) -> dict[str, int]:
        """Requests sent so far, by verb: get, list, watch, apply, create, update, patch, delete, review, discovery, …"""
        return dict(self._transport.counts)

    async def pulse(self) -> None:
        """A small request, made even while others are interrupted."""
        await self._send(Call(method="GET", path="/version", verb=PULSE, about="version"))

    def interrupt(self, why: str) -> None:
        """See ports.cluster: so that nobody waits for a server that is known not to answer."""
        self._transport.in_flight.interrupt(why)

    async def close(self) -> None:
        """Ends every connection; watches end with their consumers."""
        await self._transport.close()

    def _write(
        self,
        method: str,
        verb: str,
        resource: Resource,
        body: Object,
        query: dict[str, str],
        *,
        content_type: str = "application/json",
    ) -> Call:
        namespace, name = _place(body)
        return Call(
            method=method,
            path=paths.one(resource, namespace, name),
            verb=verb,
            about=paths.about(resource, namespace, name),
            query=query,
            body=_encode(body),
            content_type=content_type,
        )

    async def _send(self, call: Call) -> Answer:
        return await self._transport.request(call)

    async def _optional(self, call: Call) -> Object | None:
        try:
            answer = await self._send(call)
        except ClusterError as error:
            if error.status == 404:
                return None
            raise
        return _object(answer.body, call.about)


class _Acting(KubeCluster):
    """A cluster as somebody else writes to it."""

    def __init__(self, own: KubeCluster, user: str) -> None:
        self._own, self._user = own, user
        self._transport, self.access = own._transport, own.access
        self.limits, self._clock = own.limits, own._clock

    async def discovery(self, *, refresh: bool = False) -> Discovery:
        return await self._own.discovery(refresh=refresh)

    async def schemas(self, group: str, version: str) -> Object | None:
        return await self._own.schemas(group, version)

    async def close(self) -> None:
        """The connections are another's."""

    async def _send(self, call: Call) -> Answer:
        return await super()._send(replace(call, acting=self._user) if call.verb in WRITES else call)


def _place(body: Object) -> tuple[str, str]:
    metadata = body.get("metadata")
    found = metadata if isinstance(metadata, dict) else {}
    return str(found.get("namespace") or ""), str(found.get("name") or "")


def _query(manager: str, dry_run: bool, **more: str) -> dict[str, str]:
    query = {"fieldManager": manager, **more}
    if dry_run:
        query["dryRun"] = "All"
    return query


def _applied(answer: Answer) -> Applied:
    warnings = (_WARNING.match(text) for text in answer.headers.getall("Warning", ()))
    texts = tuple(re.sub(r"\\(.)", r"\1", match.group(1)) for match in warnings if match)
    return Applied(raw=answer.body, created=answer.status == 201, warnings=texts)


def _object(raw: bytes, about: str) -> Object:
    try:
        found: Object = _decode(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ClusterError("the answer is not a JSON object", about=about, reason="Invalid") from error
    return found
