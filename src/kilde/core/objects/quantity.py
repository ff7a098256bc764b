"""Quantities as Kubernetes reads, prints and compares them: `500m`, `1536Mi`, `1e3`.

The rules are those of k8s.io/apimachinery/pkg/api/resource: what is read in canonical form is printed as it was
written, all else is brought to the largest suffix that needs no fraction.
"""

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.values import Json

_SHAPE = re.compile(r"([+-]?)0*+([0-9]*+)(?:(\.)([0-9]*+))?([eEinumkKMGTP]*+[-+]?[0-9]*+)")
_EXPONENT = re.compile(r"[eE]([-+]?[0-9]+)")
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_DECIMAL_NAMES = {exponent: suffix for suffix, exponent in _DECIMAL.items()}
_BINARY_NAMES = {exponent: suffix for suffix, exponent in _BINARY.items()}
_NANO = -9
_MILLI = -3
_MAX_BINARY = 2**63 - 1
_LONGEST = 100
_LARGEST_EXPONENT = 100

_WRONG = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
_WRONG_SUFFIX = "unable to parse quantity's suffix"


@dataclass(frozen=True, slots=True)
class Quantity:
    """An exact number and how it is printed. Two are equal if their numbers are; `text` is the canonical form."""

    value: Fraction
    text: str

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Quantity) and self.value == other.value

    def __hash__(self) -> int:
        return hash(self.value)

    def __str__(self) -> str:
        return self.text


def parse(raw: Json) -> Quantity:
    """Reads a quantity (a string or a JSON number). InvalidInput, worded as the server words it, if it is none."""
    if isinstance(raw, bool) or not isinstance(raw, (str, int, float)):
        raise InvalidInput(_WRONG)
    return _parsed((raw if isinstance(raw, str) else repr(raw)).strip())


@lru_cache(maxsize=4096)  # an object says the same few over and over
def _parsed(text: str) -> Quantity:
    match = _SHAPE.fullmatch(text) if 0 < len(text) <= _LONGEST else None
    if match is None or not any(character.isdigit() for character in text):
        raise InvalidInput(_WRONG)
    sign, whole, _, fraction, suffix = match.groups()
    whole, fraction = whole or "0", fraction or ""
    base, exponent, style = _suffix(suffix)
    digits = int(whole + fraction)
    if sign == "-":
        digits = -digits
    value = Fraction(digits) * (Fraction(2) ** exponent if base == 2 else Fraction(10) ** exponent)
    value /= 10 ** len(fraction)
    if text == "0" or _is_canonical(whole + fraction, len(fraction), exponent, style):
        return Quantity(value, text)
    return _made(value, style)


def _suffix(text: str) -> tuple[int, int, str]:
    """(base, exponent, style) of a suffix; style is "binary", "decimal" or "exponent"."""
    if text in _BINARY:
        return 2, _BINARY[text], "binary"
    if text in _DECIMAL:
        return 10, _DECIMAL[text], "decimal"
    match = _EXPONENT.fullmatch(text)
    if match is None or abs(int(match[1])) > _LARGEST_EXPONENT:
        raise InvalidInput(_WRONG_SUFFIX)
    return 10, int(match[1]), "exponent"


def _is_canonical(digits: str, places: int, exponent: int, style: str) -> bool:
    """Whether the real parser takes its fast path and reuses the text."""
    if style == "binary":
        precision = 15 - len(digits) - int(exponent * 3 / 10) - 1
        return not places and precision >= 0 and int(digits) & 7 != 0
    scale = exponent - places
    return len(digits) <= 18 and scale >= _NANO and scale % 3 == 0 and not digits.endswith("000") and digits[0] != "0"


def _made(value: Fraction, style: str) -> Quantity:
    value = _rounded_up(value, _NANO)
    if style == "binary":
        value = max(min(value, Fraction(_MAX_BINARY)), Fraction(-_MAX_BINARY))
    return Quantity(value, _printed(value, style))


def _printed(value: Fraction, style: str) -> str:
    if not value:
        return "0"
    if style == "binary" and value.denominator == 1 and abs(value) >= 1024:
        number, exponent = int(value), 0
        while number % 1024 == 0 and exponent < 60:
            number, exponent = number // 1024, exponent + 10
        return f"{number}{_BINARY_NAMES.get(exponent, '')}"
    number, exponent = int(value * 10**9), -9
    while number % 1000 == 0 and exponent < 18:
        number, exponent = number // 1000, exponent + 3
    if style == "exponent":
        return f"{number}e{exponent}" if exponent else str(number)
    return f"{number}{_DECIMAL_NAMES[exponent]}"


def _rounded_up(value: Fraction, scale: int) -> Fraction:
    """Rounds away from zero to a multiple of 10^scale: whoever wants some gets some."""
    unit = Fraction(10) ** scale
    steps = abs(value) / unit
    whole = -(-steps.numerator // steps.denominator)
    return (1 if value >= 0 else -1) * whole * unit


def canonical(raw: Json) -> str:
    """The text a server stores. InvalidInput if it is no quantity."""
    return parse(raw).text


def milli(raw: Json) -> str:
    """The same, rounded up to thousandths: what a server makes of a container's resources."""
    return _in_milli(parse(raw).text)


@lru_cache(maxsize=4096)
def _in_milli(text: str) -> str:
    quantity = parse(text)
    rounded = _rounded_up(quantity.value, _MILLI)
    return quantity.text if rounded == quantity.value else _printed(rounded, "decimal")


def equal(a: Json, b: Json) -> bool:
    """Whether both are quantities of one value."""
    try:
        return parse(a) == parse(b)
    except InvalidInput:
        return False


def of(value: Fraction | int, like: str = "decimal") -> str:
    """Prints a number; `like` is "decimal" or "binary"."""
    return _made(Fraction(value), like).text
