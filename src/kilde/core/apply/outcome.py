"""What became of each change, and of the operation as a whole, in Argo CD's words."""

from dataclasses import dataclass
from enum import StrEnum

from kilde.core.objects.ref import ObjectRef


class Phase(StrEnum):
    """The phase of an operation."""

    RUNNING = "Running"
    TERMINATING = "Terminating"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    ERROR = "Error"

    @property
    def is_final(self) -> bool:
        return self in (Phase.SUCCEEDED, Phase.FAILED, Phase.ERROR)


class ResultCode(StrEnum):
    """What happened to one object in an operation."""

    SYNCED = "Synced"
    FAILED = "SyncFailed"
    PRUNED = "Pruned"
    PRUNE_SKIPPED = "PruneSkipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectResult:
    """One object in an operation. `before` and `after` are resource versions ("" where there was, or is, none)."""

    ref: ObjectRef
    version: str
    code: ResultCode
    message: str
    verb: str
    hook_phase: str = "Running"
    sync_phase: str = "Sync"
    hook_type: str = ""
    before: str = ""
    after: str = ""
    reported_namespace: str = ""
    images: tuple[str, ...] = ()
    unavailable: bool = False  # the cluster gave no usable answer: not the object's fault, worth trying again later
    lasting: bool = False  # refused with an answer that asking again does not change


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an operation ended, and what it did to each object, in the order it was done."""

    phase: Phase
    message: str
    results: tuple[ObjectResult, ...] = ()

    @property
    def unavailable(self) -> bool:
        """Whether it failed only because the cluster could not answer."""
        failed = [result for result in self.results if result.code is ResultCode.FAILED]
        return bool(failed) and all(result.unavailable for result in failed)


def kind_word(ref: ObjectRef) -> str:
    """How kubectl names an object in its messages: `deployment.apps/web`, `configmap/a`."""
    kind = ref.kind.lower()
    return f"{kind}.{ref.group}/{ref.name}" if ref.group else f"{kind}/{ref.name}"
