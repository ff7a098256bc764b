"""`"%s of %d".format([a, b])`: the clauses of the strings extension."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kilde.core.objects.cel.conversions import quoted, show_double
from kilde.core.objects.cel.times import show_duration, show_timestamp
from kilde.core.objects.cel.tree import Node
from kilde.core.objects.cel.types import Type as Known
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
    clause, digits, at = _read_clause(text, at)
    try:
        return _CLAUSES[clause](value, digits), at
    except CelError as error:
        raise CelError(f"error during formatting: {error}") from error


def _read_clause(text: str, at: int) -> tuple[str, int, int]:
    """(letter, digits, where the text goes on). CelError."""
    digits = _DIGITS
    precision = _PRECISION.match(text, at)
    if precision is not None:
        at = precision.end()
        if at >= len(text):
            raise CelError(_parsing("error while parsing precision: could not find end of precision specifier"))
        digits = int(precision[1] or 0)
        if digits > _MOST_DIGITS:
            raise CelError(_parsing("error while parsing precision"))
    if text[at] not in _CLAUSES:
        raise CelError(_parsing(f'unrecognized formatting clause "{text[at]}"'))
    return text[at], digits, at + 1


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

_INTEGERS = "integers, was given"
# clause → (what it takes, what it says of what it does not take)
_TAKES: Mapping[str, tuple[tuple[str, ...], str]] = {
    "d": (("int", "uint"), f"decimal clause can only be used on {_INTEGERS}"),
    "o": (("int", "uint"), f"octal clause can only be used on {_INTEGERS}"),
    "f": (("double", "string"), "fixed-point clause can only be used on doubles, was given"),
    "e": (("double", "string"), "scientific clause can only be used on doubles, was given"),
    "b": (("int", "uint", "bool"), "only integers and bools can be formatted as binary, was given"),
    "x": (
        ("int", "uint", "string", "bytes"),
        "only integers, byte buffers, and strings can be formatted as hex, was given",
    ),
    "s": (
        ("list", "map", "int", "uint", "double", "bool", "string", "timestamp", "bytes", "duration", "type", "null"),
        f"string clause can only be used on {_STRINGS}, was given",
    ),
}


def check_format(text: str, values: Sequence[Node], types: Mapping[int, Known]) -> tuple[int, str] | None:
    """(the part that is wrong, or 0 for the call; what is wrong) of a constant text and the list of its values."""
    at = used = 0
    while (found := text.find("%", at)) >= 0:
        at = found + 1
        if text.startswith("%", at):
            at += 1
            continue
        if at >= len(text):
            return 0, "unexpected end of string"
        if used >= len(values):
            return 0, f"index {used} out of range"
        try:
            clause, _, at = _read_clause(text, at)
        except CelError as error:
            return 0, str(error)
        takes, words = _TAKES[clause.lower()]
        wrong = next((one for one in _shown(values[used], clause) if types[one.id].kind not in (*takes, "dyn")), None)
        if wrong is not None:
            return wrong.id, f"error during formatting: {words} {types[wrong.id].name}"
        used += 1
    if len(values) > used:
        return 0, f"too many arguments supplied to string.format (expected {used}, got {len(values)})"
    return None


def _shown(value: Node, clause: str) -> Sequence[Node]:
    """What a clause writes: of a list or map written as a text all that is in it, too."""
    if clause != "s" or value.kind not in ("list", "map"):
        return (value,)
    return (value, *(inner for part in value.parts for inner in _shown(part, clause)))
