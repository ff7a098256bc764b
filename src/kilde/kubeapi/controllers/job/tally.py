"""The tally of a Job: which pods have ended and are counted, and which indexes are complete or have failed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.job.indexes import failures_of, ignored_of, index_of, parse_indexes
from kilde.kubeapi.controllers.job.patience import ended_at
from kilde.kubeapi.controllers.job.policy import FAIL_INDEX, counts, matching
from kilde.kubeapi.controllers.metadata import deleting, uid_of
from kilde.kubeapi.controllers.pods import is_active, is_ready, is_terminating, phase

TRACKING = "batch.kubernetes.io/job-tracking"


@dataclass(frozen=True, slots=True)
class Tally:
    """A Job's pods: `active` go on; `won`, `lost` and `ignored` have ended and are not in the status yet; numbers include them.

    `ignored` have failed in a way that the pod failure policy does not count. `done` are the completed indexes, `spoiled`
    those that have failed for good (None: the Job has no limit for each index), and `held` is for each index that waits
    for a new pod the last one that failed: it stays until the new one carries its count on.
    """

    pods: tuple[Object, ...]
    active: tuple[Object, ...]
    terminating: int
    ready: int
    won: tuple[Object, ...]
    lost: tuple[Object, ...]
    ignored: tuple[Object, ...]
    succeeded: int
    failed: int
    done: frozenset[int]
    spoiled: frozenset[int] | None
    held: Mapping[int, Object]


def is_tracked(pod: Object) -> bool:
    """Whether the pod is still to be counted: its finalizer is there."""
    return TRACKING in (pod["metadata"].get("finalizers") or ())


def is_indexed(job: Object) -> bool:
    return bool(job["spec"].get("completionMode") == "Indexed")


def replaces_failed_only(job: Object) -> bool:
    """Whether a pod that is being deleted is waited for before another takes its place."""
    return job["spec"].get("podReplacementPolicy") == "Failed" or "podFailurePolicy" in job["spec"]


def has_failed(job: Object, pod: Object) -> bool:
    """Whether a pod counts as failed; one that is being deleted does, unless it is waited for."""
    if phase(pod) == "Failed":
        return True
    return not replaces_failed_only(job) and deleting(pod) and phase(pod) != "Succeeded"


def is_valid(job: Object, pod: Object) -> bool:
    """Whether the pod counts at all: those of an indexed Job need an index that exists."""
    if not is_indexed(job):
        return True
    index = index_of(pod)
    return index is not None and index < int(job["spec"].get("completions") or 0)


def count(job: Object, pods: Sequence[Object]) -> Tally:
    """Sorts the pods."""
    status = job.get("status") or {}
    noted = status.get("uncountedTerminatedPods") or {}
    known = {*(noted.get("succeeded") or ()), *(noted.get("failed") or ())}
    fresh = [pod for pod in pods if is_tracked(pod) and uid_of(pod) not in known and is_valid(job, pod)]
    ended = [pod for pod in fresh if has_failed(job, pod)]
    policy = job["spec"].get("podFailurePolicy")
    lost = tuple(pod for pod in ended if counts(policy, pod))
    won = tuple(pod for pod in fresh if phase(pod) == "Succeeded")
    active = tuple(pod for pod in pods if is_active(pod))
    done = _done(job, pods)
    spoiled = _spoiled(job, pods)
    succeeded = int(status.get("succeeded") or 0) + len(noted.get("succeeded") or ()) + len(won)
    return Tally(
        pods=tuple(pods),
        active=active,
        terminating=sum(is_terminating(pod) for pod in pods),
        ready=sum(is_ready(pod) for pod in active),
        won=won,
        lost=lost,
        ignored=tuple(pod for pod in ended if pod not in lost),
        succeeded=len(done) if is_indexed(job) else succeeded,
        failed=int(status.get("failed") or 0) + len(noted.get("failed") or ()) + len(lost),
        done=done,
        spoiled=spoiled,
        held={} if spoiled is None else _held(job, pods, done | spoiled | at_work(active)),
    )


def at_work(pods: Sequence[Object]) -> frozenset[int]:
    """The indexes of these pods."""
    return frozenset(index for pod in pods if (index := index_of(pod)) is not None)


def _done(job: Object, pods: Sequence[Object]) -> frozenset[int]:
    if not is_indexed(job):
        return frozenset()
    text = str((job.get("status") or {}).get("completedIndexes") or "")
    won = [pod for pod in pods if phase(pod) == "Succeeded" and is_tracked(pod) and is_valid(job, pod)]
    return frozenset(parse_indexes(text, int(job["spec"].get("completions") or 0))) | at_work(won)


def _spoiled(job: Object, pods: Sequence[Object]) -> frozenset[int] | None:
    limit = job["spec"].get("backoffLimitPerIndex")
    if limit is None or not is_indexed(job):
        return None
    text = str((job.get("status") or {}).get("failedIndexes") or "")
    lost = [pod for pod in pods if is_tracked(pod) and is_valid(job, pod) and _spoils(job, pod, int(limit))]
    return frozenset(parse_indexes(text, int(job["spec"].get("completions") or 0))) | at_work(lost)


def _spoils(job: Object, pod: Object, limit: int) -> bool:
    if not has_failed(job, pod):
        return False
    found = matching(job["spec"].get("podFailurePolicy"), pod)
    if found is not None and found.action == FAIL_INDEX:
        return True
    return counts(job["spec"].get("podFailurePolicy"), pod) and failures_of(pod) >= limit


def _held(job: Object, pods: Sequence[Object], settled: frozenset[int]) -> dict[int, Object]:
    held: dict[int, Object] = {}
    for pod in pods:
        index = index_of(pod)
        if index is None or index in settled or not (is_tracked(pod) and is_valid(job, pod) and has_failed(job, pod)):
            continue
        if index not in held or _rank(held[index]) <= _rank(pod):
            held[index] = pod
    return held


def _rank(pod: Object) -> tuple[int, float]:
    return failures_of(pod) + ignored_of(pod), ended_at(pod)


def uncounted(
    status: dict[str, Any], fresh: Mapping[str, Sequence[Object]], held: frozenset[str]
) -> tuple[dict[str, list[str]], dict[str, int]]:
    """(the uids noted but not yet released from their finalizer, how many of each field are counted now).

    `fresh` are the pods to be noted by field, `held` the uids of pods that still have the finalizer.
    """
    noted = status.get("uncountedTerminatedPods") or {}
    kept: dict[str, list[str]] = {}
    counted: dict[str, int] = {}
    for field in ("succeeded", "failed"):
        before = list(noted.get(field) or ())
        stay = [uid for uid in before if uid in held] + [uid_of(pod) for pod in fresh.get(field) or ()]
        counted[field] = sum(uid not in held for uid in before)
        if stay:
            kept[field] = stay
    return kept, counted
