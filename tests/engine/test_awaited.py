"""Objects that applications wait for: who looks at one is not kept waiting by somebody who looks at another."""

import asyncio

import pytest

from engine.world import CONFIG_MAPS, NAMESPACES
from kilde.core.objects.ref import ObjectRef
from kilde.engine.tasks import TaskOwner
from kilde.engine.view.awaited import Awaited
from kilde.testing.clock import FakeClock
from kilde.testing.cluster import FakeCluster

pytestmark = pytest.mark.anyio


async def test_two_who_look_at_objects_of_one_namespace_at_the_same_time_are_both_told() -> None:
    cluster = FakeCluster(FakeClock())
    await cluster.create(NAMESPACES, {"metadata": {"name": "shop"}}, manager="person")
    for name in ("one", "other"):
        await cluster.create(CONFIG_MAPS, {"metadata": {"name": name, "namespace": "shop"}}, manager="person")
    go = asyncio.Event()
    cluster.hold = lambda verb, ref: go if verb == "list" else None

    async with TaskOwner() as tasks:
        awaited = Awaited(tasks.start, lambda name: None)

        async def look(name: str) -> object:
            key = ("", ObjectRef("", "ConfigMap", "shop", name))
            return await awaited.look(f"who waits for {name}", key, cluster, CONFIG_MAPS, patience=5.0)

        looks = [asyncio.create_task(look(name)) for name in ("one", "other")]
        await asyncio.sleep(0.01)
        go.set()
        assert None not in await asyncio.gather(*looks)
