"""After a fetch: applications that read what has changed are looked at; the others are told the new commit by one small write each.

A commit concerns few applications, but every status names the commit it was compared to. For those that read nothing of what changed,
survey and status would come out as they are, so only the commit moves: `status.sync.revision`.
"""

import asyncio
import contextlib
from dataclasses import replace
from typing import Any

from kilde.core.apply.outcome import Phase
from kilde.core.apps.application import Application
from kilde.core.basics.errors import ClusterError, SourceError
from kilde.engine.context import Context
from kilde.engine.queue import KeyedQueue
from kilde.engine.remotes import remote_urls
from kilde.engine.runtime import Runtime

_PAUSE_FIRST = 0.3  # seconds: those whom the commit concerns go first
# A hundred a second, since the API server has other guests; ten at once cost this process half of what ten alone do.
_AT_ONCE, _PAUSE_BETWEEN = 10, 0.1


class Commits:
    """Finds out whom a commit concerns. `passes` is the queue of passes over applications."""

    def __init__(self, ctx: Context, passes: KeyedQueue[str]) -> None:
        self._ctx, self._passes = ctx, passes
        self._turns: dict[str, int] = {}

    async def look(self, url: str) -> None:
        """A fetch of this repository ended, well or not. A newer one takes over what this one has not yet told."""
        ctx, clock = self._ctx, self._ctx.world.clock
        turn = self._turns[url] = self._turns.get(url, 0) + 1
        unconcerned = []
        for app in ctx.fleet.all():
            memory = ctx.runtime(app.name).memory
            if memory is not None and url in remote_urls(memory.trace):
                self._passes.add(app.name)
                continue
            if app.source is None or app.source.repo_url != url:
                continue
            sha = await self._moves_to(app)
            if sha is None:
                self._passes.add(app.name)
            elif sha:
                unconcerned.append((app.name, sha))
        if unconcerned:
            await clock.sleep(_PAUSE_FIRST)
        for first in range(0, len(unconcerned), _AT_ONCE):
            if self._turns[url] != turn:
                return
            begun = clock.monotonic()
            await asyncio.gather(*(self._tell(name, sha) for name, sha in unconcerned[first : first + _AT_ONCE]))
            await clock.sleep(max(0.0, begun + _PAUSE_BETWEEN - clock.monotonic()))

    async def _moves_to(self, app: Application) -> str | None:
        """The new commit, when it changes nothing that the application reads; "" when there is none; None: look at it."""
        ctx = self._ctx
        memory = ctx.runtime(app.name).memory
        if ctx.signatures.demanded(app):
            return None
        if app.source is None or memory is None or ctx.repositories.error(memory.url) or app.status.get("conditions"):
            return None
        with contextlib.suppress(SourceError):
            sha = await ctx.world.sources.resolve(app.source.repo_url, app.source.target_revision)
            if sha == memory.sha:
                return ""
            if await ctx.renderer.still_true(memory, sha):
                return sha
        return None

    async def _tell(self, name: str, sha: str) -> None:
        """Moves one application to the commit; by a pass where there is more to do than that."""
        ctx = self._ctx
        app, rt = ctx.fleet.get(name), ctx.runtimes.get(name)
        if app is None or rt is None:
            return
        if name in self._passes or not _in_step(app, rt):
            self._passes.add(name)
            return
        assert rt.memory is not None
        assert rt.wish is not None
        rt.memory, rt.wish = replace(rt.memory, sha=sha), rt.wish.moved(app, sha)

        def build(newest: Application) -> dict[str, Any]:
            return {**newest.status, "sync": {**(newest.status.get("sync") or {}), "revision": sha}}

        try:
            await ctx.reporter.write(name, build)
        except ClusterError:
            self._passes.add(name)  # which meets the same, and tells of it


def _in_step(app: Application, rt: Runtime) -> bool:
    """Whether nothing is under way or asked for, so that the next pass would change nothing but the commit."""
    memory, status = rt.memory, app.status
    if app.source is None or memory is None or rt.wish is None or rt.running is not None or rt.healed:
        return False
    if app.operation is not None or app.refresh or app.deleting or app.skipped or app.problems:
        return False
    if (memory.url, memory.source) != (app.source.repo_url, app.source.render):
        return False
    if (status.get("operationState") or {}).get("phase") == Phase.RUNNING:
        return False
    sync = status.get("sync") or {}
    return sync.get("status") == "Synced" and sync.get("revision") == memory.sha and not status.get("conditions")
