"""Numbers of custom resources against their schema, with the messages and the roundings of kube-openapi's validator.

A whole number within 64 bits is compared with bounds that are cut to whole ones; all else as Go's float64.
"""

import math
import re
from collections.abc import Iterator

from kilde.kubeapi.resources.causes import NO_FIELD, Cause, invalid
from kilde.kubeapi.resources.custom.definition import Schema

_LARGEST_WHOLE = float(2**53 - 1)  # of JSON's numbers
_RANGES = {"int32": (-(2**31), 2**31), "uint32": (0, 2**32), "uint64": (0, 2**64)}
_INT64 = (-(2**63), 2**63)
_CLOSE = 1e-9
_EXPONENT = re.compile(r"e([+-])0*(\d+)$")


def is_whole(value: float) -> bool:
    """Whether a number is an integer to kube-openapi."""
    if isinstance(value, int):
        return _INT64[0] <= value < _INT64[1] or abs(value) <= _LARGEST_WHOLE
    return value.is_integer() and abs(value) <= _LARGEST_WHOLE


def check_number(value: float, schema: Schema, path: str, told: str) -> Iterator[Cause]:
    """What is wrong with a number, whose bounds are judged with it. `told` is its place as messages name it."""
    yield from _misfit(value, schema, "Checked", path)
    for key, word in (("multipleOf", "MultipleOf"), ("minimum", "Minimum boundary"), ("maximum", "Maximum boundary")):
        bound = schema.get(key)
        if bound is None:
            continue
        misfit = list(_misfit(bound, schema, word, path))
        yield from misfit
        native = not misfit and isinstance(value, int) and _INT64[0] <= value < _INT64[1]
        one, other = (value, _as_int64(bound)) if native else (float(value), float(bound))
        text = _broken(one, other, key, excludes=bool(schema.get(f"exclusive{key.capitalize()}")))
        if key == "multipleOf" and other <= 0:
            yield Cause(path, "FieldValueInvalid", f"Invalid value: {_go(other)}: {_factor(told, other)}")
        elif text:
            yield Cause(path, "FieldValueInvalid", f"Invalid value: {_go(one)}: {told} should be {text} {_go(other)}")


def _factor(told: str, factor: float) -> str:
    return f"factor MultipleOf declared for {told.removesuffix(' in body')} must be positive: {_go(factor)}"


def _misfit(value: float, schema: Schema, word: str, path: str) -> Iterator[Cause]:
    """A number or a bound that the schema's type cannot be."""
    if schema.get("type") != "integer" or schema.get("x-kubernetes-int-or-string"):
        return
    form = str(schema.get("format") or "")
    least, beyond = _RANGES.get(form, _INT64)
    if value != math.trunc(value) or not least <= value < beyond:
        kind = f"with format {form}" if form else "(default format)"
        yield invalid(NO_FIELD, "", f"{word} value must be of type integer {kind} in {path}")


def _as_int64(bound: float) -> int:
    """A bound as Go makes it a whole number."""
    return int(bound) if _INT64[0] <= bound < _INT64[1] else _INT64[0]


def _broken(value: float, bound: float, key: str, *, excludes: bool) -> str:
    """What the number should be; "" if it is."""
    if key == "multipleOf":
        return "" if bound > 0 and _divides(value, bound) else "a multiple of"
    if key == "minimum":
        word = "greater than" if excludes else "greater than or equal to"
        return word if value < bound or (excludes and value == bound) else ""
    word = "less than" if excludes else "less than or equal to"
    return word if value > bound or (excludes and value == bound) else ""


def _divides(value: float, factor: float) -> bool:
    if isinstance(value, int) and isinstance(factor, int):
        return value % factor == 0
    times = (1 / factor) * value if factor < 1 else value / factor
    whole = math.trunc(times) if math.isfinite(times) else math.inf
    if abs(times) > _LARGEST_WHOLE:
        return False
    return times == whole or (whole != 0 and abs(times - whole) / (abs(times) + abs(whole)) < _CLOSE)


def _go(number: float) -> str:
    """A number as Go prints it: a float64 with an exponent from a million on."""
    if isinstance(number, int):
        return str(number)
    text = repr(number).removesuffix(".0")
    power = int(f"{number:e}".partition("e")[2])
    if -5 < power < 6:
        return text
    if "e" not in text:
        digits = text.lstrip("-").replace(".", "").strip("0")
        rest = f".{digits[1:]}" if digits[1:] else ""
        text = f"{'-' if number < 0 else ''}{digits[0]}{rest}e{power:+d}"
    return _EXPONENT.sub(lambda found: f"e{found[1]}{int(found[2]):02d}", text)
