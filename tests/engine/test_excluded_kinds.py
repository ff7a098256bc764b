"""Excluded kinds with a controller around them: neither applied, nor pruned, nor deleted, and said in Argo CD's words."""

import json
from typing import Any

import pytest

from engine.world import APPLICATIONS, CONFIG_MAPS, Play, config_map, play
from kilde.core.access.kind_filter import read_kind_filter
from kilde.core.apps.customizations import read_customizations
from kilde.core.objects.ref import ObjectRef
from kilde.core.plan.tracking import Tracking
from kilde.engine.beside.comparing import Comparer
from kilde.engine.preview.losses import losses

pytestmark = pytest.mark.anyio
POLICY = {"automated": {"prune": True, "selfHeal": True}}
TOLD = ["ExcludedResourceWarning: Resource /ConfigMap a is excluded in the settings"]


def account(name: str) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}})


def accounts(p: Play) -> set[str]:
    return {ref.name for ref in p.cluster.objects() if ref.kind == "ServiceAccount" and ref.namespace == "shop"}


def listed(p: Play) -> list[str]:
    return [each["kind"] for each in p.status().get("resources") or ()]


async def settings(p: Play, **keys: str) -> None:
    metadata = {"name": "argocd-cm", "namespace": "argocd"}
    data = {key.replace("__", "."): text for key, text in keys.items()}
    body: dict[str, Any] = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
    await p.cluster.apply(CONFIG_MAPS, body, manager="person")


async def test_what_is_excluded_is_not_applied_and_what_was_applied_before_stays() -> None:
    async with play() as p:
        await p.commit(a=config_map("a", k="1"), b=account("b"))
        await p.application(syncPolicy=POLICY)
        await p.until(lambda: p.sync() == "Synced" and listed(p) == ["ConfigMap", "ServiceAccount"])
        await settings(p, resource__exclusions="- kinds: [ConfigMap]")
        await p.until(lambda: p.conditions() == TOLD and listed(p) == ["ServiceAccount"])
        await p.by_hand("a", k="by hand")
        await p.commit(a=config_map("a", k="2"), c=account("c"))
        await p.until(lambda: p.sync() == "Synced" and accounts(p) == {"c"}, "others go on, pruning too")
        await p.commit(c=account("c"))
        await p.until(lambda: p.conditions() == [])
        await p.until(lambda: p.sync() == "Synced")
        assert p.data("a") == {"k": "by hand"}
        await p.cluster.delete(APPLICATIONS, "argocd", "shop")
        gone = ObjectRef("argoproj.io", "Application", "argocd", "shop")
        await p.until(lambda: gone not in p.cluster.objects())
        assert (p.data("a"), accounts(p)) == ({"k": "by hand"}, set())


async def test_a_pruned_application_takes_along_what_is_not_excluded() -> None:
    async with play() as p:
        kinds = read_kind_filter({"resource.exclusions": "- kinds: [PersistentVolumeClaim]"})
        by = Comparer(p.cluster, Tracking(), read_customizations({}), kinds)
        there = [{"kind": kind, "namespace": "shop", "name": "a"} for kind in ("ConfigMap", "PersistentVolumeClaim")]
        live: dict[str, Any] = {
            "metadata": {"name": "shop", "finalizers": ["resources-finalizer.argocd.argoproj.io"]},
            "spec": {"destination": {"name": "in-cluster"}},
            "status": {"resources": there},
        }
        ref = ObjectRef("argoproj.io", "Application", "argocd", "shop")
        (found,) = await losses(by, ref, live)
        assert found.text == "its 1 objects are deleted with it (it has the finalizer that says so)"


async def test_what_is_allowed_again_is_taken_up_again() -> None:
    async with play() as p:
        await settings(p, resource__inclusions="- kinds: [ServiceAccount]")
        await p.commit(a=config_map("a", k="1"), b=account("b"))
        await p.application(syncPolicy=POLICY)
        await p.until(lambda: p.sync() == "Synced" and p.conditions() == TOLD and accounts(p) == {"b"})
        assert p.data("a") is None
        await settings(p)
        await p.until(lambda: p.data("a") == {"k": "1"} and p.conditions() == [])


async def test_settings_that_cannot_be_read_stop_deployments_and_deletions_with_one_sentence() -> None:
    async with play() as p:
        await p.commit(a=config_map("a"))
        await p.application(syncPolicy=POLICY)
        await p.until(lambda: p.sync() == "Synced")
        await settings(p, resource__exclusions="kinds: [ConfigMap]")
        words = "argocd-cm: resource.exclusions is not a list of apiGroups, kinds and clusters"
        await p.until(lambda: [words in text for text in p.conditions()] == [True])
        await p.commit(b=config_map("b"))
        await p.cluster.delete(APPLICATIONS, "argocd", "shop")
        await p.until(lambda: any("DeletionError" in text and words in text for text in p.conditions()))
        assert p.data("a") is not None
        await settings(p)
        await p.until(lambda: p.data("a") is None, "deleted when the list can be read")
