"""MemoryUndo: deleted objects in a list; keeps the promises of ports.undo but the one about crashes."""

from collections.abc import Iterable, Sequence

from kilde.core.basics.errors import KildeError
from kilde.core.basics.values import canonical
from kilde.core.plan.restoring import Kept
from kilde.ports.undo import Deleted


class MemoryUndo:
    """See ports.undo.UndoStore. `room` in bytes."""

    def __init__(self, *, room: int = 1 << 28) -> None:
        self._kept: list[Kept] = []
        self._room = room

    def keep(self, objects: Iterable[Kept]) -> None:
        known = {(one.application, one.operation, one.ref) for one in self._kept}
        fresh = [one for one in objects if (one.application, one.operation, one.ref) not in known]
        mine = {(one.application, one.operation) for one in fresh}
        after = [*self._kept, *fresh]
        while sum(len(canonical(one.body)) for one in after) > self._room:
            oldest = min(
                (one for one in after if (one.application, one.operation) not in mine),
                key=lambda one: one.at,
                default=None,
            )
            if oldest is None:
                raise KildeError("what is to be deleted is too large to be kept", hint="kilde up --undo-retention 0")
            after = [one for one in after if (one.application, one.operation) != (oldest.application, oldest.operation)]
        self._kept = after

    def operations(self, application: str) -> Sequence[Deleted]:
        found: dict[int, Deleted] = {}
        for one in sorted(self._kept, key=lambda one: one.ref):
            if one.application == application:
                before = found.get(one.operation, Deleted(one.operation, one.at, ()))
                found[one.operation] = before._replace(objects=(*before.objects, str(one.ref)))
        return sorted(found.values(), key=lambda one: -one.operation)

    def read(self, application: str, operation: int) -> list[Kept]:
        found = [one for one in self._kept if (one.application, one.operation) == (application, operation)]
        return sorted(found, key=lambda one: one.ref)

    def approved(self, application: str, plan: str) -> tuple[str, frozenset[str]]:
        found = [one for one in self._kept if plan and (one.application, one.plan) == (application, plan)]
        return (found[-1].rendered if found else ""), frozenset(one.uid for one in found)

    def forget(self, before: float) -> int:
        kept = [one for one in self._kept if one.at >= before]
        gone, self._kept = len(self._kept) - len(kept), kept
        return gone
