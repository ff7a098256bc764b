"""Capsule: tenants and their replicated resources cordoned and given free again; the resources reconciled at once."""

from collections.abc import Mapping
from typing import Final

from kilde.core.actions.action import BuiltIn
from kilde.core.actions.changes import annotates, is_not_set, is_set, sets

_IS_CORDONED: Final = is_set("spec", "cordoned")
_CORDON: Final = BuiltIn("cordon", sets(True, "spec", "cordoned"), icon="fa fa-fw fa-pause", disabled=_IS_CORDONED)
_UNCORDON: Final = BuiltIn(
    "uncordon", sets(False, "spec", "cordoned"), icon="fa fa-fw fa-play", disabled=is_not_set("spec", "cordoned")
)
_RECONCILE: Final = BuiltIn(
    "reconcile",
    annotates("reconcile.projectcapsule.dev/requestedAt", stamped=True),
    icon="fa fa-fw fa-rotate-right",
    disabled=_IS_CORDONED,
)

ACTIONS: Final[Mapping[str, tuple[BuiltIn, ...]]] = {
    "Tenant": (_CORDON, _UNCORDON),
    **dict.fromkeys(("GlobalTenantResource", "TenantResource"), (_CORDON, _UNCORDON, _RECONCILE)),
}
