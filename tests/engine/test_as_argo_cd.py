"""Corners in which Argo CD 3.5.7 was watched, and Kilde does as it did."""

import json
from typing import Any

import pytest
from build_real import where

from engine.test_delete_hooks import finish, hook, job
from engine.world import APPLICATIONS, CONFIG_MAPS, NAMESPACES, PROJECTS, URL, Play, config_map, play
from kilde.adapters.programs.helm_template import HelmTemplate
from kilde.adapters.programs.plugins import PluginPrograms
from kilde.core.basics.errors import ClusterError
from kilde.core.objects.ref import ObjectRef
from kilde.core.render.outside import PluginSpec

pytestmark = pytest.mark.anyio
AUTO: dict[str, Any] = {"syncPolicy": {"automated": {}}}
ARGO = "argocd.argoproj.io"
SHOP = ObjectRef("argoproj.io", "Application", "argocd", "shop")


def marked(name: str, *, owned_by: str = "shop", **annotations: str) -> dict[str, Any]:
    """A ConfigMap that carries the tracking id of `shop`, whoever made it."""
    marks = {f"{ARGO}/tracking-id": f"shop:/ConfigMap:shop/{owned_by if owned_by != 'shop' else name}"}
    marks |= {f"{ARGO}/{key.replace('_', '-')}": value for key, value in annotations.items()}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "shop", "annotations": marks},
        "data": {"k": "v"},
    }


def annotated(name: str, **annotations: str) -> str:
    meta = {"name": name, "annotations": {f"{ARGO}/{key.replace('_', '-')}": text for key, text in annotations.items()}}
    return json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"k": "v"}})


def resources(p: Play) -> list[dict[str, Any]]:
    """What the status lists, without what is the same for all."""
    same = ("kind", "version", "namespace", "group")
    return [{key: value for key, value in one.items() if key not in same} for one in p.status().get("resources") or ()]


def results(p: Play) -> list[tuple[str, str, str]]:
    found = p.status()["operationState"].get("syncResult", {}).get("resources") or ()
    return [(one["name"], one["message"], one.get("hookPhase", "")) for one in found]


async def synced(p: Play, **spec: Any) -> None:
    await p.application(**spec)
    await p.until(lambda: p.sync() == "Synced" and p.phase() == "Succeeded")


async def deleted(p: Play) -> None:
    await p.cluster.delete(APPLICATIONS, "argocd", "shop", propagation="Background")


async def operated(p: Play, **sync: Any) -> str:
    """How an operation ends that somebody asks for."""
    await p.patch_application({"operation": {"sync": sync}})

    def state() -> Any:
        return p.status().get("operationState") or {}

    await p.until(
        lambda: state().get("operation", {}).get("sync") == sync and state()["phase"] in ("Succeeded", "Failed")
    )
    return str(state()["message"])


async def test_nothing_is_written_server_side_and_by_force() -> None:
    cannot = "error validating options: --force cannot be used with --server-side"
    server, by_force = "ServerSideApply=true", {"apply": {"force": True}}
    async with play() as p:
        await p.commit(a=config_map("a"), b=annotated("b", sync_options="Force=true"))
        await p.application(syncPolicy={"syncOptions": ["CreateNamespace=true"]})
        failed = f"one or more objects failed to apply, reason: {cannot}"
        assert await operated(p, syncStrategy=by_force, syncOptions=[server]) == failed
        assert results(p) == [("a", cannot, "Failed"), ("b", cannot, "Failed")]
        assert (p.data("a"), p.data("b")) == (None, None)
        assert (await operated(p, syncOptions=[server])).endswith(f", reason: {cannot}")
        assert results(p) == [("a", "configmap/a serverside-applied", "Succeeded"), ("b", cannot, "Failed")]
        assert (p.data("a"), p.data("b")) == ({"k": "v"}, None)
        assert (
            await operated(p, syncStrategy=by_force, syncOptions=[server], dryRun=True)
            == "successfully synced (no more tasks)"
        )
        assert (
            await operated(p, syncStrategy=by_force, syncOptions=[server, "Replace=true"])
            == "successfully synced (all tasks run)"
        )


async def test_no_namespace_is_made_server_side_and_by_force() -> None:
    there = {"server": "https://kubernetes.default.svc", "namespace": "new"}
    async with play() as p:
        await p.commit(a=config_map("a"))
        await p.application(destination=there)
        options = ["CreateNamespace=true", "ServerSideApply=true"]
        failed = "the namespace failed to apply, reason: error validating options: --force cannot"
        assert failed in await operated(p, syncStrategy={"hook": {"force": True}}, syncOptions=options)
        assert ObjectRef("", "Namespace", "", "new") not in p.cluster.objects()
        assert await operated(p, syncOptions=options) == "successfully synced (all tasks run)"
        assert results(p)[0][1] == "namespace/new serverside-applied"


async def test_roles_are_told_as_reconciled_and_then_applied() -> None:
    group, rule = "rbac.authorization.k8s.io", {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}

    def role(*verbs: str) -> str:
        rules = [{**rule, "verbs": verbs}]
        return json.dumps(
            {"apiVersion": f"{group}/v1", "kind": "ClusterRole", "metadata": {"name": "r"}, "rules": rules}
        )

    name, line = (
        f"clusterrole.{group}/r",
        "Verbs:[{}] APIGroups:[] Resources:[pods] ResourceNames:[] NonResourceURLs:[]",
    )
    async with play() as p:
        await p.commit(r=role("get"))
        await p.application()
        await operated(p)
        made = (
            f"{name} reconciled. reconciliation required create\n\tmissing rules added:\n\t\t{{{line.format('get')}}}"
        )
        assert results(p)[0][1].startswith(f"{made}{name} configured. Warning: resource clusterroles/r is missing")
        await operated(p, prune=True)
        assert results(p)[0][1] == f"{name} reconciled{name} unchanged"
        await p.commit(r=role("get", "list"))
        await operated(p)
        made = (
            f"{name} reconciled. reconciliation required update\n\tmissing rules added:\n\t\t{{{line.format('list')}}}"
        )
        assert results(p)[0][1] == f"{made}{name} configured"
        await operated(p, syncOptions=["ServerSideApply=true"])
        assert results(p)[0][1] == f"{name} serverside-applied"


async def test_what_is_there_may_ask_to_be_replaced_or_forced_too() -> None:
    async with play() as p:
        await p.commit(a=annotated("a", sync_options="Replace=true"), b=annotated("b", sync_options="Force=true"))
        await p.application()
        await operated(p)
        await p.by_hand("a", more="by hand")
        await p.commit(a=config_map("a"), b=config_map("b", k="other"))
        fixed = ClusterError("data: field is immutable", status=422, reason="Invalid")
        b = ObjectRef("", "ConfigMap", "shop", "b")
        p.cluster.refuse = lambda verb, ref: fixed if verb == "apply" and ref == b in p.cluster.objects() else None
        await operated(p, prune=True)
        assert results(p) == [("a", "configmap/a replaced", "Running"), ("b", "configmap/b configured", "Running")]
        assert (p.data("a"), p.data("b")) == ({"k": "v"}, {"k": "other"})


@pytest.mark.parametrize(("opted_out", "option"), [(False, "ServerSideApply=true"), (True, ""), (False, "")])
async def test_a_binding_to_another_role_is_made_anew_only_where_it_is_reconciled(opted_out: bool, option: str) -> None:
    group = "rbac.authorization.k8s.io"
    marks = {"rbac.authorization.kubernetes.io/autoupdate": "false"} if opted_out else {}
    how = {"syncOptions": [option]} if option else {}

    def binding(role: str) -> str:
        meta = {"name": "b", "annotations": marks}
        ref = {"apiGroup": group, "kind": "ClusterRole", "name": role}
        return json.dumps({"apiVersion": f"{group}/v1", "kind": "RoleBinding", "metadata": meta, "roleRef": ref})

    there = ObjectRef(group, "RoleBinding", "shop", "b")
    fixed = ClusterError("cannot change roleRef", status=422, reason="Invalid")
    async with play() as p:
        await p.commit(b=binding("one"))
        await p.application()
        await operated(p, **how)
        await p.commit(b=binding("two"))
        p.cluster.refuse = lambda verb, ref: fixed if verb == "apply" and ref == there in p.cluster.objects() else None
        ended = await operated(p, **how, prune=True)
        anew = not opted_out and not option
        assert ended.startswith("successfully" if anew else "one or more objects failed to apply")
        assert p.cluster.objects()[there]["roleRef"]["name"] == ("two" if anew else "one")


async def test_the_application_says_for_all_its_objects_that_they_stay() -> None:
    async with play() as p:
        await p.commit(a=config_map("a"), b=annotated("b", sync_options="Delete=true"))
        await synced(p, syncPolicy={"automated": {}, "syncOptions": ["Delete=false"]})
        await deleted(p)
        await p.until(lambda: SHOP not in p.cluster.objects())
        assert (p.data("a"), p.data("b")) == ({"k": "v"}, None)


async def test_the_application_says_for_all_its_objects_that_a_person_confirms() -> None:
    async with play() as p:
        await p.commit(a=config_map("a"))
        await synced(p, syncPolicy={"automated": {}, "syncOptions": ["Delete=confirm"]})
        assert resources(p) == [{"name": "a", "requiresDeletionConfirmation": True, "status": "Synced"}]
        await deleted(p)
        await p.quiet()
        assert p.data("a") == {"k": "v"}
        await p.patch_application({"metadata": {"annotations": {f"{ARGO}/deletion-approved": "2100-01-01T00:00:00Z"}}})
        await p.until(lambda: SHOP not in p.cluster.objects())
        assert p.data("a") is None


async def test_nothing_is_deleted_for_an_application_of_no_project() -> None:
    async with play() as p:
        await p.commit(a=config_map("a"))
        await synced(p, **AUTO)
        await p.patch_application({"spec": {"project": "gone"}})
        await deleted(p)
        told = 'DeletionError: error getting app project "gone": appproject.argoproj.io "gone" not found'
        unfit = "InvalidSpecError: Application referencing project gone which does not exist"
        await p.until(lambda: p.conditions() == [told, unfit])
        assert (p.data("a"), p.status()["sync"]["status"] in ("Synced", "Unknown")) == ({"k": "v"}, True)


async def test_what_is_listed_and_does_not_count() -> None:
    async with play() as p:
        await p.commit(a=config_map("a"), skipped=annotated("skipped", hook="Skip"))
        await synced(p, **AUTO)
        extraneous = marked("tolerated", compare_options="IgnoreExtraneous")
        for body in (marked("copy", owned_by="a"), extraneous):
            await p.cluster.create(CONFIG_MAPS, body, manager="person")
        expected = [
            {"name": "a", "status": "Synced"},
            {"name": "copy"},
            {"name": "skipped"},
            {"name": "tolerated", "requiresPruning": True, "status": "OutOfSync"},
        ]
        await p.until(lambda: resources(p) == expected)
        assert p.sync() == "Synced"


async def test_a_hook_that_git_has_as_an_object_by_now_is_a_hook_until_it_is_written() -> None:
    async with play() as p:
        await p.commit(a=config_map("a"), pre=hook("pre", "PreSync", data={"k": "v"}))
        await synced(p, **AUTO)
        await p.commit(a=config_map("a"), pre=config_map("pre"))
        await p.until(lambda: resources(p) == [{"name": "a", "status": "Synced"}, {"name": "pre", "hook": True}])
        assert p.sync() == "Synced"
        await p.patch_application({"operation": {"sync": {}}})
        await p.until(lambda: resources(p)[-1] == {"name": "pre", "status": "Synced"})


async def test_a_hook_tells_how_it_was_made_until_it_has_something_to_say() -> None:
    async with play(wave_delay=0.0) as p:
        await p.commit(a=config_map("a"), first=hook("first", "PreSync"), then=job("then", "PostSync"))
        await p.application(**AUTO)
        await p.until(lambda: len(results(p)) == 3 if p.phase() else False)
        assert results(p) == [
            ("first", "first created", "Succeeded"),
            ("a", "configmap/a created", "Succeeded"),
            ("then", "job.batch/then created", "Running"),
        ]
        await finish(p, "then", "Complete")
        await p.until(lambda: p.phase() == "Succeeded")


async def test_a_hook_without_a_name_keeps_what_it_was_named_by() -> None:
    async with play() as p:
        body = json.loads(hook("", "PreSync"))
        body["metadata"] = {"generateName": "pre-", "annotations": body["metadata"]["annotations"]}
        sha = await p.commit(a=config_map("a"), pre=json.dumps(body))
        await synced(p, **AUTO)
        [made] = [one for ref, one in p.cluster.objects().items() if ref.name.startswith(f"pre-{sha[:7]}-presync-")]
        assert made["metadata"]["generateName"] == "pre-"
        assert made["metadata"]["annotations"][f"{ARGO}/tracking-id"] == "shop:/ConfigMap:shop/"
        await p.until(lambda: resources(p)[-1] == {"name": made["metadata"]["name"], "hook": True})
        await deleted(p)
        await p.until(lambda: SHOP not in p.cluster.objects())
        assert not [ref for ref in p.cluster.objects() if ref.kind == "ConfigMap"]


async def test_labels_of_the_namespace_are_another_matter_than_objects() -> None:
    space = ObjectRef("", "Namespace", "", "new")
    async with play() as p:
        await p.commit(a=config_map("a"))
        policy = {"syncOptions": ["CreateNamespace=true"], "managedNamespaceMetadata": {"labels": {"team": "one"}}}
        destination = {"server": "https://kubernetes.default.svc", "namespace": "new"}
        await synced(p, destination=destination, syncPolicy={"automated": {}, **policy})
        state = p.status()["operationState"]["syncResult"]
        assert state["managedNamespaceMetadata"] == {"labels": {"team": "one"}}
        assert results(p)[0] == ("new", "namespace/new serverside-applied", "Succeeded")
        made = p.cluster.objects()[space]["metadata"]
        assert made["annotations"] == {f"{ARGO}/sync-options": "ServerSideApply=true"}
        await p.patch_application({"spec": {"syncPolicy": {"managedNamespaceMetadata": {"labels": {"team": "two"}}}}})
        await p.until(lambda: p.sync() == "OutOfSync")
        assert resources(p) == [{"name": "a", "status": "Synced"}]
        await p.cluster.get(NAMESPACES, "", "new")
        await p.patch_application({"operation": {"sync": {"syncOptions": ["CreateNamespace=true"]}}})
        await p.until(lambda: p.sync() == "Synced")
        assert p.cluster.objects()[space]["metadata"]["labels"]["team"] == "two"


async def test_an_operation_is_ended_between_two_attempts() -> None:
    async with play() as p:
        bad = {"apiVersion": "example.com/v1", "kind": "Nothing", "metadata": {"name": "x"}}
        await p.commit(x=json.dumps(bad))
        await p.application()
        await p.until(lambda: p.sync() == "OutOfSync")
        retry = {"limit": 3, "backoff": {"duration": "1h"}}
        await p.patch_application({"operation": {"sync": {}, "retry": retry}})
        await p.until(lambda: "finishedAt" in p.status().get("operationState", {}))
        assert p.phase() == "Running"
        await p.patch_application({"status": {"operationState": {"phase": "Terminating"}}})
        await p.until(lambda: p.phase() == "Failed")
        assert p.status()["operationState"]["message"] == "Operation terminated (retried 1 times)."
        assert "operation" not in p.cluster.objects()[SHOP]


async def test_an_automated_sync_that_is_told_of_is_on_the_application_and_can_be_ended_there() -> None:
    async with play() as p:
        sha = await p.commit(pre=job("pre", "PreSync"), a=config_map("a"))
        await p.application(**AUTO)
        await p.until(lambda: "waiting for completion" in p.status().get("operationState", {}).get("message", ""))
        asked = p.cluster.objects()[SHOP]["operation"]
        assert (asked["initiatedBy"], asked["sync"]["revision"]) == ({"automated": True}, sha)
        assert p.status()["operationState"]["operation"] == asked
        await p.patch_application({"status": {"operationState": {"phase": "Terminating"}}})
        await p.until(lambda: p.phase() == "Failed")
        assert "operation" not in p.cluster.objects()[SHOP]
        assert p.data("a") is None


async def test_what_is_tried_again_with_a_newer_commit_leaves_no_operation_behind() -> None:
    retry = {"limit": 3, "refresh": True, "backoff": {"duration": "10ms"}}
    async with play() as p:
        await p.commit(pre=job("pre", "PreSync"), a=config_map("a"))
        await p.application(syncPolicy={"automated": {}, "retry": retry})
        await p.until(lambda: "waiting for completion" in p.status().get("operationState", {}).get("message", ""))
        sha = await p.commit(a=config_map("a"))
        await finish(p, "pre", "Failed")
        await p.until(lambda: p.phase() == "Succeeded")
        assert p.status()["operationState"]["syncResult"]["revision"] == sha
        assert "operation" not in p.cluster.objects()[SHOP]


async def test_git_is_looked_at_while_an_operation_waits() -> None:
    async with play() as p:
        await p.commit(pre=job("pre", "PreSync"), a=config_map("a"))
        await p.application(**AUTO)
        await p.until(lambda: "waiting for completion" in p.status().get("operationState", {}).get("message", ""))
        sha = await p.commit(pre=job("pre", "PreSync"), a=config_map("a", k="new"))
        await p.patch_application({"metadata": {"annotations": {f"{ARGO}/refresh": "normal"}}})
        await p.until(lambda: p.status()["sync"]["revision"] == sha)
        assert p.phase() == "Running"
        assert f"{ARGO}/refresh" not in (p.cluster.objects()[SHOP]["metadata"].get("annotations") or {})
        await finish(p, "pre", "Complete")
        await p.until(lambda: p.data("a") is not None)


async def test_a_heal_names_all_that_is_not_synced_and_is_counted_anew_for_a_commit() -> None:
    healing = {"syncPolicy": {"automated": {"selfHeal": True}}}
    async with play() as p:
        await p.commit(a=config_map("a"), post=hook("post", "PostSync"))
        await synced(p, **healing)

        def asked() -> dict[str, Any]:
            found: dict[str, Any] = p.status()["operationState"]["operation"]["sync"]
            return {key: found.get(key) for key in ("autoHealAttemptsCount", "resources")}

        named = [{"kind": "ConfigMap", "name": "a"}, {"kind": "ConfigMap", "name": "post"}]
        for value in ("one", "two"):
            await p.until(lambda: len(resources(p)) == 2)
            await p.by_hand("a", k=value)
            await p.until(lambda: asked() == {"autoHealAttemptsCount": 1, "resources": named})
            sha = await p.commit(a=config_map("a", k=f"new {value}"), post=hook("post", "PostSync"))
            await p.until(lambda: p.status()["sync"]["revision"] == sha and p.sync() == "Synced")  # noqa: B023
            await p.until(lambda: asked()["autoHealAttemptsCount"] is None)


async def test_what_runs_before_a_deletion_is_listed_with_all_that_is_still_there() -> None:
    async with play() as p:
        await p.commit(a=config_map("a"), bye=job("bye", "PreDelete"))
        await synced(p, **AUTO)
        await deleted(p)
        listed = [{"name": "a", "status": "Synced"}, {"name": "bye", "hook": True, "requiresPruning": True}]
        await p.until(lambda: resources(p) == listed)
        await p.quiet()
        assert (resources(p), p.sync()) == (listed, "Synced")
        await finish(p, "bye", "Complete")
        await p.until(lambda: SHOP not in p.cluster.objects())


async def test_an_expression_that_cannot_be_read_leaves_unknown_what_differs() -> None:
    said = {"ignoreDifferences": [{"kind": "ConfigMap", "jqPathExpressions": [".data | env.A"]}]}
    told = (
        "ComparisonError: Failed to compare desired state to live state: failed to create diff normalizer: "
        "spec.ignoreDifferences[0].jqPathExpressions: "
        "'.data | env.A' may not use env: an expression names fields, and must end"
    )
    async with play() as p:
        sha = await p.commit(a=config_map("a"))
        await p.application(**AUTO, **said)
        await p.until(p.conditions)
        assert p.conditions() == [told]
        assert resources(p) == [{"name": "a", "status": "Unknown"}]
        assert (p.sync(), p.status()["health"]["status"], p.status()["sync"]["revision"]) == ("Unknown", "Missing", sha)
        await p.patch_application({"operation": {"sync": {}}})
        await p.until(lambda: p.phase() == "Error")
        assert (p.status()["operationState"]["message"], p.data("a")) == (told, None)
        await p.patch_application({"spec": {"ignoreDifferences": None}})
        await p.until(lambda: p.sync() == "OutOfSync")
        assert p.conditions() == [f"SyncError: Failed last sync attempt to [{sha}]: {told}"]
        await p.patch_application({"operation": {"sync": {}}})
        await p.until(lambda: p.sync() == "Synced" and not p.conditions())


async def test_nothing_is_healed_by_rules_that_cannot_be_read() -> None:
    async with play() as p:
        await p.commit(a=config_map("a"))
        await synced(p, syncPolicy={"automated": {"selfHeal": True}})
        rules = [{"kind": "ConfigMap", "jqPathExpressions": [".data | )"]}]
        await p.patch_application({"spec": {"ignoreDifferences": rules}})
        await p.until(lambda: p.sync() == "Unknown")
        await p.by_hand("a", k="mine")
        await p.quiet()
        assert (p.data("a"), resources(p)) == ({"k": "mine"}, [{"name": "a", "status": "Unknown"}])


async def test_a_pointer_counts_from_its_first_slash_on() -> None:
    rules = [{"kind": "ConfigMap", "jsonPointers": ["x/data/k", "data"]}]
    told = "IgnoreDifferencesWarning: spec.ignoreDifferences[0].jsonPointers: '{}' is not a JSON pointer (write /spec/replicas)"
    async with play() as p:
        await p.commit(a=config_map("a"))
        await synced(p, **AUTO, ignoreDifferences=rules)
        await p.by_hand("a", k="mine")
        await p.quiet()
        assert (p.sync(), p.data("a")) == ("Synced", {"k": "mine"})
        assert p.conditions() == [told.format("data"), told.format("x/data/k")]


async def test_a_history_of_none_is_told_as_empty() -> None:
    async with play() as p:
        await p.commit(a=config_map("a"))
        await synced(p, **AUTO, revisionHistoryLimit=0)
        assert p.status()["history"] == []


async def test_the_wave_is_told_of_what_git_has_for_syncs() -> None:
    async with play(wave_delay=0.0) as p:
        before = {"argocd.argoproj.io/hook": "PreDelete", "argocd.argoproj.io/sync-wave": "-1"}
        going = json.dumps({**json.loads(config_map("going")), "metadata": {"name": "going", "annotations": before}})
        await p.commit(a=annotated("a", sync_wave="1"), h=annotated("h", hook="PreSync", sync_wave="2"), going=going)
        await synced(p, **AUTO)
        await p.cluster.create(CONFIG_MAPS, marked("going", hook="PreDelete", sync_wave="-1"), manager="person")
        await p.cluster.create(CONFIG_MAPS, marked("left", sync_wave="4"), manager="person")
        await p.until(lambda: len(resources(p)) == 4)
        assert {one["name"]: one.get("syncWave") for one in resources(p)} == {
            "a": 1,
            "h": 2,
            "going": None,
            "left": None,
        }


async def test_an_object_whose_health_does_not_count_is_there_all_the_same() -> None:
    async with play() as p:
        await p.commit(a=annotated("a", ignore_healthcheck="true"), b=config_map("b"))
        await p.application()
        await operated(p, resources=[{"kind": "ConfigMap", "name": "a"}])
        await p.until(lambda: [one.get("status") for one in resources(p)] == ["Synced", "OutOfSync"])
        assert p.status()["health"]["status"] == "Healthy"


async def test_another_namespace_is_seen_at_once_and_not_synced_by_itself() -> None:
    async with play() as p:
        await p.commit(a=config_map("a"))
        await synced(p, syncPolicy={"automated": {"prune": True}})
        await p.patch_application({"spec": {"destination": {"namespace": "argocd"}}})
        await p.until(lambda: p.sync() == "OutOfSync")
        told = [(one["namespace"], one["status"]) for one in p.status()["resources"]]
        assert told == [("argocd", "OutOfSync"), ("shop", "OutOfSync")]
        await p.quiet()
        assert (p.data("a"), p.data("a", "argocd")) == ({"k": "v"}, None)


async def test_a_child_whose_health_nobody_knows_says_nothing_of_its_parents() -> None:
    script = "return {status = obj.status and obj.status.health and obj.status.health.status or 'Missing'}"
    body = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "child"}}
    to = {"server": "https://kubernetes.default.svc", "namespace": "argocd"}
    body |= {"spec": {"project": "none", "source": {"repoURL": URL, "path": "app"}, "destination": to}}
    async with play() as p:
        await check_of(p, "argoproj.io_Application", script)
        await p.commit(child=json.dumps(body))
        await synced(p, **AUTO, destination=to)
        await p.until(lambda: (p.status(name="child").get("health") or {}).get("status") == "Unknown")
        await p.quiet()
        assert p.status()["health"]["status"] == "Healthy"


async def check_of_config_maps(p: Play, script: str) -> None:
    await check_of(p, "ConfigMap", script)


async def check_of(p: Play, kind: str, script: str) -> None:
    settings = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "argocd-cm", "namespace": "argocd"},
        "data": {f"resource.customizations.health.{kind}": script},
    }
    await p.cluster.apply(CONFIG_MAPS, settings, manager="person")


async def test_a_health_check_that_fails_is_told_and_ends_the_next_sync_until_it_is_mended() -> None:
    told = (
        'ComparisonError: error setting app health: failed to get resource health for "ConfigMap" with name "a" in namespace '
        '"shop": failed to get resource health for shop/a: <string>:1: boom'
    )
    async with play() as p:
        await check_of_config_maps(p, 'error("boom")')
        await p.commit(a=config_map("a"))
        await synced(p, syncPolicy={"automated": {}, "retry": {"limit": 1, "backoff": {"duration": "1s"}}})
        await p.until(lambda: p.conditions() == [told])
        assert p.status()["health"]["status"] == "Unknown"
        await p.commit(a=config_map("a", k="new"))
        await p.until(lambda: p.status()["operationState"]["message"].startswith(f"{told}. Retrying attempt #1 at "))
        assert p.data("a") == {"k": "v"}
        await check_of_config_maps(p, 'return {status = "Healthy"}')
        await p.until(lambda: p.data("a") == {"k": "new"} and p.phase() == "Succeeded")
        assert p.conditions() == []


async def test_a_health_check_that_fails_while_a_sync_waits_ends_it() -> None:
    async with play(wave_delay=0.0) as p:
        await p.commit(a=config_map("a"), z=annotated("z", sync_wave="1"))
        await check_of_config_maps(p, 'return {status = "Progressing", message = "not yet"}')
        await p.application()
        await p.until(lambda: p.sync() == "OutOfSync")
        await p.patch_application({"operation": {"sync": {}}})
        await p.until(lambda: "waiting for healthy" in p.status().get("operationState", {}).get("message", ""))
        await check_of_config_maps(p, 'error("boom")')
        await p.until(lambda: p.phase() == "Error")
        assert "error setting app health" in p.status()["operationState"]["message"]
        assert p.data("z") is None


async def test_a_hook_whose_health_check_fails_is_an_error() -> None:
    told = "failed to get resource health: failed to get resource health: failed to get resource health for shop/pre: <string>:1: boom"
    async with play(wave_delay=0.0) as p:
        await p.commit(a=config_map("a"), pre=hook("pre", "PreSync"))
        await check_of_config_maps(p, 'error("boom")')
        await p.application()
        await p.until(lambda: p.sync() == "OutOfSync")
        await p.patch_application({"operation": {"sync": {}}})
        await p.until(lambda: p.phase() == "Failed")
        assert results(p) == [("pre", told, "Error")]
        assert p.status()["operationState"]["message"] == "one or more synchronization tasks completed unsuccessfully"


async def test_of_a_key_that_a_program_prints_twice_the_last_counts(real_programs: None) -> None:
    twice = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\ndata:\n  k: first\n  k: last\n"
    chart = b"apiVersion: v2\nname: twice\nversion: 1.0.0\n"
    cat = PluginSpec("cat", ("cat", "in.txt"), file_name="in.txt")
    async with play(helm=HelmTemplate(str(where("helm4"))), plugins=PluginPrograms((cat,))) as p:
        files = {"app/Chart.yaml": chart, "app/templates/a.yaml": twice % b"a", "other/in.txt": twice % b"b"}
        p.sources.commit(URL, files)
        await p.application(**AUTO)
        source = {"repoURL": URL, "path": "other", "targetRevision": "HEAD", "plugin": {"name": "cat"}}
        await p.application("other", source=source, **AUTO)
        await p.until(lambda: (p.data("a"), p.data("b")) == ({"k": "last"}, {"k": "last"}))


async def test_objects_without_a_namespace_are_told_one_by_one_and_hold_up_a_sync() -> None:
    told = [f"InvalidSpecError: Namespace for {name} /v1, Kind=ConfigMap is missing." for name in "ab"]
    async with play() as p:
        placed = json.loads(config_map("c"))
        placed["metadata"]["namespace"] = "shop"
        await p.commit(a=config_map("a"), b=config_map("b"), c=json.dumps(placed))
        await p.application(destination={"server": "https://kubernetes.default.svc"})
        await p.until(lambda: p.conditions() == told)
        listed = [(one["name"], one.get("namespace"), one["status"]) for one in p.status()["resources"]]
        assert sorted(listed) == [("a", None, "OutOfSync"), ("b", None, "OutOfSync"), ("c", "shop", "OutOfSync")]
        assert (p.sync(), p.status()["health"]["status"]) == ("OutOfSync", "Missing")
        await p.patch_application({"operation": {"sync": {}}})
        await p.until(lambda: p.phase() == "Error")
        twice = ";".join(text for text in told for _ in range(2))
        assert (p.status()["operationState"]["message"], p.data("c")) == (twice, None)


async def test_an_operation_that_cannot_be_rendered_is_tried_again() -> None:
    async with play() as p:
        await p.commit(a=config_map("a"))
        await p.application()
        await p.until(lambda: p.sync() == "OutOfSync")
        retry = {"limit": 1, "backoff": {"duration": "50ms"}}
        await p.patch_application({"operation": {"sync": {"revision": "nope"}, "retry": retry}})
        await p.until(lambda: p.phase() == "Error")
        state = p.status()["operationState"]
        assert (state["retryCount"], state["syncResult"]["revision"]) == (1, "nope")
        assert state["message"].endswith("unable to resolve 'nope' to a commit SHA (retried 1 times).")
        assert "operation" not in p.cluster.objects()[SHOP]


async def test_a_good_commit_is_synced_though_the_branch_cannot_be_rendered() -> None:
    async with play() as p:
        good = await p.commit(a=config_map("a"))
        await p.commit(a="apiVersion: v1\nkind: ConfigMap\nmetadata: {name: [}\n")
        await p.application()
        await p.until(lambda: p.sync() == "Unknown")
        await p.patch_application({"operation": {"sync": {}}})
        await p.until(lambda: p.phase() == "Error")
        assert "Failed to load target state" in p.status()["operationState"]["message"]
        await p.patch_application({"operation": {"sync": {"revision": good}}})
        await p.until(lambda: p.phase() == "Succeeded")
        assert p.data("a") == {"k": "v"}
        await p.until(lambda: p.sync() == "Unknown" and [one["status"] for one in resources(p)] == ["Unknown"])
        assert p.status()["history"][0]["revision"] == good


async def test_a_project_that_narrows_while_a_sync_waits_ends_it() -> None:
    body = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AppProject",
        "metadata": {"name": "p", "namespace": "argocd"},
    }
    anywhere, elsewhere = (
        {"sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": n}]} for n in ("*", "x")
    )
    async with play() as p:
        await p.cluster.apply(PROJECTS, {**body, "spec": anywhere}, manager="person")
        await p.commit(pre=job("pre", "PreSync"), a=config_map("a"))
        await p.application(project="p", syncPolicy={"automated": {}, "retry": {"limit": 0}})
        await p.until(lambda: "waiting for completion" in p.status().get("operationState", {}).get("message", ""))
        await p.cluster.apply(PROJECTS, {**body, "spec": elsewhere}, manager="person")
        await finish(p, "pre", "Complete")
        await p.until(lambda: p.phase() == "Error")
        told = "InvalidSpecError: application destination server 'https://kubernetes.default.svc' and namespace 'shop' do not match"
        assert p.status()["operationState"]["message"].startswith(told)
        assert p.data("a") is None


async def test_healing_what_cannot_be_decoded_is_a_sync_that_fails() -> None:
    async with play(on_degraded="off") as p:
        await p.commit(
            a=config_map("a"), b=json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": True}})
        )
        policy = {"automated": {"prune": True, "selfHeal": True}, "retry": {"limit": 0}}
        await p.application(syncPolicy=policy)
        await p.until(lambda: p.phase() == "Failed")
        await p.patch_application({"operation": {"sync": {"resources": [{"kind": "ConfigMap", "name": "a"}]}}})
        await p.until(lambda: p.data("a") is not None)

        def healing() -> Any:  # right after the operation, whose end may be seen by nobody
            return p.status()["operationState"]["operation"]["sync"].get("resources")

        await p.until(lambda: healing() == [{"kind": "ConfigMap", "name": ""}] and p.phase() == "Failed")
        assert results(p) == [
            (
                "",
                'unable to decode "app/b.yaml:1": json: cannot unmarshal bool into Go struct field ObjectMeta.metadata.name of type string',
                "Failed",
            )
        ]
        assert (p.data("a"), p.sync()) == ({"k": "v"}, "OutOfSync")


async def test_what_has_no_version_is_of_no_kind_that_can_be_synced() -> None:
    async with play() as p:
        await p.commit(b=config_map("b"))
        await synced(p, **AUTO)
        await p.patch_application({"spec": {"syncPolicy": None}})
        await p.commit(
            a=config_map("a"), b=json.dumps({"kind": "ConfigMap", "metadata": {"name": "b"}, "data": {"k": "v"}})
        )
        await p.until(lambda: [one["status"] for one in p.status()["resources"]] == ["OutOfSync"] * 2)
        why = "failed to discover server resources for group version : groupVersion shouldn't be empty"
        assert await operated(p) == f"one or more synchronization tasks are not valid: {why}"
        assert (results(p), p.data("a")) == ([("b", why, "")], None)


async def test_a_namespace_that_is_no_text_counts_as_none() -> None:
    async with play() as p:
        meta = {"name": "b", "namespace": 12, "labels": {"v": None}}
        await p.commit(b=json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta}))
        await synced(p, **AUTO)
        assert p.data("b") == {}


SERVER = "https://kubernetes.default.svc"


@pytest.mark.parametrize(
    ("spec", "told", "result"),
    [
        (
            {"project": "nope"},
            'Failed to load application project: error getting app project "nope": appproject.argoproj.io "nope" not found',
            None,
        ),
        ({"destination": {"namespace": "shop"}}, "Destination server missing from app spec", {"revision": ""}),
        ({"destination": {"name": "far"}}, "there are no clusters with this name: far", {"revision": ""}),
        (
            {"project": "narrow"},
            f"InvalidSpecError: application destination server '{SERVER}' and namespace 'shop' do not match any of the allowed "
            "destinations in project 'narrow'",
            {"revision": "COMMIT"},
        ),
    ],
)
async def test_an_operation_of_an_application_that_cannot_be_used_ends_with_why(
    spec: dict[str, Any], told: str, result: dict[str, str] | None
) -> None:
    meta = {"name": "narrow", "namespace": "argocd"}
    rules = {"sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "other"}]}
    async with play() as p:
        body = {"apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject", "metadata": meta, "spec": rules}
        await p.cluster.apply(PROJECTS, body, manager="person")
        commit = await p.commit(a=config_map("a"))
        await p.application(**spec)
        await p.until(lambda: p.sync() == "Unknown")
        retry = {"limit": 1, "backoff": {"duration": "50ms"}}
        await p.patch_application({"operation": {"sync": {}, "retry": retry}})
        await p.until(lambda: p.phase() == "Error")
        state = p.status()["operationState"]
        source = {"repoURL": URL, "path": "app", "targetRevision": "HEAD"}
        wanted = {"revision": result["revision"].replace("COMMIT", commit), "source": source} if result else None
        assert (state["message"], state.get("syncResult")) == (f"{told} (retried 1 times).", wanted)
        assert "operation" not in p.cluster.objects()[SHOP]


async def test_an_operation_of_an_application_without_a_source_ends_with_why() -> None:
    async with play() as p:
        source = {"repoURL": URL, "targetRevision": "HEAD"}
        await p.application(source=source)
        await p.until(lambda: p.sync() == "Unknown")
        await p.patch_application({"operation": {"sync": {}}})
        await p.until(lambda: p.phase() == "Error")
        state = p.status()["operationState"]
        why = "spec.source.repoURL and either spec.source.path or spec.source.chart are required"
        assert (state["message"], state["syncResult"]) == (
            f"InvalidSpecError: {why}",
            {"revision": "", "source": source},
        )


async def test_a_secrets_texts_are_sent_each_time_but_server_side() -> None:
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"k": "v"}}
    async with play() as p:
        await p.commit(a=config_map("a"), s=json.dumps(body))
        await synced(p, syncPolicy={"automated": {}})
        await operated(p)
        assert results(p) == [("s", "secret/s configured", "Running"), ("a", "configmap/a unchanged", "Running")]
        await operated(p, syncOptions=["ServerSideApply=true"])
        assert [message for _, message, _ in results(p)] == [
            "secret/s serverside-applied",
            "configmap/a serverside-applied",
        ]


async def test_a_heal_replaces_where_the_application_asks_for_that() -> None:
    async with play() as p:
        await p.commit(a=config_map("a"))
        await synced(p, syncPolicy={"automated": {"selfHeal": True}, "syncOptions": ["Replace=true"]})
        await p.by_hand("a", k="drift", more="by hand")
        await p.until(lambda: p.data("a") == {"k": "v"})
        await p.until(lambda: results(p) == [("a", "configmap/a replaced", "Running")])


async def test_a_destination_is_told_without_what_is_empty() -> None:
    async with play() as p:
        await p.commit(a=config_map("a"))
        await p.application(destination={"server": SERVER, "name": "", "namespace": ""})
        await p.until(lambda: p.sync() == "OutOfSync")
        assert p.status()["sync"]["comparedTo"]["destination"] == {"server": SERVER}


async def test_what_is_ignored_from_now_on_counts_at_once() -> None:
    rules = [{"kind": "ConfigMap", "jsonPointers": ["/data/k"]}]
    async with play() as p:
        await p.commit(a=config_map("a"))
        await p.application()
        await operated(p)
        await p.by_hand("a", k="drift")
        await p.until(lambda: p.sync() == "OutOfSync")
        await p.patch_application({"spec": {"ignoreDifferences": rules}})
        await p.until(lambda: p.sync() == "Synced")
        await p.patch_application({"spec": {"ignoreDifferences": None}})
        await p.until(lambda: p.sync() == "OutOfSync")
