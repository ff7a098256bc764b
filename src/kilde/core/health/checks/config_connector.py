"""Google Config Connector: the reason of a condition tells; its two configuration kinds have a flag."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import conditions, part, text
from kilde.core.health.health import Health, HealthStatus, degraded, healthy, progressing
from kilde.core.health.judging import Judge, said

_REASONS: Final = {
    "UpdateFailed": HealthStatus.DEGRADED,
    "DependencyNotFound": HealthStatus.DEGRADED,
    "DependencyNotReady": HealthStatus.SUSPENDED,
}
_CUSTOM: Final = "customize.core.cnrm.cloud.google.com/"
_FLAGGED: Final = frozenset({"ConfigConnector", "ConfigConnectorContext"})


def judge(obj: Object) -> Health:
    """A status of another generation than the object's is not read; one that names none is (customizations write 0)."""
    status = part(obj, "status")
    observed = status.get("observedGeneration")
    is_newest = observed in (None, part(obj, "metadata").get("generation"))
    kind, flag = text(obj, "kind"), status.get("healthy")
    is_custom = text(obj, "apiVersion").startswith(_CUSTOM)
    if flag is not None and ((is_newest and kind in _FLAGGED) or (is_custom and (is_newest or observed == 0))):
        return healthy(f"{kind} is healthy") if flag is True else degraded(f"{kind} is not healthy")
    if is_newest:
        for item in conditions(obj):
            reason = text(item, "reason")
            if reason == "UpToDate" and text(item, "status") == "True":
                return healthy(said(item))
            if reason in _REASONS:
                return Health(_REASONS[reason], said(item))
    return progressing("Update in progress")


KINDS: Final[Mapping[str, Judge]] = {"_": judge}
