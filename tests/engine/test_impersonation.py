"""Syncs as a service account of the project: what is written as whom, and what is not written at all."""

import json
from typing import Any

import pytest

from engine.world import CONFIG_MAPS, PROJECTS, Play, config_map, play
from kilde.core.objects.ref import ObjectRef
from kilde.ports.cluster import Resource

pytestmark = pytest.mark.anyio
AUTO = {"syncPolicy": {"automated": {"prune": True, "selfHeal": True}}}
USER = "system:serviceaccount:shop:deployer"
NOBODY = "no matching service account found for destination server https://kubernetes.default.svc and namespace shop"


def wanted(name: str) -> tuple[str, ObjectRef]:
    return USER, ObjectRef("", "ConfigMap", "shop", name)


async def switch(p: Play, **more: str) -> None:
    keys = {"application.sync.impersonation.enabled": "true", **more}
    meta = {"name": "argocd-cm", "namespace": "argocd"}
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": keys}
    await p.cluster.apply(CONFIG_MAPS, body, manager="person")
    await p.until(lambda: p.controller.context.projects.impersonation.enabled)


async def project(p: Play, *accounts: dict[str, str]) -> None:
    spec: dict[str, Any] = {"sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}]}
    spec["destinationServiceAccounts"] = list(accounts)
    meta = {"name": "team", "namespace": "argocd"}
    body = {"apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject", "metadata": meta, "spec": spec}
    await p.cluster.apply(PROJECTS, body, manager="person")


DEPLOYER = {"server": "https://kubernetes.default.svc", "namespace": "sh*", "defaultServiceAccount": "deployer"}


async def test_syncs_heals_prunes_hooks_and_deletions_are_the_accounts_and_nothing_else_is() -> None:
    hook = {"metadata": {"name": "hook", "annotations": {"argocd.argoproj.io/hook": "PreSync"}}}
    async with play() as p:
        await switch(p)
        await project(p, DEPLOYER)
        await p.commit(a=config_map("a"), b=config_map("b"), h=json.dumps({**json.loads(config_map("h")), **hook}))
        await p.application(project="team", **AUTO)
        await p.until(lambda: p.phase() == "Succeeded")
        assert p.cluster.acted == {wanted("a"), wanted("b"), wanted("hook")}
        p.cluster.acted.clear()
        await p.by_hand("a", k="drift")
        await p.until(lambda: p.data("a") == {"k": "v"})
        assert p.cluster.acted == {wanted("a")}
        p.cluster.acted.clear()
        await p.commit(a=config_map("a"))
        await p.until(lambda: p.data("b") is None)
        assert p.cluster.acted == {wanted("b")}
        p.cluster.acted.clear()
        await p.cluster.delete(
            Resource("argoproj.io", "v1alpha1", "Application", "applications", True), "argocd", "shop"
        )
        await p.until(lambda: p.status() == {} and p.data("a") is None)
        assert wanted("a") in p.cluster.acted


async def test_without_an_account_a_sync_and_a_heal_fail_and_say_so() -> None:
    async with play() as p:
        await switch(p)
        await project(p, {**DEPLOYER, "namespace": "other"})
        await p.commit(a=config_map("a"))
        await p.application(project="team", **AUTO)
        await p.until(lambda: p.phase() in ("Error", "Failed") or "Retrying" in str(p.status().get("operationState")))
        assert p.status()["operationState"]["message"].startswith(NOBODY)
        assert p.data("a") is None
        await project(p, DEPLOYER)
        await p.until(lambda: p.data("a") == {"k": "v"})
        await p.until(lambda: p.phase() == "Succeeded" and p.sync() == "Synced")
        await project(p)
        app = p.controller.context.fleet.get("shop")
        assert app is not None
        await p.until(lambda: p.controller.context.projects.account_refusal(app) == NOBODY)
        await p.by_hand("a", k="drift")
        await p.until(lambda: NOBODY in str(p.status().get("operationState")))
        assert p.data("a") == {"k": "drift"}


async def test_where_it_is_not_enforced_we_write_ourselves() -> None:
    async with play() as p:
        await switch(p, **{"application.sync.impersonation.enforced": "false"})
        await project(p)
        await p.commit(a=config_map("a"))
        await p.application(project="team", **AUTO)
        await p.until(lambda: p.data("a") == {"k": "v"})
        assert p.cluster.acted == set()
