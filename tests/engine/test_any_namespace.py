"""Applications outside of the controller's namespace: where the controller and their project let them be, and never taken for others."""

import asyncio
import json
from typing import Any

import pytest

from engine.world import APPLICATIONS, CONFIG_MAPS, NAMESPACES, URL, Play, config_map, play
from kilde.core.basics.errors import ClusterError
from kilde.core.objects.ref import ObjectRef
from kilde.engine.fleet.listing import every_application, list_applications
from kilde.ports.cluster import Resource

POLICY = {"automated": {"prune": True, "selfHeal": True}, "syncOptions": ["CreateNamespace=true"]}


async def namespaces(one: Play, *names: str) -> None:
    for name in names:
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        await one.cluster.create(NAMESPACES, body, manager="person")


async def guest(one: Play, namespace: str, name: str = "shop", *, depends: str = "", **spec: Any) -> None:
    body: dict[str, Any] = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": name, "namespace": namespace, "finalizers": ["resources-finalizer.argocd.argoproj.io"]},
        "spec": {
            "project": "teams",
            "source": {"repoURL": URL, "path": "app", "targetRevision": "HEAD"},
            "destination": {"name": "in-cluster", "namespace": f"{namespace}-{name}"},
            "syncPolicy": POLICY,
            **spec,
        },
    }
    if depends:
        body["metadata"]["annotations"] = {"kilde.dev/depends-on": depends}
    await one.cluster.create(APPLICATIONS, body, manager="person")


def _status(one: Play, namespace: str, name: str = "shop") -> dict[str, Any]:
    body = one.cluster.objects().get(ObjectRef("argoproj.io", "Application", namespace, name)) or {}
    return body.get("status") or {}


def sync(one: Play, namespace: str) -> str:
    return str((_status(one, namespace).get("sync") or {}).get("status", ""))


def _waits(one: Play, namespace: str) -> str:
    """What is said of its dependencies."""
    told = _status(one, namespace).get("conditions") or ()
    return "; ".join(each["message"] for each in told if each["type"] in ("DependencyWaiting", "DependencyError"))


def test_two_of_one_name_and_their_namesake_live_side_by_side() -> None:
    async def story() -> None:
        async with play(application_namespaces="team-*") as one:
            await namespaces(one, "team-a", "team-b", "other")
            await one.guests_of_teams("team-*", "other")
            await one.commit(a=config_map("a", k="1"))
            for namespace in ("team-a", "team-b", "other"):
                await guest(one, namespace)
            await one.application(syncPolicy=POLICY)
            await one.until(lambda: sync(one, "team-a") == sync(one, "team-b") == one.sync() == "Synced", "all three")
            marks = {
                ref.namespace: body["metadata"]["annotations"]["argocd.argoproj.io/tracking-id"]
                for ref, body in one.cluster.objects().items()
                if ref.kind == "ConfigMap" and ref.name == "a"
            }
            assert marks == {
                "team-a-shop": "team-a_shop:/ConfigMap:team-a-shop/a",
                "team-b-shop": "team-b_shop:/ConfigMap:team-b-shop/a",
                "shop": "shop:/ConfigMap:shop/a",
            }
            assert _status(one, "team-a")["controllerNamespace"] == "argocd"
            told = {str(record.body["application"]) for record in one.records.read()}
            assert told == {"team-a/shop", "team-b/shop", "argocd/shop"}
            drift = {"data": {"k": "by hand"}}
            await one.cluster.patch(CONFIG_MAPS, "team-a-shop", "a", drift, manager="kubectl-edit")
            await one.until(lambda: one.data("a", "team-a-shop") == {"k": "1"}, "healed")
            await one.cluster.delete(APPLICATIONS, "team-b", "shop")
            await one.until(lambda: one.data("a", "team-b-shop") is None, "deleted with its application")
            await one.commit(b=config_map("b"))
            await one.until(lambda: one.data("b", "team-a-shop") and one.data("b") and not one.data("a"), "go on")
            assert _status(one, "other") == {}

    asyncio.run(story())


def test_they_wait_for_each_other_by_namespace_and_name() -> None:
    async def story() -> None:
        async with play(application_namespaces="team-*") as one:
            await namespaces(one, "team-a", "team-b")
            await one.guests_of_teams("team-*")
            await one.commit(a=config_map("a", k="1"))
            await one.application(syncPolicy=POLICY)
            await guest(one, "team-a", depends="app/team-b/shop, app/argocd/shop, app/shop")
            await one.until(lambda: _waits(one, "team-a"), "waits")
            assert "for application team-b/shop, which does not exist" in _waits(one, "team-a")
            await guest(one, "team-b", depends="app/team-a_shop")
            way = "depends on itself: team-b_shop → team-a_shop → team-b_shop"
            await one.until(lambda: way in _waits(one, "team-b"), "refused")
            alone = {"metadata": {"annotations": {"kilde.dev/depends-on": None}}}
            await one.cluster.patch(APPLICATIONS, "team-b", "shop", alone, manager="person")
            await one.until(lambda: sync(one, "team-a") == sync(one, "team-b") == "Synced", "both")

    asyncio.run(story())


def test_what_an_installation_looks_after_is_listed() -> None:
    async def story() -> None:
        async with play() as one:
            await namespaces(one, "team-a", "team-b", "other")
            await one.application()
            for namespace in ("team-a", "team-b", "other"):
                await guest(one, namespace)

            async def listed(others: str = "", *also: str) -> list[str]:
                found = [json.loads(raw) for raw in await list_applications(one.cluster, "argocd", others, also=also)]
                return sorted(body["metadata"]["namespace"] for body in found)

            assert await listed() == ["argocd"]
            assert await listed("", "other") == ["argocd", "other"]
            assert await listed("team-*") == ["argocd", "team-a", "team-b"]
            settings = {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": "argocd-cmd-params-cm", "namespace": "argocd"},
                "data": {"application.namespaces": "team-b"},
            }
            await one.cluster.create(CONFIG_MAPS, settings, manager="person")
            assert await listed() == ["argocd", "team-b"]
            assert await listed("", "other") == ["argocd", "other", "team-b"]

    asyncio.run(story())


def test_a_project_has_to_let_them_in_and_the_default_one_does_not() -> None:
    async def story() -> None:
        async with play() as one:
            await namespaces(one, "team-a", "team-b")
            body = {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": "argocd-cmd-params-cm", "namespace": "argocd"},
                "data": {"application.namespaces": "/^team-/"},
            }
            await one.cluster.create(CONFIG_MAPS, body, manager="person")
            await one.guests_of_teams("team-b")
            await one.commit(a=config_map("a"))
            await guest(one, "team-a")
            await guest(one, "team-b", "mine", project="default")
            await one.until(lambda: _status(one, "team-a").get("conditions"), "refused by its project")
            await one.until(lambda: _status(one, "team-b", "mine").get("conditions"), "refused by the default one")
            told = [_status(one, *where)["conditions"][0] for where in (("team-a", "shop"), ("team-b", "mine"))]
            assert [(each["type"], each["message"]) for each in told] == [
                ("UnknownError", "application 'shop' in namespace 'team-a' is not allowed to use project teams"),
                ("UnknownError", "application 'mine' in namespace 'team-b' is not allowed to use project default"),
            ]
            assert one.data("a", "team-a-shop") is None
            await one.guests_of_teams("team-a", "team-b")
            await one.until(lambda: sync(one, "team-a") == "Synced", "let in by now")

    asyncio.run(story())


def test_a_set_does_not_take_a_guest_for_its_own() -> None:
    async def story() -> None:
        async with play(application_namespaces="*") as one:
            await namespaces(one, "team-a")
            await one.guests_of_teams("team-a")
            await one.commit(a=config_map("a", k="1"))
            template = {"metadata": {"name": "{{name}}"}, "spec": {"project": "default", **json.loads(_SPEC)}}
            sets = Resource("argoproj.io", "v1alpha1", "ApplicationSet", "applicationsets", True)
            body = {
                "apiVersion": "argoproj.io/v1alpha1",
                "kind": "ApplicationSet",
                "metadata": {"name": "teams", "namespace": "argocd"},
                "spec": {"generators": [{"list": {"elements": [{"name": "made"}]}}], "template": template},
            }
            await one.cluster.create(sets, body, manager="person")
            await one.until(lambda: _status(one, "argocd", "made"), "made by the set")
            await guest(one, "team-a")
            made = one.cluster.objects()[ObjectRef("argoproj.io", "ApplicationSet", "argocd", "teams")]
            owner = {
                "apiVersion": "argoproj.io/v1alpha1",
                "kind": "ApplicationSet",
                "name": "teams",
                "uid": made["metadata"]["uid"],
                "controller": True,
            }
            await one.cluster.patch(
                APPLICATIONS, "team-a", "shop", {"metadata": {"ownerReferences": [owner]}}, manager="person"
            )
            await one.until(lambda: sync(one, "team-a") == "Synced", "the guest is in step")
            await one.quiet(0.8)
            there = one.cluster.objects().keys()
            assert ObjectRef("argoproj.io", "Application", "team-a", "shop") in there
            assert ObjectRef("argoproj.io", "Application", "argocd", "made") in there

    asyncio.run(story())


_SPEC = json.dumps(
    {
        "source": {"repoURL": URL, "path": "app", "targetRevision": "HEAD"},
        "destination": {"name": "in-cluster", "namespace": "shop"},
    }
)


def test_who_must_overlook_none_looks_everywhere_and_says_where_it_may_not() -> None:
    async def story() -> None:
        async with play() as one:
            await namespaces(one, "team-a", "other")
            await one.application()
            for namespace in ("team-a", "other"):
                await guest(one, namespace)

            async def seen(others: str = "") -> tuple[list[str], str]:
                raw, unseen = await every_application(one.cluster, "argocd", others)
                return sorted(json.loads(each)["metadata"]["namespace"] for each in raw), unseen

            assert await seen() == (["argocd", "other", "team-a"], "")
            assert await seen("team-*") == (["argocd", "team-a"], "")

            def refuse(verb: str, ref: ObjectRef) -> ClusterError | None:
                everywhere = (verb, ref.kind, ref.namespace) == ("list", "Application", "")
                return ClusterError("forbidden", status=403, reason="Forbidden") if everywhere else None

            one.cluster.refuse = refuse
            words = (
                "Applications outside of argocd may not be listed: --application-namespaces says where there are some"
                " (argocd: nowhere else)"
            )
            assert await seen() == (["argocd"], words)
            assert await seen("argocd") == (["argocd"], "")
            assert await seen("other, team-a") == (["argocd", "other", "team-a"], "")
            with pytest.raises(ClusterError):
                await seen("team-*")

    asyncio.run(story())
