"""What a call of a Go template's function costs, told before it is made: characters and elements that it is given, looks through and makes.

A text doubles with each `printf "%s%s" $x $x`, a list with each `concat $x $x`: thirty lines of a template fill the memory of
any machine, long before the template's own output is looked at. So each function's call is paid for, out of what one text is allowed.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any

from gotpl import FunctionResult

ONE_TEXT = 4 << 20  # what all calls of one text may cost
_KEY = ONE_TEXT // 6  # what takes up to a second
_WIDTH = re.compile(r"\d+")
Function = Callable[..., object]


class Allowance:
    """What calls may cost, and have cost."""

    def __init__(self, most: int) -> None:
        self.most, self.spent = most, 0

    def spend(self, cost: int, name: str) -> None:
        self.spent += cost
        if self.spent > self.most:
            raise ValueError(f"{name}: a template makes too much, or looks through too much")


_allowance: ContextVar[Allowance] = ContextVar("allowance")  # of the text that is made; threads make texts side by side


@contextmanager
def allowed(most: int = ONE_TEXT) -> Iterator[Allowance]:
    """What all calls until the end may cost together."""
    allowance = Allowance(most)
    before = _allowance.set(allowance)
    try:
        yield allowance
    finally:
        _allowance.reset(before)


def paid(name: str, function: Function) -> Function:
    """The function, whose calls raise ValueError where they cost more than is left. To be called under `allowed` alone."""
    beforehand = _BEFOREHAND.get(name)

    @wraps(function)  # whose signature says what it may be called with
    def paying(*arguments: Any) -> object:
        allowance = _allowance.get()
        allowance.spend(1 + sum(map(_length, arguments)), name)
        if beforehand is not None:
            allowance.spend(_told(beforehand, arguments), name)
        made = function(*arguments)
        allowance.spend(size(made.value if isinstance(made, FunctionResult) else made), name)
        return made

    return paying


def size(value: object) -> int:
    """Characters and elements, all the way down; what is beyond any allowance is not counted to its end."""
    total, todo = 0, [value]
    while todo and total <= ONE_TEXT:
        one = todo.pop()
        total += 1 + _length(one)
        if isinstance(one, Mapping):
            todo += one.values()
        elif isinstance(one, (list, tuple)):
            todo += one
    return total


def _length(value: object) -> int:
    return len(value) if isinstance(value, (str, bytes, list, tuple, Mapping)) else 0


def _told(beforehand: Callable[..., int], arguments: Sequence[Any]) -> int:
    """What a call will cost; nothing where the function itself is to refuse what it is given."""
    try:
        return max(0, beforehand(*arguments))
    except (TypeError, AttributeError, ValueError):
        return 0


def _count(count: int, *_: object) -> int:
    return abs(count)


def _steps(start: int, stop: int, step: int = 1) -> int:
    return abs(stop - start) // max(1, abs(step))


def _sequence(*numbers: int) -> int:
    if len(numbers) == 1:
        return abs(numbers[0])
    return 8 * (_steps(*numbers) if len(numbers) == 2 else _steps(numbers[0], numbers[2], numbers[1]))


def _repeated(count: int, text: str) -> int:
    return abs(count) * len(text)


def _indented(spaces: int, text: str) -> int:
    return abs(spaces) * (text.count("\n") + 1)


def _replaced(old: str, new: str, text: str) -> int:
    return text.count(old) * len(new)


def _replaced_by_pattern(_: str, text: str, new: str) -> int:
    return (len(text) + 1) * len(new)


def _wrapped(_: int, separator: str, text: str) -> int:
    return len(text) * len(separator)


def _joined(separator: str, values: Sequence[object]) -> int:
    return len(values) * (len(separator) + 8)


def _formatted(template: str, *values: object) -> int:
    widths = sum(int(number[:20]) for number in _WIDTH.findall(template))
    given = sum(abs(value) for value in values if isinstance(value, int)) if "*" in template else 0
    return widths + given


def _found(needle: object, values: Sequence[object]) -> int:
    return len(values) * size(needle)


def _told_apart(values: Sequence[object]) -> int:
    return len(values) * size(values) // 8


def _without(values: Sequence[object], *others: object) -> int:
    return len(values) * size(others)


def _compared(one: object, other: object) -> int:
    return min(size(one), size(other))


def _key(*_: object) -> int:
    return _KEY


_BEFOREHAND: Mapping[str, Callable[..., int]] = {
    "repeat": _repeated,
    "until": _count,
    "untilStep": _steps,
    "seq": _sequence,
    **dict.fromkeys(("randBytes", "randAlpha", "randAlphaNum", "randAscii", "randNumeric"), _count),
    **dict.fromkeys(("indent", "nindent"), _indented),
    "replace": _replaced,
    **dict.fromkeys(
        ("regexReplaceAll", "regexReplaceAllLiteral", "mustRegexReplaceAll", "mustRegexReplaceAllLiteral"),
        _replaced_by_pattern,
    ),
    "wrapWith": _wrapped,
    "join": _joined,
    "printf": _formatted,
    **dict.fromkeys(("has", "mustHas"), _found),
    **dict.fromkeys(("uniq", "mustUniq"), _told_apart),
    **dict.fromkeys(("without", "mustWithout"), _without),
    "deepEqual": _compared,
    **dict.fromkeys(
        ("bcrypt", "buildCustomCert", "derivePassword", "genCA", "genCAWithKey", "genPrivateKey", "genSelfSignedCert",
         "genSelfSignedCertWithKey", "genSignedCert", "genSignedCertWithKey", "htpasswd"),
        _key,
    ),
}  # fmt: skip
