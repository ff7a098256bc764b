"""Whatever the wire does, who follows a watch ends with the truth: a mirror fed through random faults equals a list."""

import asyncio
import json
import random
from collections.abc import Iterator
from contextlib import aclosing, suppress
from pathlib import Path

import pytest

from faults.embedded import embedded_api
from faults.proxy import Disconnect, ErrorEvent, Fault, FaultProxy, Rule, SlowBody, Status, Truncate
from kilde.adapters.clock import SystemClock
from kilde.adapters.cluster.client import KubeCluster
from kilde.adapters.cluster.kubeconfig import load
from kilde.adapters.cluster.limits import ClientLimits
from kilde.ports.cluster import EventType, Resource

pytestmark = pytest.mark.anyio

CONFIG_MAP = Resource("", "v1", "ConfigMap", "configmaps", namespaced=True)
FAULTS: list[tuple[Fault, str]] = [
    (Status(500, "InternalError"), "watch"),
    (Status(503, "ServiceUnavailable"), "list"),
    (Status(410, "Expired"), "watch"),
    (Status(410, "Expired"), "list"),
    (ErrorEvent(), "watch"),
    (ErrorEvent(500, "InternalError", "no"), "watch"),
    (Truncate(700), "watch"),
    (Truncate(300), "list"),
    (SlowBody(512, 0.005), "list"),
    (Disconnect(), "watch"),
    (Disconnect(done=True), "list"),
]


class Mirror:
    """Name → version, as the promises of `watch` let one keep it."""

    def __init__(self) -> None:
        self.objects: dict[str, str] = {}
        self._listed: dict[str, str] = {}
        self.relists = 0

    async def follow(self, cluster: KubeCluster) -> None:
        async with aclosing(cluster.watch(CONFIG_MAP, "default")) as events:  # type: ignore[type-var]
            async for event in events:
                match event.type:
                    case EventType.LISTED:
                        self._listed[event.name] = event.resource_version
                    case EventType.SYNCED:
                        self.objects, self._listed = self._listed, {}
                        self.relists += 1
                    case EventType.BROKEN:
                        self._listed = {}
                    case EventType.DELETED:
                        self.objects.pop(event.name, None)
                    case _:
                        self.objects[event.name] = event.resource_version


async def truth(cluster: KubeCluster) -> dict[str, str]:
    found = [json.loads(raw)["metadata"] for raw in await cluster.list(CONFIG_MAP, "default")]
    return {item["name"]: item["resourceVersion"] for item in found}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with embedded_api(tmp_path_factory.mktemp("embedded"), controllers="off") as file:
        yield file


@pytest.mark.parametrize("seed", range(4))
async def test_a_mirror_ends_with_the_truth(seed: int, api: Path, tmp_path: Path) -> None:
    dice, clock = random.Random(seed), SystemClock()
    limits = ClientLimits(page=3, first_pause=0.01, longest_pause=0.05, watch_idle=0.5, answer=2.0)
    hands = KubeCluster(load([api], clock), clock)
    async with FaultProxy(load([api], clock)) as proxy:
        eyes = KubeCluster(load([proxy.write_kubeconfig(tmp_path / "config")], clock), clock, limits=limits)
        mirror = Mirror()
        following = asyncio.ensure_future(mirror.follow(eyes))
        for _ in range(150):
            await act(hands, dice)
            if dice.random() < 0.15:
                fault, verb = dice.choice(FAULTS)
                proxy.add(Rule(fault, verb=verb))
            if dice.random() < 0.2:
                proxy.drop_streams()
        proxy.clear()
        expected = await truth(hands)
        async with asyncio.timeout(60):
            while mirror.objects != expected:
                assert not following.done()
                await asyncio.sleep(0.02)
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following
        await eyes.close()
    await hands.close()
    assert mirror.relists > 1
    assert proxy.total("watch") > 10


async def act(hands: KubeCluster, dice: random.Random) -> None:
    name = dice.choice("abcdefgh")
    if dice.random() < 0.3:
        await hands.delete(CONFIG_MAP, "default", name, propagation="Background")
        return
    body = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "default"},
        "data": {"k": str(dice.random())},
    }
    await hands.apply(CONFIG_MAP, body, manager="hands")
    await asyncio.sleep(dice.random() * 0.02)
