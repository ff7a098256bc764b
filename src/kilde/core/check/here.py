"""Whether a source is of the repository that is judged, and which tree of it: what names it, and what a revision means in it."""

from collections import Counter
from collections.abc import Iterable
from typing import Protocol

from kilde.core.source.repository_url import same_repository
from kilde.core.source.tree import Tree


class Revisions(Protocol):
    """The repository that is judged, as its Applications name it."""

    @property
    def urls(self) -> tuple[str, ...]:
        """What it is known to be called; () where nobody knows."""
        ...

    @property
    def complete(self) -> bool:
        """Whether what is not there is missing; a shallow clone, or a folder without Git, cannot tell."""
        ...

    def at(self, revision: str) -> Tree | None:
        """The files at a target revision: what is judged itself where the revision follows its branch. None: no such revision."""
        ...


class OnlyTree:
    """A folder without Git: every revision is what lies there."""

    urls: tuple[str, ...] = ()
    complete = False

    def __init__(self, tree: Tree) -> None:
        self._tree = tree

    def at(self, revision: str) -> Tree | None:
        return self._tree


class Named:
    """The same with more names, those that the repository gives itself."""

    def __init__(self, revisions: Revisions, names: tuple[str, ...]) -> None:
        self._revisions, self._names = revisions, names

    @property
    def urls(self) -> tuple[str, ...]:
        return (*self._names, *self._revisions.urls)

    @property
    def complete(self) -> bool:
        return self._revisions.complete

    def at(self, revision: str) -> Tree | None:
        return self._revisions.at(revision)


def own_urls(revisions: Revisions, asked: Iterable[str]) -> tuple[tuple[str, ...], bool]:
    """What this repository is called by the URLs that Applications ask for, and whether that is a guess.

    Where no known name is among them (a bare repository on a server has none), the most frequent one is taken for it.
    """
    counted = Counter(asked)
    known = tuple(url for url in counted if any(same_repository(url, own) for own in revisions.urls))
    if known or not counted:
        return (*revisions.urls, *known), False
    return (*revisions.urls, counted.most_common(1)[0][0]), True
