"""JSONPath as Kubernetes reads it where a path picks values: printer columns, selectable fields, scale and status paths.

The subset of client-go's util/jsonpath without templates: `.a.b`, `['a.b']`, `.a\\.b`, `[0]`, `[-1]`, `[1:3:2]`, `[*]`, `.*`, `..a`,
`[0,2]`, `[?(@.type=="Ready")]` with == != < <= > >= or mere existence. A key that is missing picks nothing.
"""

import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.values import Json

Step = Callable[[Json], Iterable[Json]]

_LONGEST = 4096  # characters; nobody writes a longer path by hand
_DEEPEST = 64  # levels that `..` looks down

_FIELD = re.compile(r"(?:\\.|[^\\.\[\]{}\s'\"()])+")
_QUOTED = re.compile(r"\s*(?:'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\")\s*")
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_SLICE = re.compile(r"\s*+(-?[0-9]*+)\s*+(?::\s*+(-?[0-9]*+)\s*+)?(?::\s*+(-?[0-9]*+)\s*+)?")
_COMPARISON = re.compile(r"==|!=|<=|>=|<|>")
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class JsonPath:
    """A compiled path. `find` gives what it picks, in order."""

    def __init__(self, text: str, steps: tuple[Step, ...]) -> None:
        self.text, self._steps = text, steps

    def find(self, value: Json) -> Iterator[Json]:
        """The values it picks; none where a key is missing or a value is of another type."""
        found: Iterable[Json] = (value,)
        for step in self._steps:
            found = _through(step, found)
        return iter(found)

    def first(self, value: Json, default: Json = None) -> Json:
        """The first value it picks."""
        return next(self.find(value), default)


def _through(step: Step, values: Iterable[Json]) -> Iterator[Json]:
    return (found for value in values for found in step(value))


@lru_cache(maxsize=1024)
def compiled(text: str) -> JsonPath:
    """The path in this text (with or without braces, `$` and a leading dot). InvalidInput if it is none."""
    if len(text) > _LONGEST:
        raise InvalidInput("the JSONPath is too long", about=text[:40], hint=f"at most {_LONGEST} characters")
    inner = text.strip()
    if inner.startswith("{") and inner.endswith("}"):
        inner = inner[1:-1].strip()
    return JsonPath(text, tuple(_Parser(text, inner.removeprefix("$").removeprefix("@")).steps()))


class _Parser:
    def __init__(self, whole: str, rest: str) -> None:
        self._whole, self._text, self._at = whole, rest, 0

    def steps(self) -> Iterator[Step]:
        while self._at < len(self._text):
            yield self._step()

    def _step(self) -> Step:
        if self._text.startswith("..", self._at):
            self._at += 2
            return _descend(self._name())
        if self._text[self._at] == "[":
            return self._bracket()
        if self._text[self._at] == ".":
            self._at += 1
            if self._at == len(self._text):
                return _itself  # `.` alone is the whole object
            if self._text[self._at] == "[":
                return self._bracket()
        return _field(self._name())

    def _name(self) -> str:
        found = _FIELD.match(self._text, self._at)
        if found is None:
            raise self._bad()
        self._at = found.end()
        return re.sub(r"\\(.)", r"\1", found.group())

    def _bad(self) -> InvalidInput:
        return InvalidInput(f"not a JSONPath: unexpected text at column {self._at + 1}", about=self._whole)

    def _bracket(self) -> Step:
        end = _closing(self._text, self._at)
        if end < 0:
            raise self._bad()
        inner = self._text[self._at + 1 : end].strip()
        if inner.startswith("?(") and inner.endswith(")"):
            step = _filter(inner[2:-1])
        else:
            steps = [self._choice(part) for part in _split(inner)]
            step = steps[0] if len(steps) == 1 else _union(steps)
        self._at = end + 1
        return step

    def _choice(self, part: str) -> Step:
        quoted = _QUOTED.fullmatch(part)
        if quoted is not None:
            return _field(re.sub(r"\\(.)", r"\1", quoted.group(1) or quoted.group(2) or ""))
        if part.strip() == "*":
            return _every
        slicing = _SLICE.fullmatch(part)
        if slicing is None or not part.strip():
            raise self._bad()
        if ":" not in part:
            return _index(int(slicing.group(1)))
        start, stop, stride = (int(found) if found else None for found in slicing.groups())
        if stride is not None and stride <= 0:
            raise self._bad()
        return _sliced(slice(start, stop, stride))


def _closing(text: str, start: int) -> int:
    """Where the bracket opened at `start` is closed; -1 if nowhere."""
    depth, quote, at = 0, "", start
    while at < len(text):
        char = text[at]
        if quote:
            if char == "\\":
                at += 1
            elif char == quote:
                quote = ""
        elif char in "'\"":
            quote = char
        elif char in "[]":
            depth += 1 if char == "[" else -1
            if depth == 0:
                return at
        at += 1
    return -1


def _split(text: str) -> list[str]:
    """The parts between commas outside quotes."""
    parts, quote = [""], ""
    for char in text:
        if char in "'\"" and quote in ("", char):
            quote = "" if quote else char
        if char == "," and not quote:
            parts.append("")
        else:
            parts[-1] += char
    return parts


def _itself(value: Json) -> Iterable[Json]:
    return (value,)


def _every(value: Json) -> Iterable[Json]:
    if isinstance(value, Mapping):
        return [value[key] for key in sorted(value)]
    return value if isinstance(value, list) else ()


def _field(name: str) -> Step:
    if name == "*":
        return _every
    return lambda value: (value[name],) if isinstance(value, Mapping) and name in value else ()


def _index(index: int) -> Step:
    def step(value: Json) -> Iterable[Json]:
        fits = isinstance(value, list) and -len(value) <= index < len(value)
        return (value[index],) if fits else ()

    return step


def _sliced(part: slice) -> Step:
    return lambda value: value[part] if isinstance(value, list) else ()


def _union(steps: list[Step]) -> Step:
    return lambda value: [found for step in steps for found in step(value)]


def _descend(name: str) -> Step:
    pick = _field(name)

    def walk(value: Json, depth: int) -> Iterator[Json]:
        yield from pick(value)
        if depth < _DEEPEST and isinstance(value, (Mapping, list)):
            for child in _every(value):
                yield from walk(child, depth + 1)

    return lambda value: walk(value, 0)


def _filter(text: str) -> Step:
    """`@.type=="Ready"`, `@.ready`: the items of a list for which it holds."""
    found = next(
        (match for match in _COMPARISON.finditer(text) if text[: match.start()].count('"') % 2 == 0),
        None,
    )
    if found is None:
        path = compiled(text.strip())
        return lambda value: [one for one in _items(value) if any(True for _ in path.find(one))]
    left, right, compare = _operand(text[: found.start()]), _operand(text[found.end() :]), _COMPARE[found.group()]

    def step(value: Json) -> Iterable[Json]:
        return [one for one in _items(value) if _holds(compare, left(one), right(one))]

    return step


def _items(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _holds(compare: Callable[[Any, Any], bool], left: tuple[Json, ...], right: tuple[Json, ...]) -> bool:
    if not left or not right:
        return False
    numbers = all(isinstance(one, (int, float)) and not isinstance(one, bool) for one in (left[0], right[0]))
    if not numbers and type(left[0]) is not type(right[0]):
        return False
    try:
        return compare(left[0], right[0])
    except TypeError:  # objects and lists have no order
        return False


def _operand(text: str) -> Callable[[Json], tuple[Json, ...]]:
    text = text.strip()
    quoted = _QUOTED.fullmatch(text)
    if quoted is not None:
        literal: Json = re.sub(r"\\(.)", r"\1", quoted.group(1) if quoted.group(1) is not None else quoted.group(2))
    elif text in ("true", "false"):
        literal = text == "true"
    elif _NUMBER.fullmatch(text):
        literal = float(text) if "." in text else int(text)
    else:
        path = compiled(text)
        return lambda value: tuple(path.find(value))[:1]
    return lambda value: (literal,)
