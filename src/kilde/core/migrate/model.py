"""Move: what would become of another controller's installation; one document for the terminal, a program and a pull request."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import msgspec

from kilde.core.basics.values import Object

Kind = Literal["differs", "unmapped", "person"]


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """What is not one to one. `person`: somebody has to decide before the move. `keep`: what keeps the other's way, if anything does."""

    kind: Kind
    about: str
    text: str
    keep: str = ""


class Workload(msgspec.Struct, frozen=True, kw_only=True):
    """What runs the other controller. `replicas`: wanted; `pods`: those that are there and not finished."""

    kind: str
    namespace: str
    name: str
    replicas: int
    pods: int
    image: str = ""

    @property
    def runs(self) -> bool:
        return self.replicas > 0 or self.pods > 0

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


class Mapped(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that goes on as it is, or becomes what `becomes` says. `file`: where it is written, "" where something else makes it."""

    what: str
    becomes: str = ""
    file: str = ""
    made_by: str = ""
    objects: int = 0


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """The whole of it. `owned`: objects that Kilde would look after; `retracked`: those that get another mark of their application."""

    system: str
    cluster: str = ""
    workloads: tuple[Workload, ...] = ()
    mapped: tuple[Mapped, ...] = ()
    notes: tuple[Note, ...] = ()
    owned: int = 0
    retracked: tuple[str, ...] = ()
    busy: tuple[str, ...] = ()  # what is in the middle of something now

    @property
    def needs_person(self) -> bool:
        return any(note.kind == "person" for note in self.notes)

    def of(self, kind: Kind) -> tuple[Note, ...]:
        return tuple(note for note in self.notes if note.kind == kind)


@dataclass(frozen=True, slots=True)
class Moved:
    """A move and the manifests of the config repository, by their file."""

    move: Move
    files: Mapping[str, Object]
