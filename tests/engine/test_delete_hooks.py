"""Hooks around a deletion: before the objects go, after they are gone, and what is left of the hooks."""

import json
import time
from typing import Any

import pytest

from engine.world import APPLICATIONS, URL, Play, config_map, play
from kilde.core.objects.ref import ObjectRef
from kilde.ports.cluster import Resource

_PRE, _POST = "pre-delete-finalizer.argocd.argoproj.io", "post-delete-finalizer.argocd.argoproj.io"
JOBS = Resource("batch", "v1", "Job", "jobs", True)
AUTO: dict[str, Any] = {"syncPolicy": {"automated": {"prune": True, "selfHeal": True}}}
_OBJECTS = "resources-finalizer.argocd.argoproj.io"

pytestmark = pytest.mark.anyio


def hook(name: str, phase: str, policy: str = "", kind: str = "ConfigMap", **more: Any) -> str:
    annotations = {"argocd.argoproj.io/hook": phase} | (
        {"argocd.argoproj.io/hook-delete-policy": policy} if policy else {}
    )
    version = "batch/v1" if kind == "Job" else "v1"
    return json.dumps(
        {"apiVersion": version, "kind": kind, "metadata": {"name": name, "annotations": annotations}, **more}
    )


def job(name: str, phase: str, policy: str = "") -> str:
    template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "example.com/c"}]}}
    return hook(name, phase, policy, "Job", spec={"template": template})


async def synced(p: Play) -> None:
    await p.application(**AUTO)
    await p.until(lambda: p.sync() == "Synced" and p.phase() == "Succeeded")


def finalizers(p: Play) -> list[str]:
    return list(
        p.cluster.objects()[ObjectRef("argoproj.io", "Application", "argocd", "shop")]["metadata"].get("finalizers")
        or ()
    )


async def finish(p: Play, name: str, condition: str) -> None:
    jobs = ObjectRef("batch", "Job", "shop", name)
    await p.until(lambda: jobs in p.cluster.objects())
    status = {"status": {"conditions": [{"type": condition, "status": "True"}]}}
    await p.cluster.patch(JOBS, "shop", name, status, manager="job-controller", subresource="status")


async def test_an_application_waits_for_its_hooks_when_it_is_deleted() -> None:
    async with play() as p:
        await p.commit(
            a=config_map("a"), bye=job("bye", "PreDelete", "HookSucceeded"), after=job("after", "PostDelete")
        )
        await synced(p)
        assert finalizers(p) == [_OBJECTS, _PRE, f"{_PRE}/cleanup", _POST, f"{_POST}/cleanup"]
        await p.cluster.delete(APPLICATIONS, "argocd", "shop", propagation="Background")
        await p.until(lambda: ObjectRef("batch", "Job", "shop", "bye") in p.cluster.objects())
        await p.quiet()
        assert p.data("a") == {"k": "v"}  # nothing goes while the hook runs
        await finish(p, "bye", "Complete")
        await p.until(lambda: p.data("a") is None)
        await finish(p, "after", "Complete")
        await p.until(lambda: not p.status())
        left = [ref.name for ref in p.cluster.objects() if ref.kind == "Job"]
        assert left == ["after"]  # as Argo CD leaves it: its policy is BeforeHookCreation


async def test_a_hook_that_fails_holds_the_deletion_and_is_tried_again() -> None:
    async with play() as p:
        await p.commit(a=config_map("a"), bye=job("bye", "PreDelete"))
        await synced(p)
        await p.cluster.delete(APPLICATIONS, "argocd", "shop", propagation="Background")
        await finish(p, "bye", "Failed")
        await p.until(
            lambda: (
                "DeletionError: error executing pre-delete hooks: PreDelete hook(s) failed: shop/bye" in p.conditions()
            )
        )
        assert p.data("a") == {"k": "v"}
        first = ObjectRef("batch", "Job", "shop", "bye")
        await p.until(lambda: first in p.cluster.objects() and not p.cluster.objects()[first].get("status"))
        await finish(p, "bye", "Complete")
        await p.until(lambda: not p.status())
        assert p.data("a") is None


async def test_a_hook_that_fails_is_made_anew_as_git_has_it_by_then_and_more_slowly_each_time() -> None:
    async with play() as p:
        await p.commit(a=config_map("a"), bye=job("bye", "PreDelete"))
        await synced(p)
        await p.cluster.delete(APPLICATIONS, "argocd", "shop", propagation="Background")
        bye, pauses = ObjectRef("batch", "Job", "shop", "bye"), []
        for policy in ("HookFailed", "HookSucceeded"):
            await p.until(lambda: bye in p.cluster.objects())
            await p.commit(a=config_map("a"), bye=job("bye", "PreDelete", policy))
            await finish(p, "bye", "Failed")
            failed = time.monotonic()
            await p.until(lambda: bye in p.cluster.objects() and not p.cluster.objects()[bye].get("status"))
            pauses.append(time.monotonic() - failed)
            annotations = p.cluster.objects()[bye]["metadata"]["annotations"]
            assert annotations["argocd.argoproj.io/hook-delete-policy"] == policy
        assert 4.0 < pauses[1] > pauses[0] > 2.0
        await finish(p, "bye", "Complete")
        await p.until(lambda: not p.status())


async def test_hooks_that_leave_git_are_waited_for_no_longer() -> None:
    async with play() as p:
        await p.commit(a=config_map("a"), bye=hook("bye", "PreDelete"))
        await synced(p)
        assert _PRE in finalizers(p)
        await p.commit(a=config_map("a"))
        await p.until(lambda: finalizers(p) == [_OBJECTS])
        p.sources.take_down(URL)
        await p.cluster.delete(APPLICATIONS, "argocd", "shop", propagation="Background")
        await p.until(lambda: not p.status())


async def test_without_the_repository_the_hooks_of_the_last_good_commit_run() -> None:
    async with play() as p:
        await p.commit(a=config_map("a"), bye=job("bye", "PreDelete", "HookSucceeded"))
        await synced(p)
        p.sources.take_down(URL)
        await p.cluster.delete(APPLICATIONS, "argocd", "shop", propagation="Background")
        await finish(p, "bye", "Complete")
        await p.until(lambda: not p.status())
        assert p.data("a") is None
        assert not [ref for ref in p.cluster.objects() if ref.kind == "Job"]


async def test_definitions_stay_when_an_application_goes() -> None:
    names = {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com"},
        "spec": {"group": "example.com", "scope": "Namespaced", "names": names, "versions": [version]},
    }
    async with play() as p:
        await p.commit(a=config_map("a"), crd=json.dumps(definition))
        await synced(p)
        await p.cluster.delete(APPLICATIONS, "argocd", "shop", propagation="Background")
        await p.until(lambda: not p.status())
        assert p.data("a") is None
        assert any(
            ref.kind == "CustomResourceDefinition" and ref.name == "widgets.example.com" for ref in p.cluster.objects()
        )
