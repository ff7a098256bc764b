"""EndpointSlices that mirror Endpoints which somebody keeps by hand (upstream: controller/endpointslicemirroring)."""

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any

from kilde.core.basics.values import Object, canonical
from kilde.kubeapi.controllers.endpoints import CHANGED, ENDPOINTS, MANAGED_BY, SERVICE_NAME, SERVICES, SLICES
from kilde.kubeapi.controllers.metadata import (
    annotations_of,
    deleting,
    labels_of,
    name_of,
    namespace_of,
    owner_reference,
    uid_of,
)
from kilde.kubeapi.controllers.steps import Controller, Create, Delete, Key, Moment, Step, Update, View, Write, itself

MANAGER = "endpointslicemirroring-controller.k8s.io"
_NOT_COPIED = (CHANGED, "kubectl.kubernetes.io/last-applied-configuration")
_LEADER = "control-plane.alpha.kubernetes.io/leader"
_MOST = 1000  # addresses of a subset


def controller() -> Controller:
    """Woken by Endpoints, by the Service of the same name, and by its own slices."""
    triggers = {ENDPOINTS: itself, SERVICES: itself, SLICES: _of_slice}
    return Controller("endpointslicemirroring-controller", _reduce, triggers)


def _of_slice(one: Object, view: View) -> list[Key]:
    name = labels_of(one).get(SERVICE_NAME)
    return [Key(namespace_of(one), name)] if name and labels_of(one).get(MANAGED_BY) == MANAGER else []


def _reduce(key: Key, view: View, moment: Moment) -> Step:
    endpoints, service = view.get(ENDPOINTS, *key), view.get(SERVICES, *key)
    mine = [
        one
        for one in view.every(SLICES, key.namespace)
        if labels_of(one).get(SERVICE_NAME) == key.name and labels_of(one).get(MANAGED_BY) == MANAGER
    ]
    wanted = list(_mirrored(endpoints)) if endpoints is not None and _is_mirrored(endpoints, service) else []
    return Step(tuple(_changes(wanted, mine)))


def _is_mirrored(endpoints: Object, service: Object | None) -> bool:
    """Not those of a selector, and not those that only hold a lock or say no."""
    if service is None or (service.get("spec") or {}).get("selector") or deleting(endpoints):
        return False
    skipped = labels_of(endpoints).get("endpointslice.kubernetes.io/skip-mirror") == "true"
    return not skipped and _LEADER not in annotations_of(endpoints)


def _mirrored(endpoints: Object) -> Iterator[Object]:
    """A slice for each family of addresses and set of ports."""
    labels = {**labels_of(endpoints), SERVICE_NAME: name_of(endpoints), MANAGED_BY: MANAGER}
    notes = {key: value for key, value in annotations_of(endpoints).items() if key not in _NOT_COPIED}
    meta = {
        "generateName": f"{name_of(endpoints)}-",
        "namespace": namespace_of(endpoints),
        "labels": labels,
        "ownerReferences": [owner_reference({**endpoints, "apiVersion": "v1", "kind": "Endpoints"})],
    } | ({"annotations": notes} if notes else {})
    slices: dict[bytes, Object] = {}
    for subset in endpoints.get("subsets") or ():
        ports = [{"name": "", **port} for port in subset.get("ports") or ()]
        for family, endpoint in list(_addresses(subset))[:_MOST]:
            kind = {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": meta}
            made = {**kind, "addressType": family, "ports": ports, "endpoints": []}
            slices.setdefault(canonical([family, ports]), made)["endpoints"].append(endpoint)
    yield from slices.values()


def _addresses(subset: Object) -> Iterator[tuple[str, dict[str, Any]]]:
    for field, ready in (("addresses", True), ("notReadyAddresses", False)):
        for address in subset.get(field) or ():
            known = ip_address(address["ip"])
            made = {"addresses": [str(known)], "conditions": {"ready": ready}}
            made |= {key: address[key] for key in ("targetRef", "nodeName", "hostname") if address.get(key)}
            yield f"IPv{known.version}", made


def _changes(wanted: list[Object], mine: list[Object]) -> Iterator[Write]:
    free = sorted(mine, key=name_of)
    for made in wanted:
        same = next((one for one in free if _key(one) == _key(made)), None)
        if same is None:
            yield Create(SLICES, made)
            continue
        free.remove(same)
        if _content(same) != _content(made):
            kept = {key: value for key, value in same["metadata"].items() if key != "annotations"}
            meta = {
                **kept,
                **{key: made["metadata"][key] for key in ("labels", "annotations") if key in made["metadata"]},
            }
            yield Update(SLICES, {**made, "metadata": meta})
    for one in free:
        if not deleting(one):
            yield Delete(SLICES, namespace_of(one), name_of(one), uid_of(one))


def _key(one: Object) -> tuple[str, Any]:
    return one["addressType"], one.get("ports") or []


def _content(one: Object) -> tuple[Any, ...]:
    return labels_of(one), annotations_of(one), sorted(map(canonical, one.get("endpoints") or ()))
