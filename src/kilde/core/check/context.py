"""Context: all that a rule may look at, read-only: the files of the commit that is judged, and what is to be judged of them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from kilde.core.basics.errors import Place
from kilde.core.check.finding import Problem
from kilde.core.check.here import Revisions
from kilde.core.check.index import Index
from kilde.core.check.places import Places
from kilde.core.check.schemas import NoSchemas, Schemas
from kilde.core.check.tree_files import as_text, files, readable
from kilde.core.check.units import Item, Rendering, Unit
from kilde.core.objects.yaml_reader import Path
from kilde.core.source.tree import Tree


@dataclass(frozen=True, slots=True)
class Text:
    """A file of text. `commit` is the commit that has it ("" for the one that is judged as a whole)."""

    path: str
    text: str
    commit: str = ""


class History(Protocol):
    """What the commits of the judged range have brought, those included that a later commit of the range takes back."""

    def added(self) -> Iterable[tuple[str, str, bytes]]:
        """Commit id, path and content of every version of a file that a commit of the range adds. Lazy; raises KildeError."""
        ...


class NoHistory:
    """Of a folder that is in no repository, or where the whole is judged and not a range."""

    def added(self) -> Iterable[tuple[str, str, bytes]]:
        return ()


_NO_HISTORY, _NO_SCHEMAS, _NOTHING = NoHistory(), NoSchemas(), Rendering()


@dataclass(frozen=True, kw_only=True)
class Context:
    """`tree` is the commit that is judged; `changed` are the paths that differ from the base (None: everything is judged).

    `rendering` is what all of it renders to, judged or not; `today` is the day as YYYY-MM-DD, for what expires.
    """

    tree: Tree
    changed: frozenset[str] | None = None
    history: History = _NO_HISTORY
    rendering: Rendering = _NOTHING
    revisions: Revisions | None = None
    schemas: Schemas = _NO_SCHEMAS
    today: str = ""

    @property
    def judged(self) -> Iterator[Unit]:
        """The units that are to be judged."""
        return (unit for unit in self.rendering.units if unit.affected)

    def items(self) -> Iterator[tuple[Unit, Item]]:
        """Their objects."""
        for unit in self.judged:
            for item in unit.items:
                yield unit, item

    @cached_property
    def index(self) -> Index:
        """All objects of all units."""
        return Index(self.rendering)

    @cached_property
    def places(self) -> Places:
        """Where fields are written."""
        return Places(self.tree)

    def problem(self, unit: Unit, item: Item, message: str, *, path: Path = (), hint: str = "") -> Problem:
        """A problem of an object, where its field is written."""
        place = self.places.of(unit, item, path)
        return Problem(
            message=message,
            path=place.file,
            line=place.line,
            column=place.column,
            hint=hint,
            application=unit.name,
            object=item.words,
        )

    def declared(self, unit: Unit, message: str, *, path: Path = (), hint: str = "") -> Problem:
        """A problem of an Application's own declaration."""
        place = self.places.at(unit.declared or Place(""), path)
        return Problem(
            message=message, path=place.file, line=place.line, column=place.column, hint=hint, application=unit.name
        )

    def concerns(self, path: str) -> bool:
        """Whether a file is to be judged."""
        return self.changed is None or path in self.changed

    def texts(self) -> Iterator[Text]:
        """The files that are to be judged, as text; what is binary, larger than 8 MiB or no file is passed over."""
        for path in self.paths():
            found = self.text(path)
            if found is not None:
                yield Text(path, found)

    def paths(self) -> Iterator[str]:
        """The files that are to be judged, sorted."""
        yield from files(self.tree) if self.changed is None else sorted(self.changed)

    def text(self, path: str) -> str | None:
        """The text of a file; None where there is none."""
        content = readable(self.tree, path)
        return None if content is None else as_text(content)

    def past_texts(self) -> Iterator[Text]:
        """The same of every version of a file that the judged range adds, with its commit."""
        for commit, path, content in self.history.added():
            found = as_text(content)
            if found is not None:
                yield Text(path, found, commit)
