"""The words between the walk and whoever carries it out: what to do, and what was seen or became of it."""

from dataclasses import dataclass
from typing import TypeAlias

from kilde.core.apply.outcome import ObjectResult, Phase
from kilde.core.apply.tasks import Task

Tasks: TypeAlias = tuple[Task, ...]


@dataclass(frozen=True, slots=True)
class CreateNamespace:
    """Make sure the destination namespace is there. Reply: results."""

    name: str


@dataclass(frozen=True, slots=True)
class ApplyAll:
    """Write these objects, all at once. Reply: a result each."""

    tasks: Tasks


@dataclass(frozen=True, slots=True)
class AwaitServed:
    """Wait until the kinds these CustomResourceDefinitions define are served. Reply: results of those that are not."""

    tasks: Tasks


@dataclass(frozen=True, slots=True)
class PruneAll:
    """Delete these objects, which are no longer in Git. Reply: a result each."""

    tasks: Tasks


@dataclass(frozen=True, slots=True)
class Look:
    """Say how these objects look now. Reply: a Sight each."""

    tasks: Tasks


@dataclass(frozen=True, slots=True)
class ReleaseHooks:
    """Take the hook finalizer off these hooks. Reply: what failed ("" where nothing did) for each."""

    tasks: Tasks


@dataclass(frozen=True, slots=True)
class DeleteHooks:
    """Delete these hooks; do not wait until they are gone. Reply: what failed ("" where nothing did) for each."""

    tasks: Tasks


@dataclass(frozen=True, slots=True)
class Tell:
    """Write down how far the operation is, at once. Reply: nothing."""

    message: str
    results: tuple[ObjectResult, ...]


@dataclass(frozen=True, slots=True)
class Wait:
    """Say what is waited for, then wait until something changes. Reply: nothing."""

    message: str
    results: tuple[ObjectResult, ...]


@dataclass(frozen=True, slots=True)
class AskConfirmed:
    """Has a person confirmed what asks for it (`Prune=confirm`)? Reply: bool."""


@dataclass(frozen=True, slots=True)
class AskAllowed:
    """Do the project's sync windows let the operation go on? Reply: bool."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Let other controllers react between two waves. Reply: nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """How one object looks. `phase` is how far it is as a task; `ours`: it is a hook that this very attempt made."""

    phase: Phase = Phase.RUNNING
    message: str = ""
    there: bool = True
    going: bool = False
    ours: bool = False


class Terminated(Exception):
    """Thrown into the walk when somebody ends the operation."""


class Incomparable(Exception):
    """Thrown into the walk when what is there can no longer be judged; its text is what the operation tells."""


Command: TypeAlias = (
    CreateNamespace
    | ApplyAll
    | AwaitServed
    | PruneAll
    | Look
    | ReleaseHooks
    | DeleteHooks
    | Tell
    | Wait
    | AskConfirmed
    | AskAllowed
    | Pause
)
Reply: TypeAlias = tuple[ObjectResult, ...] | tuple[Sight, ...] | tuple[str, ...] | bool | None
