"""Percona's operator for MongoDB: a cluster that was stopped goes on."""

from collections.abc import Mapping
from typing import Final

from kilde.core.actions.action import BuiltIn
from kilde.core.actions.changes import is_not_set, sets

ACTIONS: Final[Mapping[str, tuple[BuiltIn, ...]]] = {
    "PerconaServerMongoDB": (BuiltIn("unpause", sets(False, "spec", "pause"), disabled=is_not_set("spec", "pause")),)
}
