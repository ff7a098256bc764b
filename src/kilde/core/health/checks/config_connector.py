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
_FLAGGED: Final = frozenset({"ConfigConnector", "ConfigConnectorContext"})


def judge(obj: Object) -> Health:
    """A status of another generation than the object's is not read; one that names no generation is."""
    status = part(obj, "status")
    observed = status.get("observedGeneration")
    if observed is None or observed == part(obj, "metadata").get("generation"):
        kind = text(obj, "kind")
        flag = status.get("healthy")
        if kind in _FLAGGED and flag is not None:
            return healthy(f"{kind} is healthy") if flag is True else degraded(f"{kind} is not healthy")
        for item in conditions(obj):
            reason = text(item, "reason")
            if reason == "UpToDate" and text(item, "status") == "True":
                return healthy(said(item))
            if reason in _REASONS:
                return Health(_REASONS[reason], said(item))
    return progressing("Update in progress")


KINDS: Final[Mapping[str, Judge]] = {"_": judge}
