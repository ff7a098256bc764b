"""Fields change hands in the cluster that each application deploys to, and nowhere else."""

import json
from typing import Any

import pytest

from engine.world import CONFIG_MAPS, NAMESPACES
from kilde.adapters.clock import SystemClock
from kilde.core.apps.application import Application, read_application
from kilde.core.basics.values import Object
from kilde.core.plan.tracking import Tracking
from kilde.engine.migration.handover import HandedOver, Handover
from kilde.ports.cluster import Cluster
from kilde.testing.cluster import FakeCluster

pytestmark = pytest.mark.anyio
LAST = "kubectl.kubernetes.io/last-applied-configuration"


def application(name: str, *objects: str) -> Application:
    listed = [{"version": "v1", "kind": "ConfigMap", "namespace": "shop", "name": one} for one in objects]
    return read_application({"metadata": {"name": name, "namespace": "argocd"}, "status": {"resources": listed}})


async def made() -> FakeCluster:
    cluster = FakeCluster(SystemClock())
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
    await cluster.create(NAMESPACES, space, manager="person")
    return cluster


async def deployed(cluster: FakeCluster, app: str, name: str) -> None:
    """As Argo CD leaves it."""
    mark = {"argocd.argoproj.io/tracking-id": f"{app}:/ConfigMap:shop/{name}"}
    meta: Object = {"name": name, "namespace": "shop", "annotations": mark}
    body: Object = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"k": "v"}}
    meta = {**meta, "annotations": {**mark, LAST: json.dumps(body)}}
    await cluster.create(CONFIG_MAPS, {**body, "metadata": meta}, manager="argocd-controller")


async def managers(cluster: FakeCluster, name: str) -> list[tuple[str, str]]:
    raw = await cluster.get(CONFIG_MAPS, "shop", name)
    assert raw is not None
    entries: list[dict[str, Any]] = json.loads(raw)["metadata"]["managedFields"]
    return [(one["manager"], one["operation"]) for one in entries]


async def test_each_in_its_own_cluster() -> None:
    clusters = {name: await made() for name in ("here", "east")}
    for cluster in clusters.values():
        for app in clusters:
            await deployed(cluster, app, f"of-{app}")

    def cluster_of(app: Application) -> Cluster:
        return clusters[app.name]

    apps = [application("here", "of-here", "gone"), application("east", "of-east", "of-here")]  # a copy is not its own
    hands = Handover(cluster_of, Tracking())
    assert await hands.take(apps) == HandedOver(changed=2, same=2, failed=())
    assert await managers(clusters["here"], "of-here") == [("kilde", "Apply")]
    assert await managers(clusters["east"], "of-east") == [("kilde", "Apply")]
    assert await managers(clusters["east"], "of-here") == [("argocd-controller", "Update")]
    assert await hands.take(apps) == HandedOver(changed=0, same=4, failed=())
    assert await hands.give_back(apps) == HandedOver(changed=2, same=2, failed=())
    assert await managers(clusters["east"], "of-east") == [("argocd-controller", "Update")]
    raw = await clusters["east"].get(CONFIG_MAPS, "shop", "of-east")
    assert raw is not None
    said = json.loads(json.loads(raw)["metadata"]["annotations"][LAST])
    assert said["data"] == {"k": "v"}


async def test_what_cannot_be_read_is_told_and_the_rest_goes_on() -> None:
    cluster = await made()
    for name in ("a", "b"):
        await deployed(cluster, "shop", name)

    class Torn:
        """A cluster whose first object has managedFields that nobody can read."""

        def __getattr__(self, name: str) -> Any:
            return getattr(cluster, name)

        async def get(self, resource: Any, namespace: str, name: str) -> bytes | None:
            raw = await cluster.get(resource, namespace, name)
            if name != "a" or raw is None:
                return raw
            body = json.loads(raw)
            body["metadata"]["managedFields"] = [{"operation": "?"}]
            return json.dumps(body).encode()

    torn: Any = Torn()
    found = await Handover(lambda app: torn, Tracking()).take([application("shop", "a", "b")])
    assert (found.changed, found.same) == (1, 0)
    assert found.failed == ("ConfigMap shop/a: invalid operation '?'",)
