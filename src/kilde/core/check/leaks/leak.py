"""Leak: what was found, where, and how it can be told of without telling it."""

import hashlib
from dataclasses import dataclass, field

_PLACE, _VALUE = 12, 4  # hexadecimal digits of a fingerprint that say where and what


@dataclass(frozen=True, slots=True, order=True)
class Leak:
    """One finding. Line and column from 1. `hint` says what it looks like; of the value itself it has the length at most.

    `fingerprint`: 16 hexadecimal digits, the same for the same value under the same rule in the same file, on whatever line. Twelve of them
    say where; four are of the value, so that it gives away 16 bits of it and a weak password cannot be looked up by it.
    """

    path: str
    line: int
    column: int
    rule: str
    kind: str
    hint: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Sighting:
    """A Leak in the making, which still knows its value. `rank`: of two at one place the higher one is told."""

    line: int
    column: int
    rule: str
    kind: str
    hint: str
    value: str = field(repr=False)
    rank: int = 0
    lines: tuple[int, int] | None = (
        None  # the first and the last one of what it is about; whatever else is in them is part of it
    )

    def told(self, path: str) -> Leak:
        """Without the value."""
        return Leak(
            path, self.line, self.column, self.rule, self.kind, self.hint, fingerprint(path, self.rule, self.value)
        )


def fingerprint(path: str, rule: str, value: str) -> str:
    """Keyed by where it is: one value in two files has two fingerprints, which do not show that they are of one."""
    place = hashlib.blake2b(f"{rule}\0{path}".encode("utf-8", "surrogatepass"), person=b"kilde.leak.place")
    what = hashlib.blake2b(value.encode("utf-8", "surrogatepass"), person=b"kilde.leak.value", key=place.digest())
    return place.hexdigest()[:_PLACE] + what.hexdigest()[:_VALUE]


def length_of(value: str) -> str:
    """`1 character`, `12 characters`."""
    return f"{len(value)} character{'s' if len(value) != 1 else ''}"
