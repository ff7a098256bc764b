"""Allocations: which cluster IPs and node ports Services hold, kept in step with the store, and free ones to give."""

import ipaddress
import random
from collections import Counter

from kilde.core.basics.values import Object
from kilde.kubeapi.storage.records import Change
from kilde.kubeapi.storage.store import Store

_LOWEST_PORT, _HIGHEST_PORT, _STATIC_PORTS = 30000, 32767, 86
_STATIC_ADDRESSES = 256


class Allocations:
    """Addresses and ports in use. The lower band of each range is left to those who choose themselves."""

    def __init__(self, store: Store, service_range: str) -> None:
        self.network = ipaddress.ip_network(service_range)
        self._addresses: Counter[str] = Counter()
        self._ports: Counter[int] = Counter()
        self._dice = random.Random()  # noqa: S311 - which free address is given is no secret
        for record in store.all("services"):
            self._count(record.object(), 1)
        store.listen("services", self._changed)

    def _changed(self, change: Change) -> None:
        if change.before is not None:
            self._count(change.before.object(), -1)
        if change.after is not None:
            self._count(change.after.object(), 1)

    def _count(self, service: Object, step: int) -> None:
        for address in held_addresses(service):
            self._addresses[address] += step
        for port in held_ports(service):
            self._ports[port] += step

    def address_taken(self, address: str) -> bool:
        return self._addresses[address] > 0

    def port_taken(self, port: int) -> bool:
        return self._ports[port] > 0

    def contains(self, address: str) -> bool:
        """Whether an address may be given: it is in the range and neither its first nor its last."""
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        return found in self.network and found not in (self.network.network_address, self.network.broadcast_address)

    def free_address(self) -> str:
        """An address nobody holds; "" if there is none."""
        size = self.network.num_addresses
        low = min(_STATIC_ADDRESSES, size // 16) + 1
        for _ in range(64):
            address = str(self.network[self._dice.randrange(low, size - 1)])
            if not self.address_taken(address):
                return address
        return next((str(each) for each in self.network.hosts() if not self.address_taken(str(each))), "")

    def free_port(self, besides: set[int]) -> int:
        """A node port nobody holds; 0 if there is none."""
        for _ in range(64):
            port = self._dice.randint(_LOWEST_PORT + _STATIC_PORTS, _HIGHEST_PORT)
            if not self.port_taken(port) and port not in besides:
                return port
        every = range(_LOWEST_PORT, _HIGHEST_PORT + 1)
        return next((port for port in every if not self.port_taken(port) and port not in besides), 0)

    @staticmethod
    def port_allowed(port: int) -> bool:
        return _LOWEST_PORT <= port <= _HIGHEST_PORT


def held_addresses(service: Object) -> set[str]:
    """The cluster IPs of a Service."""
    spec = service.get("spec") or {}
    if spec.get("type") == "ExternalName":
        return set()
    found = {*(spec.get("clusterIPs") or ()), spec.get("clusterIP")}
    return {str(address) for address in found if address and address != "None"}


def held_ports(service: Object) -> set[int]:
    """The node ports of a Service, its health check's among them."""
    spec = service.get("spec") or {}
    found = {port.get("nodePort") for port in spec.get("ports") or ()} | {spec.get("healthCheckNodePort")}
    return {int(port) for port in found if port}
