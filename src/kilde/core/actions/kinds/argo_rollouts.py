"""Argo Rollouts: a Rollout restarted, paused, resumed, aborted, tried again, promoted, a step left out; an AnalysisRun ended."""

from collections.abc import Mapping
from typing import Final

from kilde.core.actions.action import BuiltIn, Call
from kilde.core.actions.changes import at, put, sets, stamps
from kilde.core.basics.values import Object

_OVER: Final = ("Successful", "Failed", "Error", "Inconclusive")


def _is_done(obj: Object) -> bool:
    """Whether no update is under way: without a status the controller has not looked yet."""
    status = obj.get("status")
    return not isinstance(status, dict) or status.get("currentPodHash") == status.get("stableRS")


def _is_aborted(obj: Object) -> bool:
    return at(obj, "status", "abort") is True


def _is_paused(obj: Object) -> bool:
    return bool(at(obj, "status", "pauseConditions")) or at(obj, "spec", "paused") is True


def _is_old(obj: Object) -> bool:
    """Rollouts before 0.10 write a hash where later ones write the generation that they have seen."""
    seen = str(at(obj, "status", "observedGeneration") or "")
    return not seen.isdigit() or len(seen) > 18 or int(seen) > (at(obj, "metadata", "generation") or 0)


def _steps(obj: Object) -> int:
    steps = at(obj, "spec", "strategy", "canary", "steps")
    return len(steps) if isinstance(steps, list) else 0


def _has_no_step_left(obj: Object) -> bool:
    step = at(obj, "status", "currentStepIndex")
    return not _steps(obj) or not isinstance(step, int) or step >= _steps(obj)


def _cannot_promote(obj: Object) -> bool:
    return _is_done(obj) or (_is_old(obj) and at(obj, "spec", "strategy", "blueGreen") is not None)


def _resume(obj: Object, call: Call) -> None:
    del call
    put(obj, None, "status", "pauseConditions")
    if at(obj, "spec", "paused") is True:
        put(obj, False, "spec", "paused")


def _promote(obj: Object, call: Call) -> None:
    del call
    if not _is_old(obj):
        put(obj, True, "status", "promoteFull")
        return
    put(obj, None, "status", "abort")
    if _steps(obj):
        put(obj, _steps(obj), "status", "currentStepIndex")


def _skip(obj: Object, call: Call) -> None:
    del call
    if not _has_no_step_left(obj):
        put(obj, None, "status", "pauseConditions")
        put(obj, obj["status"]["currentStepIndex"] + 1, "status", "currentStepIndex")


ACTIONS: Final[Mapping[str, tuple[BuiltIn, ...]]] = {
    "Rollout": (
        BuiltIn("restart", stamps("spec", "restartAt"), "Restart Pods"),
        BuiltIn("resume", _resume, disabled=lambda obj: not _is_paused(obj)),
        BuiltIn(
            "pause",
            sets(True, "spec", "paused"),
            disabled=lambda obj: _is_done(obj) or _is_aborted(obj) or at(obj, "spec", "paused") is True,
        ),
        BuiltIn("abort", sets(True, "status", "abort"), disabled=lambda obj: _is_done(obj) or _is_aborted(obj)),
        BuiltIn("retry", sets(None, "status", "abort"), disabled=lambda obj: _is_done(obj) or not _is_aborted(obj)),
        BuiltIn("promote-full", _promote, disabled=_cannot_promote),
        BuiltIn("skip-current-step", _skip, disabled=_has_no_step_left),
    ),
    "AnalysisRun": (
        BuiltIn(
            "terminate",
            sets(True, "spec", "terminate"),
            disabled=lambda obj: at(obj, "spec", "terminate") is True or at(obj, "status", "phase") in _OVER,
        ),
    ),
}
