"""Gateway API: gateways by their own conditions and their listeners', routes by those of each parent."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import part, parts, text
from kilde.core.health.health import Health, HealthStatus, degraded, healthy, progressing, unknown
from kilde.core.health.judging import Judge, by_ancestors, is_of_another, said


def _verdict(found: list[Object], what: str, before: str = "") -> Health | None:
    """Unresolved references, then not accepted, then not programmed; None where nothing is amiss."""
    for kind in ("ResolvedRefs", "Accepted"):
        for item in found:
            if text(item, "type") == kind and text(item, "status") == "False":
                return degraded(before + said(item, f"Failed condition: {kind}"))
    for item in found:
        if text(item, "type") == "Programmed" and text(item, "status") != "True":
            return progressing(before + said(item, f"{what} is still being programmed"))
    return None


def gateway(obj: Object) -> Health:
    status = part(obj, "status")
    listeners = parts(status, "listeners")
    if amiss := _verdict(parts(status, "conditions"), "Gateway"):
        return amiss
    for listener in listeners:
        if amiss := _verdict(parts(listener, "conditions"), "Listener", "Listener: "):
            return amiss
    is_told = isinstance(status.get("conditions"), list) or bool(listeners)
    return healthy("Gateway is healthy") if is_told else progressing("Waiting for Gateway status")


def _route(kind: str) -> Judge:
    def judge(obj: Object) -> Health:
        """A parent that speaks of another generation does not count."""
        generation = part(obj, "metadata").get("generation")
        parents = [parent for parent in parts(part(obj, "status"), "parents") if not _is_stale(parent, generation)]
        for parent in parents:
            name = text(part(parent, "parentRef"), "name")
            if amiss := _verdict(parts(parent, "conditions"), "Route", f"Parent {name}: "):
                return amiss
        good = any(parts(parent, "conditions") for parent in parents)
        return healthy(f"{kind} is healthy") if good else progressing(f"Waiting for {kind} status")

    return judge


def tls_route(obj: Object) -> Health:
    """Stricter than the other routes: well only with a parent that accepts it and resolves its references."""
    generation = part(obj, "metadata").get("generation")
    verdicts = [
        _tls_parent(parent)
        for parent in parts(part(obj, "status"), "parents")
        if parts(parent, "conditions") and not _is_stale(parent, generation)
    ]
    for status in (HealthStatus.DEGRADED, HealthStatus.PROGRESSING, HealthStatus.HEALTHY, HealthStatus.UNKNOWN):
        for verdict in verdicts:
            if verdict.status is status:
                return progressing(verdict.message) if status is HealthStatus.UNKNOWN else verdict
    return progressing("Waiting for TLSRoute status")


def _tls_parent(parent: Object) -> Health:
    """Unknown stands for a parent that has not said enough."""
    found, before = parts(parent, "conditions"), f"Parent {text(part(parent, 'parentRef'), 'name')}: "
    if amiss := _verdict(found, "Route", before):
        return amiss
    true = {text(item, "type") for item in found if text(item, "status") == "True"}
    if {"Accepted", "ResolvedRefs"} <= true:
        return healthy("TLSRoute is healthy")
    return unknown(f"{before}Waiting for TLSRoute conditions")


def _is_stale(parent: Object, generation: object) -> bool:
    seen = [item.get("observedGeneration") for item in parts(parent, "conditions")]
    return generation is not None and any(one not in (None, generation) for one in seen)


def gateway_class(obj: Object) -> Health:
    """Accepted, of the newest generation."""
    generation = part(obj, "metadata").get("generation")
    for item in parts(part(obj, "status"), "conditions"):
        observed = item.get("observedGeneration")
        is_stale = None not in (generation, observed) and generation != observed
        if text(item, "type") != "Accepted" or is_stale:
            continue
        if text(item, "status") == "True":
            return healthy(said(item, "GatewayClass is accepted"))
        if text(item, "status") == "False":
            return degraded(said(item, "GatewayClass is not accepted"))
        return progressing(said(item, _NO_CLASS))
    return progressing(_NO_CLASS)


_NO_CLASS: Final = "Waiting for GatewayClass status"


def listener_set(obj: Object) -> Health:
    """The set's own conditions, then each listener's: the first of them that is amiss; programming comes last."""
    status = part(obj, "status")
    own = parts(status, "conditions")
    if not isinstance(obj.get("status"), dict) or any(is_of_another(obj, item) for item in own):
        return _NO_SET
    if amiss := _listener(own, "ListenerSet", "", "Accepted"):
        return amiss
    listeners = parts(status, "listeners")
    for listener in listeners:
        if amiss := _listener(parts(listener, "conditions"), "Listener", "Listener: ", "ResolvedRefs", "Accepted"):
            return amiss
    return healthy("ListenerSet is healthy") if listeners else _NO_SET


def _listener(found: list[Object], what: str, before: str, *needed: str) -> Health | None:
    verdict = None
    for item in found:
        kind, answer = text(item, "type"), text(item, "status")
        if kind in needed and answer == "False":
            return degraded(before + said(item, f"Failed condition: {kind}"))
        if before and kind == "Conflicted" and answer == "True":
            return degraded(before + said(item, "Listener is conflicted"))
        if kind == "Programmed" and answer != "True":
            verdict = progressing(before + said(item, f"{what} is still being programmed"))
    return verdict


_NO_SET: Final = progressing("Waiting for ListenerSet status")

KINDS: Final[Mapping[str, Judge]] = {
    "BackendTLSPolicy": by_ancestors("BackendTLSPolicy"),
    "GRPCRoute": _route("GRPCRoute"),
    "Gateway": gateway,
    "GatewayClass": gateway_class,
    "HTTPRoute": _route("HTTPRoute"),
    "ListenerSet": listener_set,
    "TLSRoute": tls_route,
}
