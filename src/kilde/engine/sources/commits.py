"""After a fetch: applications that read what has changed are looked at; the others are told the new commit by one small write each.

A commit concerns few applications, but every status names the commit it was compared to. For those that read nothing of what changed,
survey and status would come out as they are, so only the commit moves: `status.sync.revision`.
"""

import asyncio
import contextlib
from typing import Any

from kilde.core.apply.outcome import Phase
from kilde.core.apps.application import Application
from kilde.core.apps.sources import read_joined, told_revisions
from kilde.core.basics.errors import ClusterError, SourceError
from kilde.engine.context import Context
from kilde.engine.queue import KeyedQueue
from kilde.engine.runtime import Runtime, Wish
from kilde.engine.sources.remotes import remote_urls

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
        unconcerned: list[tuple[str, Wish | None, tuple[str, ...]]] = []
        for app in ctx.fleet.all():
            memories = ctx.runtime(app.name).memories
            if any(url in remote_urls(read.trace) for memory in memories for read in memory.reads):
                self._passes.add(app.name)
                continue
            if all(source.url != url for source in app.sources):
                continue
            wish = ctx.runtime(app.name).wish
            revisions = await self._moves_to(app)
            if revisions is None:
                self._passes.add(app.name)
            elif revisions:
                unconcerned.append((app.name, wish, revisions))
        if unconcerned:
            await clock.sleep(_PAUSE_FIRST)
        for first in range(0, len(unconcerned), _AT_ONCE):
            if self._turns[url] != turn:
                return
            begun = clock.monotonic()
            await asyncio.gather(*(self._tell(*one) for one in unconcerned[first : first + _AT_ONCE]))
            await clock.sleep(max(0.0, begun + _PAUSE_BETWEEN - clock.monotonic()))

    async def _moves_to(self, app: Application) -> tuple[str, ...] | None:
        """The new commits, when they change nothing that the application reads; () when there is none; None: look at it."""
        ctx = self._ctx
        rt = ctx.runtime(app.name)
        if ctx.signatures.demanded(app):
            return None
        if rt.wish is None or len(rt.memories) != len(app.sources) or app.status.get("conditions"):
            return None
        if any(ctx.repositories.error(source.url, app.project) for source in app.sources):
            return None
        with contextlib.suppress(SourceError):
            resolve = ctx.world.sources.resolve
            revisions = tuple(
                [await resolve(one.url, one.target_revision, tag_prefix=one.tag_prefix) for one in app.sources]
            )
            if revisions == rt.wish.revisions:
                return ()
            for memory in rt.memories:
                if not await ctx.renderer.still_true(memory, revisions):
                    return None
            return revisions
        return None

    async def _tell(self, name: str, wish: Wish | None, revisions: tuple[str, ...]) -> None:
        """Moves one application to the commit; by a pass where there is more to do than that, or it wants another thing by now."""
        ctx = self._ctx
        app, rt = ctx.fleet.get(name), ctx.runtimes.get(name)
        if app is None or rt is None:
            return
        if name in self._passes or wish is None or rt.wish is not wish or not _in_step(app, rt):
            self._passes.add(name)
            return
        moved = wish.moved(app, revisions)
        rt.memories, rt.wish = tuple(memory.at(revisions) for memory in rt.memories), moved

        def build(newest: Application) -> dict[str, Any]:
            if rt.wish is not moved:
                return dict(newest.status)  # a pass has come to a newer commit, and tells it
            sync = newest.status.get("sync") or {}
            return {**newest.status, "sync": {**sync, **told_revisions(revisions, several=newest.several)}}

        try:
            await ctx.reporter.write(name, build)
        except ClusterError:
            self._passes.add(name)  # which meets the same, and tells of it


def _in_step(app: Application, rt: Runtime) -> bool:
    """Whether nothing is under way or asked for, so that the next pass would change nothing but the commit."""
    status = app.status
    if rt.wish is None or len(rt.memories) != len(app.sources) or rt.running is not None or rt.healed:
        return False
    if app.operation is not None or app.refresh or app.deleting or app.skipped or app.problems:
        return False
    if any(memory.source != source.render for memory, source in zip(rt.memories, app.sources, strict=True)):
        return False
    if any(read.url != app.sources[read.of].url for memory in rt.memories for read in memory.reads):
        return False
    if (status.get("operationState") or {}).get("phase") == Phase.RUNNING:
        return False
    sync = status.get("sync") or {}
    return sync.get("status") == "Synced" and read_joined(sync) == rt.wish.sha and not status.get("conditions")
