"""The Operator Lifecycle Manager's Subscription: an install plan may be pending, missing or failed."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import conditions, part, text
from kilde.core.health.health import Health, degraded, healthy, progressing
from kilde.core.health.judging import Judge, is_talking

_PENDING: Final = progressing("An install plan for a subscription is pending installation")
_BAD: Final = frozenset({"CatalogSourcesUnhealthy", "InstallPlanFailed", "ResolutionFailed"})


def subscription(obj: Object) -> Health:
    """All conditions are told, numbered from 1, and the state. A manual approval that an installed version waits for is well."""
    if not is_talking(obj):
        return _PENDING
    status, found = part(obj, "status"), list(enumerate(conditions(obj), start=1))
    is_manual = text(part(obj, "spec"), "installPlanApproval") == "Manual" and status.get("installedCSV") is not None
    waits_for_approval = is_manual and any(_is_pending(item, "RequiresApproval") for _, item in found)
    if waits_for_approval:
        found = [(index, item) for index, item in found if text(item, "type") != "InstallPlanPending"]
    message = "".join(f"{index}: {text(item, 'type')} | {text(item, 'status')}\n" for index, item in found)
    state = status.get("state")
    is_known = isinstance(state, str)
    message += f".status.state is '{state}'" if is_known else ".status.state not yet known"
    if state == "UpgradePending" and waits_for_approval:
        message, is_open = f"{message} (manual InstallPlan approval pending; treated as healthy)", False
    else:
        is_open = not is_known or state in ("", "UpgradeAvailable", "UpgradePending")
    if state == "UpgradeFailed" or any(_is_bad(item) for _, item in found):
        return degraded(f"{message}\n")
    is_open = is_open or any(_is_pending(item) for _, item in found)
    return progressing(f"{message}\n") if is_open else healthy(f"{message}\n")


def _is_pending(item: Object, reason: str = "") -> bool:
    is_so = text(item, "type") == "InstallPlanPending" and text(item, "status") == "True"
    return is_so and reason in ("", text(item, "reason"))


def _is_bad(item: Object) -> bool:
    kind = text(item, "type")
    if kind == "InstallPlanMissing":
        return text(item, "reason") != "ReferencedInstallPlanNotFound"
    return kind in _BAD and text(item, "status") == "True"


KINDS: Final[Mapping[str, Judge]] = {"Subscription": subscription}
