"""Regular expressions: `matches`, `find` and `findAll`, judged by RE2, in time linear in the text."""

import re
from functools import cache
from typing import Any

from kilde.core.objects.cel.overloads import Overload
from kilde.core.objects.cel.values import CelError

try:
    from cel_expr_python import cel as _cel  # type: ignore[import-untyped, import-not-found, unused-ignore]
except ImportError:  # the extra is not installed
    _cel = None

_GROUP = re.compile(r"\\.|\[\^?\]?(?:\\.|\[:\w+:\]|[^\]\\])*+(?:\]|\Z)|\((?!\?)|\(\?P?<\w+>", re.DOTALL)
_POSITION = re.compile(r"^[A-Z_]+: | \[[A-Z_]+\]$")
# RE2's words for what is wrong, and Go's. RE2 names the expression without its bracket's end as a whole, as Go does.
_GO = {
    "missing )": "missing closing )",
    "missing ]": "missing closing ]",
    "invalid repetition size": "invalid repeat count",
    "no argument for repetition operator": "missing argument to repetition operator",
    "bad repetition operator": "invalid nested repetition operator",
    "invalid perl operator": "invalid or unsupported Perl syntax",
    "trailing \\": "trailing backslash at end of expression",
}


def matches(text: str, pattern: str) -> bool:
    """Whether a pattern is found anywhere in a text. CelError, in Go's words, where it is none."""
    return bool(_run("text.matches(pattern)", text, pattern))


@cache
def _program(expression: str) -> Any:
    config = _cel.NewEnvConfigFromYaml("name: searches\nextensions:\n- name: regex\n- name: optional\n")
    known = {"text": _cel.Type.STRING, "pattern": _cel.Type.STRING}
    return _cel.NewEnv(config=config, variables=known).compile(expression)


def _run(expression: str, text: str, pattern: str) -> Any:
    try:
        found = _program(expression).eval(data={"text": text, "pattern": pattern})
    except RuntimeError as error:
        raise CelError(as_go(_POSITION.sub("", str(error)), pattern)) from error
    value = found.plain_value()
    if found.type().name() == "ERROR":
        raise CelError(as_go(_POSITION.sub("", str(value)), pattern))
    return value


def as_go(what: str, pattern: str) -> str:
    """An error of RE2 as Go's regexp tells it: its own words, and the part at fault in back quotes."""
    told = re.sub(r"^.*?(?:invalid regular expression|Regex compilation failed|regex)[^:]*: ", "", what, count=1)
    words, _, part = told.partition(": ")
    part = pattern if words in ("missing )", "unexpected )") else part
    return f"error parsing regexp: {_GO.get(words, words)}: `{part}`"


def _whole(pattern: str) -> str:
    """The pattern without groups, so that what is found is all of it."""
    return _GROUP.sub(lambda found: "(?:" if found[0].startswith("(") else found[0], pattern)


def _find(text: str, pattern: str) -> str:
    found = _all(text, pattern)
    return found[0] if found else ""


def _all(text: str, pattern: str, most: int = -1) -> list[str]:
    try:
        found = list(_run("regex.extractAll(text, pattern)", text, _whole(pattern)))
    except CelError as error:
        raise CelError(f"Illegal regex: {error}") from error
    return found if most < 0 else found[:most]


TABLE = (
    Overload("matches", (str, str), matches),
    Overload("find", (str, str), _find),
    Overload("findAll", (str, str), _all),
    Overload("findAll", (str, str, int), _all),
)
