"""The writer of statuses, beside others that write the same Application."""

import asyncio
from typing import Any

from kilde import crds
from kilde.core.apps.application import Application
from kilde.core.objects.ref import ObjectRef
from kilde.engine.fleet.applications import APPLICATIONS, Fleet
from kilde.engine.report import Reporter
from kilde.ports.cluster import Resource
from kilde.testing.clock import FakeClock
from kilde.testing.cluster import FakeCluster

DEFINITIONS = Resource("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", False)
NAMESPACES = Resource("", "v1", "Namespace", "namespaces", False)
APPLICATION = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "Application",
    "metadata": {"name": "shop", "namespace": "argocd"},
    "spec": {"project": "default", "destination": {"namespace": "shop"}},
}


def test_a_status_that_somebody_overtook_is_written_at_once_on_the_newest_version() -> None:
    asyncio.run(asyncio.wait_for(_overtaken(), 30))


async def _overtaken() -> None:
    fleet, reporter, told, cluster = await _stage()
    await cluster.patch(APPLICATIONS, "argocd", "shop", _BY_SOMEBODY, manager="person")

    def build(app: Application) -> dict[str, Any]:
        return {**app.status, "seen": app.annotations.get("team")}

    written = await reporter.write("shop", build)  # a wait would not end: nobody advances the clock

    assert written is not None
    assert written.status["seen"] == "sea"
    assert reporter.writes == 2
    assert told == ["shop"]  # the watch will tell nothing new: what somebody asked for would be looked at by nobody
    assert fleet.get("shop") is written


def test_what_others_changed_is_told_where_an_annotation_of_ours_came_after_it() -> None:
    asyncio.run(asyncio.wait_for(_annotated(), 30))


async def _annotated() -> None:
    fleet, reporter, told, cluster = await _stage()
    await cluster.patch(APPLICATIONS, "argocd", "shop", _BY_SOMEBODY, manager="person")
    await reporter.annotate("shop", {"ours": "yes"})
    app = fleet.get("shop")
    assert app is not None
    assert app.annotations == {"team": "sea", "ours": "yes"}
    assert told == ["shop"]


def test_an_application_that_is_gone_does_not_come_back_with_the_answer_to_a_write() -> None:
    asyncio.run(asyncio.wait_for(_gone(), 30))


async def _gone() -> None:
    fleet, reporter, _, cluster = await _stage()
    following = asyncio.create_task(fleet.run())
    await fleet.synced.wait()
    go = asyncio.Event()
    cluster.late = lambda verb, ref: go if (verb, ref.kind) == ("patch", "Application") else None
    writing = asyncio.create_task(reporter.write("shop", lambda app: {**app.status, "seen": "yes"}))
    while not reporter.writes:
        await asyncio.sleep(0)
    await cluster.delete(APPLICATIONS, "argocd", "shop", propagation="Background")
    while fleet.get("shop") is not None:
        await asyncio.sleep(0)
    go.set()
    assert await writing is None
    assert fleet.get("shop") is None
    following.cancel()


_BY_SOMEBODY = {"metadata": {"annotations": {"team": "sea"}}}


async def _stage() -> tuple[Fleet, Reporter, list[str], FakeCluster]:
    """An application that the fleet knows, and whom it tells of."""
    clock = FakeClock()
    cluster = FakeCluster(clock)
    told: list[str] = []
    fleet = Fleet(cluster, "argocd", lambda name, app: told.append(name))
    for definition in crds.definitions():
        await cluster.create(DEFINITIONS, definition, manager="person")
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "argocd"}}
    await cluster.create(NAMESPACES, space, manager="person")
    made = await cluster.create(APPLICATIONS, APPLICATION, manager="person")
    fleet.observe(made.raw)
    return fleet, Reporter(cluster, fleet, clock, manager="kilde"), told, cluster


def test_a_finalizer_that_somebody_adds_stays_where_ours_goes() -> None:
    asyncio.run(asyncio.wait_for(_finalized(), 30))


async def _finalized() -> None:
    fleet, reporter, _, cluster = await _stage()
    await cluster.patch(APPLICATIONS, "argocd", "shop", {"metadata": {"finalizers": ["ours", "b"]}}, manager="person")
    fleet.take(await cluster.get(APPLICATIONS, "argocd", "shop") or b"")
    app = fleet.get("shop")
    assert app is not None
    await cluster.patch(APPLICATIONS, "argocd", "shop", {"metadata": {"finalizers": ["ours", "c"]}}, manager="person")
    await reporter.finalize(app, ["b", "new"])
    found = cluster.objects()[ObjectRef("argoproj.io", "Application", "argocd", "shop")]
    assert found["metadata"]["finalizers"] == ["c", "new"]
