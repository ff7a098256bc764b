"""Readiness: a CEL condition over `object`, written by whoever may write Applications: checked, and costed before it is evaluated.

What an expression may cost is bounded when it is evaluated, but a third of a second is long where others wait. So the cost is worked out
first, from the expression and from the object as it is: as if each value were as large as it can be.
"""

import json
from collections.abc import Mapping
from functools import lru_cache

from kilde.core.basics.values import Object
from kilde.core.objects.cel.expressions import BadExpression, EvaluationFailed, Expression, available, expression
from kilde.core.objects.cel.tree import Node

MOST = 200_000  # steps; a third of a second at worst
_LITTLE = 8  # characters of a number or a truth value
_SECRET = ("data", "stringData")
# name → whether what it costs grows with its operands. Others are refused: patterns of Python's, and what makes more of what it gets.
_FUNCTIONS = {
    **dict.fromkeys(("_&&_", "_||_", "!_", "_?_:_", "@not_strictly_false", "_[_]", "_?._", "_[?_]"), False),
    **dict.fromkeys(("_-_", "_*_", "_/_", "_%_", "-_", "or", "orValue", "hasValue", "value", "optional.of"), False),
    **dict.fromkeys(("_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_", "@in", "_+_", "size", "type", "matches"), True),
    **dict.fromkeys(("startsWith", "endsWith", "contains", "lowerAscii", "upperAscii", "trim", "string"), True),
    **dict.fromkeys(("int", "uint", "double", "bool", "timestamp", "duration", "quantity", "isQuantity"), True),
    **dict.fromkeys(("isGreaterThan", "isLessThan", "compareTo", "sign", "asInteger", "isInteger"), True),
}
_COMPARED = ("_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_")  # no longer than the shorter side
_KEEPS = (
    "_[_]",
    "_?._",
    "_[?_]",
    "_?_:_",
    "_+_",
    "or",
    "orValue",
    "value",
    "optional.of",
    "lowerAscii",
    "upperAscii",
    "trim",
    "string",
)


def refusal(condition: str) -> str:
    """Why a condition cannot be used; "" where it can."""
    if not available():
        return "conditions need the extra cel (pip install 'kilde[cel]')"
    try:
        made = _compiled(condition)
    except BadExpression as error:
        return f"the condition does not compile: {error.what.splitlines()[0]}"
    if made.gives.kind not in ("bool", "dyn"):
        return f"the condition gives {made.gives.told}, not true or false"
    unknown = sorted(_called(made.tree.root) - _FUNCTIONS.keys())
    return f"the condition calls {unknown[0]}, which is not available here" if unknown else ""


def is_ready(condition: str, body: Object) -> tuple[bool, str]:
    """Whether the condition holds of the object, and why not where it cannot be told. Values of a Secret are not shown to it."""
    if (why := refusal(condition)) != "":
        return False, why
    shown = {key: value for key, value in body.items() if key not in _SECRET} if body.get("kind") == "Secret" else body
    made = _compiled(condition)
    steps = cost(made, shown)
    if steps > MOST:
        return False, f"the condition would take {steps:,} steps on an object of this size, and {MOST:,} are the most"
    try:
        found = made.run({"object": shown})
    except EvaluationFailed as error:
        return False, f"the condition has no value: {error.what}"
    if not isinstance(found, bool):
        return False, "the condition gives neither true nor false"
    return found, "" if found else "its condition does not hold"


@lru_cache(maxsize=256)
def _compiled(condition: str) -> Expression:
    return expression(condition, ("object",), binds=True)


def _called(node: Node) -> set[str]:
    found = {node.name} if node.kind == "call" else set[str]()
    for part in (*node.parts, *((node.target,) if node.target else ()), *_of_loop(node).values()):
        found |= _called(part)
    return found


def _of_loop(node: Node) -> dict[str, Node]:
    return {name: part for name, part in node.loop.items() if isinstance(part, Node)}


def cost(made: Expression, body: Object) -> int:
    """The most steps that the expression can take on the object."""
    size = len(json.dumps(body, default=str))
    return round(_Costs(_longest(body)).of(made.tree.root, {"object": float(size)})[1])


def _longest(value: object) -> int:
    """The most entries of a list or map anywhere in a value."""
    within = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    return max((len(within), *map(_longest, within)))


class _Costs:
    """For each expression: how long its value can be, in characters, and how many steps it can take."""

    def __init__(self, entries: int) -> None:
        self._entries = float(entries)

    def of(self, node: Node, sizes: Mapping[str, float]) -> tuple[float, float]:
        match node.kind:
            case "const":
                return float(len(str(node.value))) + 1, 1.0
            case "ident":
                return sizes.get(node.name, float(_LITTLE)), 1.0
            case "select":
                size, steps = self.of(node.parts[0], sizes)
                return (_LITTLE if node.tests else size), steps + 1
            case "loop":
                return self._loop(_of_loop(node), node.loop, sizes)
            case "call":
                return self._call(node, sizes)
            case _:
                found = [self.of(part, sizes) for part in node.parts]
                return sum(size for size, _ in found) + 1, sum(steps for _, steps in found) + 1

    def _call(self, node: Node, sizes: Mapping[str, float]) -> tuple[float, float]:
        parts = (*((node.target,) if node.target else ()), *node.parts)
        found = [self.of(part, sizes) for part in parts]
        whole, steps = sum(size for size, _ in found), sum(each for _, each in found) + 1
        if _FUNCTIONS[node.name]:
            handled = min(size for size, _ in found) if node.name in _COMPARED else whole
            steps += handled / 10
        return (whole if node.name in _KEEPS else _LITTLE), steps

    def _loop(
        self, parts: Mapping[str, Node], names: Mapping[str, object], sizes: Mapping[str, float]
    ) -> tuple[float, float]:
        length, steps = self.of(parts["range"], sizes)
        times = min(length, max(self._entries, 1.0)) if _is_of_the_object(parts["range"]) else length
        start, begun = self.of(parts["start"], sizes)
        item, total = str(names.get("item", "")), str(names.get("sum", ""))
        inner = {**sizes, item: length, str(names.get("second", "")): length, total: 0.0}
        grown = start + times * self.of(parts["step"], inner)[0]
        inner[total] = grown
        each = self.of(parts["condition"], inner)[1] + self.of(parts["step"], inner)[1]
        size, ended = self.of(parts["result"], inner)
        return size, steps + begun + ended + times * each


def _is_of_the_object(node: Node) -> bool:
    """Whether a value is a part of the object, so that it has no more entries than anything in it."""
    if node.kind == "call" and node.name in ("_[_]", "_?._", "_[?_]"):
        return _is_of_the_object(node.target or node.parts[0])
    return node.kind == "ident" or (node.kind == "select" and _is_of_the_object(node.parts[0]))
