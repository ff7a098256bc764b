"""Remote bases and charts that a chart depends on, in the controller: only where a rule allows the repository to the project.

A render never waits for a network here. It stops at the first remote base or chart that is not known yet (`RemoteNeeded`), the
loop fetches it, and the render begins anew.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from kilde.core.basics.errors import KildeError, LimitExceeded, RenderFailed
from kilde.core.render.kustomize.remote import RemoteRepository, parse_remote, told
from kilde.core.render.outside import Fetched, Outside
from kilde.core.source.chart_place import ChartPlace, parse_place
from kilde.core.source.tree import Trace, Tree
from kilde.ports.sources import Sources

_MOST = 100  # remote bases, charts and files of one source
AllowRemote = Callable[[str, str], bool]  # project, URL of a repository → whether its bases may be used
Download = Callable[[str], Awaitable[bytes]]  # raises SourceError, RenderFailed for an address that is not allowed
Fetch = Callable[[str, str], Awaitable[None]]  # project, URL: brings the mirror of a repository up to date
Named = Callable[[str, str], str]  # project, name → the address of the chart repository that is called so, or ""


class RemoteNeeded(Exception):
    """A render cannot go on without this repository. No KildeError: nothing is wrong yet."""

    def __init__(self, wanted: "RemoteRepository | _Chart | _File") -> None:
        super().__init__("a render needs more than is there")
        self.wanted = wanted


@dataclass(frozen=True, slots=True)
class _Chart:
    """A chart that another depends on: a version or a range of it."""

    place: ChartPlace
    version: str


@dataclass(frozen=True, slots=True)
class _File:
    """A file of values at an address."""

    url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class _KnownFiles:
    """The ValuesFiles of one render."""

    files: Mapping[_File, bytes]

    def file(self, url: str) -> bytes:
        if _File(url) not in self.files:
            raise RemoteNeeded(_File(url))
        return self.files[_File(url)]


@dataclass(frozen=True, slots=True)
class _KnownCharts:
    """The Packages of one render: what was fetched for it."""

    charts: Mapping[_Chart, tuple[Tree, str]]
    allowed: Callable[[str], bool]
    named: Callable[[str], str]

    def repository_named(self, alias: str) -> str:
        return self.named(alias)

    def chart(self, place: ChartPlace, version: str) -> tuple[Tree, str]:
        if not self.allowed(place.repository):
            raise RenderFailed(
                "the chart that it depends on is in a repository that the project does not permit",
                about=told(str(place)),
                hint="add the repository to the project's sourceRepos, or commit charts/",
            )
        wanted = _Chart(place, version)
        if wanted not in self.charts:
            raise RemoteNeeded(wanted)
        return self.charts[wanted]


@dataclass(frozen=True, slots=True)
class _Mirrored:
    tree: Tree
    commit: str

    def export(self) -> tuple[str, Tree]:
        raise RenderFailed("nothing is written out here: no program runs for an application")


@dataclass(frozen=True, slots=True)
class _Known:
    """The Remotes of one render: what was fetched for it, and no files from the web."""

    bases: Mapping[str, _Mirrored]
    allowed: Callable[[str], bool]

    def repository(self, wanted: RemoteRepository) -> Fetched:
        if not self.allowed(wanted.clone_url):
            hint = (
                "let the project allow it (its annotation kilde.dev/remote-bases: allowed, and the repository among its "
                "sourceRepos), or copy it into this one and refer to the copy"
            )
            raise RenderFailed("remote bases are not allowed here", about=told(wanted.raw), hint=hint)
        if wanted.raw not in self.bases:
            raise RemoteNeeded(wanted)
        return self.bases[wanted.raw]

    def file(self, url: str) -> bytes:
        raise RenderFailed(
            "remote files are not allowed here",
            about=told(url),
            hint="copy it into the repository and refer to the copy",
        )


@dataclass(slots=True)
class RemoteBases:
    """Remote bases for one application's render."""

    sources: Sources
    fetch: Callable[[str], Awaitable[None]]
    allowed: Callable[[str], bool]
    charts_allowed: Callable[[str], bool]
    named: Callable[[str], str]
    download: Download | None = None
    _bases: dict[str, _Mirrored] = field(default_factory=dict)
    _charts: dict[_Chart, tuple[Tree, str]] = field(default_factory=dict)
    _files: dict[_File, bytes] = field(default_factory=dict)

    def outside(self, programs: Outside) -> Outside:
        """What the next try may use, beside these programs."""
        charts = _KnownCharts(dict(self._charts), self.charts_allowed, self.named)
        values = _KnownFiles(dict(self._files)) if self.download is not None else None
        return programs._replace(remotes=_Known(dict(self._bases), self.allowed), packages=charts, values=values)

    async def learn(self, wanted: RemoteRepository | _Chart | _File) -> None:
        """Fetches what a render stopped at. Raises SourceError; LimitExceeded for too many."""
        if len(self._bases) + len(self._charts) + len(self._files) >= _MOST:
            raise LimitExceeded(f"more than {_MOST} remote bases, charts that it depends on and files of values")
        if isinstance(wanted, _File):
            assert self.download is not None
            self._files[wanted] = await self.download(wanted.url)
            return
        if isinstance(wanted, _Chart):
            key = wanted.place.key
            await self.fetch(key)
            version = await self.sources.resolve(key, wanted.version)
            self._charts[wanted] = (await self.sources.tree(key, version), version)
            return
        await self.fetch(wanted.clone_url)
        commit = await self.sources.resolve(wanted.clone_url, wanted.ref)
        self._bases[wanted.raw] = _Mirrored(await self.sources.tree(wanted.clone_url, commit), commit)

    async def still_true(self, trace: Trace) -> bool:
        """Whether every remote base of an earlier render is at the commit it was at, and still allowed."""
        for address, commit in trace.remotes.items():
            if not await self._still(address, commit):
                return False
        return True

    async def _still(self, address: str, commit: str) -> bool:
        key, _, word = address.rpartition("@")
        place, wanted = parse_place(key), parse_remote(address)
        if place is not None:
            url, allowed = key, self.charts_allowed(place.repository)
        elif wanted is not None:
            url, word, allowed = wanted.clone_url, wanted.ref, self.allowed(wanted.clone_url)
        else:
            return False
        try:
            return allowed and await self.sources.resolve(url, word) == commit
        except KildeError:
            return False  # the render says what is wrong


def remote_urls(trace: Trace | None) -> tuple[str, ...]:
    """The repositories whose remote bases and charts a render used."""
    found: dict[str, None] = {}
    for address in trace.remotes if trace is not None else ():
        key = address.rpartition("@")[0]
        if parse_place(key) is not None:
            found[key] = None
        elif (wanted := parse_remote(address)) is not None:
            found[wanted.clone_url] = None
    return tuple(found)
