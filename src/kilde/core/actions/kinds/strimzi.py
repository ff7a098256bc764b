"""Strimzi: pods rolled one after the other, as the operator does when it is asked by an annotation."""

from collections.abc import Mapping
from typing import Final

from kilde.core.actions.action import BuiltIn
from kilde.core.actions.changes import annotates

ACTIONS: Final[Mapping[str, tuple[BuiltIn, ...]]] = {
    "StrimziPodSet": (BuiltIn("rolling-update", annotates("strimzi.io/manual-rolling-update", "true")),)
}
