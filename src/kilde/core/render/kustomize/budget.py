"""Budget: how much one build may do, so that a few lines cannot make a program work for ever."""

from typing import Any

from kilde.core.basics.errors import LimitExceeded

KUSTOMIZATION = 500  # units for opening one
OBJECT = 50  # units for copying one object of a base
_COPY = 4  # units for each value that is copied: counted, made, and carried through all that follows
STEP = 8  # units for each object that a transformer, a patch or a replacement looks at
CHARACTERS = 16  # that make up a unit
_UNITS = 5_000_000


class Budget:
    """Units of work; a unit is about a microsecond, and about a hundred bytes."""

    def __init__(self, units: int = _UNITS) -> None:
        self._left = units

    @property
    def left(self) -> int:
        """Units that are left."""
        return self._left

    def spend(self, units: int, what: str) -> None:
        """Raises LimitExceeded, naming what was one too many."""
        self._left -= units
        if self._left < 0:
            raise LimitExceeded(f"the build grows beyond all measure: too many {what}")

    def spend_copy(self, value: Any, what: str) -> None:
        """Pays for a copy of a value."""
        self.spend(_COPY * self._values(value), what)

    def _values(self, value: Any) -> int:
        """How many values there are in one; stops counting where there are more than can be paid for."""
        units, stack, most = 0, [value], self._left // _COPY
        while stack and units <= most:
            found = stack.pop()
            units += 1
            if isinstance(found, dict):
                stack.extend(found.values())
            elif isinstance(found, list):
                stack.extend(found)
            elif isinstance(found, str):
                units += len(found) // CHARACTERS
        return units
