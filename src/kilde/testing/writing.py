"""Writing: what a write makes of an object in a FakeCluster, by the rules of an API server."""

from typing import Final

from kilde.core.basics.errors import ClusterError, KildeError
from kilde.core.basics.moment import rfc3339
from kilde.core.basics.values import Object
from kilde.core.objects.patches.errors import PatchError
from kilde.core.objects.ref import ObjectRef, join_api_version
from kilde.core.objects.typed import managed_fields
from kilde.core.objects.typed.errors import ApplyConflict, BadApply, TypingError
from kilde.core.objects.typed.field_set import FieldSet
from kilde.ports.cluster import Resource
from kilde.testing.served import Served

_STATUS: Final = FieldSet.of(("f:status",))
_SERVERS_OWN: Final = ("uid", "creationTimestamp", "generation", "resourceVersion", "deletionTimestamp")
_REASONS: Final = {400: "BadRequest", 409: "Conflict", 422: "Invalid"}


class Writing:
    """Pure apart from the table of kinds it reads. `now` is seconds since the epoch."""

    def __init__(self, served: Served) -> None:
        self._served = served

    def applied(
        self, resource: Resource, live: Object | None, config: Object, manager: str, *, force: bool, now: float
    ) -> Object:
        """The live object after a server-side apply; the same object where nothing changes. Raises ClusterError."""
        try:
            result = managed_fields.apply(
                live,
                config,
                node=self._served.node(resource),
                manager=manager,
                force=force,
                api_version=join_api_version(resource.group, resource.version),
                now=rfc3339(now),
                reset_fields=self._reset(resource),
            )
        except (ApplyConflict, BadApply, TypingError) as error:
            raise _refused(error, _about(resource, config)) from error
        return result.object if result.changed else (live or result.object)

    def updated(
        self, resource: Resource, live: Object | None, new: Object, manager: str, *, subresource: str = "", now: float
    ) -> Object:
        """What is stored of `new`, written by `manager`; the live object where nothing changes."""
        new = self._kept(resource, live, new, subresource)
        result = managed_fields.update(
            live,
            new,
            node=self._served.node(resource),
            manager=manager,
            api_version=join_api_version(resource.group, resource.version),
            subresource=subresource,
            now=rfc3339(now),
            reset_fields=FieldSet() if subresource else self._reset(resource),
        )
        return result.object if result.changed else (live or result.object)

    def _reset(self, resource: Resource) -> FieldSet:
        return _STATUS if self._served.has_status(resource) else FieldSet()

    def _kept(self, resource: Resource, live: Object | None, new: Object, subresource: str) -> Object:
        """`new` with what this endpoint does not let be written as it was."""
        base = live or {}
        if subresource == "status":
            return {**base, "status": new.get("status") or {}}
        if self._served.has_status(resource):
            new = {key: value for key, value in new.items() if key != "status"}
            if "status" in base:
                new["status"] = base["status"]
        return new


def settled(body: Object, live: Object | None, *, uid: str, now: float) -> Object:
    """The body with the metadata that only the server writes: uid, creation, generation (up when more than metadata or status changed)."""
    metadata = {**body["metadata"]}
    if live is None:
        metadata |= {"uid": uid, "creationTimestamp": rfc3339(now), "generation": 1}
    else:
        before = live["metadata"]
        metadata |= {key: before[key] for key in _SERVERS_OWN if key in before}
        if _content(body) != _content(live):
            metadata["generation"] = int(before.get("generation", 1)) + 1
    return {**body, "metadata": metadata}


def refused_patch(error: PatchError, resource: Resource, name: str) -> ClusterError:
    return ClusterError(
        error.what, about=f"{resource.group_kind} {name}", status=error.status, reason=_REASONS.get(error.status, "")
    )


def ref_of(resource: Resource, namespace: str, name: str) -> ObjectRef:
    return ObjectRef(resource.group, resource.kind, namespace if resource.namespaced else "", name)


def _content(body: Object) -> Object:
    return {key: value for key, value in body.items() if key not in ("metadata", "status", "apiVersion", "kind")}


def _about(resource: Resource, body: Object) -> str:
    metadata = body.get("metadata") or {}
    return str(ref_of(resource, metadata.get("namespace") or "", metadata.get("name") or ""))


def _refused(error: KildeError, about: str) -> ClusterError:
    if isinstance(error, ApplyConflict):
        return ClusterError(error.what, about=about, status=409, reason="Conflict", causes=error.causes)
    if isinstance(error, BadApply):
        return ClusterError(error.what, about=about, status=400, reason="BadRequest")
    return ClusterError(error.what, about=about, status=500)
