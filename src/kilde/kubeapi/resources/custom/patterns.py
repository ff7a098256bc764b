"""Regular expressions of schemas: Go's syntax (RE2), compiled for Python where the two mean the same."""

import re
from functools import lru_cache

from kilde.core.basics.errors import InvalidInput

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


@lru_cache(maxsize=1024)
def pattern(text: str) -> "re.Pattern[str]":
    """The compiled expression. InvalidInput if Go would not compile it, or Python cannot."""
    if len(text) > _LONGEST:
        raise InvalidInput("the pattern is too long", hint=f"at most {_LONGEST} characters")
    if _FOREIGN.search(text):
        raise InvalidInput(
            "the pattern uses look-around, a backreference or a possessive quantifier, which RE2 does not have"
        )
    for name, members in _CLASSES.items():
        text = text.replace(name, members)
    text = re.sub(r"(?<!\\)((?:\\\\)*)\\z", r"\1\\Z", text)
    # In Go `$` is the end of the text only; in Python it also matches before a last line break.
    text = re.sub(r"(?<!\\)((?:\\\\)*)\$(?=\)|\||$)", r"\1\\Z", text)
    try:
        return re.compile(text, re.ASCII)
    except re.error as error:
        raise InvalidInput(f"not a regular expression: {error}") from error


def matches(text: str, value: str) -> bool:
    """Whether the expression is found anywhere in the value; an expression that cannot be compiled matches nothing."""
    try:
        return pattern(text).search(value) is not None
    except InvalidInput:
        return False
