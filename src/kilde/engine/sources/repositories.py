"""Repositories: when each was last fetched, what went wrong, and who is to be told of a change. One fetch serves all applications.

Where a project has credentials of its own for one, only what was fetched with them opens it to the project's applications: whoever
has none has to be let in by the server, though the mirror is one.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog

from kilde.core.basics.backoff import Backoff
from kilde.core.basics.errors import SourceError
from kilde.ports.clock import Clock
from kilde.ports.sources import Credentials, Sources

log = structlog.get_logger()

_BACKOFF = Backoff(first=5.0, factor=2.0, ceiling=300.0)


@dataclass(slots=True)
class Repository:
    """One repository as this process knows it, `scope`: by the credentials of that project ("": of all).

    `failure` is None while the last fetch went well.
    """

    url: str
    scope: str = ""
    fetched_at: float | None = None
    failures: int = 0
    failure: SourceError | None = None
    next_fetch: float = 0.0
    is_polled: bool = False  # right now
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Repositories:
    """Fetches on time, on a push, and when somebody asks; tells `on_change(url)` after each fetch that went well or mended."""

    def __init__(
        self,
        sources: Sources,
        clock: Clock,
        *,
        poll: float,
        credentials: Callable[[str, str], Credentials],
        scope: Callable[[str, str], str],
        idle: Callable[[str], bool] = lambda url: False,
        on_fetched: Callable[[str], None],
        start: Callable[[str, Coroutine[Any, Any, None]], object],
    ) -> None:
        self._sources, self._clock, self._poll = sources, clock, poll
        self._credentials, self._scope, self._on_fetched, self._idle = credentials, scope, on_fetched, idle
        self._start = start
        self._known: dict[tuple[str, str], Repository] = {}
        self._wake = asyncio.Event()
        self._done, self._failed, self._seconds = 0, 0, 0.0

    def fetches(self) -> Mapping[str, int]:
        """How many fetches ended how: done, failed."""
        return {"done": self._done, "failed": self._failed}

    @property
    def fetch_seconds(self) -> float:
        """How long all of them took together."""
        return self._seconds

    def known(self) -> tuple[str, ...]:
        """Their URLs."""
        return tuple(dict.fromkeys(url for url, _ in self._known))

    def error(self, url: str, project: str) -> str:
        one = self._known.get((url, self._scope(url, project)))
        return str(one.failure) if one and one.failure else ""

    async def ensure(self, url: str, project: str) -> None:
        """Fetches if this process never did for the project. Raises SourceError while the repository cannot be reached."""
        one = self._one(url, project)
        if one.fetched_at is not None:
            return
        now = self._clock.monotonic()
        if one.failure and now < one.next_fetch:
            raise _again(one.failure)
        await self.fetch(url, project, since=0.0)

    async def fetch(self, url: str, project: str, *, since: float | None = None) -> None:
        """Fetches now; joins a fetch that has not begun yet. Raises SourceError.

        `since`: a fetch that ended after this moment (monotonic seconds) will do.
        """
        await self._fetch_since(self._one(url, project), since)

    async def pushed(self, url: str) -> None:
        """Fetches now, for whoever uses it. Raises SourceError."""
        for one in [one for one in self._known.values() if one.url == url]:
            await self._fetch_since(one, None)

    async def _fetch_since(self, one: Repository, since: float | None) -> None:
        asked = self._clock.monotonic() if since is None else since
        async with one.lock:
            if since is not None and one.fetched_at is not None and one.fetched_at >= asked:
                return
            await self._fetch(one)

    async def _fetch(self, one: Repository) -> None:
        begun = self._clock.monotonic()
        try:
            await self._sources.fetch(one.url, self._credentials(one.url, one.scope))
        except SourceError as error:
            self._failed += 1
            one.failures += 1
            one.failure = _again(error)
            one.next_fetch = self._clock.monotonic() + _BACKOFF.delay(one.failures, dice=self._clock.dice())
            log.warning("repository unavailable", url=_bare(one.url), error=str(error), failures=one.failures)
            raise
        finally:
            self._seconds += self._clock.monotonic() - begun
        self._done += 1
        mended = one.failures > 0
        one.failures, one.failure, one.fetched_at = 0, None, begun
        one.next_fetch = self._clock.monotonic() + self._poll * (1 + 0.25 * self._clock.dice())
        if mended:
            log.info("repository is back", url=_bare(one.url))

    def nudge(self) -> None:
        """The set of repositories changed: look at the timetable again."""
        self._wake.set()

    async def run(self) -> None:
        """Polls each repository on time, for ever, none behind another; one that is down is tried again after a growing pause."""
        while True:
            now = self._clock.monotonic()
            for one in [one for one in self._known.values() if not one.is_polled and one.next_fetch <= now]:
                if not one.failures and self._idle(one.url):
                    one.next_fetch = now + self._poll
                    continue
                one.is_polled = True
                self._start(f"poll {_bare(one.url)}", self._polled(one))
            waiting = (one.next_fetch for one in self._known.values() if not one.is_polled)
            upcoming = min(waiting, default=now + 3600.0)
            self._wake.clear()
            with contextlib.suppress(
                TimeoutError
            ):  # not asyncio.wait_for: until Python 3.12 that may swallow the end of the program
                async with asyncio.timeout(max(0.05, upcoming - self._clock.monotonic())):
                    await self._wake.wait()

    async def _polled(self, one: Repository) -> None:
        try:
            with contextlib.suppress(SourceError):  # noted in its state, told in the applications' conditions
                await self._fetch_since(one, None)
        finally:
            one.is_polled = False
            self._wake.set()
        self._on_fetched(one.url)

    def _one(self, url: str, project: str) -> Repository:
        key = url, self._scope(url, project)
        one = self._known.get(key)
        if one is None:
            one = self._known[key] = Repository(*key, next_fetch=self._clock.monotonic() + self._poll)
            self._wake.set()
        return one


def _bare(url: str) -> str:
    """The URL without user and password."""
    head, at, tail = url.rpartition("@")
    return head.partition("://")[0] + "://" + tail if at and "://" in head else url


def _again(error: SourceError) -> SourceError:
    """The same failure without the frames that it came through."""
    return type(error)(error.what, about=error.about, hint=error.hint)
