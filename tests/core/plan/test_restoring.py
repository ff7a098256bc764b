"""What of a deleted object comes back: what its author wrote, and nothing that the cluster had given it."""

from typing import Any

import pytest

from kilde.core.objects.ref import ObjectRef
from kilde.core.plan.restoring import Kept, in_order, restorable

META = {
    "name": "a",
    "namespace": "shop",
    "uid": "u",
    "resourceVersion": "7",
    "generation": 2,
    "creationTimestamp": "2026-01-01T00:00:00Z",
    "managedFields": [{"manager": "kilde"}],
    "deletionTimestamp": "2026-01-02T00:00:00Z",
    "deletionGracePeriodSeconds": 0,
    "ownerReferences": [{"uid": "gone"}],
    "labels": {"app": "a"},
    "annotations": {
        "argocd.argoproj.io/tracking-id": "shop:/ConfigMap:shop/a",
        "deployment.kubernetes.io/revision": "3",
    },
    "finalizers": ["foregroundDeletion", "example.org/keep"],
}
LEFT = {
    "name": "a",
    "namespace": "shop",
    "labels": {"app": "a"},
    "annotations": {"argocd.argoproj.io/tracking-id": "shop:/ConfigMap:shop/a", "kilde.dev/restored": "12"},
    "finalizers": ["example.org/keep"],
}


def test_the_object_without_what_the_server_gave_it_and_with_its_mark() -> None:
    live = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": META, "data": {"k": "v"}, "status": {"x": 1}}
    wanted = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": LEFT, "data": {"k": "v"}}
    assert restorable(live, operation=12) == wanted
    assert live["metadata"] is META


@pytest.mark.parametrize(
    ("kind", "spec", "left"),
    [
        ("Service", {"clusterIP": "10.0.0.9", "clusterIPs": ["10.0.0.9"], "ports": [1]}, {"ports": [1]}),
        ("Service", {"clusterIP": "None", "clusterIPs": ["None"]}, {"clusterIP": "None", "clusterIPs": ["None"]}),
        ("PersistentVolumeClaim", {"volumeName": "pv", "storageClassName": "s"}, {"storageClassName": "s"}),
        ("PersistentVolume", {"claimRef": {"uid": "u"}, "capacity": 1}, {"capacity": 1}),
        ("Namespace", {"finalizers": ["kubernetes"]}, {}),
        ("Pod", {"nodeName": "node-0", "containers": []}, {"containers": []}),
        ("Deployment", {"replicas": 3}, {"replicas": 3}),
        (
            "Job",
            {
                "selector": {"x": 1},
                "template": {"metadata": {"labels": {"controller-uid": "u", "app": "a"}}, "spec": {}},
            },
            {"template": {"metadata": {"labels": {"app": "a"}}, "spec": {}}},
        ),
        ("Job", {"manualSelector": True, "selector": {"x": 1}}, {"manualSelector": True, "selector": {"x": 1}}),
    ],
)
def test_what_the_cluster_gives_it_gives_anew(kind: str, spec: dict[str, Any], left: dict[str, Any]) -> None:
    assert restorable({"kind": kind, "metadata": {"name": "a"}, "spec": spec}, operation=1)["spec"] == left


def test_waves_come_in_order_and_kinds_in_theirs() -> None:
    def kept(kind: str, name: str, wave: int = 0) -> Kept:
        body = {"metadata": {"annotations": {"argocd.argoproj.io/sync-wave": str(wave)}}}
        return Kept(application="a/b", operation=1, at=0.0, ref=ObjectRef("", kind, "s", name), uid=name, body=body)

    groups = in_order(
        [kept("Service", "late", 1), kept("Service", "s"), kept("ConfigMap", "c"), kept("Namespace", "n", 2)]
    )
    assert [[one.ref.name for one in group] for group in groups] == [["c"], ["s"], ["late"], ["n"]]
