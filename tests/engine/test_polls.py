"""Repositories are polled each for itself: one that does not answer keeps none of the others waiting."""

import asyncio

import pytest

from engine.world import URL, config_map, play
from kilde.ports.sources import Credentials
from kilde.testing.sources import FakeSources

pytestmark = pytest.mark.anyio
AUTO = {"syncPolicy": {"automated": {"prune": True, "selfHeal": True}}}
SLOW = "https://git.example/slow.git"


class Slow(FakeSources):
    """One of its repositories can be made to answer no more."""

    def __init__(self) -> None:
        super().__init__()
        self.answers = asyncio.Event()
        self.answers.set()

    async def fetch(self, url: str, credentials: Credentials) -> None:
        if url == SLOW:
            await self.answers.wait()
        await super().fetch(url, credentials)


async def test_a_repository_that_does_not_answer_keeps_no_other_from_being_polled() -> None:
    git = Slow()
    git.create(SLOW)
    async with play(git=git, poll=0.2) as p:
        git.commit(SLOW, {"app/b.yaml": config_map("b").encode()})
        git.commit(URL, {"app/a.yaml": config_map("a").encode()})
        await p.application("slow", source={"repoURL": SLOW, "path": "app", "targetRevision": "HEAD"}, **AUTO)
        await p.application(**AUTO)
        await p.until(lambda: (p.phase(), p.phase("slow")) == ("Succeeded", "Succeeded"))
        git.answers.clear()
        await p.quiet()
        git.commit(URL, {"app/a.yaml": config_map("a", k="two").encode()})  # nobody tells of it
        await p.until(lambda: p.data("a") == {"k": "two"})
        git.answers.set()
        git.commit(SLOW, {"app/b.yaml": config_map("b", k="two").encode()})
        await p.until(lambda: p.data("b") == {"k": "two"})
