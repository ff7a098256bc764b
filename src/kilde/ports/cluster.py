"""Cluster: a Kubernetes API as the engine sees it; the few calls it needs, and one stream of changes a kind and namespace."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, Protocol

from kilde.core.basics.values import Object
from kilde.core.objects.ref import GroupKind, ObjectRef


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind as a cluster serves it, at the version named here."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool
    verbs: frozenset[str] = frozenset()
    short_names: tuple[str, ...] = ()
    singular: str = ""
    categories: tuple[str, ...] = ()

    @property
    def group_kind(self) -> GroupKind:
        return GroupKind(self.group, self.kind)


class Discovery(Protocol):
    """What a cluster serves, as read at one moment."""

    def resource(self, group: str, kind: str, version: str = "") -> Resource | None:
        """The kind at that version, or at the one the server prefers; None if it is not served."""
        ...

    def versions(self, group: str, kind: str) -> tuple[str, ...]:
        """All served versions of a kind, preferred first."""
        ...

    def all(self) -> Sequence[Resource]:
        """Every served kind at its preferred version."""
        ...


class EventType(StrEnum):
    """What a watch says. SYNCED ends a listing: whatever was known before and was not listed is gone."""

    LISTED = "LISTED"
    SYNCED = "SYNCED"
    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"
    BROKEN = "BROKEN"  # the stream was lost and is being mended; `error` says why


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """One event. `raw` is the object's JSON as the server sent it (b"" for SYNCED and BROKEN)."""

    type: EventType
    namespace: str = ""
    name: str = ""
    resource_version: str = ""
    raw: bytes = b""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Applied:
    """What a write gave: the object as the server has it now, and whether it was made by this write."""

    raw: bytes
    created: bool
    warnings: tuple[str, ...] = ()


Propagation = Literal["Foreground", "Background", "Orphan"]


class Cluster(Protocol):
    """Promises.

    * Every failure is a ClusterError (status, reason, message of the server; status 0 when no answer came).
      A call is tried once, unless said otherwise; who calls decides about trying again.
    * `watch` never ends by itself: it lists (LISTED…, SYNCED), then streams, resumes after a drop with the last version it saw
      (bookmarks asked for), lists anew after 410, backs off when the server is away and says BROKEN once each time.
    * No object is held by the adapter; whoever consumes `watch` keeps what it wants.
    """

    async def version(self) -> str:
        """The server's gitVersion, such as v1.36.3."""
        ...

    async def discovery(self, *, refresh: bool = False) -> Discovery:
        """What is served; remembered until refresh."""
        ...

    async def schemas(self, group: str, version: str) -> Object | None:
        """The OpenAPI v3 document of a group version; None if there is none."""
        ...

    async def get(self, resource: Resource, namespace: str, name: str) -> bytes | None:
        """The object's JSON, or None when it is not there (404)."""
        ...

    async def list(
        self, resource: Resource, namespace: str = "", *, label_selector: str = "", metadata_only: bool = False
    ) -> list[bytes]:
        """Each object's JSON; apiVersion and kind are filled in. `metadata_only`: nothing beside the metadata need be in it."""
        ...

    def watch(
        self, resource: Resource, namespace: str = "", *, label_selector: str = "", metadata_only: bool = False
    ) -> AsyncIterator[WatchEvent]: ...

    async def apply(
        self, resource: Resource, body: Object, *, manager: str, force: bool = True, dry_run: bool = False
    ) -> Applied:
        """Server-side apply of `body` (its metadata names it)."""
        ...

    async def create(self, resource: Resource, body: Object, *, manager: str, dry_run: bool = False) -> Applied: ...

    async def replace(self, resource: Resource, body: Object, *, manager: str, dry_run: bool = False) -> Applied: ...

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
    ) -> bytes: ...

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
        ...

    async def allowed(self, verb: str, resource: Resource, namespace: str = "") -> bool:
        """Whether our identity may do this (SelfSubjectAccessReview)."""
        ...

    async def whoami(self) -> str:
        """The user that the server takes us for."""
        ...

    def acting(self, user: str) -> "Cluster":
        """The same cluster, whose writes are made as another user (impersonation); reads stay ours. Needs no closing."""
        ...

    def counts(self) -> dict[str, int]:
        """Requests sent so far, by verb (get, list, watch, apply, create, update, patch, delete, …)."""
        ...

    async def pulse(self) -> None:
        """Raises ClusterError where the server does not answer, or does not know us."""
        ...

    def interrupt(self, why: str) -> None:
        """Calls in flight and later ones, but `pulse` and watches, fail at once with a ClusterError that says why; "" lifts that."""
        ...

    async def close(self) -> None: ...


__all__ = [
    "Applied",
    "Cluster",
    "Discovery",
    "EventType",
    "ObjectRef",
    "Propagation",
    "Resource",
    "WatchEvent",
]
