"""Remote bases in the controller: from mirrors, and only where a rule allows the repository to the application's project.

A render never waits for a network here. It stops at the first remote base that is not known yet (`RemoteNeeded`), the
loop fetches it, and the render begins anew.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from kilde.core.basics.errors import KildeError, LimitExceeded, RenderFailed
from kilde.core.render.kustomize.remote import RemoteRepository, parse_remote, told
from kilde.core.render.outside import Fetched, Outside
from kilde.core.source.tree import Trace, Tree
from kilde.ports.sources import Sources

_MOST = 50  # remote bases of one application
AllowRemote = Callable[[str, str], bool]  # project, URL of a repository → whether its bases may be used
Fetch = Callable[[str], Awaitable[None]]  # brings the mirror of a repository up to date


class RemoteNeeded(Exception):
    """A render cannot go on without this repository. No KildeError: nothing is wrong yet."""

    def __init__(self, wanted: RemoteRepository) -> None:
        super().__init__(told(wanted.raw))
        self.wanted = wanted


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
    fetch: Fetch
    allowed: Callable[[str], bool]
    _bases: dict[str, _Mirrored] = field(default_factory=dict)

    def outside(self) -> Outside:
        """What the next try may use."""
        return Outside(remotes=_Known(dict(self._bases), self.allowed))

    async def learn(self, wanted: RemoteRepository) -> None:
        """Fetches what a render stopped at. Raises SourceError; LimitExceeded for too many."""
        if len(self._bases) >= _MOST:
            raise LimitExceeded(f"more than {_MOST} remote bases", about=told(wanted.raw))
        await self.fetch(wanted.clone_url)
        commit = await self.sources.resolve(wanted.clone_url, wanted.ref)
        self._bases[wanted.raw] = _Mirrored(await self.sources.tree(wanted.clone_url, commit), commit)

    async def still_true(self, trace: Trace) -> bool:
        """Whether every remote base of an earlier render is at the commit it was at, and still allowed."""
        for address, commit in trace.remotes.items():
            wanted = parse_remote(address)
            if wanted is None or not self.allowed(wanted.clone_url):
                return False
            try:
                if await self.sources.resolve(wanted.clone_url, wanted.ref) != commit:
                    return False
            except KildeError:
                return False  # the render says what is wrong
        return True


def remote_urls(trace: Trace | None) -> tuple[str, ...]:
    """The repositories whose remote bases a render used."""
    wanted = [parse_remote(address) for address in (trace.remotes if trace is not None else ())]
    return tuple(dict.fromkeys(one.clone_url for one in wanted if one is not None))
