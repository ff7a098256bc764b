"""Conversions: `int(x)`, `string(x)` and the like, worded as Go words what cannot be converted."""

import math
import re
from collections.abc import Callable
from typing import Any

from kilde.core.objects.cel.overloads import ANY, Overload
from kilde.core.objects.cel.times import read_duration, read_timestamp, show_duration, show_timestamp
from kilde.core.objects.cel.values import (
    INT_LEAST,
    INT_MOST,
    UINT_MOST,
    CelError,
    Cidr,
    Duration,
    Ip,
    Timestamp,
    Type,
    Uint,
    kind,
    unsigned,
    whole,
)

_WHOLE, _UNSIGNED = re.compile(r"[+-]?[0-9]+", re.ASCII), re.compile(r"[0-9]+", re.ASCII)
_FLOAT = re.compile(
    r"[+-]?([0-9]++\.?[0-9]*+|\.[0-9]++)([eE][+-]?[0-9]+)?|[+-]?(inf|infinity)|nan", re.ASCII | re.IGNORECASE
)
_TRUTH = {
    **dict.fromkeys(("1", "t", "T", "true", "TRUE", "True"), True),
    **dict.fromkeys(("0", "f", "F", "false", "FALSE", "False"), False),
}


def quoted(text: str) -> str:
    """A text as Go quotes it."""
    out = [_ESCAPES.get(letter) or (letter if letter.isprintable() else _escaped(letter)) for letter in text]
    return f'"{"".join(out)}"'


_ESCAPES = {
    "\\": "\\\\",
    '"': '\\"',
    "\n": "\\n",
    "\t": "\\t",
    "\r": "\\r",
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\v": "\\v",
}


def _escaped(letter: str) -> str:
    code = ord(letter)
    return f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _unlike(of: str, target: str) -> CelError:
    return CelError(f"type conversion error from '{of}' to '{target}'")


def _time_of_text(text: str) -> Timestamp:
    try:
        return read_timestamp(text)
    except CelError as error:
        raise _unlike("string", "google.protobuf.Timestamp") from error


def _length_of_text(text: str) -> Duration:
    try:
        return read_duration(text)
    except CelError as error:
        raise _unlike("string", "google.protobuf.Duration") from error


def _int_of_text(text: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise _unlike("string", "int")
    if len(text) > 40 or not INT_LEAST <= int(text) <= INT_MOST:
        raise _unlike("string", "int")
    return int(text)


def _uint_of_text(text: str) -> Uint:
    if not _UNSIGNED.fullmatch(text):
        raise _unlike("string", "uint")
    if len(text) > 40 or int(text) > UINT_MOST:
        raise _unlike("string", "uint")
    return Uint(int(text))


def _double_of_text(text: str) -> float:
    if not _FLOAT.fullmatch(text):
        raise _unlike("string", "double")
    found = float(text)
    if math.isinf(found) and "inf" not in text.lower():
        raise _unlike("string", "double")
    return found


def _bool_of_text(text: str) -> bool:
    if text not in _TRUTH:
        raise _unlike("string", "bool")
    return _TRUTH[text]


def _int_of_double(value: float) -> int:
    if math.isnan(value) or not -(2.0**63) < value < 2.0**63:
        raise CelError("integer overflow")
    return int(value)


def _uint_of_double(value: float) -> Uint:
    if math.isnan(value) or not 0 <= value < 2.0**64:
        raise CelError("unsigned integer overflow")
    return Uint(int(value))


def show_double(value: float) -> str:
    """A number as Go's `%g` shows it, in the fewest digits that tell it."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    digits, _, exponent = repr(value).replace("E", "e").partition("e") if "e" in repr(value) else (repr(value), "", "")
    sign, plain = ("-", digits[1:]) if digits.startswith("-") else ("", digits)
    before, _, after = plain.partition(".")
    after = "" if after == "0" else after
    point = len(before) + int(exponent or 0)
    figures = (before + after).lstrip("0")
    point -= len(before + after) - len(figures)
    figures = figures.rstrip("0") or "0"
    power = point - 1 if figures != "0" else 0
    if power < -4 or power >= 6:
        return (
            f"{sign}{figures[0]}{'.' + figures[1:] if figures[1:] else ''}e{'-' if power < 0 else '+'}{abs(power):02d}"
        )
    if power < 0:
        return f"{sign}0.{'0' * (-power - 1)}{figures}"
    figures = figures.ljust(power + 1, "0")
    return f"{sign}{figures[: power + 1]}{'.' + figures[power + 1 :] if figures[power + 1 :] else ''}"


def _text_of_bytes(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise CelError("invalid UTF-8 in bytes, cannot convert to string") from error


def _itself(value: Any) -> Any:
    return value


def _no_length(_: int) -> Duration:
    """It is declared, and cel-go cannot do it."""
    raise CelError("type conversion error from 'int' to 'google.protobuf.Duration'")


_CONVERSIONS: dict[str, dict[type, Callable[[Any], Any]]] = {
    "int": {
        int: _itself,
        Uint: lambda value: whole(int(value)),
        float: _int_of_double,
        str: _int_of_text,
        Timestamp: lambda value: value.nanos // 10**9,
        Duration: lambda value: value.nanos,
    },
    "uint": {Uint: _itself, int: unsigned, float: _uint_of_double, str: _uint_of_text},
    "double": {float: _itself, int: float, Uint: float, str: _double_of_text},
    "bool": {bool: _itself, str: _bool_of_text},
    "bytes": {bytes: _itself, str: lambda value: value.encode("utf-8", "surrogatepass")},
    "string": {
        str: _itself,
        int: str,
        Uint: lambda value: str(int(value)),
        float: show_double,
        bool: lambda value: "true" if value else "false",
        bytes: _text_of_bytes,
        Timestamp: show_timestamp,
        Duration: show_duration,
        Ip: lambda value: str(value.address),
        Cidr: lambda value: str(value.interface),
        Type: lambda value: value.name,
    },
    "timestamp": {
        Timestamp: _itself,
        str: _time_of_text,
        int: lambda value: Timestamp(value * 10**9),
    },
    "duration": {Duration: _itself, str: _length_of_text, int: _no_length},
}
TABLE = (
    *(Overload(name, (of,), does) for name, table in _CONVERSIONS.items() for of, does in table.items()),
    Overload("dyn", (ANY,), _itself),
    Overload("type", (ANY,), lambda value: Type(kind(value))),
)
