"""Endpoints and EndpointSlices: where the pods of a Service are (upstream: controller/endpoint, endpointslice)."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from kilde.core.basics.moment import rfc3339
from kilde.core.basics.values import Object, canonical
from kilde.kubeapi.controllers.metadata import (
    annotations_of,
    deleting,
    labels_of,
    name_of,
    namespace_of,
    owner_reference,
    uid_of,
    with_metadata,
)
from kilde.kubeapi.controllers.naming import fnv128a
from kilde.kubeapi.controllers.pods import TERMINAL, is_ready, is_terminating, phase, spec_of
from kilde.kubeapi.controllers.steps import (
    NOTHING,
    Controller,
    Create,
    Delete,
    Key,
    Moment,
    Reduce,
    Step,
    Trigger,
    Update,
    View,
    itself,
)

SERVICES, ENDPOINTS, SLICES = "services", "endpoints", "endpointslices.discovery.k8s.io"
SERVICE_NAME = "kubernetes.io/service-name"
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
CHANGED = "endpoints.kubernetes.io/last-change-trigger-time"
HEADLESS = "service.kubernetes.io/headless"
SLICE_MANAGER = "endpointslice-controller.k8s.io"


class Port(NamedTuple):
    """A port of a Service as a pod has it."""

    name: str
    number: int
    protocol: str
    application: str

    def body(self) -> dict[str, Any]:
        """The port as slices have it, whose unnamed ports have an empty name."""
        made = {"name": self.name, "port": self.number, "protocol": self.protocol}
        return {**made, **({"appProtocol": self.application} if self.application else {})}


def controllers() -> tuple[Controller, ...]:
    """One for the old Endpoints, one for EndpointSlices; both follow Services and their pods."""
    return (
        _controller("endpoint-controller", _endpoints, {ENDPOINTS: itself}),
        _controller("endpointslice-controller", _slices, {SLICES: _of_slice}),
    )


def _controller(name: str, reduce: Reduce, own: dict[str, Trigger]) -> Controller:
    return Controller(name, reduce, {SERVICES: itself, "pods": _selecting, **own})


def _of_slice(obj: Object, view: View) -> list[Key]:
    name = labels_of(obj).get(SERVICE_NAME)
    return [Key(namespace_of(obj), name)] if name and labels_of(obj).get(MANAGED_BY) == SLICE_MANAGER else []


def _selecting(pod: Object, view: View) -> list[Key]:
    labels = labels_of(pod)
    if not labels:
        return []
    return [
        Key(namespace_of(service), name_of(service))
        for service in view.every(SERVICES, namespace_of(pod))
        if (selector := (service.get("spec") or {}).get("selector")) and selector.items() <= labels.items()
    ]


def _pods(service: Object, view: View) -> list[Object]:
    """The pods that count: selected, with an address, not finished; ordered by name."""
    selector = service["spec"].get("selector") or {}
    found = [
        pod
        for pod in view.every("pods", namespace_of(service))
        if selector.items() <= labels_of(pod).items()
        and (pod.get("status") or {}).get("podIP")
        and phase(pod) not in TERMINAL
    ]
    return sorted(found, key=name_of)


def _serves(service: Object | None) -> bool:
    return service is not None and not deleting(service) and bool((service.get("spec") or {}).get("selector"))


def _ports(service: Object, pod: Object) -> tuple[Port, ...]:
    """The Service's ports as this pod has them; a named target that it lacks is left out."""
    found = []
    for port in service["spec"].get("ports") or ():
        target = port.get("targetPort") or port["port"]
        if isinstance(target, str):
            target = next(
                (
                    one["containerPort"]
                    for container in spec_of(pod).get("containers") or ()
                    for one in container.get("ports") or ()
                    if one.get("name") == target and one.get("protocol", "TCP") == port.get("protocol", "TCP")
                ),
                None,
            )
        if target:
            protocol, application = port.get("protocol", "TCP"), port.get("appProtocol") or ""
            found.append(Port(port.get("name") or "", int(target), protocol, application))
    return tuple(found)


def _by_ports(service: Object, pods: Iterable[Object]) -> dict[tuple[Port, ...], list[Object]]:
    groups: dict[tuple[Port, ...], list[Object]] = {}
    for pod in pods:
        groups.setdefault(_ports(service, pod), []).append(pod)
    return groups


def _target(pod: Object) -> dict[str, Any]:
    return {"kind": "Pod", "name": name_of(pod), "namespace": namespace_of(pod), "uid": uid_of(pod)}


def _endpoints(key: Key, view: View, moment: Moment) -> Step:
    service, have = view.get(SERVICES, *key), view.get(ENDPOINTS, *key)
    if not _serves(service):
        gone = service is None and have is not None and "endpoints.kubernetes.io/managed-by" in labels_of(have)
        if gone and have is not None:
            return Step((Delete(ENDPOINTS, key.namespace, key.name, uid_of(have)),))
        return NOTHING
    assert service is not None
    subsets = _subsets(service, _pods(service, view))
    labels = {**labels_of(service), "endpoints.kubernetes.io/managed-by": "endpoint-controller"}
    if service["spec"].get("clusterIP") == "None":
        labels[HEADLESS] = ""
    if have is None:
        meta = {"name": key.name, "namespace": key.namespace, "labels": labels, "annotations": _stamp(moment)}
        body = {"apiVersion": "v1", "kind": "Endpoints", "metadata": meta, "subsets": subsets}
        return Step((Create(ENDPOINTS, body if subsets else {k: v for k, v in body.items() if k != "subsets"}),))
    if (have.get("subsets") or []) == subsets and labels_of(have) == labels:
        return NOTHING
    notes = _noted(have, _told(have.get("subsets")), _told(subsets), moment)
    return Step((Update(ENDPOINTS, {**with_metadata(have, labels=labels, annotations=notes), "subsets": subsets}),))


def _subsets(service: Object, pods: Iterable[Object]) -> list[dict[str, Any]]:
    """Ports that the same pods have stand together; pods without any of the Service's ports are told by slices alone."""
    early = bool(service["spec"].get("publishNotReadyAddresses"))
    having: dict[Port | None, list[Object]] = {}  # None: the Service has no ports
    for pod in pods:
        if not deleting(pod) or early:
            for port in _ports(service, pod) if service["spec"].get("ports") else (None,):
                having.setdefault(port, []).append(pod)
    together: dict[tuple[str, ...], tuple[list[Port], list[Object]]] = {}
    for one, same in having.items():
        ports, _ = together.setdefault(tuple(map(uid_of, same)), ([], same))
        ports += [one] if one is not None else []
    return [_subset(service, *group, early=early) for group in sorted(together.values(), key=lambda group: group[0])]


def _subset(service: Object, ports: list[Port], pods: list[Object], *, early: bool) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for field, wanted in (("addresses", True), ("notReadyAddresses", False)):
        found = [_address(service, pod) for pod in pods if (is_ready(pod) or early) is wanted]
        made |= {field: found} if found else {}
    bodies = [port.body() for port in sorted(ports, key=_hashed)]
    listed = [{key: value for key, value in body.items() if value} for body in bodies]
    return {**made, **({"ports": listed} if listed else {})}


def _hashed(port: Port) -> int:
    """What upstream sorts ports by: the 128 bits of FNV-1a of how Go prints one."""
    application = port.application or "<nil>"
    text = (
        f"(v1.EndpointPort){{Name:(string){port.name} Port:(int32){port.number} "
        f"Protocol:(v1.Protocol){port.protocol} AppProtocol:(*string){application}}}"
    )
    return fnv128a(text.encode())


def _stamp(moment: Moment) -> dict[str, str]:
    return {CHANGED: rfc3339(moment.now)}


def _noted(have: Object, before: set[bytes], after: set[bytes], moment: Moment) -> dict[str, str] | None:
    """The annotations: the time of a change is that of a pod that came or got ready; one that goes leaves none."""
    others = {key: value for key, value in annotations_of(have).items() if key != CHANGED}
    return (others | (_stamp(moment) if after - before else {})) or None


def _told(subsets: list[dict[str, Any]] | None) -> set[bytes]:
    return {
        canonical([field, address.get("targetRef")])
        for subset in subsets or ()
        for field in ("addresses", "notReadyAddresses")
        for address in subset.get(field) or ()
    }


def _address(service: Object, pod: Object) -> dict[str, Any]:
    made = {"ip": pod["status"]["podIP"], "nodeName": spec_of(pod).get("nodeName"), "targetRef": _target(pod)}
    return {**made, **_hostname(service, pod)}


def _hostname(service: Object, pod: Object) -> dict[str, Any]:
    """The name that a pod wants below that of the Service, where this is its subdomain."""
    hostname = spec_of(pod).get("hostname")
    return {"hostname": hostname} if hostname and spec_of(pod).get("subdomain") == name_of(service) else {}


def _slices(key: Key, view: View, moment: Moment) -> Step:
    service = view.get(SERVICES, *key)
    mine = [
        one
        for one in view.every(SLICES, key.namespace)
        if labels_of(one).get(SERVICE_NAME) == key.name and labels_of(one).get(MANAGED_BY) == SLICE_MANAGER
    ]
    if not _serves(service):
        return Step(
            tuple(Delete(SLICES, key.namespace, name_of(one), uid_of(one)) for one in mine if not deleting(one))
        )
    assert service is not None
    groups = _by_ports(service, _pods(service, view)) or {(): []}
    wanted = [
        {"endpoints": [_endpoint(service, pod) for pod in pods], "ports": [port.body() for port in ports]}
        for ports, pods in sorted(groups.items())
    ]
    labels = {**labels_of(service), MANAGED_BY: SLICE_MANAGER, SERVICE_NAME: key.name}
    if service["spec"].get("clusterIP") == "None":
        labels[HEADLESS] = ""
    return Step(tuple(_changes(service, labels, wanted, mine, moment)))


def _changes(
    service: Object, labels: dict[str, str], wanted: list[dict[str, Any]], mine: list[Object], moment: Moment
) -> list[Create | Update | Delete]:
    """Keeps a slice with the same ports where there is one, makes and deletes the rest."""
    writes: list[Create | Update | Delete] = []
    free = sorted(mine, key=name_of)
    for content in wanted:
        same = next((one for one in free if (one.get("ports") or []) == content["ports"]), free[0] if free else None)
        if same is None:
            meta = {
                "generateName": name_of(service) + "-",
                "namespace": namespace_of(service),
                "labels": labels,
                "ownerReferences": [owner_reference(service)],
                "annotations": _stamp(moment),
            }
            kind = {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": meta}
            writes.append(Create(SLICES, {**kind, "addressType": "IPv4", **content}))
            continue
        free.remove(same)
        if any((same.get(field) or []) != content[field] for field in content) or labels_of(same) != labels:
            before, after = set(map(canonical, same.get("endpoints") or ())), set(map(canonical, content["endpoints"]))
            notes = _noted(same, before, after, moment)
            writes.append(Update(SLICES, {**with_metadata(same, labels=labels, annotations=notes), **content}))
    writes += [Delete(SLICES, namespace_of(one), name_of(one), uid_of(one)) for one in free]
    return writes


def _endpoint(service: Object, pod: Object) -> dict[str, Any]:
    early = bool(service["spec"].get("publishNotReadyAddresses"))
    ready, going = is_ready(pod), is_terminating(pod)
    made: dict[str, Any] = {
        "addresses": [pod["status"]["podIP"]],
        "conditions": {"ready": early or (ready and not going), "serving": ready, "terminating": going},
        "nodeName": spec_of(pod).get("nodeName"),
        "targetRef": _target(pod),
    }
    return {**made, **_hostname(service, pod)}
