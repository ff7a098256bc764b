"""Addresses for LoadBalancer Services and Ingresses, as a cloud would give them, a moment after they are asked for."""

from functools import partial
from typing import Any

from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.metadata import deleting, with_status
from kilde.kubeapi.controllers.naming import fnv32a
from kilde.kubeapi.controllers.script import ADDRESS, Profile, steps_of
from kilde.kubeapi.controllers.steps import (
    NOTHING,
    Controller,
    Emit,
    Key,
    Moment,
    Step,
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
        Controller(COMPONENT, partial(_service, profile.address), {SERVICES: itself}),
        Controller("ingress-controller", partial(_ingress, profile.address), {INGRESSES: itself}),
    )


def _service(delay: float, key: Key, view: View, moment: Moment) -> Step:
    service = view.get(SERVICES, *key)
    if service is None or deleting(service):
        return NOTHING
    spec, status = service["spec"], service.get("status") or {}
    held = (status.get("loadBalancer") or {}).get("ingress")
    if spec.get("type") != "LoadBalancer" or spec.get("loadBalancerClass"):
        lost = {**status, "loadBalancer": {}}
        return Step((Update(SERVICES, with_status(service, lost), "status"),)) if held else NOTHING
    if held or "pending" in steps_of(service, ADDRESS):
        return NOTHING
    if moment.memo is None:
        said = Emit(service, "EnsuringLoadBalancer", "Ensuring load balancer", COMPONENT)
        return Step((said,), wake=moment.now + delay, memo=moment.now + delay)
    if moment.now < moment.memo:
        return Step(wake=moment.memo, memo=moment.memo)
    found = [{"ip": spec.get("loadBalancerIP") or _address(service), "ipMode": "VIP"}]
    writes: tuple[Write, ...] = (
        Update(SERVICES, with_status(service, {**status, "loadBalancer": {"ingress": found}}), "status"),
        Emit(service, "EnsuredLoadBalancer", "Ensured load balancer", COMPONENT),
    )
    return Step(writes)


def _ingress(delay: float, key: Key, view: View, moment: Moment) -> Step:
    ingress = view.get(INGRESSES, *key)
    if ingress is None or deleting(ingress) or "pending" in steps_of(ingress, ADDRESS):
        return NOTHING
    status: dict[str, Any] = ingress.get("status") or {}
    if (status.get("loadBalancer") or {}).get("ingress"):
        return NOTHING
    if moment.memo is None:
        return Step(wake=moment.now + delay, memo=moment.now + delay)
    if moment.now < moment.memo:
        return Step(wake=moment.memo, memo=moment.memo)
    given = {**status, "loadBalancer": {"ingress": [{"ip": _address(ingress)}]}}
    return Step((Update(INGRESSES, with_status(ingress, given), "status"),))


def _address(obj: Object) -> str:
    """An address of the range for documentation (RFC 5737: 203.0.113.0/24), the same for the same object."""
    return f"203.0.113.{fnv32a(obj['metadata']['uid'].encode()) % 253 + 1}"
