"""Private keys of every sort, as they stand in a text or in its base64."""

import re
from collections.abc import Iterator

from kilde.core.check.leaks.leak import Sighting
from kilde.core.check.leaks.tokens import LineStarts

_BEGIN = re.compile(r"-----BEGIN ((?:[A-Z0-9]{1,12} ){0,4})PRIVATE KEY( BLOCK)?-----")
_BODY = re.compile(r"(?:[0-9A-Za-z+/=]|\\[nr]|[\s\"'|>,+-]){0,400}")
_HEADERS = re.compile(
    r"(?:(?:\\[nr]|[\s\"'])*(?:Proc-Type|DEK-Info|Version|Comment|Charset|Hash|Key|Subject):?[^\n\\]{0,120}){1,6}"
)
_ENOUGH = 40  # characters of base64 behind the first line; an example has `...` there
_FIRST = 400
_BASE64 = re.compile(r"LS0tLS1CRUdJTi[0-9A-Za-z+/]{6,40}")
_ENCODED = (
    "QUklWQVRFIEtFWS",
    "BSSVZBVEUgS0VZ",
    "UFJJVkFURSBLRV",
)  # ` PRIVATE KEY` at each of the three places of a group
_OTHERS = (
    (re.compile(r"PuTTY-User-Key-File-[0-9]: "), "PuTTY private key"),
    (re.compile(r'"kilde-sealing-keys/v[0-9]+"'), "exported sealing keys, as safe as their passphrase"),
)
_RANK = 7


def find_keys(text: str, line: int = 1) -> Iterator[Sighting]:
    """Every private key of the text, whose first line is that one."""
    found: list[tuple[int, str, str]] = []
    if "PRIVATE KEY" in text:
        for one in _BEGIN.finditer(text):
            body = _body(text, one.end())
            if len(body) >= _ENOUGH and len(set(body)) > 8:
                sort = one[1].strip() or "PKCS#8"
                found.append((one.start(), f"{'OpenPGP' if one[2] else sort} private key", body))
    if "LS0tLS1CRUdJTi" in text:
        for one in _BASE64.finditer(text):
            head = text[one.start() : one.start() + 120]
            if any(mark in head for mark in _ENCODED):
                found.append((one.start(), "private key in base64", text[one.start() : one.start() + _FIRST]))
    for pattern, kind in _OTHERS:
        if (other := pattern.search(text)) is not None:
            found.append((other.start(), kind, text[other.start() : other.start() + _FIRST]))
    starts = LineStarts(text) if found else None
    for at, kind, value in found:
        assert starts is not None
        row, column = starts.of(at)
        yield Sighting(line + row, column + 1, "private-key", kind, kind, value, _RANK)


def _body(text: str, at: int) -> str:
    """The base64 behind the first line, of a few hundred characters."""
    headers = _HEADERS.match(text, at)
    match = _BODY.match(text, headers.end() if headers else at)
    return re.sub(r"\\[nr]|[^0-9A-Za-z+/=]", "", match.group() if match else "")
