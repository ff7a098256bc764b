"""The machine that a regular expression becomes: in several states at once, so in time linear in the text (Thompson 1968)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from kilde.core.basics.errors import LimitExceeded

MAX_TEXT = 100_000  # characters that are searched

Test = Callable[[str], bool]
Kind = Literal["char", "split", "start", "end", "line start", "line end", "word", "no word", "match"]


@dataclass(slots=True)
class State:
    """One state: what it waits for, and where it leads (`other`: the second way out of a split)."""

    kind: Kind
    test: Test | None = None
    out: int = -1
    other: int = -1


class Machine:
    """A compiled pattern. `begin` is its first state."""

    def __init__(self, states: list[State], begin: int) -> None:
        self._states, self._begin = states, begin
        self._anchored = self._is_anchored()

    def search(self, text: str) -> bool:
        """Whether the pattern fits anywhere in the text. Raises LimitExceeded for a text beyond MAX_TEXT."""
        if len(text) > MAX_TEXT:
            raise LimitExceeded(f"a text of {len(text)} characters is too long to be searched by a pattern")
        states = self._states
        current = self._closure([self._begin], text, 0)
        for at, char in enumerate(text):
            if -1 in current:
                return True
            after = [s.out for s in map(states.__getitem__, current) if s.test is not None and s.test(char)]
            if not self._anchored:
                after.append(self._begin)
            elif not after:
                return False
            current = self._closure(after, text, at + 1)
        return -1 in current

    def _is_anchored(self) -> bool:
        """Whether a match can only begin where the text does: every way in leads past a `^`."""
        seen: set[int] = set()
        stack = [self._begin]
        while stack:
            index = stack.pop()
            state = self._states[index]
            if index in seen or state.kind == "start":
                continue
            if state.kind in ("char", "match"):
                return False
            seen.add(index)
            stack += (state.out, state.other) if state.kind == "split" else (state.out,)
        return True

    def _closure(self, begin: list[int], text: str, at: int) -> set[int]:
        """All states reachable without reading; -1 stands for a match."""
        found: set[int] = set()
        seen: set[int] = set()
        stack = begin
        while stack:
            index = stack.pop()
            if index in seen:
                continue
            seen.add(index)
            state = self._states[index]
            if state.kind == "char":
                found.add(index)
            elif state.kind == "match":
                return {-1}
            elif state.kind == "split":
                stack += (state.out, state.other)
            elif _holds(state.kind, text, at):
                stack.append(state.out)
        return found


def _holds(kind: Kind, text: str, at: int) -> bool:
    if kind == "start":
        return at == 0
    if kind == "end":
        return at == len(text)
    if kind == "line start":
        return at == 0 or text[at - 1] == "\n"
    if kind == "line end":
        return at == len(text) or text[at] == "\n"
    boundary = (at > 0 and is_word(text[at - 1])) != (at < len(text) and is_word(text[at]))
    return boundary if kind == "word" else not boundary


def is_word(char: str) -> bool:
    """Whether a character belongs to a word, as `\\w` has it."""
    return char == "_" or (char.isascii() and char.isalnum())
