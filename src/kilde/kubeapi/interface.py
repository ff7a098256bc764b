"""Api: how code inside the server's process (controllers, garbage collection) reads and writes what it serves.

Every call takes the same path as an HTTP request: admission, defaulting, ownership of fields, validation, storage. Resources are
named `plural.group` (`pods`, `deployments.apps`) and are met in their storage version.
"""

from collections.abc import AsyncIterator, Iterable
from typing import NamedTuple, Protocol

from kilde.core.basics.errors import KildeError
from kilde.core.basics.values import Object


class ApiError(KildeError):
    """A request was refused: the HTTP code, the Status' reason and message, and its `details` (retryAfterSeconds, causes, …)."""

    code = "kube-api-error"

    def __init__(self, status: int, reason: str, message: str, details: Object | None = None) -> None:
        super().__init__(message)
        self.status, self.reason, self.message, self.details = status, reason, message, details


class Event(NamedTuple):
    """A change of one object: `type` is ADDED, MODIFIED or DELETED; `resource` as it was asked for. Do not change `object` in place."""

    resource: str
    type: str
    object: Object


class Api(Protocol):
    """Promises: objects that are answered are the caller's own to read, never to change in place; refusals raise ApiError.

    `namespace` is "" for cluster-scoped resources. `manager` is the field manager of a write. An update whose body carries a
    resourceVersion fails with 409 Conflict if the object has moved on; an update that changes nothing writes nothing.
    """

    async def get(self, resource: str, namespace: str, name: str) -> Object:
        """The object; ApiError 404 NotFound."""
        ...

    async def list(self, resource: str, namespace: str | None = None, *, label_selector: str = "") -> list[Object]:
        """All objects of a resource, or of one namespace, ordered by namespace and name."""
        ...

    async def create(
        self, resource: str, namespace: str, body: Object, *, manager: str, name: str = "", subresource: str = ""
    ) -> Object:
        """Creates an object (generateName is honoured), or posts to a sub-resource (`binding`, `eviction`) of the one named."""
        ...

    async def update(self, resource: str, body: Object, *, manager: str, subresource: str = "") -> Object:
        """Replaces the object that `body` names, or its sub-resource; 404 if there is none."""
        ...

    async def update_status(self, resource: str, body: Object, *, manager: str) -> Object:
        """Replaces the status of the object that `body` names."""
        ...

    async def patch(
        self, resource: str, namespace: str, name: str, change: Object, *, manager: str, subresource: str = ""
    ) -> Object:
        """Merge-patches (RFC 7386) an object or its sub-resource."""
        ...

    async def apply(
        self, resource: str, body: Object, *, manager: str, force: bool = False, subresource: str = ""
    ) -> Object:
        """Server-side applies the object that `body` names."""
        ...

    async def delete(
        self,
        resource: str,
        namespace: str,
        name: str,
        *,
        grace: int | None = None,
        propagation: str = "",
        uid: str = "",
        resource_version: str = "",
    ) -> Object:
        """Deletes; `grace` in seconds, `propagation` Background, Foreground or Orphan ("": the kind's own), the rest preconditions."""
        ...

    def watch(self, resources: Iterable[str]) -> AsyncIterator[Event]:
        """First every object that is there as ADDED, then each change, in the order of the writes, for as long as it is iterated.

        ApiError 410 Expired ends it when the reader is too slow; begin anew then.
        """
        ...
