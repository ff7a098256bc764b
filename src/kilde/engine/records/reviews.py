"""Reviews: after a commit was deployed its forge is asked who approved it, and what it says becomes a record of its own.

Nothing waits for a forge: a sync is over before it is asked, one that does not answer is asked again later, and in the end given up. After
a restart the commits of the last records that nobody has told of are asked for.
"""

import asyncio
import contextlib
from collections import OrderedDict
from typing import Any

import structlog

from kilde.core.apps.application import Application
from kilde.core.basics.backoff import Backoff
from kilde.core.basics.errors import KildeError
from kilde.core.ledger.reviews import REVIEWED, Commit, reviewed_body, unreviewed
from kilde.core.sets.failures import GeneratorFailed
from kilde.core.sets.forges import IN_PULL_REQUEST
from kilde.core.sets.forges.forge import Config as ForgeConfig
from kilde.core.sets.forges.reviews import ASKED, Review, review_of
from kilde.core.source.credentials import TLS_CERTS
from kilde.core.source.forge_place import ForgePlace, forge_of
from kilde.core.source.repository_url import redact
from kilde.core.source.revision import Revision
from kilde.engine.fleet.applications import Config
from kilde.engine.sets.outside import PortsOutside, Start
from kilde.engine.world import World

log = structlog.get_logger()
_PAUSES = Backoff(first=15.0, factor=4.0, ceiling=3600.0)
_ATTEMPTS = 6
_PATIENCE = 120.0  # seconds for all questions about one commit
_REMEMBERED, _WAITING = 4096, 1000  # commits
_LOOKED_BACK = 1000  # records


class Reviews:
    """What is known of reviews, and what has to be asked. `run` goes on for ever."""

    def __init__(self, world: World, namespace: str, config: Config, start: Start) -> None:
        self._world, self._namespace, self._config, self._start = world, namespace, config, start
        self._known: OrderedDict[str, tuple[str, ...]] = OrderedDict()
        self._waiting: OrderedDict[Commit, tuple[int, float]] = (
            OrderedDict()
        )  # attempts, and when the next is due (monotonic)
        self._wake = asyncio.Event()

    def reviewers(self, sha: str) -> tuple[str, ...]:
        """Who is known to have approved a commit; () as long as the forge was not asked."""
        return self._known.get(sha, ())

    def note(self, app: Application, revision: Revision) -> None:
        """An operation deploys this commit."""
        if app.sources:
            self._add(Commit(redact(app.sources[0].repo_url), app.project, revision.sha))

    def _add(self, commit: Commit) -> None:
        if commit.sha in self._known or commit in self._waiting or self._place(commit) is None:
            return
        self._waiting[commit] = 0, self._world.clock.monotonic()
        while len(self._waiting) > _WAITING:
            self._waiting.popitem(last=False)
        self._wake.set()

    def _place(self, commit: Commit) -> ForgePlace | None:
        try:
            return forge_of(commit.url, self._config.secrets, commit.project)
        except KildeError:
            return None

    async def run(self) -> None:
        """Asks for one commit after the other, each when it is due."""
        for commit in await asyncio.to_thread(self._left):
            self._add(commit)
        while True:
            now = self._world.clock.monotonic()
            due = next((each for each, (_, when) in self._waiting.items() if when <= now), None)
            if due is not None:
                await self._tell(due)
                continue
            pause = min((when - now for _, when in self._waiting.values()), default=3600.0)
            self._wake.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.05, pause)):
                    await self._wake.wait()

    def _left(self) -> list[Commit]:
        records = self._world.records
        head = records.head()
        return unreviewed(records.read(first=max(1, head.number - _LOOKED_BACK))) if head is not None else []

    async def _tell(self, commit: Commit) -> None:
        attempts, _ = self._waiting.pop(commit)
        place = self._place(commit)
        if place is None:
            return
        try:
            async with asyncio.timeout(_PATIENCE):
                review = await self._asked(place, commit.sha)
            body = reviewed_body(commit, place.kind, review.request, review.reviewers)
            self._world.records.append(REVIEWED, body, at=self._world.clock.now())
        except (KildeError, TimeoutError) as error:
            self._failed(commit, attempts + 1, str(error) or f"no answer within {_PATIENCE:g} s")
            return
        self._known[commit.sha] = review.reviewers
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)

    def _failed(self, commit: Commit, attempts: int, error: str) -> None:
        if attempts >= _ATTEMPTS:
            log.warning("who reviewed a commit is not on record", commit=commit.sha, repository=commit.url, error=error)
            return
        log.info("the forge will be asked again for a review", commit=commit.sha, repository=commit.url, error=error)
        self._waiting[commit] = attempts, self._world.clock.monotonic() + _PAUSES.delay(attempts)

    async def _asked(self, place: ForgePlace, sha: str) -> Review:
        if place.kind not in ASKED:
            raise GeneratorFailed(
                f"the Secret {place.secret} names the forge '{place.kind}'", hint=f"known are: {', '.join(ASKED)}"
            )
        world = self._world

        async def cluster() -> Any:
            return world.cluster

        outside = PortsOutside(
            namespace=self._namespace,
            cluster=cluster,
            sources=world.sources,
            web=world.web,
            clock=world.clock,
            fetch=_never,
            clusters=_nothing,
            start=self._start,
        )
        config = self._block(place)
        return await asyncio.to_thread(
            lambda: review_of(place.kind, IN_PULL_REQUEST[place.kind](config, outside), place.path, sha)
        )

    def _block(self, place: ForgePlace) -> ForgeConfig:
        """What a generator's block would say, with the token in the repository's own Secret."""
        config: dict[str, Any] = {"api": place.api} if place.api else {}
        if place.key:
            token = {"secretName": place.secret, "key": place.key}
            config |= {"tokenRef": token, "bearerToken": {"tokenRef": token}}
        certificates = (self._config.config_maps.get(TLS_CERTS) or {}).get("data") or {}
        if place.host in certificates:
            config["caRef"] = {"configMapName": TLS_CERTS, "key": place.host}
        return config


async def _never(url: str, project: str) -> None:
    raise GeneratorFailed("a forge is asked for reviews alone", about=url)


async def _nothing() -> list[Any]:
    return []
