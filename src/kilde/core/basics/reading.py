"""Reader: takes fields out of what people wrote, and tells every problem at once, each with its path."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from kilde.core.basics.errors import InvalidInput

_DURATION_PART = re.compile(r"([0-9]++\.?[0-9]*+|\.[0-9]++)(ms|us|µs|μs|ns|h|m|s)")
LONGEST_DURATION = float(1 << 63) / 1e9
"""Seconds: Go counts nanoseconds in 64 bits."""
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ns": 1e-9}


def duration(text: str) -> float | None:
    """Seconds in a Go duration ("90s", "1h30m", "0"); None if it is not one."""
    rest = text.strip()
    sign, rest = (-1.0, rest[1:]) if rest.startswith("-") else (1.0, rest.removeprefix("+"))
    if rest == "0":
        return 0.0
    total, at = 0.0, 0
    while part := _DURATION_PART.match(rest, at):
        total, at = total + float(part[1]) * _SECONDS[part[2]], part.end()
    return sign * total if 0 < at == len(rest) and total < LONGEST_DURATION else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """` (did you mean 'x'?)`, or nothing where no known word is near."""
    import difflib  # a millisecond that only a mistake is worth

    near = difflib.get_close_matches(word, list(known), n=1)
    return f" (did you mean '{near[0]}'?)" if near else ""


class Problems(list[str]):
    """What is wrong, and which of that is a value of a type that the field does not have."""

    def __init__(self) -> None:
        super().__init__()
        self.mistyped: list[str] = []


class Reader:
    """Reads one mapping. Problems gather in a list shared by all readers made from it."""

    def __init__(self, raw: Any, path: str, problems: list[str] | None = None) -> None:
        self.path = path
        self.problems: list[str] = Problems() if problems is None else problems
        self._asked: set[str] = set()
        if raw is None:
            raw = {}
        self.is_wrong = not isinstance(raw, Mapping)  # of another type: told already, and read as empty
        if not isinstance(raw, Mapping):
            self._mistyped(f"{path}: must be an object, not {_kind(raw)}")
            raw = {}
        self.raw: Mapping[str, Any] = raw

    def _get(self, key: str, kind: type, word: str, default: Any) -> Any:
        self._asked.add(key)
        value = self.raw.get(key)
        if value is None:
            return default
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            self._mistyped(f"{self.path}.{key}: must be {word}, not {_kind(value)}")
            return default
        return value

    def text(self, key: str, default: str = "") -> str:
        return str(self._get(key, str, "a string", default))

    def flag(self, key: str, *, default: bool = False) -> bool:
        return bool(self._get(key, bool, "true or false", default))

    def maybe_flag(self, key: str) -> bool | None:
        found = self._get(key, bool, "true or false", None)
        return None if found is None else bool(found)

    def number(self, key: str, default: int) -> int:
        return int(self._get(key, int, "a whole number", default))

    def mapping(self, key: str) -> "Reader":
        known = len(self.problems)
        found = Reader(self._get(key, dict, "an object", {}), f"{self.path}.{key}", self.problems)
        found.is_wrong = len(self.problems) > known
        return found

    def has(self, key: str) -> bool:
        return self.raw.get(key) is not None

    def text_map(self, key: str) -> dict[str, str]:
        found = self._get(key, dict, "an object", {})
        for name, value in found.items():
            if not isinstance(value, str):
                self._mistyped(f"{self.path}.{key}.{name}: must be a string, not {_kind(value)}")
        return {str(name): str(value) for name, value in found.items()}

    def texts(self, key: str) -> tuple[str, ...]:
        found = self._get(key, list, "a list", [])
        for index, value in enumerate(found):
            if not isinstance(value, str):
                self._mistyped(f"{self.path}.{key}[{index}]: must be a string, not {_kind(value)}")
        return tuple(str(value) for value in found)

    def items(self, key: str) -> list["Reader"]:
        found = self._get(key, list, "a list", [])
        return [Reader(item, f"{self.path}.{key}[{index}]", self.problems) for index, item in enumerate(found)]

    def seconds(self, key: str, default: float) -> float:
        text = self.text(key)
        if not text:
            return default
        found = duration(text)
        if found is None:
            self.problems.append(f"{self.path}.{key}: '{text}' is not a duration (write 90s, 5m or 1h)")
            return default
        return found

    def _mistyped(self, what: str) -> None:
        self.problems.append(what)
        if isinstance(self.problems, Problems):
            self.problems.mistyped.append(what)

    def problem(self, key: str, what: str) -> None:
        self.problems.append(f"{self.path}.{key}: {what}" if key else f"{self.path}: {what}")

    def finish(self, about: str) -> None:
        """Raises InvalidInput with every problem found so far, by this reader and those made from it."""
        if self.problems:
            raise InvalidInput("; ".join(self.problems), about=about)


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, (int, float)):
        return "a fraction" if isinstance(value, float) and not value.is_integer() else "a number"
    if isinstance(value, str):
        return "a string"
    return "a list" if isinstance(value, list) else "an object"
