"""Problem and Finding: one thing that is wrong in a repository, where it is written, and what to do about it."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad it is: an error keeps a change out, a warning deserves a look, a note only tells."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"

    @property
    def rank(self) -> int:
        """0 for an error; the worse, the lower."""
        return _RANKS[self]


_RANKS = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What a rule says. `message` is a clause without a full stop; it never holds a secret value, nor the application's name.

    `path` is the source file as Git names it ("" where none is known), `line` and `column` count from 1 (0: not known).
    `object` is `Kind namespace/name`, `application` whatever was rendered.
    """

    message: str
    path: str = ""
    line: int = 0
    column: int = 0
    hint: str = ""
    application: str = ""
    object: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A Problem with the rule that found it. One of a base that many applications share is told once, with all of them."""

    rule: str
    severity: Severity
    message: str
    path: str = ""
    line: int = 0
    column: int = 0
    hint: str = ""
    applications: tuple[str, ...] = ()
    object: str = ""

    @property
    def place(self) -> str:
        """`file:line:column`, as far as it is known."""
        numbers = [str(number) for number in (self.line, self.column if self.line else 0) if number]
        return ":".join([self.path, *numbers]) if self.path else ""

    @property
    def fingerprint(self) -> str:
        """The same for the same thing after lines have moved: SHA-256, in hex, of rule, file, object and message."""
        told = "\0".join((self.rule, self.path, self.object, self.message))
        return hashlib.sha256(told.encode("utf-8", "backslashreplace")).hexdigest()
