"""Quantities, semantic versions and named formats: Kubernetes' libraries."""

import re
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

from kilde.core.basics.errors import InvalidInput
from kilde.core.objects.cel.named_formats import FORMATS
from kilde.core.objects.cel.overloads import Overload, overloads
from kilde.core.objects.cel.values import (
    INT_LEAST,
    INT_MOST,
    NOTHING,
    UINT_MOST,
    CelError,
    Format,
    Optional,
    Semver,
)
from kilde.core.objects.quantity import Quantity, parse

_NUMBERS, _LETTERS = re.compile("[0-9]+", re.ASCII), re.compile("[0-9A-Za-z-]+", re.ASCII)


def _quantity(text: str) -> Quantity:
    try:
        return parse(text)
    except InvalidInput as error:
        raise CelError(error.what) from error


def _made_of(value: Fraction) -> Quantity:
    return Quantity(value, "")


def _order(a: Any, b: Any) -> int:
    return int(a > b) - int(a < b)


def _compared(a: Quantity, b: Quantity) -> int:
    return _order(a.value, b.value)


def _is_integer(one: Quantity) -> bool:
    return one.value.denominator == 1 and INT_LEAST <= one.value <= INT_MOST


def _integer(one: Quantity) -> int:
    if not _is_integer(one):
        raise CelError("cannot convert value to integer")
    return int(one.value)


def _sign(one: Quantity) -> int:
    return _order(one.value, 0)


def _semver(text: str, normalize: bool = False) -> Semver:
    shown = text
    if normalize:
        shown = _normal(text)
    if not shown:
        raise CelError("Version string empty")
    parts = shown.split(".", 2)
    if len(parts) != 3:
        raise CelError("No Major.Minor.Patch elements found")
    rest, plus, build = parts[2].partition("+")
    patch, dash, before = rest.partition("-")
    numbers = tuple(_number(name, one) for name, one in (("Major", parts[0]), ("Minor", parts[1]), ("Patch", patch)))
    tags = tuple(map(_before, before.split("."))) if dash else ()
    for one in build.split(".") if plus else ():
        if not one:
            raise CelError("Build meta data is empty")
        if not _LETTERS.fullmatch(one):
            raise CelError(f'Invalid character(s) found in build meta data "{one}"')
    return Semver((numbers[0], numbers[1], numbers[2]), tags, shown)


def _number(name: str, text: str) -> int:
    if not _NUMBERS.fullmatch(text):
        raise CelError(f'Invalid character(s) found in {name.lower()} number "{text}"')
    if len(text) > 1 and text.startswith("0"):
        raise CelError(f'{name} number must not contain leading zeroes "{text}"')
    if len(text) > 20 or int(text) > UINT_MOST:
        raise CelError(f'strconv.ParseUint: parsing "{text}": value out of range')
    return int(text)


def _before(text: str) -> int | str:
    if not text:
        raise CelError("Prerelease is empty")
    if _NUMBERS.fullmatch(text):
        if len(text) > 1 and text.startswith("0"):
            raise CelError(f'Numeric PreRelease version must not contain leading zeroes "{text}"')
        if len(text) > 20 or int(text) > UINT_MOST:
            raise CelError(f'strconv.ParseUint: parsing "{text}": value out of range')
        return int(text)
    if not _LETTERS.fullmatch(text):
        raise CelError(f'Invalid character(s) found in prerelease "{text}"')
    return text


def _normal(text: str) -> str:
    parts = text.removeprefix("v").split(".", 2)
    for place, part in enumerate(parts):
        if len(part) > 1:
            short = part.lstrip("0")
            parts[place] = short if short and short[0] in "0123456789" else f"0{short}"
    if len(parts) < 3 and re.search(r"[+-]", parts[-1]):
        raise CelError("short version cannot contain PreRelease/Build meta data")
    return ".".join([*parts, "0", "0"][: max(3, len(parts))])


def _semver_order(a: Semver, b: Semver) -> int:
    if a.numbers != b.numbers:
        return _order(a.numbers, b.numbers)
    if not a.before or not b.before:
        return _order(not a.before, not b.before)
    for one, other in zip(a.before, b.before, strict=False):
        if one != other:
            left, right = isinstance(one, str), isinstance(other, str)
            return _order(left, right) if left != right else _order(one, other)
    return _order(len(a.before), len(b.before))


def _is(parse_one: Callable[..., Any]) -> Callable[..., bool]:
    def holds(*args: Any) -> bool:
        try:
            parse_one(*args)
        except CelError:
            return False
        return True

    return holds


def _validate(form: Format, text: str) -> Optional:
    wrong = form.wrong(text)
    return Optional(wrong, True) if wrong else NOTHING


def _named(name: str) -> Optional:
    return Optional(FORMATS[name], True) if name in FORMATS else NOTHING


def _constant(form: Format) -> Callable[[], Format]:
    return lambda: form


def _made() -> Iterator[Overload]:
    yield from overloads((str,), {"quantity": _quantity, "isQuantity": _is(_quantity)})
    yield from overloads((str,), {"semver": _semver, "isSemver": _is(_semver), "format.named": _named})
    yield from overloads((str, bool), {"semver": _semver, "isSemver": _is(_semver)})
    for kind, order in ((Quantity, _compared), (Semver, _semver_order)):
        yield Overload("compareTo", (kind, kind), order)
        yield Overload("isGreaterThan", (kind, kind), lambda a, b, order=order: order(a, b) > 0)
        yield Overload("isLessThan", (kind, kind), lambda a, b, order=order: order(a, b) < 0)
    yield Overload("sign", (Quantity,), _sign)
    yield Overload("asInteger", (Quantity,), _integer)
    yield Overload("isInteger", (Quantity,), _is_integer)
    yield Overload("asApproximateFloat", (Quantity,), lambda one: float(one.value))
    yield Overload("add", (Quantity, Quantity), lambda a, b: _made_of(a.value + b.value))
    yield Overload("sub", (Quantity, Quantity), lambda a, b: _made_of(a.value - b.value))
    yield Overload("add", (Quantity, int), lambda a, b: _made_of(a.value + b))
    yield Overload("sub", (Quantity, int), lambda a, b: _made_of(a.value - b))
    for place, name in enumerate(("major", "minor", "patch")):
        yield Overload(name, (Semver,), lambda one, place=place: one.numbers[place])
    yield Overload("validate", (Format, str), _validate)
    for name, form in FORMATS.items():
        yield Overload(f"format.{name}", (), _constant(form))


TABLE = (*_made(),)
