"""A small cluster for the controllers: SmallApi, a clock moved by hand, and everything that simulates."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.kubeapi.controllers.small_api import SmallApi

from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.clock import ManualClock
from kilde.kubeapi.controllers.loop import Loop
from kilde.kubeapi.controllers.registry import control_plane, simulator


class Cluster:
    """The API, its clock, and the loop of controllers over it."""

    def __init__(self, nodes: int = 2) -> None:
        self.clock = ManualClock()
        self.api = SmallApi(self.clock.now)
        self.loop = Loop(self.api, [*control_plane(ca="PEM", simulated=True), *simulator(nodes=nodes)], self.clock)

    async def settle(self, seconds: float = 0.0, step: float = 0.05) -> None:
        """Lets everything happen that is due within so many seconds."""
        end = self.clock.now() + seconds
        await self._quiet()
        while self.clock.now() < end - 1e-9:
            due = self.loop.timers.next
            self.clock.advance(max(1e-6, min(end, due if due is not None else end) - self.clock.now()))
            self.loop.timers.fire()
            await self._quiet()

    async def _quiet(self) -> None:
        calm, version = 0, -1
        while calm < 5:
            await asyncio.sleep(0)
            calm = calm + 1 if self.loop.idle and version == self.api.version else 0
            version = self.api.version

    async def make(self, resource: str, body: Object) -> Object:
        return await self.api.create(resource, body["metadata"].get("namespace", ""), body, manager="test")

    async def change(self, resource: str, namespace: str, name: str, change: dict[str, Any]) -> Object:
        return await self.api.patch(resource, namespace, name, change, manager="test")

    def all(self, resource: str) -> list[Object]:
        return [obj for (res, _, _), obj in sorted(self.api.objects.items()) if res == resource]

    def one(self, resource: str, name: str, namespace: str = "shop") -> Object:
        return self.api.objects[(resource, namespace, name)]

    def told(self) -> list[tuple[str, str, str]]:
        """(kind of object, reason, message) of every event, in order."""
        events = sorted(self.all("events"), key=lambda event: int(event["metadata"]["resourceVersion"]))
        return [(event["involvedObject"]["kind"], event["reason"], event["message"]) for event in events]


@asynccontextmanager
async def running(nodes: int = 2) -> AsyncIterator[Cluster]:
    """A cluster with the namespaces `shop` and `kube-node-lease`, settled."""
    cluster = Cluster(nodes)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(job(), name=name) for name, job in cluster.loop.jobs().items()]
        for name in ("kube-node-lease", "shop"):
            await cluster.make("namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        await cluster.settle(0.1)
        yield cluster
        for task in tasks:
            task.cancel()


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
