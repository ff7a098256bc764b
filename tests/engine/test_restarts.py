"""Restarts against a cluster in memory: opt-in, one rollout a change, none for an edit put back, and two controllers that agree."""

import asyncio
import base64
import contextlib
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from kilde.adapters.clock import SystemClock
from kilde.core.secrets.restarting import RESTART, SECRETS
from kilde.engine.restarts import KEY_NAME, MANAGER, WORKLOADS, Restarts
from kilde.engine.restarts import SECRETS as KIND
from kilde.testing.cluster import FakeCluster

pytestmark = pytest.mark.anyio
DEPLOYMENTS = WORKLOADS[0]


class Play:
    """A cluster, and the restarts that were told."""

    def __init__(self) -> None:
        self.cluster = FakeCluster(SystemClock())
        self.told: list[tuple[str, list[str]]] = []

    def restarts(self) -> Restarts:
        def tell(ref: Any, changed: list[str]) -> None:
            self.told.append((str(ref), changed))

        return Restarts(self.cluster, "default", dice=os.urandom, tell=tell, settle=0.3)

    async def deploy(self, *, asks: bool = True, name: str = "web") -> None:
        pod = {"containers": [{"name": "c", "envFrom": [{"secretRef": {"name": "db"}}]}]}
        annotations = {RESTART: "true"} if asks else {}
        body = {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name, "namespace": "default", "annotations": annotations},
            "spec": {"template": {"metadata": {"labels": {"a": name}}, "spec": pod}},
        }
        await self.cluster.apply(DEPLOYMENTS, body, manager="kilde")

    async def secret(self, value: str) -> None:
        body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db", "namespace": "default"}}
        data = {"k": base64.b64encode(value.encode()).decode()}
        await self.cluster.apply(KIND, {**body, "data": data}, manager="admin")

    async def digests(self, name: str = "web") -> tuple[str, str]:
        """On the workload and on its pod template."""
        raw = await self.cluster.get(DEPLOYMENTS, "default", name)
        body = json.loads(raw or b"{}")
        template = body["spec"]["template"]["metadata"]
        return tuple((m.get("annotations") or {}).get(SECRETS, "") for m in (body["metadata"], template))  # type: ignore[return-value]

    async def until(self, holds: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(20):
            while not await holds():
                await asyncio.sleep(0.02)

    async def seen(self) -> bool:
        return bool((await self.digests())[0])

    async def begun(self) -> bool:
        return bool((await self.digests())[1])


@contextlib.asynccontextmanager
async def running(*jobs: Restarts) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(each.run()) for each in jobs]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_workload_that_asks_is_restarted_once_a_change() -> None:
    play = Play()
    await play.deploy()
    async with running(play.restarts()):
        await play.secret("one")
        await play.until(play.seen)
        first = await play.digests()
        assert first[1] == ""
        await play.secret("two")
        await play.until(play.begun)
        second = await play.digests()
        assert second[0] == second[1] != first[0]
        assert [changed for _, changed in play.told] == [["db"]]
        # the application's own apply neither fights nor drops it
        await play.deploy()
        assert await play.digests() == second
        # an edit that is put back at once restarts nothing
        await play.secret("other")
        await play.secret("two")
        await play.secret("three")
        await play.secret("two")
        await asyncio.sleep(0.8)
        assert await play.digests() == second
    assert len(play.told) == 1
    raw = await play.cluster.get(DEPLOYMENTS, "default", "web")
    assert MANAGER in {each["manager"] for each in json.loads(raw or b"{}")["metadata"]["managedFields"]}


async def test_a_change_while_nobody_looked_restarts_too_and_two_controllers_agree() -> None:
    play = Play()
    await play.deploy()
    await play.secret("one")
    async with running(play.restarts()):
        await play.until(play.seen)
    await play.secret("two")
    async with running(play.restarts(), play.restarts()):
        await play.until(play.begun)
        first = await play.digests()
        await asyncio.sleep(0.8)
        assert await play.digests() == first
    before = play.cluster.counts().get("apply", 0)
    async with running(play.restarts()):  # nothing changed: nothing is written
        await asyncio.sleep(0.8)
    assert play.cluster.counts().get("apply", 0) == before


async def test_who_does_not_ask_is_left_alone() -> None:
    play = Play()
    await play.deploy(asks=False)
    await play.secret("one")
    async with running(play.restarts()):
        await asyncio.sleep(0.6)
        await play.secret("two")
        await asyncio.sleep(0.8)
        assert await play.digests() == ("", "")
    assert await play.cluster.get(KIND, "default", KEY_NAME) is None
