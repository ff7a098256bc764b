"""Jobs and CronJobs: counted once, retried with patience, started on time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilde.core.basics.cron import parse, zone
from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.moment import parse as moment
from kilde.core.basics.moment import rfc3339
from kilde.kubeapi.controllers.job.indexes import parse_indexes, print_indexes
from kubeapi.controllers.simulated import job, running, template, verdicts

REACHED = ("CompletionsReached", "Reached expected number of succeeded pods")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("spec", "succeeded", "indexes"),
    [
        ({}, 1, None),
        ({"completions": 3, "parallelism": 2}, 3, None),
        ({"completions": 4, "parallelism": 4, "completionMode": "Indexed"}, 4, "0-3"),
        ({"completions": 2, "parallelism": 1, "completionMode": "Indexed"}, 2, "0,1"),
    ],
)
async def test_a_job_completes_when_enough_pods_have_succeeded(
    spec: dict[str, object], succeeded: int, indexes: str | None
) -> None:
    async with running() as cluster:
        await cluster.make("jobs.batch", job("j", **spec))
        await cluster.settle(3)
        status = cluster.one("jobs.batch", "j")["status"]
        assert verdicts(cluster.one("jobs.batch", "j")) == [
            ("SuccessCriteriaMet", "True", *REACHED),
            ("Complete", "True", *REACHED),
        ]
        assert (status["succeeded"], status.get("completedIndexes"), status["uncountedTerminatedPods"]) == (
            succeeded,
            indexes,
            {},
        )
        assert "failed" not in status
        assert "active" not in status
        assert len(cluster.all("pods")) == succeeded
        assert all("finalizers" not in one["metadata"] for one in cluster.all("pods"))


@pytest.mark.anyio
async def test_a_job_that_fails_is_retried_with_growing_patience_up_to_its_limit() -> None:
    async with running() as cluster:
        await cluster.make("jobs.batch", job("bad", "exit=3,message=boom", backoffLimit=2))
        await cluster.settle(9)
        assert cluster.one("jobs.batch", "bad")["status"]["failed"] == 1
        await cluster.settle(60)
        assert cluster.one("jobs.batch", "bad")["status"]["failed"] == 3
        limit = ("BackoffLimitExceeded", "Job has reached the specified backoff limit")
        assert verdicts(cluster.one("jobs.batch", "bad")) == [
            ("FailureTarget", "True", *limit),
            ("Failed", "True", *limit),
        ]
        ended = cluster.all("pods")[0]["status"]["containerStatuses"][0]["state"]["terminated"]
        assert (ended["exitCode"], ended["reason"], ended["message"]) == (3, "Error", "boom")


@pytest.mark.anyio
@pytest.mark.parametrize(("action", "failed", "pods"), [("FailJob", 1, 1), ("Ignore", None, 2), ("Count", 2, 2)])
async def test_a_pod_failure_policy_ends_a_job_or_forgives_its_pods(action: str, failed: int | None, pods: int) -> None:
    async with running() as cluster:
        rule = {"action": action, "onExitCodes": {"operator": "In", "values": [42]}}
        await cluster.make("jobs.batch", job("j", "exit=42", podFailurePolicy={"rules": [rule]}))
        await cluster.settle(25)
        assert cluster.one("jobs.batch", "j")["status"].get("failed") == failed
        assert len(cluster.all("pods")) == pods
        if action == "FailJob":
            name = cluster.all("pods")[0]["metadata"]["name"]
            why = f"Container c for pod shop/{name} failed with exit code 42 matching FailJob rule at index 0"
            assert verdicts(cluster.one("jobs.batch", "j"))[-1] == ("Failed", "True", "PodFailurePolicy", why)


@pytest.mark.anyio
async def test_a_suspended_job_waits_until_it_is_resumed() -> None:
    async with running() as cluster:
        await cluster.make("jobs.batch", job("held", suspend=True))
        await cluster.settle(2)
        assert cluster.all("pods") == []
        assert verdicts(cluster.one("jobs.batch", "held")) == [("Suspended", "True", "JobSuspended", "Job suspended")]
        await cluster.change("jobs.batch", "shop", "held", {"spec": {"suspend": False}})
        await cluster.settle(2)
        assert [kind for kind, *_ in verdicts(cluster.one("jobs.batch", "held"))] == [
            "Suspended",
            "SuccessCriteriaMet",
            "Complete",
        ]


@pytest.mark.anyio
async def test_a_job_past_its_deadline_fails_and_its_pods_are_stopped() -> None:
    async with running() as cluster:
        await cluster.make("jobs.batch", job("slow", "run=1h", activeDeadlineSeconds=20))
        await cluster.settle(30)
        assert verdicts(cluster.one("jobs.batch", "slow"))[-1][:3] == ("Failed", "True", "DeadlineExceeded")
        assert cluster.all("pods") == []


@pytest.mark.anyio
async def test_a_finished_job_goes_when_its_time_to_live_has_passed() -> None:
    async with running() as cluster:
        await cluster.make("jobs.batch", job("j", ttlSecondsAfterFinished=100))
        await cluster.settle(90)
        assert len(cluster.all("jobs.batch")) == 1
        await cluster.settle(20)
        assert (cluster.all("jobs.batch"), cluster.all("pods")) == ([], [])


@pytest.mark.anyio
async def test_a_cron_job_starts_on_the_minute_and_keeps_its_history_short() -> None:
    async with running() as cluster:
        spec = {"schedule": "*/10 * * * *", "successfulJobsHistoryLimit": 2}
        spec |= {"jobTemplate": {"spec": job("x")["spec"]}}
        body = {
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "metadata": {"name": "cj", "namespace": "shop"},
            "spec": spec,
        }
        await cluster.make("cronjobs.batch", body)
        await cluster.settle(3010)
        status = cluster.one("cronjobs.batch", "cj")["status"]
        assert status["lastScheduleTime"] == "2026-01-01T00:50:00Z"
        assert len(cluster.all("jobs.batch")) == 2
        assert all(
            one["metadata"]["name"] == f"cj-{int(moment(_scheduled(one)) or 0) // 60}"
            for one in cluster.all("jobs.batch")
        )


@pytest.mark.anyio
async def test_a_cron_job_that_never_comes_says_so_once() -> None:
    async with running() as cluster:
        for name, more in (("never", {}), ("held", {"suspend": True})):
            spec = {"schedule": "0 0 31 2 *", "jobTemplate": {"spec": job("x")["spec"]}, **more}
            meta = {"name": name, "namespace": "shop"}
            await cluster.make(
                "cronjobs.batch", {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": meta, "spec": spec}
            )
        await cluster.settle(3000)
        told = [
            (one["involvedObject"]["name"], one["reason"], one["count"])
            for one in cluster.all("events")
            if one["involvedObject"]["kind"] == "CronJob"
        ]
        assert told == [("never", "InvalidSchedule", 1)]


def _scheduled(one: dict[str, object]) -> str:
    meta = one["metadata"]
    assert isinstance(meta, dict)
    return str(meta["annotations"]["batch.kubernetes.io/cronjob-scheduled-timestamp"])


@pytest.mark.anyio
async def test_a_job_that_a_person_started_from_a_cron_job_is_not_among_its_active_ones() -> None:
    async with running() as cluster:
        spec = {"schedule": "0 0 1 1 *", "jobTemplate": {"spec": job("x")["spec"]}}
        body = {
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "metadata": {"name": "cj", "namespace": "shop"},
            "spec": spec,
        }
        owner = await cluster.make("cronjobs.batch", body)
        manual = job("now", "run=1h")
        reference = {
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "name": "cj",
            "uid": owner["metadata"]["uid"],
            "controller": True,
        }
        manual["metadata"]["ownerReferences"] = [reference]
        await cluster.make("jobs.batch", manual)
        await cluster.settle(1)
        assert "status" not in cluster.one("cronjobs.batch", "cj")
        assert (
            "CronJob",
            "UnexpectedJob",
            "Saw a job that the controller did not create or forgot: now",
        ) in cluster.told()


@pytest.mark.anyio
async def test_forbid_starts_no_second_job_beside_a_running_one() -> None:
    async with running() as cluster:
        spec = {"schedule": "* * * * *", "concurrencyPolicy": "Forbid"}
        spec |= {
            "jobTemplate": {
                "spec": {**job("x")["spec"], "template": template("x", "job:1", "run=1h", restartPolicy="Never")}
            }
        }
        body = {
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "metadata": {"name": "cj", "namespace": "shop"},
            "spec": spec,
        }
        await cluster.make("cronjobs.batch", body)
        await cluster.settle(300)
        assert len(cluster.all("jobs.batch")) == 1
        assert len(cluster.one("cronjobs.batch", "cj")["status"]["active"]) == 1


@pytest.mark.parametrize(
    ("schedule", "place", "after", "expected"),
    [
        ("*/5 * * * *", None, "2026-03-01T10:02:30Z", "2026-03-01T10:05:00Z"),
        ("0 3 1 1 *", None, "2026-03-01T10:02:30Z", "2027-01-01T03:00:00Z"),
        ("0 0 29 2 *", None, "2026-03-01T00:00:00Z", "2028-02-29T00:00:00Z"),
        ("30 9 * * MON-FRI", None, "2026-03-06T10:00:00Z", "2026-03-09T09:30:00Z"),
        ("0 12 13 * fri", None, "2026-03-08T00:00:00Z", "2026-03-13T12:00:00Z"),
        ("0 12 14 * fri", None, "2026-03-11T00:00:00Z", "2026-03-13T12:00:00Z"),
        ("@hourly", None, "2026-03-01T10:00:00Z", "2026-03-01T11:00:00Z"),
        ("@every 90s", None, "2026-03-01T10:00:00Z", "2026-03-01T10:01:30Z"),
        ("0 6 * * *", "Europe/Oslo", "2026-07-01T00:00:00Z", "2026-07-01T04:00:00Z"),
        ("10-20/5 4,6 * * ?", None, "2026-03-01T04:12:00Z", "2026-03-01T04:15:00Z"),
    ],
)
def test_a_schedule_names_its_next_time(schedule: str, place: str | None, after: str, expected: str) -> None:
    found = parse(schedule).next(moment(after) or 0, zone(place))
    assert found is not None
    assert rfc3339(found) == expected


@pytest.mark.parametrize(
    ("schedule", "why"),
    [
        ("bad", "expected exactly 5 fields, found 1: [bad]"),
        ("60 * * * *", "end of range (60) above maximum (59): 60"),
        ("5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"),
        ("*/0 * * * *", "step of range should be a positive number: */0"),
        ("@never", "unrecognized descriptor: @never"),
    ],
)
def test_a_schedule_that_is_none_is_refused_in_the_parsers_words(schedule: str, why: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse(schedule)
    assert str(refused.value) == why


@given(st.sets(st.integers(0, 60)))
def test_printed_indexes_read_back_as_the_same(indexes: set[int]) -> None:
    assert set(parse_indexes(print_indexes(indexes))) == indexes


def _ends(code: int, per_index: dict[str, object]) -> dict[str, object]:
    return job("j", f"exit={code}", completionMode="Indexed", **per_index)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("spec", "seconds", "reason", "message", "failed", "indexes"),
    [
        ({"maxFailedIndexes": 0}, 15, "MaxFailedIndexesExceeded",
         "Job has exceeded the specified maximal number of failed indexes", 4, "0,1"),
        ({"maxFailedIndexes": 2}, 15, "FailedIndexes", "Job has failed indexes", 4, "0,1"),
    ],
)  # fmt: skip
async def test_each_index_has_its_own_limit_of_failures(
    spec: dict[str, object], seconds: float, reason: str, message: str, failed: int, indexes: str
) -> None:
    body = _ends(1, {"completions": 2, "parallelism": 2, "backoffLimit": 2**31 - 1, "backoffLimitPerIndex": 1} | spec)
    async with running() as cluster:
        await cluster.make("jobs.batch", body)
        await cluster.settle(seconds)
        found = cluster.one("jobs.batch", "j")
        assert verdicts(found) == [(kind, "True", reason, message) for kind in ("FailureTarget", "Failed")]
        assert (found["status"]["failed"], found["status"]["failedIndexes"]) == (failed, indexes)
        failures = "batch.kubernetes.io/job-index-failure-count"
        counts = [one["metadata"]["annotations"][failures] for one in cluster.all("pods")]
        assert sorted(counts) == ["0", "0", "1", "1"]


@pytest.mark.anyio
async def test_a_success_policy_ends_a_job_whose_other_pods_go() -> None:
    policy = {"rules": [{"succeededCount": 5}, {"succeededIndexes": "0-1", "succeededCount": 1}]}
    spec = {"completions": 3, "parallelism": 1, "completionMode": "Indexed", "successPolicy": policy}
    async with running() as cluster:
        await cluster.make("jobs.batch", job("j", **spec))
        await cluster.settle(3)
        found = cluster.one("jobs.batch", "j")
        told = ("SuccessPolicy", "Matched rules at index 1")
        assert verdicts(found) == [("SuccessCriteriaMet", "True", *told), ("Complete", "True", *told)]
        assert (found["status"]["succeeded"], found["status"]["completedIndexes"]) == (1, "0")
        assert "failed" not in found["status"]


@pytest.mark.anyio
async def test_a_job_of_another_controller_is_left_alone() -> None:
    async with running() as cluster:
        await cluster.make("jobs.batch", job("j", managedBy="example.com/theirs"))
        await cluster.settle(3)
        assert "status" not in cluster.one("jobs.batch", "j")
        assert cluster.all("pods") == []


@pytest.mark.anyio
async def test_a_pod_that_a_suspended_job_gives_up_has_not_failed() -> None:
    async with running() as cluster:
        await cluster.make("jobs.batch", job("j", "run=1h", backoffLimit=0))
        await cluster.settle(3)
        await cluster.change("jobs.batch", "shop", "j", {"spec": {"suspend": True}})
        await cluster.settle(3)
        status = cluster.one("jobs.batch", "j")["status"]
        assert {"startTime", "failed", "active"}.isdisjoint(status)
        assert verdicts(cluster.one("jobs.batch", "j")) == [("Suspended", "True", "JobSuspended", "Job suspended")]
        assert cluster.all("pods") == []
