"""Flux: objects suspended, resumed, reconciled at once."""

from collections.abc import Mapping
from typing import Final

from kilde.core.actions.action import BuiltIn
from kilde.core.actions.changes import annotates, is_not_set, is_set, sets

_SUSPEND: Final = BuiltIn("suspend", sets(True, "spec", "suspend"), disabled=is_set("spec", "suspend"))
_RESUME: Final = BuiltIn("resume", sets(False, "spec", "suspend"), disabled=is_not_set("spec", "suspend"))
_RECONCILE: Final = BuiltIn(
    "reconcile", annotates("reconcile.fluxcd.io/requestedAt", stamped=True), disabled=is_set("spec", "suspend")
)
_ALL: Final = (_SUSPEND, _RESUME, _RECONCILE)

ACTIONS: Final[Mapping[str, tuple[BuiltIn, ...]]] = {
    **dict.fromkeys(("GitRepository", "OCIRepository", "HelmRepository", "HelmChart", "Bucket"), _ALL),
    **dict.fromkeys(("Kustomization", "HelmRelease", "ImageRepository", "ImageUpdateAutomation", "Receiver"), _ALL),
    **dict.fromkeys(("Alert", "Provider"), (_SUSPEND, _RESUME)),
}
