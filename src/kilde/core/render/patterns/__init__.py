"""Regular expressions in RE2's syntax and in time linear in the text, because patterns come from Git.

Python's own engine backtracks: `(a+)+$` takes it minutes. This one is Go's, which kustomize uses, as far as it matters
whether a pattern fits; what RE2 lacks (look-around, back references) is refused.
"""

import re
from functools import lru_cache

from kilde.core.basics.errors import RenderFailed
from kilde.core.render.patterns.characters import Malformed
from kilde.core.render.patterns.machine import Machine
from kilde.core.render.patterns.parsing import parse

_MAX_LENGTH = 1_000
_PLAIN = re.compile(r"[A-Za-z0-9_/-]+")


class Plain:
    """A pattern without any operator: a part of the text."""

    def __init__(self, part: str) -> None:
        self._part = part

    def search(self, text: str) -> bool:
        return self._part in text


Pattern = Plain | Machine


@lru_cache(maxsize=1_000)
def compile_pattern(text: str) -> Pattern:
    """Raises RenderFailed for what RE2 would not compile."""
    if _PLAIN.fullmatch(text):
        return Plain(text)
    if len(text) > _MAX_LENGTH:
        raise RenderFailed(f"a pattern of {len(text)} characters is too long")
    try:
        return parse(text)
    except (Malformed, IndexError, ValueError) as error:
        raise RenderFailed(f"'{text[:100]}' is no regular expression: {error}") from error
