"""One step of a Job: count the pods that ended, decide whether it is over, else make or take away pods."""

from functools import partial
from typing import Any, NamedTuple

from kilde.core.basics.moment import parse, rfc3339
from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.conditions import Condition, find, is_true, put
from kilde.kubeapi.controllers.job.policy import fatal_failure
from kilde.kubeapi.controllers.job.tally import (
    INDEX,
    TRACKING,
    Tally,
    backoff,
    count,
    is_tracked,
    last_failure,
    missing_indexes,
    print_indexes,
    uncounted,
)
from kilde.kubeapi.controllers.metadata import deleting, name_of, namespace_of, uid_of, with_status
from kilde.kubeapi.controllers.naming import safe_suffix
from kilde.kubeapi.controllers.pods import deletion_rank, from_template
from kilde.kubeapi.controllers.replicaset import owner_keys
from kilde.kubeapi.controllers.steps import (
    NOTHING,
    Controller,
    Create,
    Delete,
    Emit,
    Key,
    Moment,
    Patch,
    Refusals,
    Step,
    Update,
    View,
    Write,
    earliest,
    itself,
)

RESOURCE = "jobs.batch"
COMPONENT = "job-controller"
LIMIT = 6


class Verdict(NamedTuple):
    """How a Job ends: conditions in their order, the last one is its end."""

    kinds: tuple[str, ...]
    reason: str
    message: str


_REACHED = Verdict(
    ("SuccessCriteriaMet", "Complete"), "CompletionsReached", "Reached expected number of succeeded pods"
)
_TOO_MANY = Verdict(("FailureTarget", "Failed"), "BackoffLimitExceeded", "Job has reached the specified backoff limit")
_TOO_LONG = Verdict(("FailureTarget", "Failed"), "DeadlineExceeded", "Job was active longer than specified deadline")


def controller() -> Controller:
    """The controller of `batch/v1` Jobs; it also frees the pods of a Job that is gone from its finalizer."""
    return Controller(COMPONENT, _reduce, {RESOURCE: itself, "pods": owner_keys("Job", RESOURCE)})


def _reduce(key: Key, view: View, moment: Moment) -> Step:
    job = view.get(RESOURCE, *key)
    if job is None:
        return Step(tuple(_orphans(key, view)))
    pods = list(view.owned("pods", uid_of(job)))
    if _over(job):
        return _aftermath(job, pods, moment.now)
    tally = count(job, pods)
    verdict = _verdict(job, tally, moment.now)
    writes: list[Write] = []
    wake: float | None = None
    if verdict is not None or job["spec"].get("suspend") or deleting(job):
        writes += [_delete(job, pod) for pod in tally.active]
    else:
        due, wake = _pods_due(job, tally, pods, moment)
        writes += due
    deadline = None if verdict is not None else _deadline(job)  # a moment that is past would come again at once
    return Step(tuple(writes), wake=earliest(wake, deadline), then=partial(_settle, key, verdict))


def _orphans(key: Key, view: View) -> list[Write]:
    """The finalizers of pods whose Job is no more."""
    writes: list[Write] = []
    for pod in view.every("pods", key.namespace):
        owner = next((o for o in pod["metadata"].get("ownerReferences") or () if o.get("kind") == "Job"), None)
        if owner is not None and owner["name"] == key.name and is_tracked(pod):
            writes.append(_release(pod))
    return writes


def _over(job: Object) -> bool:
    conditions = (job.get("status") or {}).get("conditions")
    return is_true(conditions, "Complete") or is_true(conditions, "Failed")


def _aftermath(job: Object, pods: list[Object], now: float) -> Step:
    """A Job that is over: its pods are free to go, and so is the Job when its time to live has passed."""
    writes: list[Write] = [_release(pod) for pod in pods if is_tracked(pod)]
    ttl = job["spec"].get("ttlSecondsAfterFinished")
    if ttl is None or deleting(job):
        return Step(tuple(writes))
    conditions = (job.get("status") or {}).get("conditions")
    end = find(conditions, "Complete") or find(conditions, "Failed") or {}
    due = (parse(end.get("lastTransitionTime", "")) or now) + int(ttl)
    if now < due:
        return Step(tuple(writes), wake=due)
    gone = Delete(RESOURCE, namespace_of(job), name_of(job), uid_of(job), propagation="Foreground")
    return Step((*writes, gone))


def _verdict(job: Object, tally: Tally, now: float) -> Verdict | None:
    """How the Job ends with this tally; None while it goes on."""
    spec = job["spec"]
    if (settled := _settled(job)) is not None:
        return settled
    fatal = next((why for pod in tally.lost if (why := fatal_failure(spec.get("podFailurePolicy"), pod))), "")
    if fatal:
        return Verdict(("FailureTarget", "Failed"), "PodFailurePolicy", fatal)
    if tally.failed > int(spec.get("backoffLimit", LIMIT)) or _restarts(tally) > int(spec.get("backoffLimit", LIMIT)):
        return _TOO_MANY
    deadline = _deadline(job)
    if deadline is not None and deadline <= now:
        return _TOO_LONG
    completions = spec.get("completions")
    if completions is None:
        done = tally.succeeded > 0 and not tally.active
    elif spec.get("completionMode") == "Indexed":
        done = len([index for index in tally.done if index < int(completions)]) >= int(completions)
    else:
        done = tally.succeeded >= int(completions)
    return _REACHED if done and not spec.get("suspend") else None


def _settled(job: Object) -> Verdict | None:
    """What has been decided already and waits for the last pods to be counted."""
    for kinds in (_REACHED.kinds, _TOO_MANY.kinds):
        found = find((job.get("status") or {}).get("conditions"), kinds[0])
        if found is not None and found["status"] == "True":
            return Verdict(kinds, found.get("reason", ""), found.get("message", ""))
    return None


def _restarts(tally: Tally) -> int:
    """Restarts of containers in place (restartPolicy OnFailure) count as failures."""
    return sum(
        int(status.get("restartCount") or 0)
        for pod in tally.active
        for status in (pod.get("status") or {}).get("containerStatuses") or ()
        if (pod.get("spec") or {}).get("restartPolicy") == "OnFailure"
    )


def _deadline(job: Object) -> float | None:
    limit, began = job["spec"].get("activeDeadlineSeconds"), (job.get("status") or {}).get("startTime")
    if limit is None or not began or job["spec"].get("suspend"):
        return None
    return (parse(began) or 0.0) + int(limit)


def _pods_due(job: Object, tally: Tally, pods: list[Object], moment: Moment) -> tuple[list[Write], float | None]:
    """The pods to make or to take away, and when to look again if failures make them wait."""
    spec = job["spec"]
    wanted = int(spec.get("parallelism", 1))
    completions = spec.get("completions")
    if completions is not None:
        wanted = min(wanted, max(0, int(completions) - tally.succeeded))
    elif tally.succeeded:
        wanted = len(tally.active)
    if spec.get("podReplacementPolicy") == "Failed":
        wanted = max(0, wanted - tally.terminating)
    missing = wanted - len(tally.active)
    if missing < 0:
        return [_delete(job, pod) for pod in sorted(tally.active, key=deletion_rank)[:-missing]], None
    ended = last_failure(pods)
    if missing and ended is not None:
        until = ended + backoff(tally.failed)
        if moment.now < until:
            return [], until
    if spec.get("completionMode") == "Indexed":
        indexes = missing_indexes(int(completions or 0), tally)[:missing]
        return [_indexed(job, index, moment.dice) for index in indexes], None
    pod = _pod(job)
    told = Emit(job, "SuccessfulCreate", "Created pod: {name}", COMPONENT)
    return [Create("pods", pod, told)] * missing, None


def _pod(job: Object) -> Object:
    pod = from_template(job["spec"]["template"], job, namespace=namespace_of(job))
    pod["metadata"]["finalizers"] = [*pod["metadata"].get("finalizers", ()), TRACKING]
    return pod


def _indexed(job: Object, index: int, dice: float) -> Create:
    pod = _pod(job)
    meta, spec = pod["metadata"], pod["spec"]
    meta["annotations"] = {**meta.get("annotations", {}), INDEX: str(index)}
    meta["labels"] = {**meta["labels"], INDEX: str(index)}
    meta["name"] = f"{name_of(job)}-{index}-{safe_suffix((dice + index / 101) % 1)}"
    del meta["generateName"]
    variable = {"name": "JOB_COMPLETION_INDEX", "valueFrom": {"fieldRef": {"fieldPath": f"metadata.labels['{INDEX}']"}}}
    for field in ("initContainers", "containers"):
        if spec.get(field):
            spec[field] = [{**one, "env": [*(one.get("env") or ()), variable]} for one in spec[field]]
    spec["hostname"] = f"{name_of(job)}-{index}"
    return Create("pods", pod, Emit(job, "SuccessfulCreate", f"Created pod: {meta['name']}", COMPONENT))


def _delete(job: Object, pod: Object) -> Delete:
    told = Emit(job, "SuccessfulDelete", f"Deleted pod: {name_of(pod)}", COMPONENT)
    return Delete("pods", namespace_of(pod), name_of(pod), uid_of(pod), told=told)


def _release(pod: Object) -> Patch:
    """Takes the tracking finalizer from a pod."""
    rest = [one for one in pod["metadata"].get("finalizers") or () if one != TRACKING]
    meta = {"uid": uid_of(pod), "resourceVersion": pod["metadata"].get("resourceVersion"), "finalizers": rest or None}
    return Patch("pods", namespace_of(pod), name_of(pod), {"metadata": meta})


def _settle(key: Key, verdict: Verdict | None, view: View, moment: Moment, refusals: Refusals) -> Step:
    job = view.get(RESOURCE, *key)
    if job is None:
        return NOTHING
    pods = list(view.owned("pods", uid_of(job)))
    tally = count(job, pods)
    writes: list[Write] = [
        Emit(job, "FailedCreate", f"Error creating: {refusal.message}", COMPONENT, "Warning")
        for refusal in refusals
        if isinstance(refusal.write, Create)
    ]
    status = _status(job, tally, pods, verdict, moment.now)
    if status != (job.get("status") or {}):
        writes.append(Update(RESOURCE, with_status(job, status), "status"))
        writes += _news(job, job.get("status") or {}, status)
    noted = status.get("uncountedTerminatedPods") or {}
    uids = {*noted.get("succeeded", ()), *noted.get("failed", ())}
    writes += [_release(pod) for pod in pods if is_tracked(pod) and (uid_of(pod) in uids or pod in tally.ignored)]
    return Step(tuple(writes))


def _status(job: Object, tally: Tally, pods: list[Object], verdict: Verdict | None, now: float) -> dict[str, Any]:
    """The status with this tally. The end is written only when every pod has been counted and has stopped."""
    old = dict(job.get("status") or {})
    kept, won, lost = uncounted(tally, old, pods)
    numbers = {
        "active": len(tally.active),
        "ready": tally.ready,
        "terminating": tally.terminating,
        "succeeded": int(old.get("succeeded") or 0) + won,
        "failed": int(old.get("failed") or 0) + lost,
    }
    status = {**old, **numbers, "uncountedTerminatedPods": kept}
    for field in ("active", "succeeded", "failed"):
        if not status[field]:
            del status[field]
    if job["spec"].get("completionMode") == "Indexed" and tally.done:
        status["completedIndexes"] = print_indexes(tally.done)
    conditions = _suspension(job, list(old.get("conditions") or ()), now)
    suspended = bool(job["spec"].get("suspend"))
    if suspended:
        status.pop("startTime", None)
    elif not status.get("startTime"):
        status["startTime"] = rfc3339(now)
    if verdict is not None:
        over = not kept and not tally.active and not tally.terminating
        conditions = _ended(conditions, verdict, over, now)
        if over and verdict.kinds[-1] == "Complete":
            status["completionTime"] = rfc3339(now)
    if conditions:
        status["conditions"] = conditions
    return status


def _ended(conditions: list[Condition], verdict: Verdict, over: bool, now: float) -> list[Condition]:
    for kind in verdict.kinds if over else verdict.kinds[:1]:
        if find(conditions, kind) is None:
            conditions = put(conditions, _said(kind, "True", verdict.reason, verdict.message, now))
    return conditions


def _said(kind: str, status: str, reason: str, message: str, now: float) -> Condition:
    time = rfc3339(now)
    return {
        "type": kind,
        "status": status,
        "lastProbeTime": time,
        "lastTransitionTime": time,
        "reason": reason,
        "message": message,
    }


def _suspension(job: Object, conditions: list[Condition], now: float) -> list[Condition]:
    suspended, before = bool(job["spec"].get("suspend")), is_true(conditions, "Suspended")
    if suspended and not before:
        return put(conditions, _said("Suspended", "True", "JobSuspended", "Job suspended", now))
    if before and not suspended:
        return put(conditions, _said("Suspended", "False", "JobResumed", "Job resumed", now))
    return conditions


def _news(job: Object, old: dict[str, Any], new: dict[str, Any]) -> list[Write]:
    """The events that belong to conditions which have just become so."""
    before, after = old.get("conditions"), new.get("conditions")
    said: list[Write] = []
    if is_true(after, "Suspended") and not is_true(before, "Suspended"):
        said.append(Emit(job, "Suspended", "Job suspended", COMPONENT))
    if is_true(before, "Suspended") and not is_true(after, "Suspended"):
        said.append(Emit(job, "Resumed", "Job resumed", COMPONENT))
    if is_true(after, "Complete"):
        said.append(Emit(job, "Completed", "Job completed", COMPONENT))
    failed = find(after, "Failed")
    if failed is not None:
        said.append(Emit(job, failed["reason"], failed["message"], COMPONENT, "Warning"))
    return said
