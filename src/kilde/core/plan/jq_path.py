"""JqPath: a jq expression that names fields, as `ignoreDifferences` and `resource.customizations` have them.

An expression comes from Git or from whoever may write Applications, so it is held to what names fields: nothing that loops without end,
reads the environment, files or further input, defines functions or keeps values. What is left is bounded by the size of the object, where
Argo CD stops an expression after a second.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from kilde.core.basics.values import Json

Pointer = tuple[str, ...]
_LONGEST = 2000  # characters
_MOST = 10_000  # fields that one expression may name in one object
_STRING = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)')
_REFUSED = re.compile(
    r"(?<![.\w$])(?:def|as|reduce|foreach|label|limit|until|while|repeat|range|recurse|walk|env|input|inputs|input_filename|input_line_number"
    r"|debug|stderr|halt|halt_error|import|include|modulemeta|get_search_list|getpath|splits|gsub|sub|scan|capture|match|combinations"
    r"|now|localtime|mktime|gmtime|strftime|strptime|\$ENV|\$__loc__|\$__prog_args)\b"
)
# Each of these may multiply the work: nodes below, two ways on, items, text.
_BOUNDED = {"..": 2, ",": 8, "[]": 12, "*": 0}


@dataclass(frozen=True, slots=True)
class JqPath:
    """One expression that has been read."""

    text: str

    def pointers(self, body: Json) -> list[Pointer]:
        """The fields that it names in an object, as the tokens of JSON pointers; none where it fails on this object, as with Argo CD."""
        try:
            found = _program(self.text).input_value(body).first()
        except (ValueError, RecursionError, StopIteration):
            return []
        return [pointer for path in found[:_MOST] for pointer in _pointers(path, body)]


def _pointers(path: list[Any], value: Json) -> Iterator[Pointer]:
    """A path of jq as pointers: an index from the end, and each item of a slice."""
    if not path:
        yield ()
        return
    token, rest = path[0], path[1:]
    if isinstance(value, list):
        items = range(len(value))
        if isinstance(token, dict):
            chosen = list(items[slice(token.get("start"), token.get("end"))])
        else:
            chosen = [token % len(value)] if isinstance(token, int) and -len(value) <= token < len(value) else []
        for index in chosen:
            yield from ((str(index), *deeper) for deeper in _pointers(rest, value[index]))
    elif isinstance(value, dict) and isinstance(token, str) and token in value:
        yield from ((token, *deeper) for deeper in _pointers(rest, value[token]))


def read_jq_path(text: str) -> JqPath | str:
    """The expression, or what is wrong with it."""
    if len(text) > _LONGEST:
        return f"is longer than {_LONGEST} characters"
    refused = _REFUSED.search(_STRING.sub('""', text))
    if refused:
        return f"'{text}' may not use {refused[0]}: an expression names fields, and must end"
    bare = _STRING.sub('""', text)
    for sign, most in _BOUNDED.items():
        if bare.count(sign) > most:
            return f"'{text}' has more than {most} of '{sign}': how long it takes would grow without bound"
    if "\\(" in text:
        return f"'{text}' may not interpolate"
    try:
        _program(text)
    except ValueError as error:
        return f"'{text}' is not a jq expression: {_first_line(error)}"
    except ModuleNotFoundError:
        return "need the package jq, which is not installed"
    return JqPath(text)


def _first_line(error: ValueError) -> str:
    return str(error).removeprefix("jq: error: ").splitlines()[0].partition(" at <top-level>")[0]


@lru_cache(maxsize=512)
def _program(text: str) -> Any:
    import jq  # 1 MB, for those who have such expressions

    return jq.compile(f"[path({text})]")
