"""Services: cluster IPs, node ports and what follows from their type (registry/core/service)."""

from typing import Any

from kilde.core.basics.values import Json, Object, canonical
from kilde.kubeapi.allocations import Allocations, held_addresses, held_ports
from kilde.kubeapi.call import Call
from kilde.kubeapi.logic import failures
from kilde.kubeapi.resources.causes import Cause
from kilde.kubeapi.strategies.service_families import choose
from kilde.kubeapi.strategies.strategy import Strategy
from kilde.kubeapi.webhooks.questions import Memory
from kilde.kubeapi.world import World

_WITH_PORTS = ("NodePort", "LoadBalancer")


class Services(Strategy):
    """Gives what is not chosen, keeps what an update leaves out, takes back what the type no longer has."""

    def prepare_new(self, world: World, call: Call, obj: Object) -> None:
        if isinstance(obj.get("spec"), dict):
            _choose_families(world, call, obj, None)
            if not call.options.dry_run:  # which makes no record
                _refuse_nameless(world, call, obj)
            _refuse_taken(world, call, obj, None)
            _allocate(world.allocations, call.memory, obj["spec"], shared=True)

    def prepare_change(self, world: World, call: Call, new: Object, old: Object) -> None:
        if call.subresource or not isinstance(new.get("spec"), dict):
            return
        spec, before = new["spec"], old.get("spec") or {}
        _carry_over(spec, before)
        _agree(spec, before)
        _drop_unneeded(spec, before)
        _choose_families(world, call, new, old)
        _refuse_taken(world, call, new, old)
        _refuse_twice(spec)
        _allocate(world.allocations, call.memory, spec, shared=False)


def list_address(spec: Object) -> None:
    """The one address of a new Service is the first of its addresses, where only that is given."""
    if spec.get("clusterIP") and not spec.get("clusterIPs"):
        spec["clusterIPs"] = [spec["clusterIP"]]


def _choose_families(world: World, call: Call, new: Object, old: Object | None) -> None:
    """Sets families and their policy; 422 where they cannot be, and nothing else is judged before a Service has its addresses."""
    spec, before = new["spec"], (old or {}).get("spec") or {}
    if old is None:
        list_address(spec)
    _refuse(call, new, choose(spec, before, f"IPv{world.allocations.network.version}"))


def _refuse_nameless(world: World, call: Call, new: Object) -> None:
    """422 for an address that is to be given to a Service without a name: the record of the address would refer to nothing."""
    spec = new["spec"]
    if new["metadata"].get("name") or spec.get("type") == "ExternalName" or spec.get("clusterIP") == "None":
        return
    address = spec.get("clusterIP") or world.allocations.free_address()
    why = f'IPAddress.networking.k8s.io "{address}" is invalid: spec.parentRef.name: Required value'
    shown = {**spec, "clusterIPs": spec.get("clusterIPs") or [""]}
    _refuse(call, new, [_address_cause(shown, f"failed to allocate IP: {why}")])


def _refuse(call: Call, new: Object, causes: list[Cause]) -> None:
    if causes:
        raise failures.invalid(call.kind.about_kind(str(new["metadata"].get("name") or "")), causes)


def _allocate(allocations: Allocations, memory: Memory, spec: Object, *, shared: bool) -> None:
    """`shared`: one port in two protocols gets one node port, as it does when the Service is new."""
    kind = spec.get("type")
    if kind != "ExternalName" and not spec.get("clusterIP"):
        address = memory.once("address", allocations.free_address, lambda one: not allocations.address_taken(one))
        spec["clusterIP"], spec["clusterIPs"] = address, [address]
    if kind in _WITH_PORTS and (kind == "NodePort" or spec.get("allocateLoadBalancerNodePorts") is not False):
        _give_ports(allocations, memory, spec, shared=shared)
    if kind == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local" and not spec.get("healthCheckNodePort"):
        spec["healthCheckNodePort"] = _free_port(allocations, memory, "health", held_ports({"spec": spec}))


def _give_ports(allocations: Allocations, memory: Memory, spec: Object, *, shared: bool) -> None:
    """A node port for each port; if `shared`, the same number for the same port in two protocols."""
    ports: list[Object] = []
    given: dict[Any, int] = {}
    for port in spec.get("ports") or []:
        if not port.get("nodePort"):
            number = given.get((port.get("port"), port.get("protocol") == "SCTP"))
            taken = held_ports({"spec": spec}) | {each["nodePort"] for each in ports if each.get("nodePort")}
            place = f"port {len(ports)}"
            port = {**port, "nodePort": (number if shared else 0) or _free_port(allocations, memory, place, taken)}
        given.setdefault((port.get("port"), port.get("protocol") == "SCTP"), port["nodePort"])
        ports.append(port)
    if ports:
        spec["ports"] = ports


def _free_port(allocations: Allocations, memory: Memory, place: str, taken: set[int]) -> int:
    """A free port: the same one when the write is run anew, if it is free still."""

    def still(port: int) -> bool:
        return not allocations.port_taken(port) and port not in taken

    return memory.once(place, lambda: allocations.free_port(taken), still)


def _outside(world: World, call: Call, address: str) -> str:
    """Why an address cannot be had: a dry run asks one range, a write looks for the range of all there are."""
    if not call.options.dry_run:
        return "the provided network does not match the current range"
    return (
        f"the provided IP ({address}) is not in the valid range. The range of valid IPs is {world.allocations.network}"
    )


def _refuse_taken(world: World, call: Call, new: Object, old: Object | None) -> None:
    """422 for a chosen address or port that another Service holds or that is not in the range."""
    allocations, spec = world.allocations, new["spec"]
    causes = []
    mine = held_addresses(old) if old else set()
    for address in sorted(held_addresses(new) - mine):
        if not allocations.contains(address):
            causes.append(_address_cause(spec, f"failed to allocate IP {address}: {_outside(world, call, address)}"))
        elif allocations.address_taken(address):
            causes.append(_address_cause(spec, f"failed to allocate IP {address}: provided IP is already allocated"))
    my_ports = held_ports(old) if old else set()
    for index, port in enumerate(spec.get("ports") or ()):
        number = port.get("nodePort")
        if not number or number in my_ports or not isinstance(number, int):
            continue
        if not allocations.port_allowed(number):
            why = "provided port is not in the valid range. The range of valid ports is 30000-32767"
            causes.append(
                failures.cause("FieldValueInvalid", f"Invalid value: {number}: {why}", f"spec.ports[{index}].nodePort")
            )
        elif allocations.port_taken(number):
            why = "provided port is already allocated"
            causes.append(
                failures.cause("FieldValueInvalid", f"Invalid value: {number}: {why}", f"spec.ports[{index}].nodePort")
            )
    _refuse(call, new, causes)


def _refuse_twice(spec: Object) -> None:
    """500, as Kubernetes answers it, where a change gives two ports of one protocol the same node port."""
    seen: set[tuple[Json, Json]] = set()
    for port in spec.get("ports") or () if _needs_ports(spec) else ():
        protocol, number = port.get("protocol"), port.get("nodePort")
        if number and (protocol, number) in seen:
            raise failures.unexplained(f"duplicate nodePort: {{{protocol} {number}}}")
        seen.add((protocol, number))


def _address_cause(spec: Object, why: str) -> Cause:
    return failures.cause(
        "FieldValueInvalid",
        f"Invalid value: {canonical(spec.get('clusterIPs') or []).decode()}: {why}",
        "spec.clusterIPs",
    )


def _needs_ports(spec: Object) -> bool:
    """Whether a service's ports are open on nodes."""
    kind = spec.get("type")
    return kind == "NodePort" or (kind == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts") is not False)


def _reached_from_outside(spec: Object) -> bool:
    return spec.get("type") in _WITH_PORTS or (spec.get("type") == "ClusterIP" and bool(spec.get("externalIPs")))


def _agree(spec: Object, before: Object) -> None:
    """Of two spellings of the address that disagree, the one that was changed counts."""
    one, was = spec.get("clusterIP") or "", before.get("clusterIP") or ""
    many, were = spec.get("clusterIPs") or [], before.get("clusterIPs") or []
    if were and not many and one == was:
        spec["clusterIPs"] = were
    elif one != was and many == were:
        if one:
            spec["clusterIPs"] = [one]
        else:
            spec.pop("clusterIPs", None)


def _carry_over(spec: Object, before: Object) -> None:
    """A PUT that leaves allocated values out keeps them."""
    if "ExternalName" not in (spec.get("type"), before.get("type")):
        for key in ("clusterIP", "clusterIPs"):
            if before.get(key) and not spec.get(key):
                spec[key] = before[key]
    if _needs_ports(spec) and _needs_ports(before):
        known = {port.get("name") or "": port.get("nodePort") for port in before.get("ports") or ()}
        used = held_ports({"spec": spec}) & held_ports({"spec": before})
        ports = []
        for port in spec.get("ports") or []:
            number = known.get(port.get("name") or "")
            if not port.get("nodePort") and number and number not in used:
                port = {**port, "nodePort": number}
            ports.append(port)
        spec["ports"] = ports
    if spec.get("type") in _WITH_PORTS and before.get("type") in _WITH_PORTS:
        local = spec.get("externalTrafficPolicy") == "Local" and before.get("externalTrafficPolicy") == "Local"
        if local and not spec.get("healthCheckNodePort") and before.get("healthCheckNodePort"):
            spec["healthCheckNodePort"] = before["healthCheckNodePort"]


def _drop_unneeded(spec: Object, before: Object) -> None:
    """What the old type had and the new one has not goes, unless this very update chose it."""
    kind, former = spec.get("type"), before.get("type")
    if kind == "ExternalName" != former:
        for together in (("clusterIP", "clusterIPs"), ("ipFamilies",), ("ipFamilyPolicy",)):
            _drop_kept(spec, before, together)
    if former in _WITH_PORTS and kind not in _WITH_PORTS and _node_ports(spec) <= _node_ports(before):
        spec["ports"] = [
            {key: value for key, value in port.items() if key != "nodePort"} for port in spec.get("ports") or []
        ]
    if _asks_for_health(before) and not _asks_for_health(spec):
        _drop_kept(spec, before, ("healthCheckNodePort",))
    if former == "LoadBalancer" != kind:
        for field in ("allocateLoadBalancerNodePorts", "loadBalancerClass"):
            _drop_kept(spec, before, (field,))
    if _reached_from_outside(before) and not _reached_from_outside(spec):
        _drop_kept(spec, before, ("externalTrafficPolicy",))


def _drop_kept(spec: Object, before: Object, fields: tuple[str, ...]) -> None:
    """Takes fields away if none of them was changed."""
    if all(spec.get(field) == before.get(field) for field in fields):
        for field in fields:
            spec.pop(field, None)


def _node_ports(spec: Object) -> set[Json]:
    return {port["nodePort"] for port in spec.get("ports") or () if port.get("nodePort")}


def _asks_for_health(spec: Object) -> bool:
    """Whether the load balancer asks each node whether it has pods."""
    return spec.get("type") == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"
