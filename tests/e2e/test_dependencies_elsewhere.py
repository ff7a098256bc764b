"""Dependencies between clusters: waits for what another cluster has, also while that one is away, and deletion in reverse."""

import json
from pathlib import Path
from typing import Any

import pytest

from e2e.clusters import Cluster, clusters, secret
from e2e.stage import Stage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

BASE, FRONT, EDGE, LONE, BESIDE = "base", "front", "edge", "lone", "beside"


def config_map(name: str, value: str) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"k": value}})


def deployment(name: str) -> str:
    template = {"metadata": {"labels": {"a": name}}, "spec": {"containers": [{"name": "c", "image": "example.com/c"}]}}
    spec = {"selector": {"matchLabels": {"a": name}}, "template": template}
    return json.dumps({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec})


def make(stage: Stage, name: str, cluster: str, space: str, depends: str = "") -> None:
    """An Application that syncs the folder of its name."""
    meta: dict[str, Any] = {"name": name, "namespace": stage.space, "annotations": {"kilde.dev/depends-on": depends}}
    meta["finalizers"] = ["resources-finalizer.argocd.argoproj.io/background"]  # nobody collects garbage in the west
    spec = {
        "project": "default",
        "source": {"repoURL": stage.url, "path": name, "targetRevision": "main"},
        "destination": {"name": cluster, "namespace": space},
        "syncPolicy": {"automated": {"prune": True, "selfHeal": True}, "syncOptions": ["CreateNamespace=true"]},
    }
    body = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": meta, "spec": spec}
    stage.kubectl("apply", "-f", "-", stdin=json.dumps(body))


def waits(stage: Stage, name: str) -> str:
    """What it waits for; "" for nothing."""
    return _waiting(stage, name).partition(" for ")[2]


def since(stage: Stage, name: str) -> str:
    return _waiting(stage, name).split()[3]


def _waiting(stage: Stage, name: str) -> str:
    return next((text for text in stage.conditions(name) if text.startswith("DependencyWaiting: ")), "")


def value(stage: Stage, name: str, space: str) -> str:
    """What an application's ConfigMap of the home cluster says; "" where it is not there."""
    return str(((stage.get("-n", space, "configmap", name) or {}).get("data") or {}).get("k", ""))


def available(west: Cluster, name: str, space: str) -> None:
    """Does what the controller of Deployments does, which does not run there."""
    counts = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), 1)
    status = json.dumps({"status": {"observedGeneration": 1, **counts}})
    west.kubectl("patch", "deployment", name, "-n", space, "--subresource=status", "--type=merge", "-p", status)


def test_an_application_waits_for_what_another_cluster_has_and_goes_before_it(stage: Stage, tmp_path: Path) -> None:
    pytest.importorskip("cel_expr_python", reason="the extra cel is not installed")
    space = f"shop-{stage.space}"[:60].rstrip("-")
    stage.create_repository(
        {f"{name}/{name}.json": config_map(name, "1") for name in (BASE, FRONT, EDGE, LONE, BESIDE)}
    )
    gate, gateway = f"ConfigMap {space}/gate on west", f"apps/Deployment {space}/gateway on west"
    with clusters(tmp_path, "west") as (west,):
        stage.start()
        secret(stage, "west", *west.way_in())
        make(stage, BESIDE, "in-cluster", space)
        make(stage, FRONT, "in-cluster", space, f"app/base\n{gateway}\n{gate} ready-when object.data.open == 'yes'")
        make(stage, LONE, "in-cluster", space, f"{gate} ready-when object.data.open == 'yes'")
        make(stage, EDGE, "west", space, f"ConfigMap {space}/front on in-cluster")
        lacks = f"application base, which does not exist; {gateway}, which does not exist; {gate}, which does not exist"
        stage.until(lambda: waits(stage, FRONT) == lacks, "nothing is there yet")
        begun = since(stage, FRONT)
        stage.until(
            lambda: waits(stage, EDGE).endswith("/front on in-cluster, which does not exist"), "so says the west"
        )

        make(stage, BASE, "west", space)
        stage.until(lambda: stage.is_well(BASE), "the west has the first of them")
        lacks = f"{gateway}, which does not exist; {gate}, which does not exist"
        stage.until(lambda: waits(stage, FRONT) == lacks, "waits for objects of nobody")
        west.kubectl("create", "configmap", "gate", "-n", space, "--from-literal=open=no")
        west.kubectl("create", "deployment", "gateway", "-n", space, "--image=example.com/c")
        unready = f"{gate}, which is not ready: its condition does not hold"
        stage.until(lambda: waits(stage, FRONT).endswith(unready), "sees what it looks like")
        assert f"{gateway}, which is Progressing" in waits(stage, FRONT)
        available(west, "gateway", space)
        stage.until(lambda: waits(stage, FRONT) == unready, "one of them is well")

        west.end()
        away = "cannot be looked at: cluster west ("
        stage.until(lambda: waits(stage, FRONT).count(away) == 2, "says that the west is away", 20)
        stage.until(lambda: "Connection refused" in waits(stage, LONE), "so says who waits for nothing else", 5)
        head = stage.commit({f"{name}/{name}.json": config_map(name, "2") for name in (FRONT, BESIDE)})
        stage.push()
        stage.until(lambda: stage.is_well(BESIDE, head), "home goes on", 10)
        assert (value(stage, BESIDE, space), value(stage, FRONT, space)) == ("2", "")
        assert since(stage, FRONT) == begun
        west.start()
        west.ready()
        stage.until(lambda: waits(stage, FRONT) == waits(stage, LONE) == unready, "they see the west again")
        west.kubectl("patch", "configmap", "gate", "-n", space, "-p", '{"data": {"open": "yes"}}')
        for name in (LONE, FRONT, EDGE, BASE):
            stage.until(lambda name=name: stage.is_well(name), f"{name} is in step")
        assert (value(stage, FRONT, space), stage.conditions(FRONT)) == ("2", [])
        log = json.loads(stage.kilde("ledger", "log", "-o", "json", "--limit", "100"))
        order = [one["application"].rpartition("/")[2] for one in sorted(log, key=lambda one: int(one["number"]))]
        assert [name for name in dict.fromkeys(order) if name not in (LONE, BESIDE)] == [BASE, FRONT, EDGE]

        stage.kubectl("delete", "application", BASE, FRONT, "-n", stage.space, "--wait=false")
        held = "DeletionWaiting: deletion is held: edge depends on it and stays"
        stage.until(lambda: any(text.startswith(held) for text in stage.conditions(FRONT)), "held by the west")
        waiting = "DeletionWaiting: deletion waits for front, which depends on it and is being deleted"
        stage.until(lambda: stage.conditions(BASE) == [waiting], "and holds the west")
        assert value(stage, FRONT, space) == "2"
        stage.kubectl("delete", "application", EDGE, "-n", stage.space, "--wait=false")

        def in_the_west() -> str:
            return west.kubectl("get", "configmaps", "-n", space, "-o", "name")

        def all_gone() -> bool:
            front, there = value(stage, FRONT, space), in_the_west()
            assert front or "/edge" not in there, "home's goes after the west's that needs it"
            assert "/base" in there or not value(stage, FRONT, space), "and before the west's that it needs"
            return "/base" not in there

        stage.until(all_gone, "everything is gone")
        left = "".join(f"application.argoproj.io/{name}\n" for name in (BESIDE, LONE))
        stage.until(
            lambda: stage.kubectl("get", "applications", "-n", stage.space, "-o", "name") == left, "they are gone, too"
        )
        assert "configmap/gate" in in_the_west()
