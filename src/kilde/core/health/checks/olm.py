"""The Operator Lifecycle Manager's Subscription: an install plan may be pending, missing or failed."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import conditions, part, text
from kilde.core.health.health import Health, degraded, healthy, progressing
from kilde.core.health.judging import Judge

_PENDING: Final = progressing("An install plan for a subscription is pending installation")
_BAD: Final = frozenset({"CatalogSourcesUnhealthy", "InstallPlanFailed", "ResolutionFailed"})


def subscription(obj: Object) -> Health:
    """All conditions are told, numbered from 1."""
    if not isinstance(part(obj, "status").get("conditions"), list):
        return _PENDING
    found = list(conditions(obj))
    message = "".join(
        f"{index}: {text(item, 'type')} | {text(item, 'status')}\n" for index, item in enumerate(found, start=1)
    )
    if any(_is_bad(item) for item in found):
        return degraded(message)
    is_pending = any(text(item, "type") == "InstallPlanPending" and text(item, "status") == "True" for item in found)
    return _PENDING if is_pending else healthy(message)


def _is_bad(item: Object) -> bool:
    kind = text(item, "type")
    if kind == "InstallPlanMissing":
        return text(item, "reason") != "ReferencedInstallPlanNotFound"
    return kind in _BAD and text(item, "status") == "True"


KINDS: Final[Mapping[str, Judge]] = {"Subscription": subscription}
