"""kill -9 of `kilde cluster` at random moments, under writes: nothing acknowledged is lost, and every watch comes to know what is there.

KILDE_API_KILLS sets the number of kills (8), KILDE_SEED repeats a run (a failure prints it).
"""

import asyncio
import json
import os
import random
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import pytest

from e2e.stage import free_port
from kilde.adapters.clock import SystemClock
from kilde.adapters.cluster import entry
from kilde.adapters.cluster.client import KubeCluster
from kilde.adapters.cluster.limits import ClientLimits
from kilde.core.basics.errors import ClusterError
from kilde.ports.cluster import EventType, Resource, WatchEvent
from warm.program import warm_kilde

KILLS = int(os.environ.get("KILDE_API_KILLS", "8"))
pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.timeout(120 + 10 * KILLS)]

_REST_EVERY = 4  # kills
_CALM = 15.0  # seconds in which all that was begun comes to its end
_PATIENCE = 20.0  # for one answer of a server that runs, on a machine that has much else to do
_SPACE = "a"
_MARK = "example.dev/number"
CONFIG_MAPS = Resource("", "v1", "ConfigMap", "configmaps", True)
SECRETS = Resource("", "v1", "Secret", "secrets", True)
DEPLOYMENTS = Resource("apps", "v1", "Deployment", "deployments", True)
NAMESPACES = Resource("", "v1", "Namespace", "namespaces", False)
KINDS = (CONFIG_MAPS, SECRETS, DEPLOYMENTS)

_T = TypeVar("_T")
Slot: TypeAlias = tuple[Resource, str]
State: TypeAlias = int | None  # which write made what is there; None: it is not there
Objects: TypeAlias = dict[str, dict[str, Any]]


class Program:
    """`kilde cluster`, started and killed again and again on one port."""

    def __init__(self, folder: Path) -> None:
        self.kubeconfig, self._log = folder / "data" / "kubeconfig", folder / "log"
        data = ("--data-dir", str(folder / "data"))
        self._command = (str(warm_kilde()), "cluster", *data, "--api-port", str(free_port()))
        self._process: Process | None = None
        self.runs = asyncio.Event()

    async def start(self, *, killed_after: float | None = None) -> None:
        """Starts it, and waits for `ready`; or kills it after so many seconds."""
        with self._log.open("ab") as log:
            self._process = process = await asyncio.create_subprocess_exec(*self._command, stdout=PIPE, stderr=log)
        assert process.stdout is not None
        if killed_after is not None:
            await asyncio.sleep(killed_after)
            await self.kill()
            return
        assert await process.stdout.readline() == b"ready\n", self._log.read_text()[-2000:]
        self.runs.set()

    async def kill(self) -> None:
        self.runs.clear()
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGKILL)
            await process.communicate()  # until nobody holds its output: it is gone, and its folder free


@dataclass
class Writer:
    """Writes some objects that nobody else writes, one after another, and remembers what was acknowledged."""

    program: Program
    cluster: KubeCluster
    dice: random.Random
    may_be: dict[Slot, set[State]]  # more than one: the answer to the last write did not come
    count: int = 0

    async def work(self) -> None:
        while True:
            await self.program.runs.wait()
            slot = self.dice.choice(list(self.may_be))
            try:
                await self._settle(slot)
                await self._write(slot)
            except ClusterError as error:
                if error.status not in (0, 409):  # 409: what is to be made anew is on its way out still
                    raise
                await asyncio.sleep(0.02)
            if self.dice.random() < 0.4:
                await asyncio.sleep(self.dice.uniform(0.0, 0.03))

    async def _settle(self, slot: Slot) -> None:
        """Finds out what became of a write whose answer did not come."""
        if len(self.may_be[slot]) > 1:
            raw = await within(self.cluster.get(slot[0], _SPACE, slot[1]))
            found = state_of(json.loads(raw)) if raw else None
            assert found in self.may_be[slot], f"{slot[1]} is {found} and may be {self.may_be[slot]}"
            self.may_be[slot] = {found}

    async def _write(self, slot: Slot) -> None:
        (resource, name), (now,) = slot, self.may_be[slot]
        self.count += 1
        verb = self.dice.choice(("apply", "create")) if now is None else self.dice.choice(("apply", "patch", "delete"))
        new = None if verb == "delete" else self.count
        body = self._body(resource, name)
        self.may_be[slot] = {now, new}
        try:
            match verb:
                case "apply":
                    raw = (await within(self.cluster.apply(resource, body, manager="test"))).raw
                case "create":
                    raw = (await within(self.cluster.create(resource, body, manager="test"))).raw
                case "patch":
                    change = {"metadata": {"annotations": {_MARK: str(new)}}}
                    raw = await within(self.cluster.patch(resource, _SPACE, name, change, manager="test"))
                case _:
                    way = self.dice.choice(("Foreground", "Background"))
                    raw = b""
                    assert await within(self.cluster.delete(resource, _SPACE, name, propagation=way)), f"{name} is lost"
        except ClusterError as error:
            self.may_be[slot] = {now} if error.status else {now, new}
            raise
        told = state_of(json.loads(raw)) if raw else None
        assert told == new or (told is now is None), f"{verb} of {name}, which was {now}: {told}"
        self.may_be[slot] = {told}

    def _body(self, resource: Resource, name: str) -> dict[str, Any]:
        meta = {"name": name, "namespace": _SPACE, "annotations": {_MARK: str(self.count)}}
        version = f"{resource.group}/{resource.version}" if resource.group else resource.version
        body: dict[str, Any] = {"apiVersion": version, "kind": resource.kind, "metadata": meta}
        if resource is not DEPLOYMENTS:
            return body | {("data" if resource is CONFIG_MAPS else "stringData"): {f"key-{self.count % 3}": "x"}}
        labels = {"app": name}
        containers = [{"name": "main", "image": f"example/main:{self.count % 3}"}]
        template = {"metadata": {"labels": labels}, "spec": {"containers": containers}}
        return body | {"spec": {"replicas": 0, "selector": {"matchLabels": labels}, "template": template}}


@dataclass
class View:
    """What one watch has told; each event is held to those before it."""

    cluster: KubeCluster
    resource: Resource
    known: dict[str, int] = field(default_factory=dict)
    listed: dict[str, int] = field(default_factory=dict)
    newest: int = 0

    async def follow(self) -> None:
        async for event in self.cluster.watch(self.resource, _SPACE):
            self._take(event)

    def _take(self, event: WatchEvent) -> None:
        version, what = int(event.resource_version or 0), f"{event.type} {event.name}"
        match event.type:
            case EventType.BROKEN:
                self.listed = {}
            case EventType.LISTED:
                self.listed[event.name] = version
            case EventType.SYNCED:
                assert version >= max((self.newest, *self.listed.values())), "a list that is older than what it has"
                self.known, self.listed, self.newest = self.listed, {}, version
            case _:
                assert version > self.newest, f"{what} at {version}, after {self.newest}"
                assert (event.type is EventType.ADDED) == (event.name not in self.known), f"{what}, which was otherwise"
                self.newest = version
                self.known[event.name] = version
                if event.type is EventType.DELETED:
                    del self.known[event.name]


def state_of(body: dict[str, Any]) -> State:
    """By which write an object is as it is; None where it is on its way out."""
    meta = body["metadata"]
    return None if meta.get("deletionTimestamp") else int(meta["annotations"][_MARK])


async def within(answer: Awaitable[_T]) -> _T:
    async with asyncio.timeout(_PATIENCE):
        return await answer


async def differences(cluster: KubeCluster, writers: list[Writer], views: list[View]) -> list[str]:
    """What is otherwise than was acknowledged, unfinished, or not as a watch has told it."""
    there: dict[str, Objects] = {}
    for resource in KINDS:
        bodies = [json.loads(raw) for raw in await within(cluster.list(resource, _SPACE))]
        there[resource.kind] = {body["metadata"]["name"]: body for body in bodies}
    found = []
    for (resource, name), may_be in [item for one in writers for item in one.may_be.items()]:
        body = there[resource.kind].get(name)
        state = state_of(body) if body else None
        found += [] if state in may_be else [f"{resource.kind} {name} is {state} and may be {may_be}"]
        found += [f"{resource.kind} {name} is being deleted"] if body and state is None else []
    for name, body in there[DEPLOYMENTS.kind].items():
        seen = (body.get("status") or {}).get("observedGeneration")
        found += [] if seen == body["metadata"]["generation"] else [f"nobody has seen the Deployment {name}: {seen}"]
    for view in views:
        now = {key: int(body["metadata"]["resourceVersion"]) for key, body in there[view.resource.kind].items()}
        told = f"a watch of {view.resource.plural} has {view.known.items() - now.items()}, not {now.items() - view.known.items()}"
        found += [told] if view.known != now else []
    return found


async def test_a_killed_server_loses_nothing_and_every_watch_goes_on(tmp_path: Path) -> None:
    seed = int(os.environ.get("KILDE_SEED") or random.randrange(1 << 32))
    print(f"KILDE_SEED={seed}")
    dice, program = random.Random(seed), Program(tmp_path)
    clock, limits = SystemClock(), ClientLimits(first_pause=0.05, longest_pause=0.3, page=3)
    try:
        await program.start()
        cluster = KubeCluster(entry.access(program.kubeconfig, clock, {}), clock, limits=limits)
        space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": _SPACE}}
        await cluster.apply(NAMESPACES, space, manager="test")
        slots: list[Slot] = [(kind, f"n{number}") for kind in KINDS for number in range(5)]
        writers = [
            Writer(program, cluster, random.Random(dice.random()), {slot: {None} for slot in slots[part::4]})
            for part in range(4)
        ]
        views = [View(cluster, kind) for kind in KINDS for _ in range(2)]
        async with asyncio.TaskGroup() as group:
            watching = [group.create_task(view.follow()) for view in views]
            for kill in range(1, KILLS + 1):
                writing = [group.create_task(writer.work()) for writer in writers]
                await asyncio.sleep(dice.uniform(0.0, 0.6))
                await program.kill()
                if dice.random() < 0.3:
                    await program.start(killed_after=dice.uniform(0.0, 0.4))
                await program.start()
                await _end(writing)
                if kill % _REST_EVERY == 0 or kill == KILLS:
                    await _at_rest(cluster, writers, views)
            await _end(watching)
        await cluster.close()
    finally:
        await program.kill()
    assert sum(writer.count for writer in writers) > 5 * KILLS, "hardly anything was written"


async def _end(tasks: list["asyncio.Task[None]"]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


async def _at_rest(cluster: KubeCluster, writers: list[Writer], views: list[View]) -> None:
    loop = asyncio.get_running_loop()
    end = loop.time() + _CALM
    while (found := await differences(cluster, writers, views)) and loop.time() < end:
        await asyncio.sleep(0.1)
    assert found == []
