"""What is kept of a cluster: beside writes of ours whose answers come late, and after watches that lost what happened meanwhile."""

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest

from engine.world import CONFIG_MAPS
from kilde.core.objects.ref import ObjectRef
from kilde.core.sets.application_set import ApplicationSet
from kilde.engine.fleet.applications import SECRETS, Config
from kilde.engine.fleet.clusters import ClusterSecrets
from kilde.engine.fleet.projects import PROJECTS, Projects
from kilde.engine.sets.store import SETS, SetStore
from kilde.engine.tasks import TaskOwner
from kilde.engine.view.live import LiveView
from kilde.ports.cluster import Resource
from kilde.testing.clock import FakeClock
from kilde.testing.cluster import FakeCluster

pytestmark = pytest.mark.anyio
OURS = ObjectRef("", "ConfigMap", "default", "ours")
MARK = {"argocd.argoproj.io/tracking-id": "shop:/ConfigMap:default/ours"}


def body(**data: str) -> dict[str, Any]:
    meta = {"name": "ours", "namespace": "default", "annotations": MARK}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data}


async def test_an_object_that_is_gone_does_not_come_back_with_the_answer_to_a_write() -> None:
    cluster = FakeCluster(FakeClock())
    async with TaskOwner() as tasks:
        view = LiveView(cluster, tasks, lambda ref, before, now: None)
        await view.need([(CONFIG_MAPS, "default")], patience=5.0)
        answer = await cluster.apply(CONFIG_MAPS, body(a="1"), manager="kilde")
        while view.get(OURS) is None:
            await asyncio.sleep(0)
        await cluster.delete(CONFIG_MAPS, "default", "ours", propagation="Background")
        while view.get(OURS) is not None:
            await asyncio.sleep(0)
        view.observe(OURS, answer.raw)
        assert view.get(OURS) is None
        assert view.tracked_by("shop") == frozenset()

        again = await cluster.apply(CONFIG_MAPS, body(a="2"), manager="kilde")
        view.observe(OURS, again.raw)  # before the watch tells it
        held = view.get(OURS)
        assert held is not None
        assert held.body()["data"] == {"a": "2"}


async def test_what_is_fetched_while_it_goes_is_not_held() -> None:
    cluster = FakeCluster(FakeClock())
    plain = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "ours", "namespace": "default"}}
    await cluster.apply(CONFIG_MAPS, plain, manager="person")
    async with TaskOwner() as tasks:
        view = LiveView(cluster, tasks, lambda ref, before, now: None)
        await view.need([(CONFIG_MAPS, "default")], patience=5.0)
        view.want([OURS])
        go = asyncio.Event()
        cluster.late = lambda verb, ref: go if verb == "get" else None
        loading = asyncio.create_task(view.load([OURS]))
        await asyncio.sleep(0.01)
        await cluster.delete(CONFIG_MAPS, "default", "ours", propagation="Background")
        while view.exists(OURS):
            await asyncio.sleep(0)
        go.set()
        await loading
        assert view.get(OURS) is None


async def test_a_set_that_is_gone_does_not_come_back_with_the_answer_to_a_write() -> None:
    cluster = FakeCluster(FakeClock())
    cluster.serve(SETS)
    told: list[str] = []
    store = SetStore(cluster, "default", lambda key, more: told.append(key))
    following = asyncio.create_task(store.follow())
    await store.synced.wait()
    made = await cluster.create(
        SETS, {"metadata": {"name": "all", "namespace": "default"}, "spec": {}}, manager="person"
    )
    found: list[ApplicationSet] = []
    while not found:
        found = list(store.all())
        await asyncio.sleep(0)
    await cluster.delete(SETS, "default", "all", propagation="Background")
    while store.all():
        await asyncio.sleep(0)
    store.observe(made.raw)
    assert store.all() == ()
    assert told == ["all", "all"]
    following.cancel()


@contextlib.asynccontextmanager
async def followed(follow: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(follow)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def sets(cluster: FakeCluster) -> tuple[Coroutine[Any, Any, None], Callable[[], object]]:
    store = SetStore(cluster, "default", lambda key, more: None)
    return store.follow(), lambda: [one.key for one in store.all()]


def projects(cluster: FakeCluster) -> tuple[Coroutine[Any, Any, None], Callable[[], object]]:
    found = Projects(cluster, "default", FakeClock(), lambda name: None)
    return found.follow(), lambda: [name for name in ("one", "other") if found.lets_in(name, "team")]


def secrets(cluster: FakeCluster) -> tuple[Coroutine[Any, Any, None], Callable[[], object]]:
    config = Config(cluster, "default", lambda: None)
    return config.follow_secrets(), lambda: [one["metadata"]["name"] for one in config.secrets]


def clusters(cluster: FakeCluster) -> tuple[Coroutine[Any, Any, None], Callable[[], object]]:
    found = ClusterSecrets(cluster, "default", lambda: None)
    return found.follow(), lambda: [name for name in ("one", "other") if found.secret(f"https://{name}")]


def secret(name: str, kind: str) -> dict[str, Any]:
    meta = {"name": name, "namespace": "default", "labels": {"argocd.argoproj.io/secret-type": kind}}
    data = {
        key: base64.b64encode(text.encode()).decode() for key, text in (("name", name), ("server", f"https://{name}"))
    }
    return {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "data": data}


def plain(name: str, kind: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "default"}, "spec": {"sourceNamespaces": ["team"]}}


@pytest.mark.parametrize(
    ("follow", "resource", "make", "kind"),
    [
        (sets, SETS, plain, ""),
        (projects, PROJECTS, plain, ""),
        (secrets, SECRETS, secret, "repository"),
        (clusters, SECRETS, secret, "cluster"),
    ],
)
async def test_what_went_while_a_watch_had_expired_is_forgotten(
    follow: Callable[[FakeCluster], tuple[Coroutine[Any, Any, None], Callable[[], object]]],
    resource: Resource,
    make: Callable[[str, str], dict[str, Any]],
    kind: str,
) -> None:
    cluster = FakeCluster(FakeClock())
    cluster.serve(resource)
    following, known = follow(cluster)

    async def until(names: list[str]) -> None:
        async with asyncio.timeout(5.0):
            while known() != names:
                await asyncio.sleep(0.001)

    async with followed(following):
        while not cluster.counts().get("watch"):
            await asyncio.sleep(0)
        for name in ("one", "other"):  # after the first list: by events
            await cluster.create(resource, make(name, kind), manager="person")
        await until(["one", "other"])
        go = asyncio.Event()
        cluster.hold = lambda verb, ref: go if verb == "list" else None
        cluster.expire_watches()
        await cluster.delete(resource, "default", "one", propagation="Background")
        go.set()
        await until(["other"])
