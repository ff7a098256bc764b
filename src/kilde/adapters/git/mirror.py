"""Mirror: one repository's bare copy on this machine; fetched once for all who ask together, kept as it was when a fetch fails."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from kilde.adapters.git.failures import last_words, looks_corrupt, unavailable
from kilde.adapters.git.objects import ObjectReader
from kilde.adapters.git.process import Finished, Git
from kilde.adapters.git.store import MirrorStore, State
from kilde.adapters.git.transport import REMOTE, transport
from kilde.adapters.git.tree import Folders
from kilde.core.basics.errors import SourceError, SourceUnavailable
from kilde.core.source.refspec import Refs
from kilde.core.source.repository_url import RepositoryUrl
from kilde.ports.sources import Credentials

_HEAD = "refs/kilde/HEAD"
_WANTED = "refs/kilde/wanted/"
_BRANCHES_AND_TAGS = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
_FETCH = (
    "fetch", "--quiet", "--no-progress", "--prune", "--force", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance",
    "--no-recurse-submodules", "--no-show-forced-updates",
)  # fmt: skip
_LOCK_PAUSE_SECONDS = 0.05
_LOOSE_OBJECTS, _PACKS = 6700, 50  # git's own gc.auto and gc.autoPackLimit
_MOST_WANTED = 64  # refs outside branches and tags that applications asked for


@dataclass(slots=True)
class _Flight:
    """A fetch that has not begun yet, and what it gives to all who joined it: None, or why it failed."""

    credentials: Credentials
    landed: asyncio.Future[SourceError | None] = field(repr=False)


class Mirror:
    """One repository. `make_room` is awaited before a mirror is built, and may refuse it.

    Everything but `reader` and `folders` belongs to the event loop.
    """

    def __init__(
        self,
        folder: Path,
        url: RepositoryUrl,
        name: str,
        git: Git,
        private: Path,
        make_room: Callable[[], Awaitable[None]],
    ) -> None:
        self.url = url
        self._git, self._private, self._make_room = git, private, make_room
        self.store = MirrorStore(folder, name)
        self.reader = ObjectReader(self.store.path, git.home, git.limits, program=git.program)
        self.folders = Folders(self.reader, git.limits)
        self.lock = asyncio.Lock()
        self._flight: _Flight | None = None
        self.state = self.store.read() if self.store.exists() else None
        known = self.state.refs if self.state else {}
        self._wanted = {name: None for name in known if not name.startswith(("refs/heads/", "refs/tags/"))}
        self._swept = False

    @property
    def refs(self) -> Refs:
        """The refs that the last good fetch found. Raises SourceUnavailable when there was none."""
        if self.state is None:
            raise SourceUnavailable("the repository has not been fetched yet", about=str(self.url))
        return self.state.as_refs

    def want(self, name: str) -> None:
        """Has the next fetch bring a ref or commit beside branches and tags, if the server gives it."""
        if len(self._wanted) < _MOST_WANTED:
            self._wanted[name] = None

    async def fetch(self, credentials: Credentials) -> None:
        """Brings the mirror up to date. Who asks before a fetch began shares it; who asks while it runs gets the next one,
        for what was pushed a moment ago may have come too late for this one. Raises SourceUnavailable.
        """
        while self._flight is not None and self._flight.credentials == credentials:
            landed = self._flight.landed
            await asyncio.wait([landed])
            if landed.cancelled():  # whoever led it was cancelled; the next one leads
                continue
            failed = landed.result()
            if failed is not None:
                raise _again(failed)
            return
        await self._lead(credentials)

    async def _lead(self, credentials: Credentials) -> None:
        flight = _Flight(credentials, asyncio.get_running_loop().create_future())
        self._flight = flight
        try:
            async with self.lock:
                await asyncio.sleep(0)  # all who ask in this turn of the loop join
                if self._flight is flight:
                    self._flight = None
                await self._locked_fetch(credentials)
        except SourceError as error:
            flight.landed.set_result(error)
            raise
        except BaseException:
            flight.landed.cancel()
            raise
        else:
            flight.landed.set_result(None)
        finally:
            if self._flight is flight:
                self._flight = None

    async def _locked_fetch(self, credentials: Credentials) -> None:
        """Fetches once no other process does: the command line may look at the controller's mirrors."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._git.limits.fetch_seconds
        while loop.time() < deadline:
            with self.store.try_lock() as ours:
                if ours:
                    async with self._git.slots:
                        await self._fetch(credentials)
                    return
            await asyncio.sleep(_LOCK_PAUSE_SECONDS)
        raise SourceUnavailable("another process has kept its mirror locked for too long", about=str(self.url))

    async def _fetch(self, credentials: Credentials) -> None:
        if not self._swept:
            await asyncio.to_thread(self.store.sweep)
            self._swept = True
        if not self.store.exists() or self.reader.broken:
            await self._build(credentials)
            return
        done = await self._run_fetch(self.store.path, credentials, self._git.limits.fetch_seconds)
        if done.code:
            self._swept = False
            if not looks_corrupt(_ours(done.error)):
                raise unavailable(done.error, self.url)
            await self._build(credentials)
            return
        await self._remember(self.store.path)
        await self._tidy()

    async def _build(self, credentials: Credentials) -> None:
        """Makes the mirror from nothing, beside the one there may be, and only then puts it in its place."""
        await self._git.check_version()
        await self._make_room()
        fresh = self.store.fresh
        try:
            done = await self._clone(fresh, credentials, "sha1")
            if "mismatched algorithms" in done.error:
                self.store.discard_fresh()
                done = await self._clone(fresh, credentials, "sha256")
            if done.code:
                raise unavailable(done.error, self.url)
            await self._remember(fresh)
            await asyncio.to_thread(self.store.adopt_fresh)
            await asyncio.to_thread(self.reader.close)
            self.reader.broken = False
        finally:
            self.store.discard_fresh()

    async def _clone(self, fresh: Path, credentials: Credentials, object_format: str) -> Finished:
        made = await self._git.run(
            [
                "init",
                "--quiet",
                "--bare",
                "--template=",
                "--initial-branch=kilde",
                f"--object-format={object_format}",
                str(fresh),
            ]
        )
        if made.code:
            raise SourceUnavailable(f"its mirror cannot be made: {last_words(made.error)}", about=str(self.url))
        return await self._run_fetch(fresh, credentials, self._git.limits.clone_seconds)

    async def _run_fetch(self, repository: Path, credentials: Credentials, seconds: float) -> Finished:
        """All branches, tags and HEAD; then, as far as the server gives it, what was wanted beside them."""
        with transport(self.url, credentials, self._private) as way:

            async def run(*refspecs: str) -> Finished:
                return await self._git.run(
                    [f"--git-dir={repository}", *_FETCH, "--", REMOTE, *refspecs],
                    config=way.config,
                    extra=way.extra,
                    secrets=way.secrets,
                    seconds=seconds,
                )

            done = await run(*_BRANCHES_AND_TAGS, f"+HEAD:{_HEAD}")
            if done.code and "couldn't find remote ref HEAD" in done.error:  # it is empty, or HEAD names no branch
                done = await run(*_BRANCHES_AND_TAGS)
                if not done.code:
                    await self._git.run([f"--git-dir={repository}", "update-ref", "-d", _HEAD])
            for name in tuple(self._wanted) if not done.code else ():
                got = await run(f"+{name}:{_WANTED}{name}")
                if got.code or not name.startswith("refs/"):  # not given: who needs it asks again; a commit: it stays
                    self._wanted.pop(name, None)
        return done

    async def _remember(self, repository: Path) -> None:
        """Reads the refs that are there now, and makes them what is answered from."""
        form = "%(refname) %(objectname) %(objecttype) %(*objectname) %(*objecttype)"
        listed = await self._git.run([f"--git-dir={repository}", "for-each-ref", f"--format={form}"])
        if listed.code:
            raise SourceUnavailable(f"its mirror cannot be read: {listed.error.strip()}", about=str(self.url))
        refs: dict[str, str] = {}
        for line in listed.output.decode("utf-8", "backslashreplace").splitlines():
            name, oid, kind, peeled, peeled_kind = (line + "    ").split(" ")[:5]
            commit = oid if kind == "commit" else peeled if peeled_kind == "commit" else ""
            if commit:
                refs[name.removeprefix(_WANTED)] = commit
        head = refs.pop(_HEAD, "")
        state = State(url=str(self.url), head=head, refs=refs)
        await asyncio.to_thread(self.store.write, state, fresh=repository == self.store.fresh)
        self.state = state

    async def refresh(self) -> None:
        """Reads the refs anew after somebody who holds `lock` changed them."""
        await self._remember(self.store.path)

    async def _tidy(self) -> None:
        """Packs the mirror when it has become scattered. What no ref holds any more is kept for a month: history shows it."""
        loose, packs = await asyncio.to_thread(self.store.loose_objects_and_packs)
        if loose > _LOOSE_OBJECTS or packs > _PACKS:
            await self._git.run(
                [f"--git-dir={self.store.path}", "gc", "--quiet", "--prune=30.days.ago"],
                seconds=self._git.limits.fetch_seconds,
            )

    def close(self) -> None:
        self.reader.close()


def _ours(error: str) -> str:
    """Without what the other side said of itself."""
    return "\n".join(line for line in error.splitlines() if not line.startswith("remote:"))


def _again(error: SourceError) -> SourceError:
    """The same error for another task: one exception raised in many grows a traceback of all of them."""
    return type(error)(error.what, about=error.about, hint=error.hint, place=error.place)
