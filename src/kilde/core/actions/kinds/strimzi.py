"""Strimzi: pods rolled one after the other, as the operator does when it is asked by an annotation."""

from collections.abc import Mapping
from typing import Final

from kilde.core.actions.action import BuiltIn
from kilde.core.actions.changes import annotates, at
from kilde.core.basics.values import Object

_ROLL: Final = "strimzi.io/manual-rolling-update"


def _is_rolling(obj: Object) -> bool:
    return bool(at(obj, "metadata", "annotations", _ROLL) == "true")


ACTIONS: Final[Mapping[str, tuple[BuiltIn, ...]]] = {
    "StrimziPodSet": (BuiltIn("rolling-update", annotates(_ROLL, "true"), disabled=_is_rolling),)
}
