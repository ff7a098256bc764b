"""KEDA: scaling paused, at what there is or at a number, and gone on with."""

from collections.abc import Mapping
from typing import Final

from kilde.core.actions.action import BuiltIn, Call
from kilde.core.actions.changes import annotates, at, put, replicas
from kilde.core.basics.values import Object

_PAUSED: Final = "autoscaling.keda.sh/paused"
_AT: Final = "autoscaling.keda.sh/paused-replicas"


def _rests(obj: Object) -> bool:
    annotations = at(obj, "metadata", "annotations") or {}
    return annotations.get(_PAUSED) == "true" or _AT in annotations


def _pause_at(obj: Object, call: Call) -> None:
    put(obj, str(replicas(call)), "metadata", "annotations", _AT)


def _resume(obj: Object, call: Call) -> None:
    del call
    put(obj, None, "metadata", "annotations", _PAUSED)
    put(obj, None, "metadata", "annotations", _AT)


def _is_paused(obj: Object) -> bool:
    return bool(at(obj, "metadata", "annotations", _PAUSED) == "true")


_ICON: Final = "fa fa-fw fa-pause-circle"
_PAUSE: Final = BuiltIn("pause", annotates(_PAUSED, "true"), icon=_ICON, disabled=_rests)
_PAUSE_AT: Final = BuiltIn("paused-replicas", _pause_at, icon=_ICON, parameters=("replicas",), disabled=_is_paused)
_RESUME: Final = BuiltIn("resume", _resume, icon="fa fa-fw fa-play-circle", disabled=lambda obj: not _rests(obj))

ACTIONS: Final[Mapping[str, tuple[BuiltIn, ...]]] = {
    "ScaledObject": (_PAUSE, _PAUSE_AT, _RESUME),
    "ScaledJob": (_PAUSE, _RESUME),
}
