"""Addresses for LoadBalancer Services and Ingresses, as a cloud would give them, a moment after they are asked for."""

from functools import partial
from typing import Any

from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.metadata import deleting, name_of, namespace_of, with_status
from kilde.kubeapi.controllers.naming import fnv32a
from kilde.kubeapi.controllers.rules import RULES, steps_for
from kilde.kubeapi.controllers.script import ADDRESS, NEVER, Profile, Steps, seconds
from kilde.kubeapi.controllers.steps import (
    NOTHING,
    Controller,
    Emit,
    Key,
    Moment,
    Step,
    Trigger,
    Update,
    View,
    Write,
    itself,
)

SERVICES, INGRESSES, CLASSES = "services", "ingresses.networking.k8s.io", "ingressclasses.networking.k8s.io"
COMPONENT = "service-controller"


def controllers(profile: Profile) -> tuple[Controller, ...]:
    """One for Services of type LoadBalancer without a class of their own, one for Ingresses."""
    return (
        Controller(COMPONENT, partial(_service, profile.address), {SERVICES: itself, RULES: _every(SERVICES)}),
        Controller(
            "ingress-controller",
            partial(_ingress, profile.address),
            {INGRESSES: itself, RULES: _every(INGRESSES)},
        ),
    )


def _every(resource: str) -> Trigger:
    return lambda _, view: [Key(namespace_of(obj), name_of(obj)) for obj in view.every(resource)]


def _service(delay: float, key: Key, view: View, moment: Moment) -> Step:
    service = view.get(SERVICES, *key)
    if service is None or deleting(service):
        return NOTHING
    spec, status = service["spec"], service.get("status") or {}
    held = (status.get("loadBalancer") or {}).get("ingress")
    if spec.get("type") != "LoadBalancer" or spec.get("loadBalancerClass"):
        lost = {**status, "loadBalancer": {}}
        return Step((Update(SERVICES, with_status(service, lost), "status"),)) if held else NOTHING
    if held:
        return NOTHING
    steps = steps_for(service, ADDRESS, view)
    due = _due(steps, delay, moment)
    if due is None or moment.now < due:
        said = Emit(service, "EnsuringLoadBalancer", "Ensuring load balancer", COMPONENT)
        failed = Emit(service, "SyncLoadBalancerFailed", _failure(steps), COMPONENT, "Warning")
        told = (said, *((failed,) if steps.get("message") else ())) if moment.memo is None else ()
        return Step(told, wake=due, memo=due if due is not None else NEVER)
    found = [{**_given(steps, spec.get("loadBalancerIP") or _address(service)), "ipMode": "VIP"}]
    if "hostname" in steps:
        del found[0]["ipMode"]  # it goes with an address only
    writes: tuple[Write, ...] = (
        Update(SERVICES, with_status(service, {**status, "loadBalancer": {"ingress": found}}), "status"),
        Emit(service, "EnsuredLoadBalancer", "Ensured load balancer", COMPONENT),
    )
    return Step(writes)


def _ingress(delay: float, key: Key, view: View, moment: Moment) -> Step:
    ingress = view.get(INGRESSES, *key)
    if ingress is None or deleting(ingress):
        return NOTHING
    status: dict[str, Any] = ingress.get("status") or {}
    if (status.get("loadBalancer") or {}).get("ingress"):
        return NOTHING
    steps = steps_for(ingress, ADDRESS, view)
    due = _due(steps, delay, moment)
    if due is None or moment.now < due:
        return Step(wake=due, memo=due if due is not None else NEVER)
    given = {**status, "loadBalancer": {"ingress": [_given(steps, _address(ingress))]}}
    return Step((Update(INGRESSES, with_status(ingress, given), "status"),))


def _due(steps: Steps, delay: float, moment: Moment) -> float | None:
    """When the address is given: so long after it was first asked for; None for never. The memo is what was said last."""
    wait = seconds(steps, "pending", NEVER) if "pending" in steps else delay
    if wait == NEVER:
        return None
    return moment.memo if moment.memo is not None and moment.memo < NEVER else moment.now + wait


def _given(steps: Steps, address: str) -> dict[str, Any]:
    if steps.get("hostname"):
        return {"hostname": steps["hostname"]}
    return {"ip": steps.get("ip") or address}


def _failure(steps: Steps) -> str:
    return f"Error syncing load balancer: failed to ensure load balancer: {steps.get('message', '')}"


def _address(obj: Object) -> str:
    """An address of the range for documentation (RFC 5737: 203.0.113.0/24), the same for the same object."""
    return f"203.0.113.{fnv32a(obj['metadata']['uid'].encode()) % 253 + 1}"
