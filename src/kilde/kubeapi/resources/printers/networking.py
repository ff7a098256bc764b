"""How services, endpoints, ingresses and network policies are printed."""

from collections.abc import Iterator

from kilde.core.basics.values import Object
from kilde.kubeapi.resources.printers.column import (
    AGE,
    NAME,
    NONE,
    UNSET,
    Column,
    Printer,
    cut,
    field,
    get,
    joined,
    labels_text,
    selector_text,
    wide,
)

_SHOWN = 3  # endpoints, ports and hosts beyond these are only counted


def _addresses(obj: Object) -> list[str]:
    """What a load balancer answers at, sorted."""
    found = get(obj, "status", "loadBalancer", "ingress", default=())
    return sorted({str(one.get("ip") or one.get("hostname")) for one in found if one.get("ip") or one.get("hostname")})


def _cluster_ip(service: Object, now: float) -> str:
    addresses = get(service, "spec", "clusterIPs", default=())
    return str(addresses[0]) if addresses else NONE


def _external_ip(service: Object, now: float) -> str:
    kind, external = get(service, "spec", "type", default="ClusterIP"), get(service, "spec", "externalIPs", default=[])
    if kind == "ExternalName":
        return str(get(service, "spec", "externalName", default=""))
    if kind == "LoadBalancer":
        return joined([*_addresses(service), *external], empty="<pending>")
    return joined(external)


def _service_ports(service: Object, now: float) -> str:
    def text(port: Object) -> str:
        node = f":{port['nodePort']}" if port.get("nodePort") else ""
        return f"{port.get('port')}{node}/{port.get('protocol', 'TCP')}"

    return joined(text(port) for port in get(service, "spec", "ports", default=()))


def _host_port(host: str, port: int | None) -> str:
    if port is None:
        return host
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _endpoints(obj: Object) -> Iterator[str]:
    no_port: Object = {}
    for subset in obj.get("subsets") or ():
        for port in subset.get("ports") or (no_port,):
            for address in subset.get("addresses") or ():
                yield _host_port(str(address.get("ip")), port.get("port"))


def _endpoints_cell(obj: Object, now: float) -> str:
    return cut(list(_endpoints(obj)), _SHOWN, empty="" if obj.get("subsets") else NONE)


def _slice_port(port: Object) -> str:
    return str(next((port[key] for key in ("port", "name") if port.get(key) is not None), "*"))


def _slice_ports(obj: Object, now: float) -> str:
    ports = [_slice_port(port) for port in obj.get("ports") or ()]
    return cut(ports, _SHOWN, empty=UNSET) or UNSET


def _slice_endpoints(obj: Object, now: float) -> str:
    found = [address for one in obj.get("endpoints") or () for address in one.get("addresses") or ()]
    return cut(found, _SHOWN, empty=UNSET)


def _hosts(ingress: Object, now: float) -> str:
    """The first hosts; once there are three, all further rules are counted, with a host or without."""
    rules = get(ingress, "spec", "rules", default=())
    hosts: list[str] = []
    for rule in rules:
        if len(hosts) == _SHOWN:
            return f"{','.join(hosts)} + {len(rules) - _SHOWN} more..."
        if rule.get("host"):
            hosts.append(str(rule["host"]))
    return ",".join(hosts) or "*"


def _parameters(ingress_class: Object, now: float) -> str:
    found = get(ingress_class, "spec", "parameters")
    if found is None:
        return NONE
    group = f".{found['apiGroup']}" if found.get("apiGroup") else ""
    return f"{found.get('kind')}{group}/{found.get('name')}"


def _parent(address: Object, now: float) -> str:
    parent = get(address, "spec", "parentRef")
    if parent is None:
        return NONE
    resource = ".".join(part for part in (parent.get("resource"), parent.get("group")) if part)
    return "/".join(part for part in (resource, parent.get("namespace"), parent.get("name")) if part)


SERVICE = Printer(
    (
        NAME,
        Column("Type", field("spec", "type")),
        Column("Cluster-IP", _cluster_ip),
        Column("External-IP", _external_ip),
        Column("Port(s)", _service_ports),
        AGE,
        wide("Selector", lambda obj, now: labels_text(get(obj, "spec", "selector"))),
    )
)
ENDPOINTS = Printer((NAME, Column("Endpoints", _endpoints_cell), AGE))
ENDPOINT_SLICE = Printer(
    (
        NAME,
        Column("AddressType", field("addressType")),
        Column("Ports", _slice_ports),
        Column("Endpoints", _slice_endpoints),
        AGE,
    )
)
INGRESS = Printer(
    (
        NAME,
        Column("Class", field("spec", "ingressClassName", default=NONE)),
        Column("Hosts", _hosts),
        Column("Address", lambda obj, now: ",".join(_addresses(obj))),
        Column("Ports", lambda obj, now: "80, 443" if get(obj, "spec", "tls") else "80"),
        AGE,
    )
)
INGRESS_CLASS = Printer(
    (NAME, Column("Controller", field("spec", "controller")), Column("Parameters", _parameters), AGE)
)
NETWORK_POLICY = Printer(
    (NAME, Column("Pod-Selector", lambda obj, now: selector_text(get(obj, "spec", "podSelector"))), AGE)
)
SERVICE_CIDR = Printer(
    (NAME, Column("CIDRs", lambda obj, now: joined(get(obj, "spec", "cidrs", default=()), empty="")), AGE)
)
IP_ADDRESS = Printer((NAME, Column("ParentRef", _parent)), beyond=(AGE.cell,))
