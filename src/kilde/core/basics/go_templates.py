"""What every Go template from outside gets: sprig's functions without those that read the machine, the costly ones bounded."""

from collections.abc import Callable
from functools import cache

from gotpl.funcs import sprig

LONGEST = 1 << 20  # characters of a template, of what it makes, and of what one function makes
DEPTH = 200  # of parentheses in one action
OF_THE_MACHINE = ("env", "expandenv", "getHostByName")
_COSTLY = {
    "repeat": 0,
    "until": 0,
    "untilStep": 1,
    "seq": 0,
    "randBytes": 0,
    "randAlpha": 0,
    "randAlphaNum": 0,
    "randAscii": 0,
}
Function = Callable[..., object]


@cache
def safe_functions() -> dict[str, Function]:
    """Name → function. A costly one raises ValueError where its cost is beyond anything honest."""
    functions = {key: fn for key, fn in sprig.text_func_map().items() if key not in OF_THE_MACHINE}
    for key, position in _COSTLY.items():
        if key in functions:
            functions[key] = _bounded(key, functions[key], position)
    return functions


def too_deep(template: str) -> bool:
    """Whether its parentheses are nested deeper than a parser should follow."""
    return template.count("(") > DEPTH and _nested(template) > DEPTH


def _nested(template: str) -> int:
    deepest = depth = 0
    for char in template:
        depth = depth + 1 if char == "(" else max(0, depth - 1) if char == ")" else depth
        deepest = max(deepest, depth)
    return deepest


def _bounded(name: str, function: Function, position: int) -> Function:
    """A function whose cost is a number among its arguments: refused where that is beyond anything honest."""

    def bounded(*arguments: object) -> object:
        count = arguments[position] if position < len(arguments) else 0
        text = max((len(argument) for argument in arguments if isinstance(argument, str)), default=1)
        if isinstance(count, int) and abs(count) * max(text, 1) > LONGEST:
            raise ValueError(f"{name}: more than {LONGEST}")
        return function(*arguments)

    return bounded
