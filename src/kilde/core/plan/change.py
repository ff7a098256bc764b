"""The vocabulary of a plan: what may happen to an object, which fields differ, and why."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from kilde.core.objects.ref import ObjectRef


class Action(StrEnum):
    """What a plan may say about an object. Closed: a new word here is a new word in the UI."""

    CREATE = "create"
    UPDATE = "update"
    KEEP = "keep"
    PRUNE = "prune"
    HOLD = "hold"  # should go, but may not: pruning is off, or the object says Prune=false


class Masked:
    """Stands for a secret value: equal ones compare equal, none is ever shown."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "********"


MASKED = Masked()


@dataclass(frozen=True, slots=True)
class Writer:
    """Who owns a field: field manager, its operation, and when it last wrote (RFC 3339; "" where unknown)."""

    manager: str
    operation: str = ""
    time: str = ""
    subresource: str = ""

    def __str__(self) -> str:
        return (
            self.manager
            + (f" ({self.subresource})" if self.subresource else "")
            + (f" at {self.time}" if self.time else "")
        )


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field that differs. `live` is what the cluster has, `wanted` what Git says; ABSENT where a side has nothing."""

    path: str
    live: Any
    wanted: Any
    why: str
    owner: Writer | None = None


class Absent:
    """Stands for a side that has no such field."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "(none)"


ABSENT = Absent()


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is to happen to one object, and why. The bodies are fetched by whoever carries it out.

    `live_version` is the resource version the judgement rests on, `live_uid` the object's uid ("" where nothing is there); `holder` names
    another application whose tracking id the live object carries.
    """

    ref: ObjectRef
    action: Action
    why: str
    version: str
    wave: int = 0
    fields: tuple[FieldChange, ...] = ()
    prune_last: bool = False
    live_version: str = ""
    live_uid: str = ""
    holder: str = ""
    ignored: bool = False  # listed, but does not make the application OutOfSync (IgnoreExtraneous)
    confirm: bool = False  # asks for a person's word before it is pruned (Prune=confirm)
    kept: bool = False  # says itself that it is never pruned (Prune=false)
    asks: bool = False  # a person has to confirm that it is deleted (Prune=confirm or Delete=confirm)
    rewrites: bool = False  # as in Git but for what ignoreDifferences leaves out; a sync writes that too
    forbidden: bool = False  # the application's project does not permit such an object
    unfit: bool = False  # nor, wherever it were, its kind
    hook: bool = (
        False  # a live hook: listed, and neither compared nor pruned, even where Git has it as an object by now
    )
    aside: bool = (
        False  # listed, and not compared: Git says `hook: Skip`, or the object is a copy of one of the application's
    )
    takes: int = 1  # of what would be deleted: how many objects go, itself included
    dear: str = ""  # of what would be deleted: why no budget covers it by count
    going: bool = False  # its deletion was asked for already
    restored: bool = False  # was put back by `kilde app undo`: Git has to have it again before it may go unasked
    over: bool = False  # held because it is over a deletion budget
    fault: str = ""  # why it cannot be written, whatever the cluster says

    @property
    def differs(self) -> bool:
        return self.forbidden or not (self.action is Action.KEEP or self.ignored or self.hook or self.aside)
