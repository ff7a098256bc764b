"""A branch becomes the cluster and stays it: the whole engine against fakes that keep the ports' promises."""

from typing import Any

import pytest

from engine.world import CONFIG_MAPS, URL, config_map, play
from kilde.core.basics.errors import ClusterError
from kilde.core.ledger.people import shown
from kilde.core.objects.ref import ObjectRef

pytestmark = pytest.mark.anyio
AUTO: dict[str, Any] = {"syncPolicy": {"automated": {"prune": True, "selfHeal": True}}}


async def test_what_is_in_git_comes_into_being_and_the_status_says_so() -> None:
    async with play() as p:
        sha = await p.commit(a=config_map("a"), b=config_map("b"))
        await p.application(**AUTO)
        await p.until(lambda: p.sync() == "Synced" and p.phase() == "Succeeded")
        assert p.data("a") == {"k": "v"}
        status = p.status()
        assert status["sync"]["revision"] == sha
        assert status["health"]["status"] == "Healthy"
        assert [(r["kind"], r["name"], r["status"]) for r in status["resources"]] == [
            ("ConfigMap", "a", "Synced"),
            ("ConfigMap", "b", "Synced"),
        ]
        assert [(h["id"], h["revision"]) for h in status["history"]] == [(0, sha)]
        results = status["operationState"]["syncResult"]["resources"]
        assert [r["message"] for r in results] == ["configmap/a created", "configmap/b created"]


async def test_an_application_in_step_is_left_alone() -> None:
    async with play() as p:
        await p.commit(a=config_map("a"))
        await p.application(**AUTO)
        await p.until(lambda: p.phase() == "Succeeded")
        await p.quiet()
        before = dict(p.cluster.counts())
        await p.quiet(0.6)
        assert dict(p.cluster.counts()) == before


async def test_without_automation_nothing_is_written_until_somebody_asks() -> None:
    async with play() as p:
        await p.commit(a=config_map("a"))
        await p.application()
        await p.until(lambda: p.sync() == "OutOfSync")
        assert p.data("a") is None
        await p.patch_application({"operation": {"initiatedBy": {"username": "ann"}, "sync": {}}})
        await p.until(lambda: p.sync() == "Synced" and p.phase() == "Succeeded")
        assert p.data("a") == {"k": "v"}
        body = p.cluster.objects()[ObjectRef("argoproj.io", "Application", "argocd", "shop")]
        assert "operation" not in body
        assert shown(p.records.records[0].body, p.records.people())["askedBy"] == "ann"


async def test_an_operation_goes_by_the_options_that_it_names() -> None:
    async with play() as p:
        await p.commit(a=config_map("a"))
        await p.application(syncPolicy={"syncOptions": ["ServerSideApply=true"]})

        async def synced(**sync: Any) -> str:
            await p.until(lambda: p.sync() in ("Synced", "OutOfSync"))
            await p.patch_application({"operation": {"sync": sync}})

            def asked() -> Any:
                return p.status().get("operationState", {}).get("operation", {}).get("sync")

            await p.until(lambda: asked() == sync and p.phase() == "Succeeded")
            return str(p.status()["operationState"]["syncResult"]["resources"][0]["message"])

        assert await synced() == "configmap/a created"
        assert await synced(syncOptions=["ServerSideApply=true"]) == "configmap/a serverside-applied"
        assert await synced(syncOptions=["Replace=true"]) == "configmap/a replaced"


async def test_what_leaves_git_leaves_the_cluster_and_nothing_else_does() -> None:
    async with play() as p:
        await p.commit(a=config_map("a"), b=config_map("b"))
        await p.application(**AUTO)
        await p.until(lambda: p.sync() == "Synced" and p.phase() == "Succeeded")
        foreign = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "foreign", "namespace": "shop"}}
        await p.cluster.create(CONFIG_MAPS, foreign, manager="person")
        await p.commit(a=config_map("a"))
        await p.until(lambda: p.data("b") is None)
        await p.until(lambda: p.sync() == "Synced")
        assert p.data("a") == {"k": "v"}
        assert p.data("foreign") is not None


async def test_without_prune_what_left_git_is_told_and_stays() -> None:
    async with play() as p:
        await p.commit(a=config_map("a"), b=config_map("b"))
        await p.application(syncPolicy={"automated": {}})
        await p.until(lambda: p.sync() == "Synced" and p.phase() == "Succeeded")
        await p.commit(a=config_map("a", k="two"))
        await p.until(lambda: p.data("a") == {"k": "two"} and p.phase() == "Succeeded")
        await p.until(lambda: p.sync() == "OutOfSync")
        await p.quiet()
        assert p.data("b") == {"k": "v"}
        assert [r.get("requiresPruning", False) for r in p.status()["resources"]] == [False, True]


async def test_an_empty_folder_does_not_wipe_out_an_application() -> None:
    async with play() as p:
        await p.commit(a=config_map("a"))
        await p.application(**AUTO)
        await p.until(lambda: p.sync() == "Synced" and p.phase() == "Succeeded")
        sha = await p.commit(a="# nothing here\n")
        await p.until(lambda: p.sync() == "OutOfSync")
        await p.quiet()
        assert p.data("a") == {"k": "v"}
        assert p.conditions() == [f"SyncError: Skipping sync attempt to [{sha}]: auto-sync will wipe out all resources"]


async def test_a_broken_file_is_told_with_its_place_and_nothing_of_the_commit_is_applied() -> None:
    async with play() as p:
        await p.commit(a=config_map("a"), b=config_map("b"))
        await p.application(**AUTO)
        await p.until(lambda: p.sync() == "Synced" and p.phase() == "Succeeded")
        await p.commit(a=config_map("a", k="new"), b="apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b\n")
        await p.until(p.conditions)
        await p.quiet()
        assert p.data("a") == {"k": "v"}
        assert p.data("b") == {"k": "v"}
        assert p.sync() == "Unknown"
        assert "app/b.yaml:4:1" in p.conditions()[0]
        await p.commit(a=config_map("a", k="new"), b=config_map("b"))
        await p.until(lambda: p.data("a") == {"k": "new"} and p.sync() == "Synced" and not p.conditions())


async def test_a_repository_that_is_down_changes_nothing_and_is_told() -> None:
    async with play() as p:
        await p.commit(a=config_map("a"))
        await p.application(**AUTO)
        await p.until(lambda: p.sync() == "Synced" and p.phase() == "Succeeded")
        p.sources.take_down(URL, "connection refused")
        await p.controller.push(frozenset([URL]))
        await p.until(p.conditions)
        assert "connection refused" in p.conditions()[0]
        await p.by_hand("a", k="hand")
        await p.until(lambda: p.data("a") == {"k": "v"}, "healed from the last good revision")
        p.sources.bring_up(URL)
        await p.commit(a=config_map("a", k="two"))
        await p.until(lambda: p.data("a") == {"k": "two"} and not p.conditions())


async def test_a_failed_commit_is_tried_once_and_the_next_good_one_flows() -> None:
    async with play() as p:
        bad = "bad"
        p.cluster.refuse = lambda verb, ref: (
            ClusterError('ConfigMap "bad" is invalid: data: no', status=422, reason="Invalid")
            if verb == "apply" and ref.name == bad
            else None
        )
        sha = await p.commit(a=config_map("a"), bad=config_map("bad"))
        await p.application(syncPolicy={"automated": {}, "retry": {"limit": 0}})
        await p.until(lambda: p.phase() == "Failed" and len(p.conditions()) == 2)
        assert p.data("a") == {"k": "v"}
        message = (
            'one or more synchronization tasks completed unsuccessfully, reason: ConfigMap "bad" is invalid: data: no'
        )
        assert p.status()["operationState"]["message"] == message
        assert p.conditions() == [
            f"QuarantineWarning: {sha[:7]} is in quarantine: its sync failed: {message}. Nothing is written or healed until "
            "another commit comes; to deploy it all the same: kilde app sync shop",
            f"SyncError: Failed last sync attempt to [{sha}]: {message}",
        ]
        await p.commit(a=config_map("a", k="two"))
        await p.until(lambda: p.sync() == "Synced" and p.phase() == "Succeeded" and not p.conditions())


async def test_a_failing_sync_is_retried_as_often_as_it_says() -> None:
    async with play() as p:
        tries: list[str] = []

        def refuse(verb: str, ref: ObjectRef) -> ClusterError | None:
            if verb == "apply" and ref.name == "bad":
                tries.append(ref.name)
                return ClusterError("no", status=403, reason="Forbidden")
            return None

        p.cluster.refuse = refuse
        await p.commit(bad=config_map("bad"))
        retry = {"limit": 2, "backoff": {"duration": "10ms", "factor": 1}}
        await p.application(syncPolicy={"automated": {}, "retry": retry})
        await p.until(lambda: p.phase() == "Failed")
        state = p.status()["operationState"]
        assert len(tries) == 3
        assert state["retryCount"] == 2
        assert state["message"] == "one or more objects failed to apply, reason: no (retried 2 times)."


async def test_that_a_wait_cannot_be_read_is_told_when_it_comes_to_the_retry() -> None:
    unread = {"limit": 2, "backoff": {"duration": "5 sec"}}
    async with play() as p:
        await p.commit(a=config_map("a"))
        await p.application(syncPolicy={"automated": {}, "retry": unread})
        await p.until(lambda: p.sync() == "Synced" and p.phase() == "Succeeded")
        p.cluster.refuse = lambda verb, ref: (
            ClusterError("no", status=403, reason="Forbidden") if verb == "apply" else None
        )
        await p.commit(a=config_map("a", k="two"))
        await p.until(lambda: p.phase() == "Error")
        state = p.status()["operationState"]
        assert "retryCount" not in state
        assert state["operation"]["retry"] == unread
        assert state["message"] == (
            "one or more objects failed to apply, reason: no (failed to retry: unable to parse 5 sec as a duration)"
        )


async def test_waves_wait_for_health() -> None:
    deployment = (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {selector: {matchLabels: {a: b}}, "
        "template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: i}]}}}\n"
    )
    late = config_map("late").replace(
        '"name": "late"', '"name": "late", "annotations": {"argocd.argoproj.io/sync-wave": "1"}'
    )
    async with play() as p:
        await p.commit(web=deployment, late=late)
        await p.application(**AUTO)
        ref = ObjectRef("apps", "Deployment", "shop", "web")
        await p.until(lambda: ref in p.cluster.objects())
        await p.quiet()
        assert p.data("late") is None
        assert p.phase() == "Running"
        from kilde.ports.cluster import Resource

        status = {
            "observedGeneration": 1,
            "replicas": 1,
            "updatedReplicas": 1,
            "availableReplicas": 1,
            "readyReplicas": 1,
        }
        deployments = Resource("apps", "v1", "Deployment", "deployments", True)
        await p.cluster.patch(deployments, "shop", "web", {"status": status}, manager="kcm", subresource="status")
        await p.until(lambda: p.data("late") == {"k": "v"} and p.phase() == "Succeeded")


async def test_two_applications_that_claim_one_object_do_not_fight() -> None:
    async with play() as p:
        await p.commit(a=config_map("a"))
        await p.application("one", **AUTO)
        await p.until(lambda: p.sync("one") == "Synced" and p.phase("one") == "Succeeded")
        await p.application("two", **AUTO)
        await p.until(lambda: p.conditions("two"))
        await p.quiet()
        version = p.cluster.objects()[ObjectRef("", "ConfigMap", "shop", "a")]["metadata"]["resourceVersion"]
        assert p.conditions("two") == ["SharedResourceWarning: ConfigMap/a is part of applications argocd/two and one"]
        assert p.conditions("one") == []
        await p.quiet()
        again = p.cluster.objects()[ObjectRef("", "ConfigMap", "shop", "a")]["metadata"]["resourceVersion"]
        assert again == version


async def test_a_sync_that_is_to_fail_on_shared_objects_fails_before_it_writes() -> None:
    async with play() as p:
        await p.commit(a=config_map("a"))
        await p.application("one", **AUTO)
        await p.until(lambda: p.sync("one") == "Synced" and p.phase("one") == "Succeeded")
        policy = {**AUTO["syncPolicy"], "syncOptions": ["FailOnSharedResource=true"]}
        p.sources.commit(
            URL,
            {
                "app/a.yaml": config_map("a").encode(),
                "two/a.yaml": config_map("a").encode(),
                "two/c.yaml": config_map("c").encode(),
            },
        )
        await p.controller.push(frozenset([URL]))
        await p.application("two", source={"repoURL": URL, "path": "two", "targetRevision": "HEAD"}, syncPolicy=policy)
        found = "Shared resource found: ConfigMap/a is part of applications argocd/two and one"
        await p.until(lambda: str((p.status("two").get("operationState") or {}).get("message")).startswith(found))
        assert p.data("c") is None


async def test_an_automated_sync_is_begun_and_fails_where_only_a_shared_object_differs() -> None:
    policy = {**AUTO["syncPolicy"], "syncOptions": ["FailOnSharedResource=true"], "retry": {"limit": 0}}
    found = "Shared resource found: ConfigMap/a is part of applications argocd/two and one"
    async with play() as p:
        sha = await p.commit(a=config_map("a"))
        await p.application("one", **AUTO)
        await p.until(lambda: p.sync("one") == "Synced" and p.phase("one") == "Succeeded")
        await p.application("two", syncPolicy=policy)
        await p.until(lambda: p.phase("two") == "Failed" and len(p.conditions("two")) == 3)
        state = p.status("two")["operationState"]
        assert (state["message"], state["operation"]["initiatedBy"]) == (found, {"automated": True})
        assert p.conditions("two")[1:] == [
            f"SharedResourceWarning: {found.removeprefix('Shared resource found: ')}",
            f"SyncError: Failed last sync attempt to [{sha}]: {found}",
        ]
        assert p.conditions("one") == []


async def test_an_object_that_another_application_takes_later_fails_the_sync_that_would_heal() -> None:
    policy = {**AUTO["syncPolicy"], "syncOptions": ["FailOnSharedResource=true"], "retry": {"limit": 0}}
    async with play() as p:
        await p.commit(a=config_map("a"))
        await p.application("one", syncPolicy=policy)
        await p.until(lambda: p.sync("one") == "Synced" and p.phase("one") == "Succeeded")
        await p.application("two")
        mark = {"argocd.argoproj.io/tracking-id": "two:/ConfigMap:shop/a"}
        await p.cluster.patch(CONFIG_MAPS, "shop", "a", {"metadata": {"annotations": mark}}, manager="person")
        await p.until(lambda: p.phase("one") == "Failed")
        state = p.status("one")["operationState"]
        assert state["message"] == "Shared resource found: ConfigMap/a is part of applications argocd/one and two"
        assert state["operation"]["sync"]["resources"] == [{"kind": "ConfigMap", "name": "a"}]


async def test_deleting_an_application_with_the_finalizer_deletes_its_objects() -> None:
    async with play() as p:
        await p.commit(a=config_map("a"), b=config_map("b"))
        await p.application(**AUTO)
        await p.until(lambda: p.sync() == "Synced" and p.phase() == "Succeeded")
        p.sources.take_down(URL)
        from engine.world import APPLICATIONS

        await p.cluster.delete(APPLICATIONS, "argocd", "shop", propagation="Background")
        await p.until(lambda: not p.status())
        assert p.data("a") is None
        assert p.data("b") is None
        causes = [r.body["cause"] for r in p.records.records if r.kind == "operation-opened"]
        assert causes == ["operation", "application deleted"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"source": {"repoURL": "", "path": "app"}}, "spec.source.repoURL and either spec.source.path or"),
        ({"source": None}, "spec.source.repoURL and either"),
        ({"destination": {"namespace": "shop"}}, "Destination server missing from app spec"),
        ({"destination": {"server": "https://elsewhere", "namespace": "x"}}, 'cluster "https://elsewhere" not found'),
        (
            {"destination": {"server": "https://kubernetes.default.svc", "name": "in-cluster"}},
            "application destination can't have both name and server defined: in-cluster https://kubernetes.default.svc",
        ),
    ],
)
async def test_a_bad_application_is_told_what_is_wrong_with_it(change: dict[str, Any], told: str) -> None:
    async with play() as p:
        await p.commit(a=config_map("a"))
        await p.application(**change)
        await p.until(p.conditions)
        assert p.conditions()[0].startswith("InvalidSpecError: ")
        assert told in p.conditions()[0]
        assert p.sync() == "Unknown"
        assert p.data("a") is None


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ({"path": "nowhere"}, "nowhere: app path does not exist"),
        ({"targetRevision": "nope"}, "unable to resolve 'nope' to a commit SHA"),
        ({"repoURL": "https://git.example/none.git"}, "repository not found"),
    ],
)
async def test_a_source_that_leads_nowhere_is_told(source: dict[str, Any], told: str) -> None:
    async with play() as p:
        await p.commit(a=config_map("a"))
        await p.application(source={"repoURL": URL, "path": "app", "targetRevision": "HEAD", **source})
        await p.until(p.conditions)
        assert told in p.conditions()[0]


async def test_only_applications_that_read_a_changed_file_are_rendered_again() -> None:
    async with play() as p:
        files = {f"{n}/cm.yaml": config_map(n).encode() for n in ("x", "y", "z")}
        p.sources.commit(URL, files)
        for n in ("x", "y", "z"):
            await p.application(n, source={"repoURL": URL, "path": n, "targetRevision": "HEAD"}, **AUTO)
        for n in ("x", "y", "z"):
            await p.until(lambda n=n: p.sync(n) == "Synced" and p.phase(n) == "Succeeded")
        renders = p.controller.context.renderer.renders
        sha = p.sources.commit(URL, {**files, "y/cm.yaml": config_map("y", k="two").encode()})
        await p.controller.push(frozenset([URL]))
        await p.until(lambda: p.data("y") == {"k": "two"})
        await p.until(lambda: all(p.status(n)["sync"]["revision"] == sha for n in ("x", "y", "z")))
        assert p.controller.context.renderer.renders == renders + 1


async def test_the_namespace_is_made_when_asked_for() -> None:
    async with play() as p:
        await p.commit(a=config_map("a"))
        destination = {"server": "https://kubernetes.default.svc", "namespace": "fresh"}
        policy = {"automated": {}, "syncOptions": ["CreateNamespace=true"]}
        await p.application(destination=destination, syncPolicy=policy)
        await p.until(lambda: p.sync() == "Synced" and p.phase() == "Succeeded")
        assert p.data("a", "fresh") == {"k": "v"}
        space = p.cluster.objects()[ObjectRef("", "Namespace", "", "fresh")]
        assert "annotations" not in space["metadata"]
