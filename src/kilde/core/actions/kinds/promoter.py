"""Argo CD's GitOps promoter: an open pull request merged."""

from collections.abc import Mapping
from typing import Final

from kilde.core.actions.action import BuiltIn
from kilde.core.actions.changes import at, sets

_MERGE: Final = BuiltIn(
    "merge",
    sets("merged", "spec", "state"),
    "Merge PR",
    "fa fa-fw fa-code-merge",
    disabled=lambda obj: at(obj, "spec", "state") != "open",
)

ACTIONS: Final[Mapping[str, tuple[BuiltIn, ...]]] = {"PullRequest": (_MERGE,)}
