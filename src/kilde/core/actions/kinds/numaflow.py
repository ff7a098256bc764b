"""Numaflow: pipelines and vertices paused and started again, slowly or at once; upgrades of Numaplane pushed through."""

from collections.abc import Callable, Mapping
from typing import Final

from kilde.core.actions.action import BuiltIn, Call
from kilde.core.actions.changes import Change, annotates, at, put, sets
from kilde.core.basics.values import Object

_PHASE: Final = ("spec", "lifecycle", "desiredPhase")
_PROMOTE: Final = "numaplane.numaproj.io/force-promote"
_STRATEGIES: Final = "numaflow.numaproj.io/allowed-resume-strategies"
_RESUMES: Final = "numaflow.numaproj.io/resume-strategy"


def _label(obj: Object, name: str) -> object:
    return at(obj, "metadata", "labels", name)


def _state(obj: Object) -> object:
    return _label(obj, "numaplane.numaproj.io/upgrade-state")


def _is_child(obj: Object, kind: str) -> bool:
    owners = at(obj, "metadata", "ownerReferences")
    found = owners if isinstance(owners, list) else []
    return any(isinstance(one, dict) and one.get("kind") == kind for one in found)


def _is_free(kind: str) -> Callable[[Object], bool]:
    """Whether an object is its own, and not a rollout's (a pipeline that its rollout has let go of is, too)."""
    expires = kind == "Pipeline"
    return lambda obj: not _is_child(obj, f"{kind}Rollout") or (expires and _state(obj) == "recyclable-expired")


def _can_resume(obj: Object, *strategies: str, or_else: bool = False) -> bool:
    """A paused one says how it may go on; where it does not, only slowly."""
    if at(obj, *_PHASE) != "Paused":
        return False
    allowed = at(obj, "spec", "metadata", "annotations", _STRATEGIES)
    return allowed in strategies or (or_else and allowed != "fast")


def _cannot_promote(obj: Object) -> bool:
    return _state(obj) not in ("in-progress", "trial") or _label(obj, _PROMOTE) == "true"


def _then(*changes: Change) -> Change:
    def change(obj: Object, call: Call) -> None:
        for one in changes:
            one(obj, call)

    return change


def _force_promote(title: str) -> BuiltIn:
    label = sets("true", "metadata", "labels", _PROMOTE)
    return BuiltIn("force-promote", label, title, "fa-solid fa-fw fa-forward", disabled=_cannot_promote)


def _phases(kind: str, gradual: Change, fast: Change) -> tuple[BuiltIn, ...]:
    is_free, run, play = _is_free(kind), sets("Running", *_PHASE), "fa-solid fa-fw fa-play"
    return (
        BuiltIn(
            "pause",
            sets("Paused", *_PHASE),
            icon="fa-solid fa-fw fa-pause",
            disabled=lambda obj: not is_free(obj) or at(obj, *_PHASE) == "Paused",
        ),
        BuiltIn(
            "unpause-gradual",
            _then(run, gradual),
            "Unpause (gradual)",
            play,
            disabled=lambda obj: not (is_free(obj) and _can_resume(obj, "slow, fast", or_else=True)),
        ),
        BuiltIn(
            "unpause-fast",
            _then(run, fast),
            "Unpause (fast)",
            play,
            disabled=lambda obj: not (is_free(obj) and _can_resume(obj, "fast", "slow, fast")),
        ),
        _force_promote("Force Promote"),
    )


def _is_needed(obj: Object) -> bool:
    return _state(obj) not in ("recyclable", "recyclable-expired")


def _no_replicas(obj: Object, call: Call) -> None:
    del call
    put(obj, None, "spec", "replicas")


def _nothing(obj: Object, call: Call) -> None:
    del obj, call


_DELETE: Final = BuiltIn(
    "delete",
    annotates("numaplane.numaproj.io/marked-for-deletion", "true"),
    "Delete",
    "fa-solid fa-fw fa-trash",
    disabled=_is_needed,
)

ACTIONS: Final[Mapping[str, tuple[BuiltIn, ...]]] = {
    "InterStepBufferService": (_force_promote(""),),
    "MonoVertex": _phases("MonoVertex", _no_replicas, _nothing),
    "Pipeline": (*_phases("Pipeline", annotates(_RESUMES, "slow"), annotates(_RESUMES, "fast")), _DELETE),
}
