"""Which commits a plan is about: for each source of an application the word and the commit on both sides."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kilde.core.apps.application import Application
from kilde.core.apps.quarantine import quarantine_of
from kilde.core.apps.sources import Source
from kilde.core.basics.errors import InvalidInput, RevisionNotFound, SourceError
from kilde.core.preview.model import AppPlan
from kilde.core.source.chart_place import parse_place
from kilde.core.source.repository_url import redact
from kilde.core.source.revision import shortened
from kilde.ports.sources import Credentials, Sources

_COMMIT = re.compile(r"[0-9a-f]{7,64}\Z")
_HEADS = "refs/heads/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a plan was asked for. `names` empty: every application. `revision`, or `head` and `base`; neither: what a sync would do now."""

    names: tuple[str, ...] = ()
    revision: str = ""
    head: str = ""
    base: str = ""
    prune: bool = False  # even where the application's own policy does not
    dry_run: bool = False

    @property
    def words(self) -> str:
        """As a person would say it."""
        if self.head:
            return f"{self.head} against {self.base}"
        return f"revision {self.revision}" if self.revision else "a sync now"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """A word and a commit for each source. `base` is None where there is no other side to compare with."""

    words: tuple[str, ...]
    head: tuple[str, ...]
    base: tuple[str, ...] | None
    prune: bool | None = None  # None: as was asked, or as the application's policy says

    @property
    def moves(self) -> bool:
        return self.base is not None and self.base != self.head


class Mirrors:
    """Fetches each repository once for all who open it alike, and resolves each word once."""

    def __init__(self, sources: Sources, credentials: Callable[[str, str], Credentials]) -> None:
        """`credentials`: what opens a repository, by its URL, for a project."""
        self._sources, self._credentials = sources, credentials
        self._fetched: dict[tuple[str, Credentials], SourceError | None] = {}
        self._known: dict[tuple[str, str, str], str | None] = {}

    async def fetch(self, project: str, url: str) -> None:
        """Raises SourceError, each time that it is asked for what could not be fetched.

        A mirror that another project's credentials have filled is fetched again: whoever may not read the repository sees nothing of it.
        """
        key = (url, self._credentials(url, project))
        if key not in self._fetched:
            try:
                await self._sources.fetch(*key)
                self._fetched[key] = None
            except SourceError as error:  # told to every application that needs it
                self._fetched[key] = error
        failure = self._fetched[key]
        if failure is not None:
            raise failure

    async def at(self, source: Source, word: str) -> str | None:
        """The commit; None where the repository has no such revision."""
        prefix = source.tag_prefix if word == source.target_revision else ""
        key = (source.url, word, prefix)
        if key not in self._known:
            try:
                self._known[key] = await self._sources.resolve(source.url, word, tag_prefix=prefix)
            except RevisionNotFound:
                self._known[key] = None
        return self._known[key]

    def nowhere(self, word: str) -> bool:
        """Whether repositories were asked for it, and none has it."""
        asked = [found for (_, at, _), found in self._known.items() if at == word]
        return bool(asked) and not any(asked)


class Resolver:
    """The sides that a person asked for."""

    def __init__(self, mirrors: Mirrors, asked: Asked) -> None:
        self._mirrors, self._asked = mirrors, asked

    async def sides(self, app: Application) -> Sides:
        """Raises SourceError where a revision cannot be told; of a branch that only other repositories have, nothing moves."""
        asked = self._asked
        words, heads, bases = [], [], []
        for source in app.sources:
            await self._mirrors.fetch(app.project, source.url)
            own = await self._resolved(source, source.target_revision)
            word, head, base = source.target_revision or "HEAD", own, own
            if asked.revision and source.url == app.sources[0].url:
                found = await self._mirrors.at(source, asked.revision)
                if found is None and asked.names:
                    raise RevisionNotFound(f"there is no revision '{asked.revision}'", about=str(app))
                word, head = (asked.revision, found) if found else (word, own)
            elif asked.head and (at := await self._follows(source, own)):
                found = await self._mirrors.at(source, asked.head)
                word, head, base = (asked.head, found, at) if found else (word, own, own)
            words.append(word)
            heads.append(head)
            bases.append(base)
        other = bool(asked.revision or asked.head)
        return Sides(words=tuple(words), head=tuple(heads), base=tuple(bases) if other else None)

    async def _follows(self, source: Source, own: str) -> str:
        """The commit of the base branch, where the source is at that branch; "" where it is not. A chart has no branches."""
        if parse_place(source.url) is not None:
            return ""
        base = self._asked.base
        at = await self._mirrors.at(source, base)
        if at is None:
            return ""
        word = source.target_revision.removeprefix(_HEADS)
        same_name = word == base.removeprefix(_HEADS)
        by_commit = (word in ("", "HEAD") or _COMMIT.match(base) is not None) and own == at
        return at if same_name or by_commit else ""

    async def _resolved(self, source: Source, word: str) -> str:
        found = await self._mirrors.at(source, word)
        if found is None:
            raise RevisionNotFound(f"there is no revision '{word or 'HEAD'}'", about=source.path)
        return found

    def check(self) -> None:
        """Raises InvalidInput where no repository knows the branches that were asked for: a typing error must not read as "no changes"."""
        for word in filter(None, (self._asked.revision, self._asked.head, self._asked.base)):
            if self._mirrors.nowhere(word):
                raise InvalidInput("no repository of the applications has it", about=f"revision {word}")


class Pinned:
    """The sides of a saved plan: its commits, as long as a word that names them still does."""

    def __init__(self, mirrors: Mirrors, plans: Mapping[str, AppPlan]) -> None:
        self._mirrors, self._plans = mirrors, plans

    async def sides(self, app: Application) -> Sides:
        """Raises SourceError where Git has moved, InvalidInput where the Application names other sources."""
        plan = self._plans[app.name]
        if [(one.url, one.path) for one in plan.sources] != [
            (redact(one.repo_url), one.path or one.chart) for one in app.sources
        ]:
            raise InvalidInput("the Application names other sources now", about=str(app))
        for source, was in zip(app.sources, plan.sources, strict=True):
            await self._mirrors.fetch(app.project, source.url)
            own = await self._mirrors.at(source, source.target_revision)
            now = await self._mirrors.at(source, was.word)
            if was.sha not in (own, now):
                at = f"is at {shortened(now)} now" if now else "is not there any more"
                raise SourceError(f"Git has moved: {was.word} {at}, the plan is of {shortened(was.sha)}", about=was.url)
            if plan.automated and own != was.sha:
                hint = "merge the commit first, or make the plan of what the branch has"
                text = f"it syncs by itself to {source.target_revision or 'HEAD'}, which is not the plan's commit {shortened(was.sha)}"
                raise InvalidInput(text, about=str(app), hint=hint)
        shas = tuple(one.sha for one in plan.sources)
        held = quarantine_of(app)
        if held is not None and held.covers(plan.revision, plan.rendered):
            raise InvalidInput(held.sentence(app.name), about=str(app))
        return Sides(words=tuple(one.word for one in plan.sources), head=shas, base=None, prune=plan.prune)

    def check(self) -> None:
        """Nothing that was not said already."""
