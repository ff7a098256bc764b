"""Deployments, StatefulSets and DaemonSets: restarted, scaled, paused."""

from collections.abc import Mapping
from typing import Final

from kilde.core.actions.action import BuiltIn
from kilde.core.actions.changes import RESTARTED, is_not_set, is_set, scales, sets, stamps

_RESTART: Final = BuiltIn(
    "restart", stamps("spec", "template", "metadata", "annotations", RESTARTED), icon="fa fa-fw fa-redo"
)
_SCALE: Final = BuiltIn("scale", scales("spec", "replicas"), icon="fa fa-fw fa-plus-circle", parameters=("replicas",))

ACTIONS: Final[Mapping[str, tuple[BuiltIn, ...]]] = {
    "Deployment": (
        _RESTART,
        BuiltIn(
            "pause", sets(True, "spec", "paused"), icon="fa fa-fw fa-pause-circle", disabled=is_set("spec", "paused")
        ),
        BuiltIn(
            "resume",
            sets(False, "spec", "paused"),
            icon="fa fa-fw fa-play-circle",
            disabled=is_not_set("spec", "paused"),
        ),
        _SCALE,
    ),
    "StatefulSet": (_RESTART, _SCALE),
    "DaemonSet": (_RESTART,),
}
