"""`kilde app` where somebody, mostly the controller, writes the Application between its look and its write."""

import asyncio
import json
from collections.abc import Awaitable
from typing import Any

import pytest

from kilde.cli.applications import APPLICATIONS, Applications
from kilde.cli.commands.app.approve import approve
from kilde.cli.commands.app.delete import delete
from kilde.core.basics.errors import KildeError
from kilde.testing.clock import FakeClock
from kilde.testing.cluster import FakeCluster

STATUS = {"status": {"sync": {"status": "Synced"}}}
PARENT = {"metadata": {"finalizers": ["resources-finalizer.argocd.argoproj.io"]}}
DIGEST = "0123456789abcdef" * 4
HELD = f"6 of 7 objects would be deleted. If that is meant: kilde app approve web --plan {DIGEST}, or …"


class World:
    """A cluster with the Application `web`."""

    def __init__(self) -> None:
        self.cluster = FakeCluster(FakeClock())
        self.cluster.serve(APPLICATIONS)
        self.applications = Applications(self.cluster, "default")

    async def create(self, **app: Any) -> dict[str, Any]:
        meta = {"name": "web", "namespace": "default", **app.pop("metadata", {})}
        body = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": meta, "spec": {}, **app}
        await self.cluster.create(APPLICATIONS, body, manager="test")
        return await self.applications.get("web")

    async def found(self) -> Any:
        raw = await self.cluster.get(APPLICATIONS, "default", "web")
        return raw and json.loads(raw)

    async def interrupted(self, work: Awaitable[Any], *, verb: str, by: dict[str, Any]) -> Any:
        """Somebody else's patch comes right before the first call of that verb."""
        held, goes_on = asyncio.Event(), asyncio.Event()

        def hold(said: str, _: object) -> asyncio.Event | None:
            if said != verb or held.is_set():
                return None
            held.set()
            return goes_on

        self.cluster.hold = hold
        running = asyncio.ensure_future(work)
        await held.wait()
        await self.cluster.patch(APPLICATIONS, "default", "web", by, manager="controller")
        goes_on.set()
        return await running


def test_a_sync_is_asked_for_again() -> None:
    async def story() -> Any:
        world = World()
        await world.create()
        await world.interrupted(world.applications.begin("web", {"sync": {"prune": True}}), verb="patch", by=STATUS)
        return (await world.found())["operation"]

    assert asyncio.run(story()) == {"sync": {"prune": True}}


@pytest.mark.parametrize("verb", ["patch", "delete"])
@pytest.mark.parametrize("by", [STATUS, PARENT], ids=["a status", "the finalizer of a parent's Git"])
def test_a_deletion_goes_on(verb: str, by: dict[str, Any]) -> None:
    async def story() -> Any:
        world = World()
        app = await world.create(**PARENT)
        await world.interrupted(delete(world.applications, "web", app, cascade=False), verb=verb, by=by)
        return await world.found()

    assert asyncio.run(story()) is None


def test_a_deletion_is_of_the_application_that_was_asked_about() -> None:
    async def story() -> tuple[str, bool]:
        world = World()
        asked = await world.create()
        await delete(world.applications, "web", asked, cascade=False)
        await world.create()
        before = await world.found()
        with pytest.raises(KildeError) as told:
            await delete(world.applications, "web", asked, cascade=True)
        return str(told.value), await world.found() == before

    assert asyncio.run(story()) == ("web: it was made anew meanwhile (look at it first: kilde app get web)", True)


@pytest.mark.parametrize(
    ("by", "told"),
    [
        (STATUS, ""),
        ({"status": {"conditions": None}}, "web: nothing is held (kilde app get web tells how it is)"),
    ],
    ids=["a status", "nothing is held any more"],
)
def test_an_approval_is_of_what_is_held_when_it_is_written(by: dict[str, Any], told: str) -> None:
    async def story() -> tuple[str, bool]:
        world = World()
        await world.create(status={"conditions": [{"type": "DeletionHeldWarning", "message": HELD}]})
        said = ""
        try:
            await world.interrupted(approve(world.applications, "web", DIGEST[:12]), verb="patch", by=by)
        except KildeError as error:
            said = str(error)
        return said, "annotations" in (await world.found())["metadata"]

    assert asyncio.run(story()) == (told, not told)
