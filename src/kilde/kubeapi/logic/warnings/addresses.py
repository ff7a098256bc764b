"""Warnings of addresses that are written in an unusual way (apimachinery's util/validation/ip.go)."""

import ipaddress
from collections.abc import Iterator

from kilde.kubeapi.logic.failures import quoted


def address(text: str, at: str) -> Iterator[str]:
    """Of an IP address: leading zeros are no standard, IPv6 has one canonical form."""
    plain = _without_zeros(text)
    try:
        found = ipaddress.ip_address(plain)
    except ValueError:
        return
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    if plain != text or mapped is not None:
        yield f"{at}: non-standard IP address {quoted(text)} is invalid: use {quoted(str(mapped or found))}"
    elif found.version == 6 and str(found) != text:
        yield f"{at}: IPv6 address {quoted(text)} should be in RFC 5952 canonical format ({quoted(str(found))})"


def network(text: str, at: str) -> Iterator[str]:
    """Of a network: its address should be the first of it."""
    base, _, length = text.partition("/")
    plain = f"{_without_zeros(base)}/{length}"
    try:
        found = ipaddress.ip_interface(plain)
    except ValueError:
        return
    whole, count = str(found.network), 0
    if found.ip != found.network.network_address:
        count += 1
        one = f"{found.ip}/{found.max_prefixlen}"
        yield f"{at}: CIDR value {quoted(text)} is ambiguous in this context (should be {quoted(whole)} or {quoted(one)}?)"
    if plain != text:
        count += 1
        yield f"{at}: non-standard CIDR value {quoted(text)} is invalid: use {quoted(whole)}"
    if not count and found.version == 6 and whole != text:
        yield f"{at}: IPv6 CIDR value {quoted(text)} should be in RFC 5952 canonical format ({quoted(whole)})"


def _without_zeros(text: str) -> str:
    """Octets with leading zeros, as Go's sloppy parser reads them: decimal."""
    parts = text.split(".")
    if len(parts) != 4 or not all(part.isdecimal() for part in parts):
        return text
    return ".".join(str(int(part)) for part in parts)
