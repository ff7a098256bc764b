"""Every beginning of what a cluster wrote is what some kill leaves of it: from each of them it comes to rest, and is right.

No process is killed for that: a cluster in this one is given the writes up to some point, and its time goes on by hand.
KILDE_KILL_POINTS sets how many points (120), KILDE_SEED repeats a run (a failure prints it).
"""

import asyncio
import os
import random
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from kilde.kubeapi import controllers
from kilde.kubeapi.bootstrap import bootstrap
from kilde.kubeapi.controllers.clock import START_OF_TESTS, VirtualClock
from kilde.kubeapi.controllers.loop import Loop
from kilde.kubeapi.custom_kinds import CustomKinds
from kilde.kubeapi.interface import ApiError
from kilde.kubeapi.local import LocalApi
from kilde.kubeapi.resources.release import release
from kilde.kubeapi.storage.journal import Entry, NoJournal
from kilde.kubeapi.storage.store import Store
from kilde.kubeapi.upkeep.loop import Upkeep
from kilde.kubeapi.upkeep.service_addresses import ServiceAddresses
from kilde.kubeapi.world import World

POINTS = int(os.environ.get("KILDE_KILL_POINTS", "120"))
pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.timeout(120 + POINTS)]

_SPACES = ("a", "fleeting")
_ACTS = 16  # a story
_EVERY = 3  # of so many writes, one is the last before a kill
_PATIENCE = 60.0  # seconds of the cluster's: a pod that nobody runs is given up after 20
_MOOT = (403, 404, 409, 422)  # what a story asks at random may make no sense
_LABELS = {"app": "x"}
_VERBS = (*["deployment"] * 4, *["delete"] * 4, "service", "job", "config", "space", "kind", "kinds")
DEPLOYMENTS, SERVICES, JOBS = "deployments.apps", "services", "jobs.batch"
ADDRESSES, DEFINITIONS = "ipaddresses.networking.k8s.io", "customresourcedefinitions.apiextensions.k8s.io"


class Written(NoJournal):
    """Begins with given writes, and keeps those that come, each with its moment."""

    def __init__(self, given: Sequence[Entry], clock: VirtualClock) -> None:
        super().__init__()
        self.kept, self.moments, self._clock = list(given), [clock.now()] * len(given), clock

    def entries(self) -> Iterator[Entry]:
        return iter(self.kept.copy())

    def last(self) -> int:
        return self.kept[-1].version if self.kept else 0

    def append(self, entries: Sequence[Entry]) -> None:
        self.kept += entries
        self.moments += [self._clock.now()] * len(entries)
        super().append(entries)


@dataclass(frozen=True)
class Cluster:
    """A cluster without HTTP: what is stored, who works on it, and its time."""

    written: Written
    store: Store
    clock: VirtualClock
    api: LocalApi
    loop: Loop

    async def go_on(self, seconds: float) -> None:
        await self.loop.advance(self.clock, seconds)
        await self.turns(30)  # of garbage collection, which the loop of the controllers knows nothing about

    async def turns(self, count: int) -> None:
        for _ in range(count):
            await asyncio.sleep(0)

    async def faults_at_rest(self) -> list[str]:
        """What is wrong when nothing moves any more, or after all patience."""
        end = self.clock.now() + _PATIENCE
        await self.go_on(0.1)
        while (found := faults(self.objects())) and self.clock.now() < end:
            await self.go_on(1.0)
        return found

    def objects(self) -> dict[str, list[dict[str, Any]]]:
        return {name: [one.object() for one in self.store.all(name)] for name in self.store.resources()}


@asynccontextmanager
async def cluster(given: Sequence[Entry], now: float) -> AsyncIterator[Cluster]:
    """A cluster as it starts after a kill that left these writes."""
    clock = VirtualClock(speed=0.0, start=now, seed=0)
    written = Written(given, clock)
    store = Store(written)
    world = World(store, clock=clock.now, service_range="10.0.0.0/16", serves=release())
    kinds, api = CustomKinds(world), LocalApi(world)
    bootstrap(world)
    ServiceAddresses(world)
    moving = controllers.assemble(api, lambda: world.kinds.served, clock=clock)
    assert moving.loop is not None
    jobs = [asyncio.ensure_future(job()) for job in (*moving.jobs.values(), Upkeep(world, "").run)]
    try:
        yield Cluster(written, store, clock, api, moving.loop)
    finally:
        kinds.stop()
        for job in jobs:
            job.cancel()
        ends = await asyncio.gather(*jobs, return_exceptions=True)
        assert [end for end in ends if isinstance(end, Exception)] == []


def faults(objects: dict[str, list[dict[str, Any]]]) -> list[str]:
    """What must not be in a cluster at rest."""
    every = [(resource, body) for resource, bodies in objects.items() for body in bodies]
    uids = {body["metadata"]["uid"] for _, body in every}
    spaces = {body["metadata"]["name"] for body in objects["namespaces"]}
    found = []
    for resource, body in every:
        meta = body["metadata"]
        name = f"{resource} {meta['name']}"
        owners = [owner["uid"] for owner in meta.get("ownerReferences") or ()]
        found += [f"{name} is still being deleted"] if meta.get("deletionTimestamp") else []
        found += [f"{name} is left of a namespace"] if meta.get("namespace", "default") not in spaces else []
        found += [f"{name} is left of its owner"] if not set(owners) <= uids else []
        found += [f"{name} is left of its definition"] if _is_undefined(resource, objects) else []
    found += [text for body in objects.get(DEPLOYMENTS, ()) for text in _of_deployment(body)]
    found += [text for body in objects.get("replicasets.apps", ()) for text in _of_replica_set(body)]
    ends = {"Complete", "Failed"}
    for job in objects.get(JOBS, ()):
        told = {one["type"] for one in job.get("status", {}).get("conditions") or ()}
        found += [] if told & ends else [f"the job {job['metadata']['name']} never ends"]
    return found + _of_addresses(objects)


def _is_undefined(resource: str, objects: dict[str, list[dict[str, Any]]]) -> bool:
    defined = {body["metadata"]["name"] for body in objects.get(DEFINITIONS, ())}
    return resource.endswith(".example.dev") and resource not in defined


def _of_deployment(body: dict[str, Any]) -> list[str]:
    status, wanted = body.get("status") or {}, body["spec"]["replicas"]
    counts = [status.get(f"{name}eplicas", 0) for name in ("r", "updatedR", "readyR", "availableR")]
    told = {one["type"]: (one["status"], one["reason"]) for one in status.get("conditions") or ()}
    is_right = (
        status.get("observedGeneration") == body["metadata"]["generation"]
        and counts == [wanted] * 4
        and not status.get("terminatingReplicas")
        and told.get("Available", ("", ""))[0] == "True"
        and told.get("Progressing") == ("True", "NewReplicaSetAvailable")
    )
    return [] if is_right else [f"the Deployment {body['metadata']['name']} wants {wanted}: {status}"]


def _of_replica_set(body: dict[str, Any]) -> list[str]:
    status, wanted = body.get("status") or {}, body["spec"]["replicas"]
    seen = (status.get("observedGeneration"), status.get("replicas", 0), status.get("terminatingReplicas", 0))
    is_right = seen == (body["metadata"]["generation"], wanted, 0)
    return [] if is_right else [f"the ReplicaSet {body['metadata']['name']} wants {wanted}: {status}"]


def _of_addresses(objects: dict[str, list[dict[str, Any]]]) -> list[str]:
    held = {
        (address, body["metadata"]["namespace"], body["metadata"]["name"])
        for body in objects.get(SERVICES, ())
        for address in body["spec"].get("clusterIPs") or ()
    }
    there = {
        (body["metadata"]["name"], *(body["spec"]["parentRef"][key] for key in ("namespace", "name")))
        for body in objects.get(ADDRESSES, ())
    }
    return [f"addresses of no Service: {there - held}, not there: {held - there}"] if held != there else []


@dataclass(frozen=True)
class Story:
    """What happens in a cluster, at random."""

    dice: random.Random
    here: Cluster

    async def tell(self) -> None:
        for space in _SPACES:
            await self._make("namespaces", "v1", "Namespace", "", space)
        await self.here.go_on(1.0)
        for _ in range(_ACTS):
            try:
                await self._act()
            except ApiError as error:
                if error.status not in _MOOT:
                    raise
            await self.here.turns(self.dice.choice((0, 1, 2, 5, 10, 40)))
            if self.dice.random() < 0.3:
                await self.here.go_on(self.dice.choice((0.1, 1.0, 3.0)))

    async def _act(self) -> None:
        dice, number = self.dice, self.dice.randrange(3)
        space, name = dice.choice((*_SPACES[:1] * 3, _SPACES[1])), f"n{number}"
        pod = {"terminationGracePeriodSeconds": 1, "containers": [{"name": "main", "image": f"example/{number}"}]}
        template = {"metadata": {"labels": _LABELS}, "spec": pod}
        match dice.choice(_VERBS):
            case "deployment":
                spec = {"selector": {"matchLabels": {"app": name}}, "replicas": dice.choice((0, 0, 1, 2))}
                labelled = {**template, "metadata": {"labels": {"app": name, "n": str(dice.randrange(3))}}}
                await self._make(DEPLOYMENTS, "apps/v1", "Deployment", space, name, {**spec, "template": labelled})
            case "service":
                ports = [{"port": 80, "protocol": "TCP"}]
                await self._make(SERVICES, "v1", "Service", space, name, {"selector": _LABELS, "ports": ports})
            case "job":
                once = {**template, "spec": {**pod, "restartPolicy": "Never"}}
                await self._make(JOBS, "batch/v1", "Job", space, name, {"template": once})
            case "config":
                await self._make("configmaps", "v1", "ConfigMap", space, name)
            case "space":
                await self._make("namespaces", "v1", "Namespace", "", _SPACES[1])
            case "kinds":
                await self._make(DEFINITIONS, "apiextensions.k8s.io/v1", *_DEFINED)
            case "kind":
                await self._make("things.example.dev", "example.dev/v1", "Thing", space, name)
            case _:
                kept = [DEPLOYMENTS] * 4 + [SERVICES, SERVICES, JOBS, "configmaps"]
                where = (dice.choice(kept), space, name)
                if dice.random() < 0.2:
                    where = dice.choice((("namespaces", "", _SPACES[1]), (DEFINITIONS, "", "things.example.dev")))
                way = dice.choice(("Foreground", "Foreground", "Background", "Orphan"))
                await self.here.api.delete(*where, propagation=way)

    async def _make(
        self, resource: str, version: str, kind: str, space: str, name: str, spec: dict[str, Any] | None = None
    ) -> None:
        meta = {"name": name} | ({"namespace": space} if space else {})
        body = {"apiVersion": version, "kind": kind, "metadata": meta} | ({"spec": spec} if spec else {})
        await self.here.api.apply(resource, body, manager="story", force=True)


_THING = {"plural": "things", "singular": "thing", "kind": "Thing"}
_OPEN = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
_SPEC = {
    "group": "example.dev",
    "scope": "Namespaced",
    "names": _THING,
    "versions": [{"name": "v1", "served": True, "storage": True, "schema": _OPEN}],
}
_DEFINED = ("CustomResourceDefinition", "", "things.example.dev", _SPEC)


async def test_a_cluster_comes_to_rest_from_whatever_a_kill_leaves() -> None:
    seed = int(os.environ.get("KILDE_SEED") or random.randrange(1 << 32))
    print(f"KILDE_SEED={seed}")
    dice, points, wrong = random.Random(seed), 0, []
    while points < POINTS:
        async with cluster((), START_OF_TESTS) as first:
            await first.go_on(1.0)
            begun = len(first.written.kept)
            await Story(dice, first).tell()
            assert await first.faults_at_rest() == [], "without any kill"
        kept, moments = first.written.kept, first.written.moments
        for point in range(begun + dice.randrange(_EVERY), len(kept), _EVERY):
            async with cluster(kept[:point], moments[point - 1]) as again:
                found = await again.faults_at_rest()
            points += 1
            wrong += [f"killed before the write of {kept[point].key}: {text}" for text in found]
    assert wrong == []


async def test_the_address_of_a_service_goes_where_a_kill_came_between_them() -> None:
    async with cluster((), START_OF_TESTS) as first:
        await first.go_on(1.0)
        body = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s", "namespace": "default"}}
        made = await first.api.apply(SERVICES, {**body, "spec": {"ports": [{"port": 80}]}}, manager="story")
        await first.go_on(1.0)
        begun = len(first.written.kept)
        await first.api.delete(SERVICES, "default", "s")
        await first.go_on(1.0)
    keys = [entry.key for entry in first.written.kept]
    point = keys.index("services/default/s", begun) + 1
    assert f"{ADDRESSES}//{made['spec']['clusterIP']}" in keys[point:]
    async with cluster(first.written.kept[:point], START_OF_TESTS) as again:
        assert await again.faults_at_rest() == []
