"""Defaults of what belongs to the cluster: namespaces, nodes, secrets, limits, priorities, devices, flow control."""

import base64
from collections.abc import Callable, Mapping

from kilde.core.basics.values import Object
from kilde.core.objects.defaults.filling import fill

_CORE = "io.k8s.api.core.v1."
_FLOW = "io.k8s.api.flowcontrol.v1."
_RESOURCE = "io.k8s.api.resource.v1."


def _secret(value: Object) -> None:
    fill(value, "type", "Opaque")
    plain = value.pop("stringData", None)
    if plain:
        folded = {key: base64.b64encode(str(text).encode()).decode() for key, text in plain.items()}
        value["data"] = {**(value.get("data") or {}), **folded}


def _namespace(value: Object) -> None:
    metadata = value["metadata"]
    if metadata.get("name"):
        metadata["labels"] = {**(metadata.get("labels") or {}), "kubernetes.io/metadata.name": metadata["name"]}


def _namespace_status(value: Object) -> None:
    fill(value, "phase", "Active")


def _node_spec(value: Object) -> None:
    one, many = value.get("podCIDR"), value.get("podCIDRs")
    if one and (not many or many[0] != one):
        value["podCIDRs"] = [one]
    elif many and not one:
        value["podCIDR"] = many[0]


def _node_status(value: Object) -> None:
    if "capacity" in value:
        fill(value, "allocatable", dict(value["capacity"]))


def _limits(value: Object) -> None:
    if value.get("type") != "Container":
        return
    default = {**(value.get("max") or {}), **(value.get("default") or {})}
    request = {**(value.get("min") or {}), **default, **(value.get("defaultRequest") or {})}
    value.update({key: found for key, found in (("default", default), ("defaultRequest", request)) if found})


def _priority_class(value: Object) -> None:
    fill(value, "preemptionPolicy", "PreemptLowerPriority")


def _flow_schema(value: Object) -> None:
    if not value.get("matchingPrecedence"):
        value["matchingPrecedence"] = 1000


def _exempt(value: Object) -> None:
    fill(value, "nominalConcurrencyShares", 0)
    fill(value, "lendablePercent", 0)


def _limited(value: Object) -> None:
    fill(value, "nominalConcurrencyShares", 30)
    fill(value, "lendablePercent", 0)


def _queuing(value: Object) -> None:
    for key, default in (("handSize", 8), ("queues", 64), ("queueLengthLimit", 50)):
        if not value.get(key):
            value[key] = default


def _device_request(value: Object) -> None:
    if value.setdefault("allocationMode", "ExactCount") == "ExactCount":
        fill(value, "count", 1)


def _resource_mapping(value: Object) -> None:
    fill(value, "allocationMultiplier", "1")


def _toleration(value: Object) -> None:
    fill(value, "operator", "Equal")


DEFAULTS: Mapping[str, Callable[[Object], None]] = {
    _CORE + "Secret": _secret,
    _CORE + "Namespace": _namespace,
    _CORE + "NamespaceStatus": _namespace_status,
    _CORE + "NodeSpec": _node_spec,
    _CORE + "NodeStatus": _node_status,
    _CORE + "LimitRangeItem": _limits,
    "io.k8s.api.scheduling.v1.PriorityClass": _priority_class,
    _FLOW + "FlowSchemaSpec": _flow_schema,
    _FLOW + "ExemptPriorityLevelConfiguration": _exempt,
    _FLOW + "LimitedPriorityLevelConfiguration": _limited,
    _FLOW + "QueuingConfiguration": _queuing,
    _RESOURCE + "ExactDeviceRequest": _device_request,
    _RESOURCE + "DeviceSubRequest": _device_request,
    _RESOURCE + "DeviceToleration": _toleration,
    _RESOURCE + "NodeAllocatableResourceMapping": _resource_mapping,
}
