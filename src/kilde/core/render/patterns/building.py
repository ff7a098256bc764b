"""A machine under construction: fragments of it, joined into larger ones."""

from collections.abc import Iterable
from dataclasses import dataclass

from kilde.core.render.patterns.characters import Malformed
from kilde.core.render.patterns.machine import Kind, Machine, State, Test

_MAX_STATES = 5_000


@dataclass(frozen=True, slots=True)
class Fragment:
    """A part of the machine: where it begins, and the (state, which exit) pairs that lead out of it."""

    begin: int
    exits: list[tuple[int, bool]]


class Builder:
    """Raises Malformed for a machine of too many states."""

    def __init__(self) -> None:
        self._states: list[State] = []

    def machine(self, whole: Fragment) -> Machine:
        """The machine of a whole pattern."""
        self._join(whole, self._add(State("match")))
        return Machine(self._states, whole.begin)

    def single(self, kind: Kind, test: Test | None = None) -> Fragment:
        """One state, whose one exit is open."""
        index = self._add(State(kind, test))
        return Fragment(index, [(index, False)])

    def empty(self) -> Fragment:
        """What takes nothing."""
        index = self._add(State("split"))
        self._states[index].other = index  # leads nowhere new
        return Fragment(index, [(index, False)])

    def chain(self, parts: Iterable[Fragment]) -> Fragment:
        """One after the other."""
        whole: Fragment | None = None
        for part in parts:
            if whole is None:
                whole = part
            else:
                self._join(whole, part.begin)
                whole = Fragment(whole.begin, part.exits)
        return whole or self.empty()

    def either(self, left: Fragment, right: Fragment) -> Fragment:
        split = self._add(State("split", out=left.begin, other=right.begin))
        return Fragment(split, left.exits + right.exits)

    def star(self, found: Fragment) -> Fragment:
        """As often as there is, or not at all."""
        split = self._add(State("split", out=found.begin))
        self._join(found, split)
        return Fragment(split, [(split, True)])

    def optional(self, found: Fragment) -> Fragment:
        """Once or not at all."""
        split = self._add(State("split", out=found.begin))
        return Fragment(split, [*found.exits, (split, True)])

    def _add(self, state: State) -> int:
        if len(self._states) >= _MAX_STATES:
            raise Malformed("expression nests or repeats too much")
        self._states.append(state)
        return len(self._states) - 1

    def _join(self, fragment: Fragment, to: int) -> None:
        for index, second in fragment.exits:
            if second:
                self._states[index].other = to
            else:
                self._states[index].out = to
