"""Actions on objects with a fake cluster around them: what is written, what is refused, what is on record."""

import json
from typing import Any

import pytest

from engine.world import APPLICATIONS, CONFIG_MAPS, NAMESPACES, PROJECTS, Play, config_map, play
from kilde.adapters.clock import SystemClock
from kilde.core.apply.outcome import Phase
from kilde.core.apps.application import read_application
from kilde.core.basics.errors import ClusterError, KildeError
from kilde.core.objects.ref import ObjectRef
from kilde.engine.beside.object_actions import ObjectActions, Pick
from kilde.engine.records.accounts import Accounts
from kilde.testing.cluster import FakeCluster

pytestmark = pytest.mark.anyio
SCRIPT = """
discovery.lua: |
  return {stamp = {}, spawn = {}}
definitions:
- name: stamp
  action.lua: |
    obj.data.stamp = "yes"
    return obj
- name: spawn
  action.lua: |
    return {{operation = "create", resource = {apiVersion = "v1", kind = "Secret",
             metadata = {name = "made", namespace = obj.metadata.namespace}}}}
"""


async def actions(p: Play) -> ObjectActions:
    raw = await p.cluster.get(APPLICATIONS, "argocd", "shop")
    assert raw is not None
    clock = SystemClock()
    app = read_application(json.loads(raw))
    made = ObjectActions(
        p.cluster, clock, app, Accounts(p.records, clock), manager="kilde-cli", home=p.cluster, namespace="argocd"
    )
    await made.load()
    return made


async def begun(p: Play, *names: str) -> None:
    meta = {"name": "argocd-cm", "namespace": "argocd"}
    data = {"resource.customizations.actions.ConfigMap": SCRIPT}
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data}
    await p.cluster.apply(CONFIG_MAPS, body, manager="person")
    await p.commit(**{name: config_map(name) for name in names})
    await p.application(syncPolicy={"automated": {}})
    await p.until(lambda: p.sync() == "Synced" and p.phase() == "Succeeded")


async def refused(p: Play, pick: Pick, name: str = "stamp", **more: Any) -> str:
    with pytest.raises(KildeError) as caught:
        await (await actions(p)).run(pick, name, {}, every=False, asked_by="ann", **more)
    return str(caught.value)


async def test_an_action_is_written_and_put_on_record() -> None:
    async with play() as p:
        await begun(p, "a", "b")
        made = await actions(p)
        listed = await made.listed(Pick(name="a"))
        assert [(str(ref), [one.name for one in offers]) for ref, offers in listed] == [
            ("ConfigMap shop/a", ["spawn", "stamp"])
        ]
        outcome = await made.run(Pick(kind="configmap", name="a"), "stamp", {}, every=False, asked_by="ann")
        assert (outcome.phase, [one.message for one in outcome.results]) == (Phase.SUCCEEDED, ["changed"])
        assert p.data("a") == {"k": "v", "stamp": "yes"}
        again = await (await actions(p)).run(Pick(kind="ConfigMap"), "stamp", {}, every=True, asked_by="ann")
        assert [(one.ref.name, one.message) for one in again.results] == [("a", "unchanged"), ("b", "changed")]
        opened = [one.body for one in p.records.records if one.body.get("cause") == "action stamp"]
        assert [(one["askedBy"][:7], [each["object"] for each in one["plan"]]) for one in opened] == [
            ("person:", ["ConfigMap shop/a"]),
            ("person:", ["ConfigMap shop/a", "ConfigMap shop/b"]),
        ]


async def test_what_is_not_meant_not_there_or_not_the_applications_is_refused() -> None:
    async with play() as p:
        await begun(p, "a", "b")
        assert "2 objects are meant: ConfigMap shop/a, ConfigMap shop/b" in await refused(p, Pick(kind="ConfigMap"))
        assert "no such object is the application's" in await refused(p, Pick(name="kube-root-ca.crt"))
        assert "there is no action 'stmp' (did you mean 'stamp'?)" in await refused(p, Pick(name="a"), "stmp")
        mark = {"annotations": {"argocd.argoproj.io/tracking-id": "other:/ConfigMap:shop/a"}}
        await p.cluster.patch(CONFIG_MAPS, "shop", "a", {"metadata": mark}, manager="person")
        assert "is the application other's, not shop's" in await refused(p, Pick(name="a"))
        await p.delete_by_hand("b")
        assert "is not there" in await refused(p, Pick(name="b"))
        assert p.data("a") == {"k": "v"}


async def test_a_project_that_forbids_what_would_be_made_is_heard_before_anything_is_written() -> None:
    async with play() as p:
        await begun(p, "a")
        spec = {
            "sourceRepos": ["*"],
            "destinations": [{"server": "*", "namespace": "*"}],
            "namespaceResourceBlacklist": [{"group": "", "kind": "Secret"}],
        }
        meta = {"name": "default", "namespace": "argocd"}
        body = {"apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject", "metadata": meta, "spec": spec}
        await p.cluster.apply(PROJECTS, body, manager="person")
        assert "resource :Secret is not permitted in project default" in await refused(p, Pick(name="a"), "spawn")
        assert ObjectRef("", "Secret", "shop", "made") not in p.cluster.objects()


async def test_what_the_cluster_refuses_is_the_outcome() -> None:
    async with play() as p:
        await begun(p, "a")
        made = await actions(p)
        p.cluster.refuse = lambda verb, ref: (
            ClusterError("not today", about=str(ref), status=403) if verb == "patch" and ref.name == "a" else None
        )
        outcome = await made.run(Pick(name="a"), "stamp", {}, every=False, asked_by="ann")
        assert (outcome.phase, outcome.message) == (Phase.FAILED, "not today")
        assert p.data("a") == {"k": "v"}


async def test_an_object_of_another_cluster_is_changed_there_and_its_namesake_here_is_not() -> None:
    async with play() as p:
        await begun(p, "a")
        raw = await p.cluster.get(APPLICATIONS, "argocd", "shop")
        assert raw is not None
        clock, other = SystemClock(), FakeCluster(SystemClock())
        await other.create(
            NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}, manager="person"
        )
        body = {**json.loads(config_map("a")), "metadata": {"name": "a", "namespace": "shop"}}
        await other.create(CONFIG_MAPS, body, manager="person")
        app = read_application(json.loads(raw))
        made = ObjectActions(other, clock, app, None, manager="kilde-cli", home=p.cluster, namespace="argocd")
        await made.load()
        outcome = await made.run(Pick(name="a"), "stamp", {}, every=False, asked_by="ann")
        assert outcome.phase is Phase.SUCCEEDED
        assert other.objects()[ObjectRef("", "ConfigMap", "shop", "a")]["data"] == {"k": "v", "stamp": "yes"}
        assert p.data("a") == {"k": "v"}
