"""Renders an application's source at a commit, and only when something it reads has changed (input-traced rendering)."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from kilde.core.apps.application import Source
from kilde.core.render import RenderCache, Rendered, RenderSource, render
from kilde.core.source.tree import Trace, Tree, touched
from kilde.engine.remotes import AllowRemote, Fetch, RemoteBases, RemoteNeeded
from kilde.ports.sources import Sources

_REMEMBERED = 64
Done = TypeVar("Done")


@dataclass(frozen=True, slots=True)
class Result:
    """What a render gave. `fresh` is False when nothing it reads has changed and the earlier one still holds."""

    rendered: Rendered | None
    fresh: bool


@dataclass(frozen=True, slots=True)
class Memory:
    """What one application's last render rested on."""

    url: str
    sha: str
    source: RenderSource
    trace: Trace


class Renderer:
    """Renders in one thread of its own, so that reading and computing do not hold the loop."""

    def __init__(self, sources: Sources, *, fetch: Fetch, allow_remote: AllowRemote) -> None:
        self._sources, self._fetch, self._allow_remote = sources, fetch, allow_remote
        self._cache = RenderCache()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="render")
        self._touched: dict[tuple[str, str, str], asyncio.Future[frozenset[str] | None]] = {}
        self.renders = 0

    async def render(self, source: Source, sha: str, before: Memory | None, *, project: str) -> tuple[Result, Memory]:
        """The objects at a commit; when `before` still holds, nothing is rendered. Raises KildeError."""
        remotes = RemoteBases(self._sources, self._fetch, lambda url: self._allow_remote(project, url))
        if before is not None and await self._holds(before, source, sha, remotes):
            return Result(None, fresh=False), Memory(before.url, sha, before.source, before.trace)
        rendered = await self._rendered(await self._sources.tree(source.repo_url, sha), source.render, remotes)
        return Result(rendered, fresh=True), Memory(source.repo_url, sha, source.render, rendered.trace)

    async def _holds(self, before: Memory, source: Source, sha: str, remotes: RemoteBases) -> bool:
        if before.url != source.repo_url or before.source != source.render:
            return False
        if before.sha != sha and not await self.still_true(before, sha):
            return False
        return await remotes.still_true(before.trace)

    async def _rendered(self, tree: Tree, source: RenderSource, remotes: RemoteBases) -> Rendered:
        """Renders, as often as it takes to learn of every remote base."""
        self.renders += 1
        while True:
            work = partial(render, tree, source, cache=self._cache, outside=remotes.outside())
            try:
                return await self._in_thread(work)
            except RemoteNeeded as needed:
                wanted = needed.wanted
            await remotes.learn(wanted)

    async def still_true(self, before: Memory, sha: str) -> bool:
        """Whether a render at that commit would read what the last one read."""
        met = await self._touched_between(before.url, before.sha, sha)
        return met is not None and met.isdisjoint(before.trace.seen)

    async def _touched_between(self, url: str, old: str, new: str) -> frozenset[str] | None:
        """What looks differently in the second commit, in the words of a trace; None: it cannot be told."""
        key = (url, old, new)
        asked = self._touched.get(key)
        if asked is not None:
            return asked.result() if asked.done() else await asyncio.shield(asked)
        if len(self._touched) >= _REMEMBERED:
            self._touched = {known: found for known, found in self._touched.items() if not found.done()}
        answer = self._touched[key] = asyncio.get_running_loop().create_future()
        try:
            found = await self._compared(url, old, new)
        except BaseException:
            answer.set_result(None)  # whoever waits renders anew, and meets the error itself
            del self._touched[key]
            raise
        answer.set_result(found)
        return found

    async def _compared(self, url: str, old: str, new: str) -> frozenset[str] | None:
        paths = await self._sources.changed_paths(url, old, new)
        if paths is None:
            return None
        before, after = await self._sources.tree(url, old), await self._sources.tree(url, new)
        return await asyncio.to_thread(touched, before, after, paths)  # not behind the renders of other commits

    async def _in_thread(self, work: Callable[[], Done]) -> Done:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)
