"""One step of a CronJob: forget the Jobs that ended, drop old ones, start the one that is due."""

from datetime import datetime
from functools import partial
from typing import Any

from kilde.core.basics.cron import parse, zone
from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.moment import parse as parse_time
from kilde.core.basics.moment import rfc3339
from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.conditions import is_true
from kilde.kubeapi.controllers.metadata import (
    annotations_of,
    deleting,
    name_of,
    namespace_of,
    owner_reference,
    uid_of,
    with_status,
)
from kilde.kubeapi.controllers.replicaset import owner_keys
from kilde.kubeapi.controllers.steps import (
    NOTHING,
    Controller,
    Create,
    Delete,
    Emit,
    Key,
    Moment,
    Refusals,
    Step,
    Update,
    View,
    Write,
    itself,
)

RESOURCE, JOBS = "cronjobs.batch", "jobs.batch"
COMPONENT = "cronjob-controller"
SCHEDULED = "batch.kubernetes.io/cronjob-scheduled-timestamp"
_NEVER = "time difference between two schedules is less than 1 second"  # Go's zero time, twice
# How far back a missed time is looked for: only the latest one is started, so the near past is asked first.
_REACHES = (3600.0, 86400.0, 86400.0 * 32, 86400.0 * 366 * 5)


def controller() -> Controller:
    """The controller of `batch/v1` CronJobs."""
    return Controller(COMPONENT, _reduce, {RESOURCE: itself, JOBS: owner_keys("CronJob", RESOURCE)})


def _ended(job: Object) -> str:
    """`Complete`, `Failed`, or empty while the Job goes on."""
    conditions = (job.get("status") or {}).get("conditions")
    return next((kind for kind in ("Complete", "Failed") if is_true(conditions, kind)), "")


def _is_ours(job: Object) -> bool:
    """Whether the schedule started the Job; a person may have started one from the CronJob, too."""
    return SCHEDULED in annotations_of(job)


def _started(job: Object) -> str:
    return str((job.get("status") or {}).get("startTime") or job["metadata"].get("creationTimestamp", ""))


def _reduce(key: Key, view: View, moment: Moment) -> Step:
    cron = view.get(RESOURCE, *key)
    if cron is None or deleting(cron):
        return NOTHING
    jobs = sorted(view.owned(JOBS, uid_of(cron)), key=lambda job: (_started(job), name_of(job)))
    writes: list[Write] = _old(cron, jobs)
    try:
        last, following = _times(cron, moment.now)
    except InvalidInput as error:
        unreadable = Emit(cron, "UnparseableSchedule", f"unparseable schedule: {error}", COMPONENT, "Warning")
        return Step((*writes, unreadable) if moment.memo is None else tuple(writes), memo="told")
    suspended = bool(cron["spec"].get("suspend"))
    if last is None and following is None and not suspended:
        text = f"invalid schedule: {cron['spec']['schedule']} : {_NEVER}"
        writes += [Emit(cron, "InvalidSchedule", text, COMPONENT, "Warning")] if moment.memo is None else []
    began = None
    if last is not None and not suspended:
        due, began = _start(cron, jobs, last)
        writes += due
    gone = frozenset(write.uid for write in writes if isinstance(write, Delete))
    memo = "told" if last is following is None else None
    return Step(tuple(writes), wake=following, memo=memo, then=partial(_settle, key, began, gone))


def _times(cron: Object, now: float) -> tuple[float | None, float | None]:
    """(the latest time that has passed and was not served, the next one)."""
    spec = cron["spec"]
    schedule, place = parse(spec["schedule"]), zone(spec.get("timeZone"))
    status = cron.get("status") or {}
    since = parse_time(status.get("lastScheduleTime") or cron["metadata"].get("creationTimestamp", "")) or now
    deadline = spec.get("startingDeadlineSeconds")
    if deadline is not None:
        since = max(since, now - int(deadline))
    for reach in _REACHES:
        last, found = None, schedule.next(max(since, now - reach), place)
        while found is not None and found <= now:
            last, found = found, schedule.next(found, place)
        if last is not None or since >= now - reach:
            break
    return last, found


def _start(cron: Object, jobs: list[Object], due: float) -> tuple[list[Write], float | None]:
    """The writes for the time that is due, and that time if a Job is started for it."""
    spec = cron["spec"]
    name = f"{name_of(cron)}-{int(due) // 60}"
    if any(name_of(job) == name for job in jobs):
        return [], due
    active = [job for job in jobs if not _ended(job) and _is_ours(job)]
    writes: list[Write] = []
    policy = spec.get("concurrencyPolicy", "Allow")
    if policy == "Forbid" and active:
        text = "Not starting job because prior execution is running and concurrency policy is Forbid"
        return [Emit(cron, "JobAlreadyActive", text, COMPONENT)], None
    if policy == "Replace":
        for job in active:
            told = Emit(cron, "SuccessfulDelete", f"Deleted job {name_of(job)}", COMPONENT)
            writes.append(Delete(JOBS, namespace_of(job), name_of(job), uid_of(job), told=told))
    template = spec["jobTemplate"]
    meta = template.get("metadata") or {}
    body = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name,
            "namespace": namespace_of(cron),
            "labels": meta.get("labels") or {},
            "annotations": {**(meta.get("annotations") or {}), SCHEDULED: _local(due, spec.get("timeZone"))},
            "ownerReferences": [owner_reference(cron)],
        },
        "spec": template["spec"],
    }
    told = Emit(cron, "SuccessfulCreate", f"Created job {name}", COMPONENT)
    return [*writes, Create(JOBS, body, told)], due


def _local(moment: float, place: str | None) -> str:
    """RFC 3339 in the CronJob's own time zone."""
    if not place:
        return rfc3339(moment)
    return datetime.fromtimestamp(int(moment), zone(place)).isoformat().replace("+00:00", "Z")


def _old(cron: Object, jobs: list[Object]) -> list[Write]:
    """Deletes of ended Jobs beyond the history limits, the oldest first."""
    writes: list[Write] = []
    for kind, field, default in (
        ("Complete", "successfulJobsHistoryLimit", 3),
        ("Failed", "failedJobsHistoryLimit", 1),
    ):
        ended = [job for job in jobs if _ended(job) == kind]
        limit = cron["spec"].get(field)
        for job in ended[: max(0, len(ended) - int(default if limit is None else limit))]:
            if not deleting(job):
                told = Emit(cron, "SuccessfulDelete", f"Deleted job {name_of(job)}", COMPONENT)
                writes.append(Delete(JOBS, namespace_of(job), name_of(job), uid_of(job), told=told))
    return writes


def _settle(
    key: Key, began: float | None, gone: frozenset[str], view: View, moment: Moment, refusals: Refusals
) -> Step:
    cron = view.get(RESOURCE, *key)
    if cron is None:
        return NOTHING
    jobs = sorted(view.owned(JOBS, uid_of(cron)), key=lambda job: (_started(job), name_of(job)))
    old: dict[str, Any] = cron.get("status") or {}
    known = {one["uid"]: one for one in old.get("active") or ()}
    writes: list[Write] = [
        Emit(cron, "FailedCreate", f"Error creating job: {refusal.message}", COMPONENT, "Warning")
        for refusal in refusals
        if isinstance(refusal.write, Create)
    ]
    writes += _news(cron, jobs, known, gone)
    status = {key: value for key, value in old.items() if key != "active"}
    active = [known.get(uid_of(job)) or _reference(job) for job in jobs if not _ended(job) and _is_ours(job)]
    if active:
        status["active"] = active
    if began is not None and not refusals:
        status["lastScheduleTime"] = rfc3339(began)
    ends = [job["status"]["completionTime"] for job in jobs if _ended(job) == "Complete"]
    if ends:
        status["lastSuccessfulTime"] = max([*ends, old.get("lastSuccessfulTime") or ""])
    if status != old:
        writes.append(Update(RESOURCE, with_status(cron, status), "status"))
    return Step(tuple(writes))


def _news(cron: Object, jobs: list[Object], known: dict[str, Any], gone: frozenset[str]) -> list[Emit]:
    """What has become of the Jobs that the status lists (`known`, by uid); those of `gone` were deleted by this step."""
    said = []
    there = {uid_of(job) for job in jobs} | gone
    for uid, one in known.items():
        if uid not in there:
            said.append(Emit(cron, "MissingJob", f"Active job went missing: {one['name']}", COMPONENT))
    for job in jobs:
        if _ended(job) and uid_of(job) in known:
            text = f"Saw completed job: {name_of(job)}, condition: {_ended(job)}"
            said.append(Emit(cron, "SawCompletedJob", text, COMPONENT))
        elif not _ended(job) and not _is_ours(job):
            text = f"Saw a job that the controller did not create or forgot: {name_of(job)}"
            said.append(Emit(cron, "UnexpectedJob", text, COMPONENT, "Warning"))
    return said


def _reference(job: Object) -> dict[str, Any]:
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "name": name_of(job),
        "namespace": namespace_of(job),
        "uid": uid_of(job),
        "resourceVersion": job["metadata"].get("resourceVersion"),
    }
