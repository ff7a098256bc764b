"""Addresses, networks and URLs: Kubernetes' libraries."""

import re
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_interface
from typing import Any
from urllib.parse import parse_qs, unquote

from kilde.core.objects.cel.conversions import quoted
from kilde.core.objects.cel.overloads import Overload, overloads
from kilde.core.objects.cel.values import CelError, Cidr, Ip, Url

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):", re.ASCII)
_PREFIX = re.compile(r"0|[1-9][0-9]{0,2}", re.ASCII)
_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_PORT = re.compile(r"(?::[0-9]*)?", re.ASCII)
_KEPT = "$&+,/:;=@!'()*-_.~[]"


def _ip(text: str) -> Ip:
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError as error:
        told = f"ParseAddr({quoted(text)}): {_unread(text)}"
        raise CelError(f"IP Address {quoted(text)} parse error during conversion from string: {told}") from error
    if "%" in text:
        raise CelError(f"IP address {quoted(text)} with zone value is not allowed")
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        raise CelError(f"IPv4-mapped IPv6 address {quoted(text)} is not allowed")
    return Ip(found)


def _unread(text: str) -> str:
    """What Go says of a text that is no address; of its many words those for the most usual mistakes."""
    if ":" in text:
        return "each group must have 4 or less digits" if re.search("[0-9a-fA-F]{5}", text) else "unexpected character"
    if "." not in text:
        return "unable to parse IP"
    fields = text.split(".")
    if any(field.isdigit() and int(field) > 255 for field in fields):
        return "IPv4 field has value >255"
    if any(len(field) > 1 and field.startswith("0") for field in fields):
        return "IPv4 field has octet with leading zero"
    return (
        "IPv4 address too short"
        if len(fields) < 4
        else "IPv4 address too long"
        if len(fields) > 4
        else "unexpected character"
    )


def _cidr(text: str) -> Cidr:
    address, slash, bits = text.rpartition("/")
    words = "network address parse error during conversion from string: "
    found, why = None, "" if slash else "no '/'"
    if slash and ("%" in address or not _PREFIX.fullmatch(bits)):
        why = "IPv6 zones cannot be present in a prefix" if "%" in address else f"bad bits after slash: {quoted(bits)}"
    try:
        found = None if why else ip_interface(text)
    except ValueError:
        most = 128 if ":" in address else 32
        long = int(bits) > most and _is_address(address)
        why = "prefix length out of range" if long else f"ParseAddr({quoted(address)}): {_unread(address)}"
    if found is None:
        raise CelError(f"{words}{words}netip.ParsePrefix({quoted(text)}): {why}")
    if isinstance(found.ip, IPv6Address) and found.ip.ipv4_mapped is not None:
        raise CelError(f"{words}IPv4-mapped IPv6 address {quoted(text)} is not allowed")
    return Cidr(found)


def _is_address(text: str) -> bool:
    try:
        return ip_address(text) is not None
    except ValueError:
        return False


def parsed_url(text: str) -> Url:
    """A URL with a scheme, or an absolute path (Go's url.ParseRequestURI). CelError."""
    scheme = _SCHEME.match(text)
    why = _wrong_url(text, scheme[1] if scheme else "")
    if why:
        raise CelError(f"URL parse error during conversion from string: parse {quoted(text)}: {why}")
    rest = text[scheme.end() :] if scheme else text
    rest, _, _ = rest.partition("#")
    rest, _, query = rest.partition("?")
    host = ""
    if rest.startswith("//") and (scheme or not rest.startswith("///")):
        host, slash, path = rest[2:].partition("/")
        rest = slash + path
    elif not rest.startswith("/"):
        rest = ""
    host = host.rpartition("@")[2]
    name, port = _host(host)
    return Url(text, (scheme[1] if scheme else "").lower(), unquote(host), unquote(name), port, _escaped(rest), query)


def _wrong_url(text: str, scheme: str) -> str:
    if not text:
        return "empty url"
    if any(ord(letter) < 0x20 or letter == "\x7f" for letter in text):
        return "net/url: invalid control character in URL"
    if text.startswith(":"):
        return "missing protocol scheme"
    if not scheme and not text.startswith("/"):
        return "invalid URI for request"
    rest = text[len(scheme) + 1 :] if scheme else text
    if scheme and not rest.startswith("/"):
        return ""
    wrong = _ESCAPE.search(rest.partition("?")[0])
    if wrong:
        return f'invalid URL escape "{rest[wrong.start() : wrong.start() + 3]}"'
    host = rest[2:].partition("/")[0].partition("?")[0].rpartition("@")[2] if rest.startswith("//") else ""
    if " " in host:
        return 'invalid character " " in host name'
    after = host.rpartition("]")[2] if host.startswith("[") else host[host.find(":") :] if ":" in host else ""
    if host.startswith("[") and "]" not in host:
        return "missing ']' in host"
    return "" if _PORT.fullmatch(after) else f"invalid port {quoted(after)} after host"


def _host(host: str) -> tuple[str, str]:
    """(name, port)."""
    if host.startswith("["):
        name, _, after = host[1:].partition("]")
        return name, after.removeprefix(":")
    name, _, port = host.partition(":")
    return name, port


def _escaped(path: str) -> str:
    """The path as it is, or escaped where it has letters that must be."""
    return "".join(
        letter
        if letter == "%" or letter in _KEPT or (letter.isascii() and letter.isalnum())
        else "".join(f"%{byte:02X}" for byte in letter.encode("utf-8", "surrogatepass"))
        for letter in path
    )


def _holds(parse: Callable[[str], Any]) -> Callable[[str], bool]:
    def holds(text: str) -> bool:
        try:
            parse(text)
        except CelError:
            return False
        return True

    return holds


def _contains_ip(net: Cidr, one: Ip) -> bool:
    return bool(one.address.version == net.interface.version and one.address in net.interface.network)


def _contains_cidr(net: Cidr, other: Cidr) -> bool:
    if net.interface.version != other.interface.version:
        return False
    return bool(other.interface.network.subnet_of(net.interface.network))


def _masked(net: Cidr) -> Cidr:
    return Cidr(ip_interface(net.interface.network.with_prefixlen))


def _is_global(one: Ip) -> bool:
    """As Go means it: private addresses, too."""
    address = one.address
    broadcast = isinstance(address, IPv4Address) and str(address) == "255.255.255.255"
    return not (
        broadcast or address.is_unspecified or address.is_loopback or address.is_multicast or address.is_link_local
    )


def _is_local_multicast(one: Ip) -> bool:
    address = one.address
    if isinstance(address, IPv4Address):
        return address in _LOCAL
    return bool(address.packed[0] == 0xFF and address.packed[1] & 0x0F == 0x02)


_LOCAL = ip_interface("224.0.0.0/24").network


def _query(url: Url) -> dict[str, list[str]]:
    return parse_qs(url.query, keep_blank_values=True)


def _made() -> Iterator[Overload]:
    yield from overloads(
        (str,),
        {
            "ip": _ip,
            "isIP": _holds(_ip),
            "ip.isCanonical": lambda text: str(_ip(text).address) == text,
            "cidr": _cidr,
            "isCIDR": _holds(_cidr),
            "url": parsed_url,
            "isURL": _holds(parsed_url),
        },
    )
    yield from overloads(
        (Ip,),
        {
            "family": lambda one: one.address.version,
            "isUnspecified": lambda one: one.address.is_unspecified,
            "isLoopback": lambda one: one.address.is_loopback,
            "isLinkLocalMulticast": _is_local_multicast,
            "isLinkLocalUnicast": lambda one: one.address.is_link_local,
            "isGlobalUnicast": _is_global,
        },
    )
    yield from overloads(
        (Cidr,),
        {
            "ip": lambda net: Ip(net.interface.ip),
            "prefixLength": lambda net: net.interface.network.prefixlen,
            "masked": _masked,
        },
    )
    yield Overload("containsIP", (Cidr, Ip), _contains_ip)
    yield Overload("containsIP", (Cidr, str), lambda net, text: _contains_ip(net, _ip(text)))
    yield Overload("containsCIDR", (Cidr, Cidr), _contains_cidr)
    yield Overload("containsCIDR", (Cidr, str), lambda net, text: _contains_cidr(net, _cidr(text)))
    yield from overloads(
        (Url,),
        {
            "getScheme": lambda url: url.scheme,
            "getHost": lambda url: url.host,
            "getHostname": lambda url: url.hostname,
            "getPort": lambda url: url.port,
            "getEscapedPath": lambda url: url.path,
            "getQuery": _query,
        },
    )


TABLE = (*_made(),)
