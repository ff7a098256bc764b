"""One step of a Job: count the pods that ended, decide whether it is over, else make or take away pods."""

from dataclasses import replace
from functools import partial
from typing import Any

from kilde.core.basics.backoff import Backoff
from kilde.core.basics.moment import parse, rfc3339
from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.claiming import claim
from kilde.kubeapi.controllers.conditions import Condition, find, is_true, put
from kilde.kubeapi.controllers.job.indexes import print_indexes
from kilde.kubeapi.controllers.job.manning import COMPONENT, manned
from kilde.kubeapi.controllers.job.patience import remembered
from kilde.kubeapi.controllers.job.policy import counts
from kilde.kubeapi.controllers.job.tally import (
    TRACKING,
    Tally,
    count,
    has_failed,
    is_indexed,
    is_tracked,
    is_valid,
    uncounted,
)
from kilde.kubeapi.controllers.job.verdict import Verdict, deadline, judged, reached
from kilde.kubeapi.controllers.metadata import deleting, name_of, namespace_of, uid_of, with_status
from kilde.kubeapi.controllers.pods import is_active, is_ready, is_terminating, phase
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
OURSELVES = "kubernetes.io/job-controller"


def controller() -> Controller:
    """The controller of `batch/v1` Jobs; it also frees the pods of a Job that is gone from its finalizer."""
    triggers = {RESOURCE: itself, "pods": owner_keys("Job", RESOURCE)}
    return Controller(COMPONENT, _reduce, triggers, retry=Backoff(first=1.0, ceiling=60.0))


def _reduce(key: Key, view: View, moment: Moment) -> Step:
    job = view.get(RESOURCE, *key)
    if job is None:
        return Step(tuple(_orphans(key, view)))
    elsewhere = job["spec"].get("managedBy", OURSELVES) != OURSELVES
    if _over(job):
        pods = () if elsewhere else tuple(view.owned("pods", uid_of(job)))
        return _aftermath(job, pods, moment.now)
    if elsewhere:
        return NOTHING
    claimed = claim(job, job["spec"].get("selector"), "pods", view)
    tally = count(job, claimed.objects)
    patience = remembered(moment.memo, tally.won, (*tally.lost, *tally.ignored))
    verdict = judged(job, tally, moment.now)
    writes: list[Write] = [_tracked(patch, view) for patch in claimed.writes]
    wake: float | None = None
    if verdict is not None:
        writes += [_delete(job, pod) for pod in tally.active]
    else:
        if not deleting(job):
            due = manned(job, tally, patience, moment.now)
            for pod in due.surplus:  # given up on purpose: not counted
                writes += [_release(pod), _delete(job, pod)]
            writes += due.creates
            wake = earliest(due.wake, deadline(job))
        verdict = reached(job, tally)
    return Step(tuple(writes), wake=wake, memo=patience, then=partial(_settle, key, tally, verdict))


def _tracked(patch: Patch, view: View) -> Patch:
    """The claim of a pod: one that is taken on gets the finalizer, too."""
    pod = view.get("pods", patch.namespace, patch.name)
    if pod is None or is_tracked(pod) or not patch.change["metadata"]["ownerReferences"]:
        return patch
    finalizers = [*(pod["metadata"].get("finalizers") or ()), TRACKING]
    return replace(patch, change={"metadata": {**patch.change["metadata"], "finalizers": finalizers}})


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


def _aftermath(job: Object, pods: tuple[Object, ...], now: float) -> Step:
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


def _delete(job: Object, pod: Object) -> Delete:
    told = Emit(job, "SuccessfulDelete", f"Deleted pod: {name_of(pod)}", COMPONENT)
    return Delete("pods", namespace_of(pod), name_of(pod), uid_of(pod), told=told)


def _release(pod: Object) -> Patch:
    """Takes the tracking finalizer from a pod."""
    rest = [one for one in pod["metadata"].get("finalizers") or () if one != TRACKING]
    meta = {"uid": uid_of(pod), "resourceVersion": pod["metadata"].get("resourceVersion"), "finalizers": rest or None}
    return Patch("pods", namespace_of(pod), name_of(pod), {"metadata": meta})


def _settle(key: Key, tally: Tally, verdict: Verdict | None, view: View, moment: Moment, refusals: Refusals) -> Step:
    job = view.get(RESOURCE, *key)
    if job is None:
        return NOTHING
    pods = list(view.owned("pods", uid_of(job)))
    writes: list[Write] = [
        Emit(job, "FailedCreate", f"Error creating: {refusal.message}", COMPONENT, "Warning")
        for refusal in refusals
        if isinstance(refusal.write, Create)
    ]
    status = _status(job, tally, pods, verdict, moment.now)
    if status != (job.get("status") or {}):
        writes.append(Update(RESOURCE, with_status(job, status), "status"))
        writes += _news(job, job.get("status") or {}, status)
    free = {uid_of(pod) for pod in _free(job, tally, verdict)}
    writes += [_release(pod) for pod in pods if is_tracked(pod) and uid_of(pod) in free]
    return Step(tuple(writes))


def _free(job: Object, tally: Tally, verdict: Verdict | None) -> list[Object]:
    """The pods that need not be kept: they are counted with this status, or never will be."""
    held = {uid_of(pod) for pod in tally.held.values()}
    return [
        pod
        for pod in tally.pods
        if deleting(job)
        or verdict is not None
        or phase(pod) == "Succeeded"
        or (has_failed(job, pod) and uid_of(pod) not in held)
    ]


def _noted(job: Object, tally: Tally, verdict: Verdict | None) -> dict[str, list[Object]]:
    """The pods that this status notes for the first time. A Job that fails counts all of its pods that have not succeeded."""
    free = {uid_of(pod) for pod in _free(job, tally, verdict)}
    failed = [pod for pod in tally.lost if uid_of(pod) in free]
    if verdict is not None and verdict.is_failure:
        known = ((job.get("status") or {}).get("uncountedTerminatedPods") or {}).get("failed") or ()
        failed = [
            pod
            for pod in tally.pods
            if is_tracked(pod)
            and is_valid(job, pod)
            and phase(pod) != "Succeeded"
            and uid_of(pod) not in known
            and counts(job["spec"].get("podFailurePolicy"), pod)
        ]
    return {"succeeded": [] if is_indexed(job) else list(tally.won), "failed": failed}


def _status(job: Object, tally: Tally, pods: list[Object], verdict: Verdict | None, now: float) -> dict[str, Any]:
    """The status with this tally. The end is written only when every pod has been counted and has stopped."""
    old = dict(job.get("status") or {})
    still = frozenset(uid_of(pod) for pod in pods if is_tracked(pod))
    kept, counted = uncounted(old, _noted(job, tally, verdict), still)
    active = [pod for pod in pods if is_active(pod)]
    numbers = {
        "active": len(active),
        "ready": sum(map(is_ready, active)),
        "terminating": sum(map(is_terminating, pods)),
        "succeeded": int(old.get("succeeded") or 0) + counted["succeeded"],
        "failed": int(old.get("failed") or 0) + counted["failed"],
    }
    status = {**old, **numbers, "uncountedTerminatedPods": kept}
    if is_indexed(job):
        status |= {"succeeded": len(tally.done), "completedIndexes": print_indexes(tally.done)}
    if tally.spoiled is not None:
        status["failedIndexes"] = print_indexes(tally.spoiled)
    if not (status.get("startTime") or job["spec"].get("suspend")):
        status["startTime"] = rfc3339(now)
    if verdict is not None:
        over = not kept and not active and not numbers["terminating"]
        _end(status, verdict, over, now)
    elif not deleting(job):
        _suspend(status, bool(job["spec"].get("suspend")), now)
    for field in ("active", "succeeded", "failed", "completedIndexes"):
        if not status.get(field):
            status.pop(field, None)
    return status


def _end(status: dict[str, Any], verdict: Verdict, over: bool, now: float) -> None:
    conditions = list(status.get("conditions") or ())
    for kind in verdict.kinds if over else verdict.kinds[:1]:
        if find(conditions, kind) is None:
            conditions = put(conditions, _said(kind, "True", verdict.reason, verdict.message, now))
    status["conditions"] = conditions
    if over and not verdict.is_failure:
        status["completionTime"] = rfc3339(now)


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


def _suspend(status: dict[str, Any], suspended: bool, now: float) -> None:
    """The condition Suspended, and with it the time from which the Job's deadline counts."""
    conditions = status.get("conditions") or ()
    before = is_true(conditions, "Suspended")
    if suspended and not before:
        status["conditions"] = put(conditions, _said("Suspended", "True", "JobSuspended", "Job suspended", now))
        status.pop("startTime", None)
    elif before and not suspended:
        status["conditions"] = put(conditions, _said("Suspended", "False", "JobResumed", "Job resumed", now))
        status["startTime"] = rfc3339(now)


def _news(job: Object, old: dict[str, Any], new: dict[str, Any]) -> list[Write]:
    """The events that belong to conditions which have just become so."""
    before, after = old.get("conditions"), new.get("conditions")
    said: list[Write] = []
    if is_true(after, "Suspended") and not is_true(before, "Suspended"):
        said.append(Emit(job, "Suspended", "Job suspended", COMPONENT))
    if is_true(before, "Suspended") and not is_true(after, "Suspended"):
        said.append(Emit(job, "Resumed", "Job resumed", COMPONENT))
    if is_true(after, "Complete"):
        most = job["spec"].get("completions")
        if most is not None and new.get("succeeded", 0) > int(most):
            words = "Too many succeeded pods running after completion count reached"
            said.append(Emit(job, "TooManySucceededPods", words, COMPONENT, "Warning"))
        said.append(Emit(job, "Completed", "Job completed", COMPONENT))
    failed = find(after, "Failed")
    if failed is not None:
        said.append(Emit(job, failed["reason"], failed["message"], COMPONENT, "Warning"))
    return said
