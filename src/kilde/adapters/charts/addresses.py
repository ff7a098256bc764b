"""Which addresses are asked: none of the link, where clouds keep their machines' credentials, whatever a name resolves to."""

import ipaddress
import socket
from urllib.parse import urlsplit
from urllib.request import getproxies_environment

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from kilde.core.source.credentials import Credentials

_METADATA = frozenset(map(ipaddress.ip_address, ("fd00:ec2::254", "100.100.100.200", "168.63.129.16")))


class RefusedAddress(OSError):
    """A name leads to an address that is not asked."""


def refused(text: str) -> bool:
    """Whether an IP address is one that no repository has: of the link, of a cloud's metadata, of nobody or of many."""
    try:
        found = ipaddress.ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return False
    address = getattr(found, "ipv4_mapped", None) or found
    return address.is_link_local or address.is_multicast or address.is_unspecified or address in _METADATA


class GuardedResolver(AbstractResolver):
    """The system's resolver, without the addresses that are refused."""

    def __init__(self) -> None:
        self._resolver = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        allowed = [one for one in found if not refused(one["host"])]
        if found and not allowed:
            raise RefusedAddress("leads to a link-local address")
        return allowed

    async def close(self) -> None:
        await self._resolver.close()


def proxy_for(url: str, credentials: Credentials) -> str | None:
    """The proxy that a request goes through: the repository's own, else the environment's."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    if credentials.proxy:
        return None if _bypasses(host, credentials.no_proxy) else credentials.proxy
    proxies = getproxies_environment()
    return None if _bypasses(host, proxies.get("no", "")) else proxies.get(parts.scheme)


def _bypasses(host: str, no_proxy: str) -> bool:
    """Whether a host is among names, domains and networks that are asked without a proxy, as Go's programs read NO_PROXY."""
    for entry in (one.strip().lower() for one in no_proxy.split(",")):
        name = entry.rpartition(":")[0] if entry.count(":") == 1 else entry
        if name == "*" or (name and (host == name.lstrip(".") or host.endswith("." + name.lstrip(".")))):
            return True
        try:
            if "/" in name and ipaddress.ip_address(host) in ipaddress.ip_network(name, strict=False):
                return True
        except ValueError:
            continue
    return False
