"""What a stopped or killed controller left is found by the next one, also where it can do nothing about it at once."""

import asyncio
import json
from typing import Any

import pytest

from engine.world import APPLICATIONS, URL, Play, config_map, play
from kilde.core.basics.errors import ClusterError
from kilde.core.objects.ref import ObjectRef
from kilde.core.plan.tracking import ANNOTATION, TrackingId
from kilde.engine.controller import Controller
from kilde.ports.cluster import Resource
from kilde.ports.sources import Credentials

pytestmark = pytest.mark.anyio
AUTO: dict[str, Any] = {"syncPolicy": {"automated": {"prune": True, "selfHeal": True}}}
ACCOUNTS = Resource("", "v1", "ServiceAccount", "serviceaccounts", True)
RARE = ObjectRef(
    "", "ServiceAccount", "shop", "rare"
)  # of a kind that nothing else here is of: nobody would look for it
BODY: dict[str, Any] = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "rare", "namespace": "shop"}}


async def stop(p: Play) -> None:
    assert p.running is not None
    p.running.cancel()
    await asyncio.gather(p.running, return_exceptions=True)
    await p.controller.close()


def commit(p: Play, **files: str) -> None:
    """A commit that no controller is told of."""
    p.sources.commit(URL, {f"app/{name}.yaml": text.encode() for name, text in files.items()})


def start(p: Play) -> None:
    context = p.controller.context
    p.controller = Controller(context.world, context.settings, lambda url, project, config: Credentials())
    p.running = asyncio.ensure_future(p.controller.run())


async def test_what_a_killed_operation_wrote_is_pruned_though_the_next_controller_is_killed_too() -> None:
    async with play() as p:
        await stop(p)
        commit(p, a=config_map("a"))
        await p.application(**AUTO)
        tracked = {"annotations": {ANNOTATION: str(TrackingId("shop", RARE))}}
        await p.cluster.create(ACCOUNTS, {**BODY, "metadata": {**BODY["metadata"], **tracked}}, manager="kilde")
        plan = [{"object": str(RARE), "action": "create"}]
        p.records.append("operation-opened", {"application": "argocd/shop", "plan": plan}, at=0.0)

        p.cluster.refuse = lambda verb, ref: ClusterError("down", status=503) if verb in ("apply", "patch") else None
        start(p)
        await p.until(p.controller.ready.is_set)
        await p.quiet(0.3)
        await stop(p)
        assert RARE in p.cluster.objects()

        p.cluster.refuse = None
        start(p)
        await p.until(lambda: p.sync() == "Synced" and p.phase() == "Succeeded")
        await p.until(lambda: RARE not in p.cluster.objects(), "pruned")
        await p.until(lambda: not p.records.open_operations(), "every record closed")
        closed = [record.body["phase"] for record in p.records.records if record.body.get("operation") == 1]
        assert closed == ["Interrupted"]
        await stop(p)


async def test_what_an_operation_wrote_is_pruned_though_its_end_was_recorded_and_never_told() -> None:
    async with play() as p:
        await p.commit(a=config_map("a"))
        await p.application(**AUTO)
        await p.until(lambda: p.sync() == "Synced" and p.phase() == "Succeeded")
        await stop(p)
        tracked = {"annotations": {ANNOTATION: str(TrackingId("shop", RARE))}}
        await p.cluster.create(ACCOUNTS, {**BODY, "metadata": {**BODY["metadata"], **tracked}}, manager="kilde")
        plan = [{"object": str(RARE), "action": "create"}]
        number = p.records.append("operation-opened", {"application": "argocd/shop", "plan": plan}, at=0.0).number
        p.records.append("operation-closed", {"operation": number, "application": "argocd/shop"}, at=0.0)
        before = len(p.records.records)

        start(p)
        await p.until(lambda: RARE not in p.cluster.objects(), "pruned")
        await p.until(lambda: not p.records.open_operations(), "every record closed")
        newer = [(one.kind, one.body.get("phase")) for one in p.records.records[before:]]
        assert newer == [("operation-opened", None), ("operation-closed", "Succeeded")]
        await stop(p)


@pytest.mark.parametrize("recorded", [True, False], ids=["its end was recorded", "nor was its end recorded"])
async def test_a_sync_that_wrote_everything_and_was_never_told_is_told_by_the_next_controller(recorded: bool) -> None:
    async with play() as p:
        await p.commit(a=config_map("a"))
        p.cluster.refuse = lambda verb, ref: (
            ClusterError("down", status=503) if (verb, ref.kind) == ("patch", "Application") else None
        )
        await p.application(**AUTO)
        await p.until(lambda: p.data("a") and not p.records.open_operations(), "carried out")
        await stop(p)
        assert p.status() == {}
        if not recorded:
            del p.records.records[-1]
        p.cluster.refuse = None
        start(p)
        await p.until(lambda: p.sync() == "Synced" and p.phase() == "Succeeded")
        assert len(p.status()["history"]) == 1
        await p.until(lambda: not p.records.open_operations(), "every record closed")
        await stop(p)
        before = len(p.records.records)
        start(p)
        await p.until(p.controller.ready.is_set)
        await p.quiet()
        assert len(p.records.records) == before  # it was told: nothing is begun once more
        await stop(p)


async def test_a_sync_that_took_the_last_object_away_and_was_never_told_is_told_by_the_next_controller() -> None:
    async with play() as p:
        await p.commit(a=config_map("a"))
        await p.application(syncPolicy={"automated": {"prune": True, "selfHeal": True, "allowEmpty": True}})
        await p.until(lambda: p.phase() == "Succeeded")
        await p.quiet(1.1)  # what is told is told in whole seconds
        p.cluster.refuse = lambda verb, ref: (
            ClusterError("down", status=503) if (verb, ref.kind) == ("patch", "Application") else None
        )
        sha = await p.commit(note="# nothing is left\n")
        await p.until(lambda: p.data("a") is None and not p.records.open_operations(), "carried out")
        await stop(p)
        p.cluster.refuse = None
        start(p)
        await p.until(lambda: p.status()["operationState"]["syncResult"]["revision"] == sha)
        await p.until(lambda: (p.sync(), p.phase()) == ("Synced", "Succeeded"))
        await stop(p)


async def test_what_an_attempt_failed_at_is_not_taken_for_what_the_next_one_did_before_it_was_cut_off() -> None:
    async with play(wave_delay=0.0) as p:
        await p.commit(a=config_map("a"), b=config_map("b"))
        p.cluster.refuse = lambda verb, ref: (
            ClusterError("no", status=422) if (verb, ref.name) == ("apply", "b") else None
        )
        await p.application(**AUTO)
        await p.until(lambda: p.status().get("operationState", {}).get("retryCount") == 1, "told to be tried again")
        await stop(p)
        never = asyncio.Event()
        p.cluster.hold = lambda verb, ref: never if ref.kind in ("ConfigMap", "Application") and ref.name else None
        start(p)
        await p.until(p.records.open_operations, "the next attempt has begun")
        await stop(p)
        p.cluster.refuse = p.cluster.hold = None
        start(p)
        await p.until(lambda: p.phase() == "Succeeded")
        assert p.status()["operationState"]["retryCount"] == 1
        await stop(p)


async def test_records_of_an_application_that_is_gone_are_closed_at_the_start() -> None:
    async with play() as p:
        await stop(p)
        p.records.append("operation-opened", {"application": "argocd/gone", "plan": []}, at=0.0)
        start(p)
        await p.until(lambda: not p.records.open_operations(), "closed")
        await stop(p)


@pytest.mark.parametrize("trouble", ["a bad commit", "a bad spec"])
async def test_a_start_into_trouble_forgets_nothing_of_what_is_deployed(trouble: str) -> None:
    async with play() as p:
        good = {"a": config_map("a"), "rare": json.dumps(BODY)}
        await p.commit(**good)
        await p.application(**AUTO)
        await p.until(lambda: p.sync() == "Synced" and p.phase() == "Succeeded")
        before = p.status()["resources"]
        await stop(p)

        server = "https://kubernetes.default.svc"
        if trouble == "a bad commit":
            commit(p, **good, bad="apiVersion: v1\nmetadata: {}\nkind: [\n")
        else:
            await p.patch_application({"spec": {"destination": {"server": "https://elsewhere"}}})
        start(p)
        await p.until(p.conditions, "told")
        assert [one["name"] for one in p.status()["resources"]] == [one["name"] for one in before]
        await stop(p)

        await p.patch_application({"spec": {"destination": {"server": server}}})
        commit(p, a=good["a"])
        start(p)
        await p.until(lambda: RARE not in p.cluster.objects(), "pruned after two restarts")
        await p.until(lambda: p.sync() == "Synced" and not p.conditions())
        await stop(p)


JOBS = Resource("batch", "v1", "Job", "jobs", True)
MIGRATE = ObjectRef("batch", "Job", "shop", "migrate")


def job() -> str:
    meta = {"name": "migrate", "annotations": {"argocd.argoproj.io/hook": "PreSync"}}
    spec = {
        "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "example/migrate:1"}]}}
    }
    return json.dumps({"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": spec})


def uid(p: Play) -> str:
    return str(p.cluster.objects()[MIGRATE]["metadata"]["uid"])


async def complete(p: Play) -> None:
    status = {"status": {"conditions": [{"type": "Complete", "status": "True"}]}}
    await p.cluster.patch(JOBS, "shop", "migrate", status, manager="kubelet", subresource="status")


def forget_results(p: Play) -> None:
    """As if the crash had come between the making of the hook and the telling of it."""
    body = p.cluster.objects()[ObjectRef("argoproj.io", "Application", "argocd", "shop")]
    body["status"]["operationState"].pop("syncResult", None)


@pytest.mark.parametrize("asked", ["automatically", "by hand"])
@pytest.mark.parametrize("told", [True, False], ids=["told", "not told"])
async def test_a_hook_that_runs_while_the_controller_is_gone_runs_once(asked: str, told: bool) -> None:
    async with play(wave_delay=0.0) as p:
        p.cluster.serve(JOBS)
        await p.commit(a=config_map("a"), job=job())
        await p.application(**(AUTO if asked == "automatically" else {}))
        if asked == "by hand":
            await p.until(lambda: p.sync() == "OutOfSync")
            await p.patch_application({"operation": {"sync": {}, "initiatedBy": {"username": "ola"}}})
        await p.until(lambda: "migrate" in str(p.status().get("operationState")) and MIGRATE in p.cluster.objects())
        made = uid(p)
        await stop(p)
        if not told:
            forget_results(p)
        start(p)
        await p.until(p.controller.ready.is_set)
        await p.quiet()
        assert (p.phase(), uid(p), p.data("a")) == ("Running", made, None)
        await complete(p)
        await p.until(lambda: p.phase() == "Succeeded" and p.data("a") == {"k": "v"})
        assert uid(p) == made
        await p.until(lambda: not p.records.open_operations(), "every record closed")
        await stop(p)


async def test_a_hook_runs_once_though_the_cluster_fails_in_the_middle() -> None:
    async with play(wave_delay=0.0) as p:
        p.cluster.serve(JOBS)
        await p.commit(a=config_map("a"), job=job())
        await p.application(**AUTO)
        await p.until(lambda: "migrate" in str(p.status().get("operationState")) and MIGRATE in p.cluster.objects())
        made = uid(p)
        p.cluster.refuse = lambda verb, ref: (
            ClusterError("no", status=422) if (verb, ref.kind) == ("patch", "Application") else None
        )
        await complete(p)
        await p.quiet()
        p.cluster.refuse = None
        await p.until(lambda: p.phase() == "Succeeded" and p.data("a") == {"k": "v"})
        assert uid(p) == made


async def test_the_hook_of_the_sync_before_is_not_taken_for_the_one_that_was_to_run_when_the_crash_came() -> None:
    async with play(wave_delay=0.0) as p:
        p.cluster.serve(JOBS)
        await p.commit(a=config_map("a"), job=job())
        await p.application(**AUTO)
        await p.until(lambda: "migrate" in str(p.status().get("operationState")) and MIGRATE in p.cluster.objects())
        await complete(p)
        await p.until(lambda: p.phase() == "Succeeded")
        made = uid(p)
        never = asyncio.Event()
        p.cluster.hold = lambda verb, ref: never if (verb, ref) == ("delete", MIGRATE) else None
        await p.commit(a=config_map("a", k="2"), job=job())
        await p.until(
            lambda: p.phase() == "Running" and p.records.open_operations(), "a second sync, within the same second"
        )
        await p.quiet(0.1)
        await stop(p)
        p.cluster.hold = None
        start(p)
        await p.until(lambda: MIGRATE in p.cluster.objects() and uid(p) != made, "the hook runs for the second sync")
        await complete(p)
        await p.until(lambda: p.phase() == "Succeeded" and p.data("a") == {"k": "2"})
        await stop(p)


async def test_a_hook_after_a_deletion_is_tidied_up_by_the_next_controller() -> None:
    async with play(wave_delay=0.0) as p:
        p.cluster.serve(JOBS)
        hook = json.loads(job())
        annotations = {
            "argocd.argoproj.io/hook": "PostDelete",
            "argocd.argoproj.io/hook-delete-policy": "HookSucceeded",
        }
        hook["metadata"]["annotations"] = annotations
        await p.commit(a=config_map("a"), job=json.dumps(hook))
        await p.application(**AUTO)
        await p.until(lambda: p.sync() == "Synced" and p.phase() == "Succeeded")
        await p.cluster.delete(APPLICATIONS, "argocd", "shop", propagation="Background")
        await p.until(lambda: MIGRATE in p.cluster.objects())
        never = asyncio.Event()
        p.cluster.hold = lambda verb, ref: never if (verb, ref.kind) == ("patch", "Application") else None
        await complete(p)
        await p.quiet()
        await stop(p)
        p.cluster.hold = None  # as if the crash had come right after the last thing that is told
        await p.patch_application({"metadata": {"finalizers": ["post-delete-finalizer.argocd.argoproj.io/cleanup"]}})
        start(p)
        await p.until(lambda: not p.status())
        assert MIGRATE not in p.cluster.objects()
        await stop(p)
