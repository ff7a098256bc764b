"""Capsule: tenants, their resources and their quotas by Ready, before it what holds them up; SOPS secrets of its add-on."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import part
from kilde.core.health.health import Health, HealthStatus, degraded, progressing, suspended
from kilde.core.health.judging import Judge, When, by_conditions, first, ill, is_talking, observed, said, well

_WAITING: Final = "Waiting for Ready condition"
_MISMATCH: Final = "Waiting for reconciliation (generation mismatch)"


def _once_told(judge: Judge) -> Judge:
    newest = observed(judge, _MISMATCH)
    return lambda obj: newest(obj) if is_talking(obj) else progressing("Waiting for status")


def _unless_held(kind: str, answer: str) -> Judge:
    def judge(obj: Object) -> Health:
        held = first(obj, kind, answer)
        return suspended(said(held)) if held else _by_ready(obj)

    return judge


def _resources(obj: Object) -> Health:
    is_cordoned = part(obj, "spec").get("cordoned") not in (None, False)
    return suspended("Replication is cordoned") if is_cordoned else _ready(obj)


def _pool(obj: Object) -> Health:
    exhausted = ", ".join(sorted(map(str, part(obj, "status", "exhaustions"))))
    return degraded(f"Pool exhausted for: {exhausted}") if exhausted else _by_ready(obj)


_by_ready: Final = by_conditions(well("Ready"), ill("Ready", "False"), waiting=_WAITING)
_ready: Final = _once_told(_by_ready)
_sops: Final = _once_told(
    by_conditions(
        well("Ready"), ill("Ready", "False"), When("Ready", "Unknown", HealthStatus.PROGRESSING), waiting=_WAITING
    )
)

KINDS: Final[Mapping[str, Judge]] = {
    **dict.fromkeys(("CapsuleConfiguration", "CustomQuota", "GlobalCustomQuota", "GlobalProxySettings"), _ready),
    **dict.fromkeys(("ProxySetting", "TenantOwner"), _ready),
    **dict.fromkeys(("GlobalTenantResource", "TenantResource"), _resources),
    **dict.fromkeys(("GlobalSopsSecret", "SopsProvider", "SopsSecret"), _sops),
    "ResourcePool": _once_told(_pool),
    "ResourcePoolClaim": _once_told(_unless_held("Bound", "False")),
    "Tenant": _once_told(_unless_held("Cordoned", "True")),
}
