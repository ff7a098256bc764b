"""A shadow of Flux in the cluster as it would be: marks come with inventories, Flux is followed, and what it cannot say is told."""

from typing import Any

import pytest

from engine.world import CONFIG_MAPS, URL, Play, config_map, play
from kilde.adapters.clock import SystemClock
from kilde.core.basics.errors import KildeError
from kilde.core.migrate.shadow import AppShadow
from kilde.engine.migration.flux.after import AfterFlux
from kilde.engine.migration.shadow import Book, ShadowReporter
from kilde.ports.cluster import Cluster, Resource
from kilde.testing.cluster import FakeCluster

pytestmark = pytest.mark.anyio
KUSTOMIZATIONS = Resource("kustomize.toolkit.fluxcd.io", "v1", "Kustomization", "kustomizations", True)
REPOSITORIES = Resource("source.toolkit.fluxcd.io", "v1", "GitRepository", "gitrepositories", True)
FLUX = "kustomize-controller"
_WRITES = ("apply", "create", "update", "patch", "delete")


class Beside:
    """A Flux with one Kustomization that deploys ConfigMaps, and its shadow."""

    def __init__(self) -> None:
        self.after: AfterFlux | None = None
        self.book: Book | None = None

    def view(self, cluster: FakeCluster) -> Cluster:
        self.after = AfterFlux(cluster, SystemClock(), "argocd")
        self.book = Book(self.after.voice)
        return self.after

    def report(self, *arguments: Any, **named: Any) -> ShadowReporter:
        assert self.book is not None
        return ShadowReporter(*arguments, book=self.book, **named)

    async def begin(self, one: Play) -> None:
        assert self.after is not None
        assert self.book is not None
        self.book.context = one.controller.context
        for kind in (KUSTOMIZATIONS, REPOSITORIES):
            one.cluster.serve(kind, {"type": "object", "x-kubernetes-preserve-unknown-fields": True}, has_status=False)
        await one.cluster.discovery(refresh=True)
        spec: dict[str, Any] = {"url": URL, "ref": {"branch": "HEAD"}}
        await one.cluster.create(REPOSITORIES, _made(REPOSITORIES, "config", spec), manager="person")
        spec = {"path": "./app", "prune": True, "targetNamespace": "shop"}
        spec |= {"sourceRef": {"kind": "GitRepository", "name": "config"}}
        await one.cluster.create(KUSTOMIZATIONS, _made(KUSTOMIZATIONS, "shop", spec), manager="person")
        self.after.retrack = one.controller.retrack

    async def apply(self, one: Play, name: str, **data: str) -> None:
        """As kustomize-controller applies an object."""
        labels = {f"{KUSTOMIZATIONS.group}/name": "shop", f"{KUSTOMIZATIONS.group}/namespace": "argocd"}
        meta = {"name": name, "namespace": "shop", "labels": labels}
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data}
        await one.cluster.apply(CONFIG_MAPS, body, manager=FLUX)

    async def say(self, one: Play, revision: str, *names: str, **ready: str) -> None:
        """Its status: what it has applied, and the condition Ready."""
        ready = {"type": "Ready", "status": "True", "reason": "ReconciliationSucceeded", **ready}
        entries = [{"id": f"shop_{name}__ConfigMap", "v": "v1"} for name in names]
        applied = {"lastAppliedRevision": f"HEAD@sha1:{revision}", "inventory": {"entries": entries}}
        patch = {"status": {**applied, "conditions": [ready]}}
        await one.cluster.patch(KUSTOMIZATIONS, "argocd", "shop", patch, manager=FLUX)

    def told(self, one: Play) -> AppShadow | None:
        assert self.book is not None
        found = self.book.told(one.controller.context.fleet.all())
        return found[0] if found else None


def _made(resource: Resource, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    meta = {"name": name, "namespace": "argocd"}
    return {"apiVersion": f"{resource.group}/v1", "kind": resource.kind, "metadata": meta, "spec": spec}


async def test_marks_come_with_the_inventory_and_a_later_commit_of_flux_is_followed() -> None:
    beside = Beside()
    async with play(shadow=True, report=beside.report, view=beside.view) as one:
        listed = "resources: [a.yaml, b.yaml]"
        first = await one.commit(a=config_map("a", k="v"), b=config_map("b", k="v"), kustomization=listed)
        await beside.begin(one)
        await beside.apply(one, "a", k="v")
        await beside.apply(one, "b", k="v")
        await beside.say(one, first, "a")  # as between two reconciliations
        assert beside.after is not None
        await beside.after.look()
        await one.until(lambda: (told := beside.told(one)) and told.changes, "b is not its own yet")
        before = one.cluster.counts()
        told = beside.told(one)
        assert told is not None
        assert told.changes == ("update ConfigMap shop/b: metadata.annotations",)
        follow = one.controller.context.start("follow", beside.after.follow())
        await beside.say(one, first, "a", "b")
        await one.until(lambda: (told := beside.told(one)) and told.agrees, "b has come with the inventory")
        told = beside.told(one)
        assert told is not None
        assert {field.name: field.ours for field in told.fields} == {
            "sync.status": "Synced",
            "sync.revision": first,
            "resources[ConfigMap shop/a]": "Synced",
            "resources[ConfigMap shop/b]": "Synced",
        }
        second = await one.commit(a=config_map("a", k="w"), b=config_map("b", k="v"), kustomization=listed)
        await one.until(lambda: (told := beside.told(one)) and told.changes == ("update ConfigMap shop/a: data.k",))
        await beside.apply(one, "a", k="w")
        await beside.say(one, second, "a", "b")
        await one.until(lambda: (told := beside.told(one)) and told.agrees, "Flux has come after")
        told = beside.told(one)
        assert told is not None
        assert {"sync.revision", "sync.status"} < set(told.passing)
        await beside.say(one, second, "a", "b", status="False", reason="DependencyNotReady", message="dependency x")
        await one.until(lambda: (told := beside.told(one)) and told.silent, "it has no verdict")
        told = beside.told(one)
        assert told is not None
        assert told.silent == "Flux has no verdict (DependencyNotReady): dependency x"
        follow.cancel()
        after = one.cluster.counts()
    theirs = {"apply": 1, "patch": 3}  # Flux' own, in this test
    written = {verb: after.get(verb, 0) - before.get(verb, 0) for verb in _WRITES}
    assert {verb: count for verb, count in written.items() if count} == theirs


async def test_a_cluster_without_anything_that_moves_has_no_shadow() -> None:
    after = AfterFlux(FakeCluster(SystemClock()), SystemClock(), "argocd")
    with pytest.raises(KildeError, match="Flux: has nothing that would become an Application"):
        await after.look()
