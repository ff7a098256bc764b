"""Spot's Ocean deployments: a rollout aborted, too late, paused or under way."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import conditions, part, text
from kilde.core.health.health import HEALTHY, Health, degraded, progressing, suspended
from kilde.core.health.judging import INVALID, Judge, is_talking, said

_STUCK: Final = ("RolloutAborted", "ProgressDeadlineExceeded")


def deployment(obj: Object) -> Health:
    if not is_talking(obj):
        return INVALID
    for item in conditions(obj):
        kind = text(item, "type")
        if kind == "InvalidSpec" or (kind == "Progressing" and text(item, "reason") in _STUCK):
            return degraded(said(item))
        if kind == "Paused" and text(item, "status") == "True":
            return suspended("Rollout is paused")
    moves = text(part(obj, "status"), "phase") == "Progressing"
    return progressing("Waiting for rollout to finish steps") if moves else HEALTHY


KINDS: Final[Mapping[str, Judge]] = {"SpotDeployment": deployment}
