"""What Go's net/url says of a text that is no URL."""

import ipaddress
import re

_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
_OF_HOSTS = re.compile(r"""[\]A-Za-z0-9!"$&'()*+,:;<=>\[_.~-]|[^\x00-\x7f]""")
_USER = re.compile(r"[A-Za-z0-9._:~!$&'()*+,;=%@-]*")
_PORT = re.compile(r"(:[0-9]*)?")


class _BadUrl(Exception):
    """The text is no URL; it says why."""


def url_problem(text: str) -> str:
    """Why a text is no URL; "" if it is one."""
    before, _, fragment = text.partition("#")
    told = before
    try:
        _parse(before)
        told = text
        _unescaped(fragment)
    except _BadUrl as error:
        return f"parse {quoted(told)}: {error}"
    return ""


def quoted(text: str) -> str:
    """A text as Go quotes it."""
    made = text.replace("\\", "\\\\").replace('"', '\\"')
    made = made.replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
    return '"' + _CONTROLS.sub(lambda found: f"\\x{ord(found[0]):02x}", made) + '"'


def _parse(text: str) -> None:
    if _CONTROLS.search(text):
        raise _BadUrl("net/url: invalid control character in URL")
    if text.startswith(":"):
        raise _BadUrl("missing protocol scheme")
    scheme = _SCHEME.match(text)
    rest = text[scheme.end() if scheme else 0 :].partition("?")[0]
    if not rest.startswith("/"):
        if scheme is not None:
            return
        if ":" in rest.partition("/")[0]:
            raise _BadUrl("first path segment in URL cannot contain colon")
    if rest.startswith("//") and (scheme is not None or not rest.startswith("///")):
        authority, slash, path = rest[2:].partition("/")
        _check_authority(authority, strict=scheme is not None and scheme[0].lower() in ("http:", "https:"))
        rest = slash + path
    _unescaped(rest)


def _check_authority(authority: str, *, strict: bool) -> None:
    user, _, host = authority.rpartition("@")
    _check_host(host, strict=strict)
    if not _USER.fullmatch(user):
        raise _BadUrl("net/url: invalid userinfo")
    _unescaped(user)


def _check_host(host: str, *, strict: bool) -> None:
    """`strict`: a host has one colon at most, that of its port."""
    opened = host.rfind("[")
    if opened > 0:
        raise _BadUrl("invalid IP-literal")
    if opened == 0:
        _check_address(host)
        return
    at = host.find(":") if strict else host.rfind(":")
    if at >= 0:
        _check_port(host[at:])
    _unescaped(host, of_host=True)


def _check_address(host: str) -> None:
    inside, bracket, port = host[1:].rpartition("]")
    if not bracket:
        raise _BadUrl("missing ']' in host")
    _check_port(port)
    name, _, zone = inside.partition("%25")
    _unescaped(name, of_host=True)
    try:
        version = ipaddress.ip_address(f"{name}%{zone}" if zone else name).version
    except ValueError as error:
        raise _BadUrl(f"invalid host: ParseAddr({quoted(name)}): unable to parse IP") from error
    if version == 4:
        raise _BadUrl("invalid IP-literal")


def _check_port(port: str) -> None:
    if not _PORT.fullmatch(port):
        raise _BadUrl(f"invalid port {quoted(port)} after host")


def _unescaped(text: str, *, of_host: bool = False) -> None:
    """Complains of escapes that are none, and in a host of what it cannot have."""
    at = 0
    while at < len(text):
        if text[at] != "%":
            if of_host and not _OF_HOSTS.match(text[at]):
                raise _BadUrl(f"invalid character {quoted(text[at])} in host name")
            at += 1
            continue
        escape = text[at : at + 3]
        if not _ESCAPE.fullmatch(escape) or (of_host and escape[1] in "01234567" and escape != "%25"):
            raise _BadUrl(f"invalid URL escape {quoted(escape)}")
        at += 3
