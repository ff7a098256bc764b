"""Defaults of Pods and of what every Pod template shares."""

from collections.abc import Callable, Mapping
from typing import Any

from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.values import Object
from kilde.core.objects import quantity
from kilde.core.objects.defaults.filling import fill

_CORE = "io.k8s.api.core.v1."
_POD_RESOURCES = ("cpu", "memory")


def _pod_spec(value: Object) -> None:
    fill(value, "dnsPolicy", "ClusterFirst")
    fill(value, "restartPolicy", "Always")
    fill(value, "securityContext", {})
    fill(value, "terminationGracePeriodSeconds", 30)
    fill(value, "schedulerName", "default-scheduler")
    account = value.get("serviceAccountName") or value.get("serviceAccount")
    if account:  # the old name of the field and the new one are one value
        value["serviceAccountName"] = value["serviceAccount"] = account


def _pod(value: Object) -> None:
    spec = value.get("spec")
    if not isinstance(spec, dict):
        return
    grace = spec.get("terminationGracePeriodSeconds")
    if isinstance(grace, int) and grace < 0:
        spec["terminationGracePeriodSeconds"] = 1
    fill(spec, "enableServiceLinks", True)
    containers = [c for key in ("containers", "initContainers") for c in spec.get(key) or () if isinstance(c, dict)]
    for container in containers:
        _requests_from_limits(container.get("resources"))
        if spec.get("hostNetwork"):
            _host_ports(container)
    _pod_level(spec)


def _requests_from_limits(resources: Any) -> None:
    if isinstance(resources, dict) and isinstance(resources.get("limits"), dict):
        resources["requests"] = {**resources["limits"], **(resources.get("requests") or {})}


def _host_ports(container: Object) -> None:
    for port in container.get("ports") or ():
        if isinstance(port, dict) and not port.get("hostPort") and port.get("containerPort"):
            port["hostPort"] = port["containerPort"]


def _pod_level(spec: Object) -> None:
    """Resources of the Pod as a whole: what is limited and not asked for is what the containers ask for, else the limit."""
    resources = spec.get("resources")
    if not isinstance(resources, dict) or not resources.get("limits"):
        return
    requests = dict(resources.get("requests") or {})
    for name, total in _container_requests(spec).items():
        if name in _POD_RESOURCES:
            requests.setdefault(name, total)
    for name, limit in resources["limits"].items():
        if name in _POD_RESOURCES or name.startswith("hugepages-"):
            requests.setdefault(name, limit)
    if requests:
        resources["requests"] = requests


def _container_requests(spec: Object) -> dict[str, str]:
    """The sum over containers (and sidecars); an init container counts where it needs more than that."""
    total: dict[str, quantity.Quantity] = {}
    for container in spec.get("containers") or ():
        total = _combined(total, _requests(container), add=True)
    running: dict[str, quantity.Quantity] = {}
    peak: dict[str, quantity.Quantity] = {}
    for container in spec.get("initContainers") or ():
        asked = _requests(container)
        if container.get("restartPolicy") == "Always":
            running = _combined(running, asked, add=True)
            total = _combined(total, asked, add=True)
            asked = running
        else:
            asked = _combined(running, asked, add=True)
        peak = _combined(peak, asked, add=False)
    return {name: each.text for name, each in _combined(total, peak, add=False).items()}


def _requests(container: Any) -> dict[str, quantity.Quantity]:
    resources = container.get("resources") if isinstance(container, dict) else None
    asked = resources.get("requests") if isinstance(resources, dict) else None
    found = {}
    for name, raw in (asked or {}).items():
        try:
            found[name] = quantity.parse(raw)
        except InvalidInput:
            continue
    return found


def _combined(
    a: dict[str, quantity.Quantity], b: dict[str, quantity.Quantity], *, add: bool
) -> dict[str, quantity.Quantity]:
    out = dict(a)
    for name, more in b.items():
        have = out.get(name)
        if have is None:
            out[name] = more
        elif add:
            like = "binary" if have.text.endswith("i") else "decimal"
            out[name] = quantity.parse(quantity.of(have.value + more.value, like))
        elif more.value > have.value:
            out[name] = more
    return out


def _pod_status(value: Object) -> None:
    one, many = value.get("podIP"), value.get("podIPs")
    first = many[0].get("ip") if many and isinstance(many[0], dict) else None
    if one and one != first:
        value["podIPs"] = [{"ip": one}]
    elif first and not one:
        value["podIP"] = first


def _replication_controller(value: Object) -> None:
    spec = value.get("spec")
    template = spec.get("template") if isinstance(spec, dict) else None
    if not isinstance(spec, dict):
        return
    fill(spec, "replicas", 1)
    labels = template.get("metadata", {}).get("labels") if isinstance(template, dict) else None
    if labels:
        fill(spec, "selector", dict(labels))
        if not value["metadata"].get("labels"):
            value["metadata"]["labels"] = dict(labels)


DEFAULTS: Mapping[str, Callable[[Object], None]] = {
    _CORE + "Pod": _pod,
    _CORE + "PodSpec": _pod_spec,
    _CORE + "PodStatus": _pod_status,
    _CORE + "ReplicationController": _replication_controller,
}
