"""`"%s of %d".format([a, b])`: the clauses of the strings extension."""

import math
import re
from collections.abc import Callable
from typing import Any

from kilde.core.objects.cel.conversions import quoted, show_double
from kilde.core.objects.cel.times import show_duration, show_timestamp
from kilde.core.objects.cel.values import CelError, Duration, Timestamp, Type, Uint, kind

_PRECISION = re.compile(r"\.([0-9]*)")
_DIGITS = 6
_MOST_DIGITS = 1000
_NAMED = ("NaN", "Infinity", "-Infinity")
_STRINGS = "strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps"


def formatted(text: str, values: list[Any]) -> str:
    """The text with a value for each clause. CelError."""
    out: list[str] = []
    at = used = 0
    while (found := text.find("%", at)) >= 0:
        out.append(text[at:found])
        at = found + 1
        if text.startswith("%", at):
            out.append("%")
            at += 1
            continue
        if used >= len(values):
            raise CelError(f"index {used} out of range")
        if at >= len(text):
            raise CelError("unexpected end of string")
        shown, at = _clause(text, at, values[used])
        out.append(shown)
        used += 1
    return "".join([*out, text[at:]])


def _clause(text: str, at: int, value: Any) -> tuple[str, int]:
    digits = _DIGITS
    precision = _PRECISION.match(text, at)
    if precision is not None:
        at = precision.end()
        if at >= len(text):
            raise CelError(_parsing("error while parsing precision: could not find end of precision specifier"))
        digits = int(precision[1] or 0)
        if digits > _MOST_DIGITS:
            raise CelError(_parsing("error while parsing precision"))
    does = _CLAUSES.get(text[at])
    if does is None:
        raise CelError(_parsing(f'unrecognized formatting clause "{text[at]}"'))
    try:
        return does(value, digits), at + 1
    except CelError as error:
        raise CelError(f"error during formatting: {error}") from error


def _parsing(what: str) -> str:
    return f"could not parse formatting clause: {what}"


def _string(value: Any, _: int = 0) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    if isinstance(value, dict):
        pairs = sorted((_literal(key), _literal(child)) for key, child in value.items())
        return f"{{{', '.join(f'{key}:{child}' for key, child in pairs)}}}"
    if isinstance(value, (str, bytes)):
        return value if isinstance(value, str) else value.decode("utf-8", "replace")
    shows: dict[type, Callable[[Any], str]] = {
        bool: lambda one: "true" if one else "false",
        int: str,
        Uint: lambda one: str(int(one)),
        float: show_double,
        Timestamp: show_timestamp,
        Duration: show_duration,
        Type: lambda one: str(one.name),
        type(None): lambda _: "null",
    }
    show = shows.get(type(value))
    if show is None:
        raise CelError(f"string clause can only be used on {_STRINGS}, was given {kind(value)}")
    return show(value)


def _literal(value: Any) -> str:
    """A value within a list or map."""
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, bytes):
        return f"b{quoted(_string(value))}"
    if type(value) is float:
        return f"{value:.6f}" if math.isfinite(value) else f'"{show_double(value)}"'
    if type(value) in (Timestamp, Duration):
        return f"{'timestamp' if type(value) is Timestamp else 'duration'}({quoted(_string(value))})"
    return _string(value)


def _decimal(value: Any, _: int) -> str:
    if type(value) not in (int, Uint):
        raise CelError(f"decimal clause can only be used on integers, was given {kind(value)}")
    return str(int(value))


def _number(value: Any, clause: str) -> float:
    if type(value) is float:
        return value
    if value in _NAMED:
        return float(value)
    raise CelError(f"{clause} clause can only be used on doubles, was given {kind(value)}")


def _not_finite(value: float) -> str:
    return "NaN" if math.isnan(value) else "∞" if value > 0 else "-∞"


def _fixed(value: Any, digits: int) -> str:
    found = _number(value, "fixed-point")
    return f"{found:,.{digits}f}" if math.isfinite(found) else _not_finite(found)


_RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def _scientific(value: Any, digits: int) -> str:
    found = _number(value, "scientific")
    if not math.isfinite(found):
        return _not_finite(found)
    mantissa, _, exponent = f"{found:.{_DIGITS}e}".partition("e")  # the precision is but the width there
    shown = f"{'-' if exponent.startswith('-') else ''}{exponent[1:].zfill(2)}".translate(_RAISED)
    return f"{mantissa}×10{shown}".rjust(digits)


def _binary(value: Any, _: int) -> str:
    if type(value) not in (int, Uint, bool):
        raise CelError(f"only integers and bools can be formatted as binary, was given {kind(value)}")
    return f"{int(value):b}"


def _octal(value: Any, _: int) -> str:
    if type(value) not in (int, Uint):
        raise CelError(f"octal clause can only be used on integers, was given {kind(value)}")
    return f"{int(value):o}"


def _hex(value: Any, _: int) -> str:
    if isinstance(value, (str, bytes)):
        return (value if isinstance(value, bytes) else value.encode("utf-8", "surrogatepass")).hex()
    if type(value) not in (int, Uint):
        raise CelError(f"only integers, byte buffers, and strings can be formatted as hex, was given {kind(value)}")
    return f"{int(value):x}"


_CLAUSES: dict[str, Callable[[Any, int], str]] = {
    "s": _string,
    "d": _decimal,
    "f": _fixed,
    "e": _scientific,
    "b": _binary,
    "o": _octal,
    "x": _hex,
    "X": lambda value, digits: _hex(value, digits).upper(),
}
