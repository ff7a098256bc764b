"""Dependencies at work: syncs that wait, deletions that wait the other way round, and what is refused."""

import asyncio
import json
from typing import Any

import pytest

from engine.world import APPLICATIONS, CONFIG_MAPS, NAMESPACES, PROJECTS, Play, config_map, play
from kilde.core.objects.ref import ObjectRef
from kilde.ports.cluster import Resource

AUTO: dict[str, Any] = {"automated": {"prune": True, "selfHeal": True}}
DEPENDS = "kilde.dev/depends-on"
DEPLOYMENTS = Resource("apps", "v1", "Deployment", "deployments", True)

pytestmark = pytest.mark.anyio


def deployment(name: str) -> str:
    template = {"metadata": {"labels": {"a": name}}, "spec": {"containers": [{"name": "c", "image": "example.com/c"}]}}
    spec = {"replicas": 1, "selector": {"matchLabels": {"a": name}}, "template": template}
    return json.dumps({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec})


async def available(p: Play, name: str) -> None:
    """The Deployment becomes healthy."""
    ref = ObjectRef("apps", "Deployment", "shop", name)
    await p.until(lambda: ref in p.cluster.objects(), f"deployment {name}")
    generation = p.cluster.objects()[ref]["metadata"].get("generation", 1)
    counts = dict.fromkeys(("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), 1)
    status = {"status": {"observedGeneration": generation, **counts}}
    await p.cluster.patch(DEPLOYMENTS, "shop", name, status, manager="deployment-controller", subresource="status")


async def app(
    p: Play, name: str, *, depends: str = "", auto: bool = True, path: str = "", finalizer: bool = True
) -> None:
    """An Application that syncs the folder of its name."""
    meta: dict[str, Any] = {"name": name, "namespace": "argocd"}
    if depends:
        meta["annotations"] = {DEPENDS: depends}
    if finalizer:
        meta["finalizers"] = ["resources-finalizer.argocd.argoproj.io"]
    spec: dict[str, Any] = {
        "project": "default",
        "source": {"repoURL": "https://git.example/shop.git", "path": path or name, "targetRevision": "HEAD"},
        "destination": {"server": "https://kubernetes.default.svc", "namespace": "shop"},
    }
    if auto:
        spec["syncPolicy"] = AUTO
    body = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": meta, "spec": spec}
    await p.cluster.create(APPLICATIONS, body, manager="person")


async def commit(p: Play, **files: str) -> None:
    """`front__a="…"` is front/a.yaml."""
    p.sources.commit(
        "https://git.example/shop.git",
        {f"{name.replace('__', '/')}.yaml": text.encode() for name, text in files.items()},
    )
    await p.controller.push(frozenset(["https://git.example/shop.git"]))


def waits(p: Play, name: str) -> str:
    """What the application waits for, without the time; "" for nothing."""
    found = [c["message"] for c in p.status(name).get("conditions") or () if c["type"] == "DependencyWaiting"]
    return str(found[0]).partition(" for ")[2] if found else ""


def told(p: Play, name: str, kind: str) -> list[str]:
    return [c["message"] for c in p.status(name).get("conditions") or () if c["type"] == kind]


async def ask(p: Play, name: str, **more: Any) -> None:
    operation = {"initiatedBy": {"username": "anna"}, "sync": {"revision": "HEAD"}, **more}
    await p.patch_application({"operation": operation}, name=name)


def well(p: Play, name: str) -> bool:
    return p.sync(name) == "Synced" and p.phase(name) == "Succeeded"


async def test_a_sync_waits_until_what_it_depends_on_is_there_and_healthy() -> None:
    async with play() as p:
        await commit(p, front__a=config_map("front"), back__d=deployment("back"))
        await app(p, "front", depends="app/back")
        await p.until(lambda: waits(p, "front") == "application back, which does not exist")
        await app(p, "back")
        await p.until(lambda: waits(p, "front") == "application back, which is Progressing")
        assert p.data("front") is None
        assert p.sync("front") == "OutOfSync"
        since = told(p, "front", "DependencyWaiting")[0].split()[2]
        assert since.endswith("Z")
        await available(p, "back")
        await p.until(lambda: well(p, "front"))
        await p.until(lambda: not p.conditions("front"))


async def test_a_commit_that_changes_both_reaches_them_in_their_order() -> None:
    async with play() as p:
        await commit(p, front__a=config_map("front", v="1"), back__d=deployment("back"))
        await app(p, "back")
        await app(p, "front", depends="app/back")
        await available(p, "back")
        await p.until(lambda: well(p, "front"))
        await commit(p, front__a=config_map("front", v="2"), back__d=deployment("back").replace("com/c", "com/d"))
        await p.until(lambda: waits(p, "front").startswith("application back, which"))
        assert p.data("front") == {"v": "1"}
        await p.until(lambda: waits(p, "front") == "application back, which is Progressing")
        await available(p, "back")
        await p.until(lambda: p.data("front") == {"v": "2"})


async def test_a_commit_that_changes_only_who_depends_is_not_held_up_by_the_new_revision() -> None:
    async with play() as p:
        await commit(p, front__a=config_map("front", v="1"), back__a=config_map("back"))
        await app(p, "back")
        await app(p, "front", depends="app/back")
        await p.until(lambda: well(p, "front"))
        await commit(p, front__a=config_map("front", v="2"), back__a=config_map("back"))
        await p.until(lambda: p.data("front") == {"v": "2"})


async def test_drift_is_put_back_though_what_it_depends_on_is_unwell() -> None:
    async with play() as p:
        await commit(p, front__a=config_map("front"), back__a=config_map("back"))
        await app(p, "back")
        await app(p, "front", depends="app/back")
        await p.until(lambda: well(p, "front"))
        await p.cluster.delete(APPLICATIONS, "argocd", "back", propagation="Background")
        await p.until(lambda: told(p, "back", "DeletionWaiting"))
        await p.by_hand("front", k="by hand")
        await p.until(lambda: p.data("front") == {"k": "v"})
        await p.delete_by_hand("front")
        await p.until(lambda: p.data("front") == {"k": "v"})


async def test_a_sync_that_was_asked_for_waits_and_can_be_ended_or_told_not_to() -> None:
    async with play() as p:
        await commit(p, front__a=config_map("front"))
        await app(p, "front", depends="app/back", auto=False)
        await p.until(lambda: p.sync("front") == "OutOfSync")
        await ask(p, "front")
        await p.until(
            lambda: "for application back" in str((p.status("front").get("operationState") or {}).get("message"))
        )
        assert p.phase("front") == "Running"
        await p.patch_application({"status": {"operationState": {"phase": "Terminating"}}}, name="front")
        await p.until(lambda: p.phase("front") == "Error")
        assert p.status("front")["operationState"]["message"] == "Operation terminated"
        await p.until(lambda: not p.conditions("front"))
        await ask(p, "front", info=[{"name": DEPENDS, "value": "ignored"}])
        await p.until(lambda: p.phase("front") == "Succeeded")
        assert p.data("front") == {"k": "v"}


@pytest.mark.parametrize("until", ["@synced", "@healthy"])
async def test_less_can_be_asked_of_an_application(until: str) -> None:
    async with play() as p:
        await commit(p, front__a=config_map("front"), back__d=deployment("back"))
        await app(p, "back")
        await p.until(lambda: well(p, "back"))
        await app(p, "front", depends=f"app/back{until}")
        if until == "@healthy":
            await p.until(lambda: waits(p, "front") == "application back, which is Progressing")
            await p.patch_application({"spec": {"syncPolicy": {"automated": None}}}, name="back")
            await commit(p, front__a=config_map("front"), back__d=deployment("back"), back__more=config_map("more"))
            await p.until(lambda: p.sync("back") == "OutOfSync")
            await available(p, "back")
        await p.until(lambda: well(p, "front"))


async def test_an_object_of_nobody_is_waited_for_with_the_health_of_its_kind_or_a_condition() -> None:
    pytest.importorskip("cel_expr_python", reason="the extra cel is not installed")
    async with play() as p:
        await commit(p, front__a=config_map("front"), back__a=config_map("back"))
        await app(p, "front", depends="apps/Deployment web\nConfigMap shop/flags ready-when object.data.open == 'yes'")
        both = "apps/Deployment web, which does not exist; ConfigMap shop/flags, which does not exist"
        await p.until(lambda: waits(p, "front") == both)
        await p.cluster.create(CONFIG_MAPS, json.loads(config_map("flags", open="no")) | _in("flags"), manager="person")
        not_ready = "ConfigMap shop/flags, which is not ready: its condition does not hold"
        await p.until(lambda: waits(p, "front").endswith(not_ready))
        body = json.loads(deployment("web"))
        body["metadata"]["namespace"] = "shop"
        await p.cluster.create(DEPLOYMENTS, body, manager="person")
        await p.until(lambda: "apps/Deployment web, which is Progressing" in waits(p, "front"))
        await available(p, "web")
        await p.until(lambda: waits(p, "front") == not_ready)
        await p.by_hand("flags", open="yes")
        await p.until(lambda: well(p, "front"))
        dependencies = p.controller.targets.home.passes.dependencies
        assert dependencies.awaited.watches == 0


def _in(name: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "shop"}}


async def test_a_kind_that_is_not_served_is_waited_for() -> None:
    async with play() as p:
        await commit(p, front__a=config_map("front"))
        await app(p, "front", depends="example.com/Widget shop/w@present")
        await p.until(lambda: waits(p, "front").endswith("is of a kind that the cluster does not serve"))


async def test_what_cannot_be_understood_is_told_and_nothing_is_synced() -> None:
    async with play() as p:
        await commit(p, front__a=config_map("front"))
        await app(p, "front", depends="app/back@redy, what")
        problems = [
            "kilde.dev/depends-on item 1: until 'redy' is neither synced nor healthy",
            "kilde.dev/depends-on item 2: 'what' is not understood (write app/[NAMESPACE/]NAME, or [GROUP/]KIND [NAMESPACE/]NAME)",
        ]
        await p.until(lambda: told(p, "front", "DependencyError") == problems)
        await p.quiet()
        assert p.data("front") is None
        await ask(p, "front")
        await p.until(lambda: p.phase("front") == "Error")
        await p.patch_application({"metadata": {"annotations": {DEPENDS: None}}}, name="front")
        await p.until(lambda: p.data("front") == {"k": "v"} and not p.conditions("front"))


async def test_a_cycle_is_refused_and_drawn_and_forgotten_when_it_is_broken() -> None:
    async with play() as p:
        await commit(p, a__a=config_map("a"), b__b=config_map("b"))
        await app(p, "a", depends="app/b")
        await app(p, "b", depends="ConfigMap shop/a")
        of_a = "kilde.dev/depends-on item 1"
        of_b = "kilde.dev/depends-on item 1, ConfigMap shop/a of a"
        await p.until(
            lambda: told(p, "a", "DependencyError") == [f"depends on itself: a → b → a (a: {of_a}; b: {of_b})"]
        )
        await p.until(
            lambda: told(p, "b", "DependencyError") == [f"depends on itself: b → a → b (b: {of_b}; a: {of_a})"]
        )
        await p.quiet()
        assert (p.data("a"), p.data("b")) == (None, None)
        await p.patch_application({"metadata": {"annotations": {DEPENDS: None}}}, name="b")
        await p.until(lambda: well(p, "a") and well(p, "b"))
        await p.until(lambda: not p.conditions("a"))
        await p.patch_application({"metadata": {"annotations": {DEPENDS: "app/a"}}}, name="b")
        await p.until(lambda: told(p, "a", "DependencyError") and told(p, "b", "DependencyError"))


async def test_deletion_goes_the_other_way_round() -> None:
    async with play() as p:
        await commit(p, front__a=config_map("front"), back__a=config_map("back"), db__a=config_map("db"))
        await app(p, "db")
        await app(p, "back", depends="app/db")
        await app(p, "front", depends="app/back")
        await p.until(lambda: well(p, "front"))
        gone: list[str] = []
        names = ("front", "back", "db")
        held = asyncio.Event()
        p.cluster.hold = lambda verb, ref: (
            held if (verb, ref.name) == ("delete", "front") and ref.kind == "ConfigMap" else None
        )
        for name in ("db", "back", "front"):
            await p.cluster.delete(APPLICATIONS, "argocd", name, propagation="Background")
        waiting = "deletion waits for back, which depends on it and is being deleted"
        await p.until(lambda: told(p, "db", "DeletionWaiting") == [waiting])
        assert p.data("back") == {"k": "v"}
        held.set()

        def all_gone() -> bool:
            gone.extend(name for name in names if p.data(name) is None and name not in gone)
            return len(gone) == len(names) and not any(p.status(name) for name in names)

        await p.until(all_gone)
        assert gone == ["front", "back", "db"]


async def test_a_deletion_is_held_for_those_that_stay_unless_somebody_says_otherwise() -> None:
    async with play() as p:
        await commit(p, front__a=config_map("front"), back__a=config_map("back"))
        await app(p, "back")
        await app(p, "front", depends="ConfigMap shop/back")
        await p.until(lambda: well(p, "front"))
        await p.cluster.delete(APPLICATIONS, "argocd", "back", propagation="Background")
        text = (
            "deletion is held: front depends on it and stays (delete it too, take the dependency away, or annotate this one with "
            'kilde.dev/delete-despite-dependants: "true")'
        )
        await p.until(lambda: told(p, "back", "DeletionWaiting") == [text])
        await p.quiet()
        assert p.data("back") == {"k": "v"}
        await p.patch_application(
            {"metadata": {"annotations": {"kilde.dev/delete-despite-dependants": "true"}}}, name="back"
        )
        await p.until(lambda: p.data("back") is None and not p.status("back"))


async def test_two_that_depend_on_each_other_can_be_deleted() -> None:
    async with play() as p:
        await commit(p, a__a=config_map("a"), b__b=config_map("b"))
        await app(p, "a", depends="app/b")
        await app(p, "b", depends="app/a")
        await p.until(lambda: told(p, "a", "DependencyError") and told(p, "b", "DependencyError"))
        for name in ("a", "b"):
            await p.cluster.delete(APPLICATIONS, "argocd", name, propagation="Background")
        await p.until(lambda: not p.status("a") and not p.status("b"))


async def test_applications_that_an_application_makes_are_ordered_and_pruned_in_reverse() -> None:
    async with play() as p:
        children = {f"parent__{name}": _child(name, depends) for name, depends in (("front", "app/back"), ("back", ""))}
        content = {"front__a": config_map("front"), "back__d": deployment("back")}
        await commit(p, **children, **content)
        await app(p, "parent")
        await p.until(lambda: waits(p, "front") == "application back, which is Progressing")
        await available(p, "back")
        await p.until(lambda: well(p, "front") and well(p, "parent"))
        await p.cluster.delete(APPLICATIONS, "argocd", "parent", propagation="Background")
        await p.until(lambda: not any(p.status(name) for name in ("parent", "front", "back")))


def _child(name: str, depends: str) -> str:
    return json.dumps(
        {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Application",
            "metadata": {
                "name": name,
                "namespace": "argocd",
                "finalizers": ["resources-finalizer.argocd.argoproj.io"],
                **({"annotations": {DEPENDS: depends}} if depends else {}),
            },
            "spec": {
                "project": "default",
                "source": {"repoURL": "https://git.example/shop.git", "path": name, "targetRevision": "HEAD"},
                "destination": {"server": "https://kubernetes.default.svc", "namespace": "shop"},
                "syncPolicy": AUTO,
            },
        }
    )


async def test_a_project_hides_what_it_does_not_permit() -> None:
    async with play() as p:
        space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "vault"}}
        await p.cluster.create(NAMESPACES, space, manager="person")
        project = {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "AppProject",
            "metadata": {"name": "narrow", "namespace": "argocd"},
            "spec": {"sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "shop"}]},
        }
        await p.cluster.create(PROJECTS, project, manager="person")
        await commit(p, front__a=config_map("front"))
        await app(p, "front", depends="Secret vault/key@present", auto=False)
        await p.patch_application({"spec": {"project": "narrow"}}, name="front")
        await p.until(lambda: p.sync("front") == "OutOfSync")
        await ask(p, "front")
        await p.until(
            lambda: (
                waits(p, "front")
                == "Secret vault/key, which is in namespace vault, which is not permitted in project 'narrow'"
            )
        )


def _waiting(text: str, depends: str) -> str:
    """The same object, with the annotation."""
    body = json.loads(text)
    body["metadata"]["annotations"] = {DEPENDS: depends}
    return json.dumps(body)


async def test_objects_of_a_wave_wait_for_those_of_it_that_they_depend_on() -> None:
    async with play() as p:
        last = _waiting(config_map("last"), "ConfigMap middle")
        middle = _waiting(config_map("middle"), "apps/Deployment shop/first")
        await commit(p, app__a=last, app__b=middle, app__c=deployment("first"), app__d=config_map("free"))
        await app(p, "app")
        await p.until(lambda: p.data("free") is not None and p.phase("app") == "Running")
        await p.quiet()
        assert (p.data("middle"), p.data("last")) == (None, None)
        await available(p, "first")
        await p.until(lambda: well(p, "app") and p.data("last") is not None)
        order = [result["name"] for result in p.status("app")["operationState"]["syncResult"]["resources"]]
        assert order.index("first") < order.index("middle") < order.index("last")


async def test_objects_that_cannot_be_ordered_are_told_and_nothing_is_synced() -> None:
    async with play() as p:
        a, b = _waiting(config_map("a"), "ConfigMap b"), _waiting(config_map("b"), "ConfigMap a, ConfigMap gone, app/x")
        await commit(p, app__a=a, app__b=b)
        await app(p, "app")
        only = (
            "an object waits for other objects of its application to be there and well; say the rest on the Application"
        )
        problems = [
            "ConfigMap shop/b: kilde.dev/depends-on item 2: ConfigMap gone is not in the application",
            f"ConfigMap shop/b: kilde.dev/depends-on item 3: {only}",
            "kilde.dev/depends-on: objects wait for each other: ConfigMap shop/a → ConfigMap shop/b → ConfigMap shop/a",
        ]
        await p.until(lambda: told(p, "app", "DependencyError") == problems)
        await p.quiet()
        assert p.data("a") is None
        await commit(p, app__a=config_map("a"), app__b=_waiting(config_map("b"), "ConfigMap a"))
        await p.until(lambda: well(p, "app") and not p.conditions("app"))
