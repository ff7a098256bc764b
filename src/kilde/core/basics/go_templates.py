"""What every Go template from outside gets: Go's own functions and sprig's without those that read the machine, each call paid for."""

from functools import cache

from gotpl.funcs import sprig
from gotpl.runtime.sync_vm import _builtin_functions  # the package, whose version is pinned, has no other name for them

from kilde.core.basics.template_costs import Function, paid

LONGEST = 1 << 20  # characters of a template and of what it makes
DEPTH = 200  # of parentheses in one action
OF_THE_MACHINE = ("env", "expandenv", "getHostByName")


@cache
def safe_functions() -> dict[str, Function]:
    """Name → function, to be called under `allowed`."""
    known = {**_builtin_functions("go"), **sprig.text_func_map()}
    return {name: paid(name, function) for name, function in known.items() if name not in OF_THE_MACHINE}


def too_deep(template: str) -> bool:
    """Whether its parentheses are nested deeper than a parser should follow."""
    return template.count("(") > DEPTH and _nested(template) > DEPTH


def _nested(template: str) -> int:
    deepest = depth = 0
    for char in template:
        depth = depth + 1 if char == "(" else max(0, depth - 1) if char == ")" else depth
        deepest = max(deepest, depth)
    return deepest
