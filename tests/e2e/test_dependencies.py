"""Dependencies as people have them, on both clusters: a wait that outlives kill -9, conditions, and deletion in reverse."""

import json
import signal
from typing import Any

import pytest

from e2e.stage import Stage

DEPENDS = "kilde.dev/depends-on"
pytestmark = pytest.mark.timeout(180)


def config_map(name: str, **data: str) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data or {"k": "v"}})


def application(stage: Stage, name: str, space: str, depends: str) -> str:
    meta: dict[str, Any] = {"name": name, "namespace": stage.space, "annotations": {DEPENDS: depends}}
    spec = {
        "project": "default",
        "source": {"repoURL": stage.url, "path": name, "targetRevision": "main"},
        "destination": {"server": "https://kubernetes.default.svc", "namespace": space},
        "syncPolicy": {"automated": {"prune": True, "selfHeal": True}, "syncOptions": ["CreateNamespace=true"]},
    }
    meta["finalizers"] = ["resources-finalizer.argocd.argoproj.io"]
    return json.dumps({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": meta, "spec": spec})


def condition(stage: Stage, name: str, kind: str) -> str:
    return next((text.partition(": ")[2] for text in stage.conditions(name) if text.startswith(f"{kind}: ")), "")


def test_a_parent_makes_applications_that_wait_and_go_in_reverse(stage: Stage) -> None:
    pytest.importorskip("cel_expr_python", reason="the extra cel is not installed")
    space = f"shop-{stage.space}"[:60].rstrip("-")
    gate = f"ConfigMap {space}/gate ready-when object.data.open == 'yes'"
    stage.create_repository({"README.md": "one after the other"})
    parts = {f"{name}/{name}.json": config_map(name) for name in ("front", "back", "base")}
    children = {
        "parent/front.json": application(stage, "front", space, "app/back"),
        "parent/back.json": application(stage, "back", space, f"app/base\n{gate}"),
        "parent/base.json": application(stage, "base", space, ""),
    }
    stage.commit({**parts, **children})
    stage.start()
    stage.application("parent", "parent", stage.space)
    stage.until(lambda: stage.is_well("base"), "the first of them is synced")
    missing = f"for ConfigMap {space}/gate, which does not exist"
    stage.until(
        lambda: condition(stage, "back", "DependencyWaiting").endswith(missing), "waits for an object of nobody"
    )
    before = condition(stage, "back", "DependencyWaiting")
    stage.stop(how=signal.SIGKILL)
    stage.start()
    stage.kubectl("create", "configmap", "gate", "-n", space, "--from-literal=open=no")
    stage.until(
        lambda: "its condition does not hold" in condition(stage, "back", "DependencyWaiting"), "sees the object"
    )
    assert condition(stage, "back", "DependencyWaiting").split()[2] == before.split()[2]  # it has waited since then
    assert "for application back, which is OutOfSync" in condition(stage, "front", "DependencyWaiting")
    assert stage.get("-n", space, "configmap", "front") is None
    (plan,) = json.loads(stage.kilde("plan", "front", "-o", "json", codes=(1,)))["applications"]
    assert [one["text"] for one in plan["findings"]] == ["will wait for application back, which is OutOfSync"]
    stage.kubectl("patch", "configmap", "gate", "-n", space, "-p", '{"data": {"open": "yes"}}')
    for name in ("back", "front", "parent"):
        stage.until(lambda name=name: stage.is_well(name), f"{name} is synced")
    log = json.loads(stage.kilde("ledger", "log", "-o", "json", "--limit", "100"))
    order = [one["application"].rpartition("/")[2] for one in sorted(log, key=lambda one: int(one["number"]))]
    assert [name for name in dict.fromkeys(order) if name in ("base", "back", "front")] == ["base", "back", "front"]

    stage.kubectl("delete", "application", "base", "-n", stage.space, "--wait=false")
    stage.until(
        lambda: condition(stage, "base", "DeletionWaiting").startswith("deletion is held: back depends on it"), "held"
    )
    assert stage.get("-n", space, "configmap", "base") is not None
    stage.kubectl("delete", "application", "parent", "-n", stage.space, "--wait=false")
    gone: list[str] = []

    def all_gone() -> bool:
        there = stage.kubectl("get", "configmaps", "-n", space, "-o", "name").split()  # all at one moment
        gone.extend(n for n in ("front", "back", "base") if n not in gone and f"configmap/{n}" not in there)
        return len(gone) == 3 and not stage.kubectl("get", "applications", "-n", stage.space, "-o", "name").strip()

    stage.until(all_gone, "everything is gone")
    assert gone == ["front", "back", "base"]


def test_a_cycle_is_drawn_and_nothing_of_it_is_synced_until_it_is_broken(stage: Stage) -> None:
    space = f"shop-{stage.space}"[:60].rstrip("-")
    stage.create_repository({f"{name}/{name}.json": config_map(name) for name in ("shop", "database")})
    stage.start()
    item = f"ConfigMap {space}/shop"
    for name, depends in (("shop", "app/database"), ("database", item)):
        stage.kubectl("apply", "-f", "-", stdin=application(stage, name, space, depends))
    edges = ("shop: kilde.dev/depends-on item 1", f"database: kilde.dev/depends-on item 1, {item} of shop")
    drawn = {
        "shop": f"depends on itself: shop → database → shop ({'; '.join(edges)})",
        "database": f"depends on itself: database → shop → database ({'; '.join(reversed(edges))})",
    }
    for name in drawn:
        stage.until(lambda name=name: condition(stage, name, "DependencyError") == drawn[name], f"{name} says so")
    refused = stage.said("app", "sync", "shop")
    assert (refused.returncode, "depends on itself" in refused.stderr + refused.stdout) == (1, True), refused
    assert stage.get("-n", space, "configmap", "shop") is None
    stage.kubectl("annotate", "application", "database", "-n", stage.space, f"{DEPENDS}-")
    for name in ("database", "shop"):
        stage.until(lambda name=name: stage.is_well(name), f"{name} is synced")
    assert condition(stage, "shop", "DependencyError") == ""
