"""Regular expressions of schemas, in Go's syntax (RE2).

Where the CEL engine is installed its RE2 judges them: exactly as Go does, and in time linear in the text. Otherwise Python's engine does,
for which they are translated; a hostile expression can then take long.
"""

import re
from functools import lru_cache

from kilde.core.basics.errors import InvalidInput
from kilde.core.objects.cel import searches
from kilde.core.objects.cel.expressions import available
from kilde.core.objects.cel.values import CelError

_LONGEST = 4096

# What Go writes otherwise than Python does.
_CLASSES = {
    "[:alnum:]": "0-9A-Za-z",
    "[:alpha:]": "A-Za-z",
    "[:digit:]": "0-9",
    "[:lower:]": "a-z",
    "[:punct:]": r"!-/:-@\[-`{-~",
    "[:space:]": r"\t\n\v\f\r ",
    "[:upper:]": "A-Z",
    "[:word:]": "0-9A-Za-z_",
    "[:xdigit:]": "0-9A-Fa-f",
}
# What Go does not have: it is refused, as a real server refuses it.
_FOREIGN = re.compile(r"\(\?(?:[=!]|<[=!]|P=|\()|(?<!\\)(?:\\\\)*\\[1-9]|[*+?}]\+")


def check_pattern(pattern: str) -> None:
    """InvalidInput if Go would not compile the expression (or we cannot)."""
    if len(pattern) > _LONGEST:
        raise InvalidInput("the pattern is too long", hint=f"at most {_LONGEST} characters")
    if available():
        try:
            searches.matches("", pattern)
        except CelError as error:
            raise InvalidInput(str(error)) from error
    else:
        _translated(pattern)


def matches(pattern: str, text: str) -> bool:
    """Whether the expression is found anywhere in the text; one that cannot be compiled matches nothing."""
    try:
        return searches.matches(text, pattern) if available() else _translated(pattern).search(text) is not None
    except (InvalidInput, CelError):
        return False


@lru_cache(maxsize=1024)
def _translated(pattern: str) -> "re.Pattern[str]":
    if _FOREIGN.search(pattern):
        raise InvalidInput(
            "the pattern uses look-around, a backreference or a possessive quantifier, which RE2 does not have"
        )
    for name, members in _CLASSES.items():
        pattern = pattern.replace(name, members)
    pattern = re.sub(r"(?<!\\)((?:\\\\)*)\\z", r"\1\\Z", pattern)
    # In Go `$` is the end of the text only; in Python it also matches before a last line break.
    pattern = re.sub(r"(?<!\\)((?:\\\\)*)\$(?=\)|\||$)", r"\1\\Z", pattern)
    try:
        return re.compile(pattern, re.ASCII)
    except re.error as error:
        raise InvalidInput(f"not a regular expression: {error}") from error
