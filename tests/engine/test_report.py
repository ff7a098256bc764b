"""The writer of statuses, beside others that write the same Application."""

import asyncio
from typing import Any

from kilde import crds
from kilde.core.apps.application import Application
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
    clock = FakeClock()
    cluster = FakeCluster(clock)
    fleet = Fleet(cluster, "argocd", lambda name, app: None)
    reporter = Reporter(cluster, fleet, clock, manager="kilde")
    for definition in crds.definitions():
        await cluster.create(DEFINITIONS, definition, manager="person")
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "argocd"}}
    await cluster.create(NAMESPACES, space, manager="person")
    made = await cluster.create(APPLICATIONS, APPLICATION, manager="person")
    fleet.observe(made.raw)
    await cluster.patch(
        APPLICATIONS, "argocd", "shop", {"metadata": {"annotations": {"team": "sea"}}}, manager="person"
    )

    def build(app: Application) -> dict[str, Any]:
        return {**app.status, "seen": app.annotations.get("team")}

    written = await reporter.write("shop", build)  # a wait would not end: nobody advances the clock

    assert written is not None
    assert written.status["seen"] == "sea"
    assert reporter.writes == 2
