"""Red Hat 3scale: one True condition tells; a few kinds have an id or a state that counts too."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import conditions, number, part, text
from kilde.core.health.health import Health, HealthStatus, degraded, healthy, progressing, suspended
from kilde.core.health.judging import Judge, When, by_conditions, ill, said, well


def _kind(name: str, goal: str, **faults: str) -> Judge:
    """Healthy once `goal` is True; Degraded by the fault's message, or by what the fault is where it has none."""
    named = [ill(fault, "True", f"3scale {name} {meaning}") for fault, meaning in faults.items()]
    done = well(goal, f"3scale {name} is {goal.lower()}")
    return by_conditions(done, *named, *_WAITS.get(name, ()), waiting=_waiting(name))


def _waiting(name: str) -> str:
    return f"Waiting for 3scale {name} status..."


_WAITS: Final = {
    "DeveloperAccount": (
        When("Waiting", "True", HealthStatus.SUSPENDED, None, "3scale DeveloperAccount is waiting for approval"),
    ),
    "ProxyConfigPromote": (
        When("In-progress", "True", HealthStatus.PROGRESSING, None, "3scale ProxyConfigPromote is in progress"),
    ),
}
_INVALID: Final = "configuration is invalid"
_FAILED: Final = "synchronization failed"
_ORPHAN: Final = "references non-existing resources"

_user: Final = _kind("DeveloperUser", "Ready", Invalid=_INVALID, Orphan=_ORPHAN, Failed=_FAILED)


def developer_user(obj: Object) -> Health:
    if text(part(obj, "status"), "developerUserState") == "suspended":
        return suspended("3scale Developer user is waiting for admin approval")
    return _user(obj)


def application(obj: Object) -> Health:
    """Not ready is Degraded."""
    if text(part(obj, "status"), "state") == "suspended":
        return suspended("3scale Application is suspended")
    for item in conditions(obj):
        if text(item, "type") == "Ready":
            if text(item, "status") == "True":
                return healthy("3scale Application is ready")
            if number(part(obj, "status"), "adminId") <= 0:
                return degraded(said(item, "3scale Application is not ready"))
    return progressing(_waiting("Application"))


def tenant(obj: Object) -> Health:
    """Ready needs the ids of tenant and administrator."""
    status = part(obj, "status")
    answers = [item for item in conditions(obj) if text(item, "type") == "Ready"]
    is_ready = any(text(item, "status") == "True" for item in answers)
    if is_ready and number(status, "tenantId") > 0 and number(status, "adminId") > 0:
        return healthy("3scale Tenant is ready")
    for item in answers:
        if text(item, "status") != "True":
            return degraded(said(item, "3scale Tenant is degraded"))
    return progressing(_waiting("Tenant"))


def manager(obj: Object) -> Health:
    """Well where all deployments are ready; else Available tells."""
    deployments = part(obj, "status", "deployments")
    if {key for key in ("ready", "starting", "stopped") if deployments.get(key) is not None} == {"ready"}:
        return healthy("3scale APIManager is available")
    for item in conditions(obj):
        if text(item, "type") != "Available":
            continue
        if text(item, "status") == "True":
            return healthy("3scale APIManager is available")
        if reason := text(item, "reason"):
            return degraded(f"3scale APIManager is degraded: {reason}")
    return _NO_MANAGER


_NO_MANAGER: Final = progressing("Waiting for 3scale APIManager status...")

KINDS: Final[Mapping[str, Judge]] = {
    "APIManager": manager,
    "ActiveDoc": _kind("ActiveDoc", "Ready", Invalid=_INVALID, Orphan=_ORPHAN, Failed=_FAILED),
    "Application": application,
    "ApplicationAuth": _kind("ApplicationAuth", "Ready", Failed="failed"),
    "Backend": _kind("Backend", "Synced", Invalid=_INVALID, Failed=_FAILED),
    "CustomPolicyDefinition": _kind("CustomPolicyDefinition", "Ready", Invalid=_INVALID, Failed=_FAILED),
    "DeveloperAccount": _kind("DeveloperAccount", "Ready", Invalid=_INVALID, Failed=_FAILED),
    "DeveloperUser": developer_user,
    "OpenAPI": _kind("OpenAPI", "Ready", Invalid=_INVALID, Failed="reconciliation failed"),
    "Product": _kind("Product", "Synced", Invalid=_INVALID, Orphan=_ORPHAN, Failed=_FAILED),
    "ProxyConfigPromote": _kind("ProxyConfigPromote", "Ready", Failed="failed"),
    "Tenant": tenant,
}
