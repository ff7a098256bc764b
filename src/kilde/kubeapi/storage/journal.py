"""Journal: what the store asks of whatever keeps its writes, and what it is told of each of them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol

from kilde.core.basics.errors import KildeError
from kilde.kubeapi.interface import ApiError


class Durability(StrEnum):
    """When a write counts as committed: once it is on the disk (full), or once the system has it (normal: survives kill -9)."""

    FULL = "full"
    NORMAL = "normal"


class Entry(NamedTuple):
    """A write: the resourceVersion, the object's key and its new bytes (None: deleted)."""

    version: int
    key: str
    value: bytes | None


class Outcome(NamedTuple):
    """All writes up to `version` are committed; with an error, those after it are not and never will be."""

    version: int
    error: Exception | None = None


@dataclass(slots=True)
class Recovery:
    """What a start found: writes since the last snapshot, whether the last run closed its store, and what was wrong."""

    replayed: int = 0
    clean: bool = True
    upgraded_from: int = 0  # the format it had; 0 if it is today's
    problems: tuple[str, ...] = ()


class StorageBroken(ApiError):
    """500: the disk did not take a write, and the write has not happened."""

    code = "storage-broken"

    def __init__(self, where: str, why: str) -> None:
        self.why = why
        told = (
            f"Internal error occurred: {where} cannot be written ({why}): the change was not made; reading still works"
        )
        super().__init__(500, "InternalError", told, {"causes": [{"message": f"{where}: {why}"}]})


class StorageUnreadable(KildeError):
    """The store cannot be opened; nothing was changed in it."""

    code = "storage-unreadable"


class Journal(Protocol):
    """Promises: an entry is committed whole or not at all, and never without those before it; `entries` answers what was committed."""

    @property
    def name(self) -> str:
        """What errors call it."""
        ...

    @property
    def recovery(self) -> Recovery:
        """What was found when it was opened; complete once `entries` was read to its end."""
        ...

    def entries(self) -> Iterator[Entry]:
        """Every object as of the last snapshot, then the writes since, oldest first."""
        ...

    def last(self) -> int:
        """The resourceVersion of the last write that is kept; 0 if there is none."""
        ...

    def begin(self, version: int) -> None:
        """Notes that a run begins and that versions up to this one may be told to clients: `last` is no lower from here on."""
        ...

    def append(self, entries: Sequence[Entry]) -> None:
        """Takes writes, at least one, and does not wait for them."""
        ...

    def resume(self) -> None:
        """After an outcome with an error: what is appended from here on is tried again; until then nothing is."""
        ...

    def outcomes(self) -> list[Outcome]:
        """What was decided since the last call, in order."""
        ...

    def on_outcome(self, tell: Callable[[], None]) -> None:
        """`tell` is called, in any thread, when there are new outcomes."""
        ...

    def flush(self) -> None:
        """Returns when all that was appended is decided."""
        ...

    def close(self) -> None:
        """Decides what is left and lets go of the file."""
        ...


class NoJournal:
    """Remembers nothing: for --ephemeral. Every write is committed at once."""

    name = "memory"

    def __init__(self) -> None:
        self.recovery = Recovery()
        self._outcomes: list[Outcome] = []
        self._tell: Callable[[], None] = lambda: None

    def entries(self) -> Iterator[Entry]:
        return iter(())

    def last(self) -> int:
        return 0

    def begin(self, version: int) -> None:
        """Forgets it."""

    def append(self, entries: Sequence[Entry]) -> None:
        self._outcomes.append(Outcome(entries[-1].version))
        self._tell()

    def resume(self) -> None:
        """Nothing ever fails."""

    def outcomes(self) -> list[Outcome]:
        found, self._outcomes = self._outcomes, []
        return found

    def on_outcome(self, tell: Callable[[], None]) -> None:
        self._tell = tell

    def flush(self) -> None:
        """Nothing to do."""

    def close(self) -> None:
        """Nothing to do."""
