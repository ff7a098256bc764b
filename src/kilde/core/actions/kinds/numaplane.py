"""Numaplane: rollouts of pipelines and vertices paused and started again; the loss of data allowed while one drains."""

from collections.abc import Mapping
from typing import Final

from kilde.core.actions.action import BuiltIn, Call
from kilde.core.actions.changes import Change, annotates, at, put, sets
from kilde.core.basics.values import Object

_STRATEGIES: Final = "numaflow.numaproj.io/allowed-resume-strategies"
_LOSS: Final = "numaplane.numaproj.io/allow-data-loss"


def _phases(child: str) -> tuple[BuiltIn, ...]:
    """`child`: the field of the spec that has what is rolled out."""
    phase, play = ("spec", child, "spec", "lifecycle", "desiredPhase"), "fa-solid fa-fw fa-play"

    def is_paused(obj: Object) -> bool:
        return bool(at(obj, *phase) == "Paused")

    def resumes(*, fast: bool) -> Change:
        def change(obj: Object, call: Call) -> None:
            del call
            put(obj, "Running", *phase)
            put(obj, fast, "spec", "strategy", "pauseResume", "fastResume")

        return change

    def allowed(obj: Object) -> object:
        return at(obj, "spec", child, "metadata", "annotations", _STRATEGIES)

    return (
        BuiltIn("pause", sets("Paused", *phase), icon="fa-solid fa-fw fa-pause", disabled=is_paused),
        BuiltIn(
            "unpause-gradual",
            resumes(fast=False),
            "Unpause (gradual)",
            play,
            disabled=lambda obj: not is_paused(obj) or allowed(obj) == "fast",
        ),
        BuiltIn(
            "unpause-fast",
            resumes(fast=True),
            "Unpause (fast)",
            play,
            disabled=lambda obj: not is_paused(obj) or allowed(obj) not in ("fast", "slow, fast"),
        ),
    )


ACTIONS: Final[Mapping[str, tuple[BuiltIn, ...]]] = {
    "MonoVertexRollout": _phases("monoVertex"),
    "PipelineRollout": (
        *_phases("pipeline"),
        BuiltIn(
            "allow-data-loss",
            annotates(_LOSS, "true"),
            "Allow (Possible) Data Loss",
            "fa-solid fa-fw fa-unlock",
            disabled=lambda obj: at(obj, "status", "upgradeInProgress") != "PipelinePauseAndDrain",
        ),
        BuiltIn(
            "disallow-data-loss",
            annotates(_LOSS, "false"),
            "Disallow Data Loss",
            "fa-solid fa-fw fa-lock",
            disabled=lambda obj: at(obj, "metadata", "annotations", _LOSS) != "true",
        ),
    ),
}
