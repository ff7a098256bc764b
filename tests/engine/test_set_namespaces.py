"""ApplicationSets outside of the controller's namespace, against fakes: whose Applications, Secrets and projects are theirs."""

import base64
from typing import Any

import pytest

from engine.world import APPLICATIONS, CONFIG_MAPS, NAMESPACES, SECRETS, URL, Play, config_map, play
from kilde.core.objects.ref import ObjectRef
from kilde.engine.sets.store import SETS

pytestmark = pytest.mark.anyio
POLICY = {"automated": {"prune": True}, "syncOptions": ["CreateNamespace=true"]}
LIST = [{"list": {"elements": [{"name": "one"}]}}]


async def namespaces(p: Play, *names: str) -> None:
    for name in names:
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        await p.cluster.create(NAMESPACES, body, manager="person")


async def parameters(p: Play, **keys: str) -> None:
    body = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "argocd-cmd-params-cm", "namespace": "argocd"},
        "data": {key.replace("__", "."): text for key, text in keys.items()},
    }
    await p.cluster.apply(CONFIG_MAPS, body, manager="person")


async def make(p: Play, namespace: str, generators: list[Any] = LIST, name: str = "all", **spec: Any) -> None:
    template = {
        "metadata": {"name": "{{name}}"},
        "spec": {
            "project": "teams" if namespace != "argocd" else "default",
            "source": {"repoURL": URL, "path": "app", "targetRevision": "HEAD"},
            "destination": {"name": "in-cluster", "namespace": f"{namespace}-{{{{name}}}}"},
            "syncPolicy": POLICY,
        },
    }
    body = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "ApplicationSet",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"generators": generators, "template": template, **spec},
    }
    await p.cluster.create(SETS, body, manager="person")


def found(p: Play, kind: str, namespace: str, name: str) -> dict[str, Any]:
    return p.cluster.objects().get(ObjectRef("argoproj.io", kind, namespace, name)) or {}


def sync(p: Play, namespace: str, name: str = "one") -> str:
    return str(((found(p, "Application", namespace, name).get("status") or {}).get("sync") or {}).get("status", ""))


def error(p: Play, namespace: str, name: str = "all") -> str:
    conditions = (found(p, "ApplicationSet", namespace, name).get("status") or {}).get("conditions") or ()
    return next((c["message"] for c in conditions if c["type"] == "ErrorOccurred" and c["status"] == "True"), "")


async def test_sets_of_one_name_make_applications_of_one_name_each_in_its_own_namespace() -> None:
    async with play() as p:
        keys = {"application__namespaces": "team-*", "applicationsetcontroller__namespaces": "team-*"}
        await parameters(p, **keys)
        await namespaces(p, "team-a", "team-b", "other")
        await p.guests_of_teams("team-*")
        await p.commit(a=config_map("a"))
        for namespace in ("team-a", "team-b", "other", "argocd"):
            await make(p, namespace)
        synced = lambda: sync(p, "team-a") == sync(p, "team-b") == sync(p, "argocd") == "Synced"  # noqa: E731
        await p.until(synced, "all three")
        assert found(p, "Application", "other", "one") == {}
        assert {p.data("a", f"{space}-one") is not None for space in ("team-a", "team-b", "argocd")} == {True}
        await p.cluster.patch(
            APPLICATIONS, "team-a", "one", {"spec": {"source": {"targetRevision": "x"}}}, manager="person"
        )
        revision = lambda: found(p, "Application", "team-a", "one")["spec"]["source"]["targetRevision"]  # noqa: E731
        await p.until(lambda: revision() == "HEAD", "put back")
        two = [{"list": {"elements": [{"name": "two"}]}}]
        await p.cluster.patch(SETS, "team-b", "all", {"spec": {"generators": two}}, manager="person")
        await p.until(lambda: not found(p, "Application", "team-b", "one"), "deleted with what it deployed")
        await p.until(lambda: sync(p, "team-b", "two") == "Synced")
        assert sync(p, "team-a") == sync(p, "argocd") == "Synced"
        resources = lambda: found(p, "ApplicationSet", "team-b", "all")["status"]["resources"]  # noqa: E731
        await p.until(lambda: [(each["namespace"], each["name"]) for each in resources()] == [("team-b", "two")])


async def test_where_applications_may_not_be_a_set_says_so_and_makes_none() -> None:
    async with play(set_namespaces="team-a") as p:
        await namespaces(p, "team-a")
        await p.guests_of_teams("team-a")
        await p.commit(a=config_map("a"))
        await make(p, "team-a")
        words = "Applications may not be in namespace team-a: application.namespaces does not name it"
        await p.until(lambda: error(p, "team-a") == words)
        assert found(p, "Application", "team-a", "one") == {}
        await parameters(p, application__namespaces="team-a")
        await p.until(lambda: sync(p, "team-a") == "Synced", "allowed by now")
        assert error(p, "team-a") == ""


async def test_a_set_asks_only_forges_that_the_owner_names_with_secrets_of_its_own_namespace() -> None:
    async with play(set_namespaces="team-a", application_namespaces="team-a") as p:
        await namespaces(p, "team-a")
        await p.guests_of_teams("team-a")
        for namespace, token in (("argocd", "of-the-owner"), ("team-a", "of-the-team")):
            data = {"token": base64.b64encode(token.encode()).decode()}
            meta = {"name": "forge", "namespace": namespace}
            body = {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "data": data}
            await p.cluster.create(SECRETS, body, manager="person")
        await p.commit(a=config_map("a"))
        block = {"owner": "o", "api": "https://git.example", "tokenRef": {"secretName": "forge", "key": "token"}}
        await make(p, "team-a", [{"scmProvider": {"gitea": block}}])
        await p.until(lambda: "may ask none until" in error(p, "team-a"))
        assert p.web.asked == []
        await parameters(p, applicationsetcontroller__allowed__scm__providers="https://git.example")
        await p.until(lambda: p.web.asked, "asked by now")
        assert {request.headers["Authorization"] for request in p.web.asked} == {"token of-the-team"}
