"""Percona's operator for MongoDB: a cluster stopped, and going on again."""

from collections.abc import Mapping
from typing import Final

from kilde.core.actions.action import BuiltIn
from kilde.core.actions.changes import is_not_set, is_set, sets

_PAUSE: Final = BuiltIn(
    "pause", sets(True, "spec", "pause"), icon="fa fa-fw fa-pause-circle", disabled=is_set("spec", "pause")
)
_UNPAUSE: Final = BuiltIn(
    "unpause", sets(False, "spec", "pause"), icon="fa fa-fw fa-play-circle", disabled=is_not_set("spec", "pause")
)

ACTIONS: Final[Mapping[str, tuple[BuiltIn, ...]]] = {"PerconaServerMongoDB": (_PAUSE, _UNPAUSE)}
