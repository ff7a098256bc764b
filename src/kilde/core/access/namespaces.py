"""Namespaces: which ones a list of names, globs and `/regular expressions/` means, as Argo CD reads `application.namespaces`."""

import re
from collections.abc import Iterable
from functools import lru_cache

from kilde.core.access.globs import matches

_LONGEST = 200  # characters of a pattern
_MOST_REPEATS = 3  # "*", "+" and "{" in one: what a backtracking search of sixty letters can take
_REPEATED_GROUP = re.compile(r"\)\s*[*+{]")


class Namespaces:
    """A list. An entry that is too much for a search, or is none, means no namespace: a typing error opens nothing."""

    def __init__(self, entries: Iterable[str]) -> None:
        self.entries = tuple(filter(None, (entry.strip() for entry in entries)))

    def __bool__(self) -> bool:
        return bool(self.entries)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Namespaces) and self.entries == other.entries

    def __hash__(self) -> int:
        return hash(self.entries)

    def has(self, namespace: str) -> bool:
        """Whether the namespace is meant."""
        return any(_means(entry, namespace) for entry in self.entries)


NONE = Namespaces(())


def read_namespaces(text: str) -> Namespaces:
    """Of a list with commas between."""
    return Namespaces(text.split(","))


def _means(entry: str, namespace: str) -> bool:
    if len(entry) > 1 and entry.startswith("/") and entry.endswith("/"):
        pattern = _search(entry[1:-1])
        return pattern is not None and pattern.search(namespace) is not None
    return not entry.startswith("!") and matches(entry, namespace)


@lru_cache(maxsize=512)
def _search(text: str) -> re.Pattern[str] | None:
    if len(text) > _LONGEST or sum(map(text.count, "*+{")) > _MOST_REPEATS or _REPEATED_GROUP.search(text):
        return None
    try:
        return re.compile(text)
    except re.error:
        return None
