"""How nodes, namespaces, quotas, configuration and other kinds of the core group are printed."""

from kilde.core.basics.values import Json, Object
from kilde.kubeapi.resources.printers.column import (
    AGE,
    NAME,
    NONE,
    UNKNOWN,
    Column,
    Printer,
    condition,
    field,
    get,
    joined,
    wide,
)

_ROLE_PREFIX = "node-role.kubernetes.io/"
_ROLE = "kubernetes.io/role"


def _node_status(node: Object, now: float) -> str:
    ready = condition(node, "Ready").get("status")
    words = ["Unknown" if ready is None else "Ready" if ready == "True" else "NotReady"]
    return ",".join([*words, "SchedulingDisabled"] if get(node, "spec", "unschedulable") else words)


def _roles(node: Object, now: float) -> str:
    labels = get(node, "metadata", "labels", default={})
    roles = {key.removeprefix(_ROLE_PREFIX) for key in labels if key.startswith(_ROLE_PREFIX)}
    roles.add(str(labels.get(_ROLE) or ""))
    return joined(sorted(roles - {""}))


def _address(kind: str) -> Column:
    def cell(node: Object, now: float) -> str:
        found = get(node, "status", "addresses", default=())
        return next((str(one.get("address")) for one in found if one.get("type") == kind), NONE)

    return wide("Internal-IP" if kind == "InternalIP" else "External-IP", cell)


def _info(name: str, key: str) -> Column:
    return wide(name, lambda node, now: get(node, "status", "nodeInfo", key) or UNKNOWN)


def _kernel(node: Object, now: float) -> str:
    info = get(node, "status", "nodeInfo", default={})
    architecture = f" ({info['architecture']})" if info.get("architecture") else ""
    return (info.get("kernelVersion") or UNKNOWN) + architecture


def _quota(*, limits: bool) -> Column:
    def cell(quota: Object, now: float) -> str:
        hard, used = get(quota, "status", "hard", default={}), get(quota, "status", "used", default={})
        chosen = [name for name in sorted(hard) if name.startswith("limits") == limits]
        return ", ".join(f"{name}: {used.get(name, '0')}/{hard[name]}" for name in chosen)

    return Column("Limit" if limits else "Request", cell)


def _size(*keys: str) -> Column:
    return Column("Data", lambda obj, now: sum(len(get(obj, key, default={})) for key in keys))


def _component(kind: str) -> Column:
    def cell(component: Object, now: float) -> Json:
        conditions: list[Object] = component.get("conditions") or []
        found = next((one for one in conditions if one.get("type") == "Healthy"), Object())
        if kind == "Status":
            return {"True": "Healthy", "False": "Unhealthy"}.get(found.get("status", ""), "Unknown")
        return found.get(kind.lower(), "")

    return Column(kind, cell)


NODE = Printer(
    (
        NAME,
        Column("Status", _node_status),
        Column("Roles", _roles),
        AGE,
        Column("Version", field("status", "nodeInfo", "kubeletVersion")),
        _address("InternalIP"),
        _address("ExternalIP"),
        _info("OS-Image", "osImage"),
        wide("Kernel-Version", _kernel),
        _info("Container-Runtime", "containerRuntimeVersion"),
    )
)
NAMESPACE = Printer((NAME, Column("Status", field("status", "phase")), AGE))
RESOURCE_QUOTA = Printer((NAME, _quota(limits=False), _quota(limits=True), AGE))
CONFIG_MAP = Printer((NAME, _size("data", "binaryData"), AGE))
SECRET = Printer((NAME, Column("Type", field("type")), _size("data"), AGE))
SERVICE_ACCOUNT = Printer((NAME, AGE))
LEASE = Printer((NAME, Column("Holder", field("spec", "holderIdentity")), AGE))
RUNTIME_CLASS = Printer((NAME, Column("Handler", field("handler"), description=""), AGE))
COMPONENT_STATUS = Printer((NAME, _component("Status"), _component("Message"), _component("Error")))
