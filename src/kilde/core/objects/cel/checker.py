"""Checker: reads an expression and finds its types. cel-cpp's parser reads it (cel-expr-python, the extra `cel`); the rest is done here."""

import re
from functools import cache, lru_cache
from typing import Any

from kilde.core.basics.errors import InvalidInput
from kilde.core.objects.cel.inference import Inference, Scope
from kilde.core.objects.cel.literals import check_literals
from kilde.core.objects.cel.tree import Node, Tree, read

try:
    from cel_expr_python import cel as _cel  # type: ignore[import-untyped, import-not-found, unused-ignore]
except ImportError:  # the extra is not installed
    _cel = None

_MACROS = ("optional", "lists", "two-var-comprehensions")  # the libraries that have some
_POSITIONED = re.compile(r" \[[A-Z_]+\]$")
_MOST_ERRORS, _LONGEST_LINE = 100, 16384


class BadExpression(InvalidInput):
    """An expression does not compile; `what` is in the words of a real server."""

    code = "bad-expression"


def available() -> bool:
    """Whether expressions can be read here."""
    return _cel is not None


def checked(text: str, scope: Scope, *, binds: bool = False) -> Tree:
    """The expression, and the types of its parts. BadExpression.

    `binds`: it may use `cel.bind`, which Kubernetes does not know.
    """
    root, places = _parsed(text, binds)
    found = Inference(scope)
    try:
        root = found.whole(root)
        errors = found.errors or list(check_literals(root, found.types))
    except RecursionError as error:
        raise BadExpression("the expression is nested too deeply") from error
    if errors:
        raise BadExpression(_told(text, errors, places))
    return Tree(root, found.types, found.overloads, found.names)


@lru_cache(maxsize=1024)
def _parsed(text: str, binds: bool) -> tuple[Node, dict[int, int]]:
    try:
        return read(_environment(binds).compile(text, disable_check=True).serialize(), text)
    except RuntimeError as error:
        raise BadExpression(_as_told(_POSITIONED.sub("", str(error).removeprefix("INVALID_ARGUMENT: ")))) from error


def _as_told(text: str) -> str:
    """What a real server says: an empty text has no first column."""
    return text.replace(
        "<input>:1:1: Syntax error: mismatched input '<EOF>'", "<input>:1:0: Syntax error: mismatched input '<EOF>'"
    )


def _told(text: str, errors: list[tuple[int, str]], places: dict[int, int]) -> str:
    """Errors as cel-go writes them: in the order of the text, each with its line and a mark below it."""
    placed = sorted(((places.get(at, 0), what) for at, what in errors), key=lambda one: one[0])
    lines = [_shown(text, place, what) for place, what in placed[:_MOST_ERRORS]]
    more = len(placed) - _MOST_ERRORS
    return "\n".join([*lines, *([f"{more} more errors were truncated"] if more > 0 else [])])


def _shown(text: str, place: int, what: str) -> str:
    begins = text.rfind("\n", 0, place) + 1
    line = text[begins:].split("\n", 1)[0].replace("\t", " ")
    number, column = text.count("\n", 0, place) + 1, place - begins
    told = f"ERROR: <input>:{number}:{column + 1}: {what}"
    if len(line) > _LONGEST_LINE:
        return told
    dots = "".join("．" if ord(one) > 0x7F else "." for one in line[:column])
    mark = "＾" if ord(line[column : column + 1] or "a") > 0x7F else "^"
    return f"{told}\n | {line}\n | {dots}{mark}"


@cache
def _environment(binds: bool) -> Any:
    libraries = (*_MACROS, "bindings") if binds else _MACROS
    named = "".join(f"- name: {name}\n" for name in libraries)
    return _cel.NewEnv(config=_cel.NewEnvConfigFromYaml(f"name: kubernetes\nextensions:\n{named}"))
