"""The tally of a Job: which pods have ended and are counted, which indexes are complete, and how long to wait after a failure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from kilde.core.basics.moment import parse
from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.job.policy import matching
from kilde.kubeapi.controllers.metadata import annotations_of, deleting, uid_of
from kilde.kubeapi.controllers.pods import is_ready, is_terminating, phase

TRACKING = "batch.kubernetes.io/job-tracking"
INDEX = "batch.kubernetes.io/job-completion-index"
FIRST_BACKOFF, LONGEST_BACKOFF = 10.0, 600.0


@dataclass(frozen=True, slots=True)
class Tally:
    """A Job's pods: `active` go on; `won` and `lost` have ended and are not in the status yet; numbers include them.

    `ignored` have failed in a way that the Job's pod failure policy does not count.
    """

    active: tuple[Object, ...]
    terminating: int
    ready: int
    won: tuple[Object, ...]
    lost: tuple[Object, ...]
    ignored: tuple[Object, ...]
    succeeded: int
    failed: int
    done: frozenset[int]


def is_tracked(pod: Object) -> bool:
    """Whether the pod is still to be counted: its finalizer is there."""
    return TRACKING in (pod["metadata"].get("finalizers") or ())


def index_of(pod: Object) -> int | None:
    text = annotations_of(pod).get(INDEX, "")
    return int(text) if text.isdigit() else None


def count(job: Object, pods: Iterable[Object]) -> Tally:
    """Sorts the pods. A pod being deleted counts as failed once it has ended, or will be gone."""
    status = job.get("status") or {}
    noted = status.get("uncountedTerminatedPods") or {}
    known = {*(noted.get("succeeded") or ()), *(noted.get("failed") or ())}
    every = list(pods)
    won = tuple(pod for pod in every if phase(pod) == "Succeeded" and is_tracked(pod) and uid_of(pod) not in known)
    ended = [pod for pod in every if _is_lost(pod) and is_tracked(pod) and uid_of(pod) not in known]
    policy = job["spec"].get("podFailurePolicy")
    ignored = tuple(pod for pod in ended if (rule := matching(policy, pod)) is not None and rule.action == "Ignore")
    lost = tuple(pod for pod in ended if pod not in ignored)
    active = tuple(pod for pod in every if phase(pod) not in ("Succeeded", "Failed") and not deleting(pod))
    done = set(parse_indexes(str(status.get("completedIndexes") or "")))
    done |= {index for pod in every if phase(pod) == "Succeeded" and (index := index_of(pod)) is not None}
    return Tally(
        active=active,
        terminating=sum(is_terminating(pod) for pod in every),
        ready=sum(is_ready(pod) for pod in active),
        won=won,
        lost=lost,
        ignored=ignored,
        succeeded=int(status.get("succeeded") or 0) + len(noted.get("succeeded") or ()) + len(won),
        failed=int(status.get("failed") or 0) + len(noted.get("failed") or ()) + len(lost),
        done=frozenset(done),
    )


def _is_lost(pod: Object) -> bool:
    if phase(pod) == "Failed":
        return True
    return deleting(pod) and phase(pod) != "Succeeded" and not (pod.get("spec") or {}).get("nodeName")


def last_failure(pods: Iterable[Object]) -> float | None:
    """When the latest of the failed pods ended; None if none failed."""
    ends = []
    for pod in pods:
        if phase(pod) == "Failed":
            for status in (pod.get("status") or {}).get("containerStatuses") or ():
                ended = (status.get("state") or {}).get("terminated") or {}
                ends.append(parse(ended.get("finishedAt", "")) or 0.0)
    return max(ends, default=None)


def backoff(failures: int) -> float:
    """Seconds to wait after so many failures: 10 s, twice as long each time, at most 10 min."""
    return float(min(FIRST_BACKOFF * 2 ** min(max(failures, 1) - 1, 10), LONGEST_BACKOFF))


def parse_indexes(text: str) -> list[int]:
    """`0-2,5` → [0, 1, 2, 5]."""
    found: list[int] = []
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


def print_indexes(indexes: Iterable[int]) -> str:
    """[0, 1, 2, 5] → `0-2,5`; two neighbours stay apart: `0,1`."""
    runs: list[list[int]] = []
    for index in sorted(indexes):
        if runs and runs[-1][-1] == index - 1:
            runs[-1].append(index)
        else:
            runs.append([index])
    parts = []
    for run in runs:
        parts += [f"{run[0]}-{run[-1]}"] if len(run) > 2 else [str(index) for index in run]
    return ",".join(parts)


def missing_indexes(completions: int, tally: Tally) -> list[int]:
    """The indexes that are neither complete nor at work, lowest first."""
    taken = set(tally.done) | {index for pod in tally.active if (index := index_of(pod)) is not None}
    return [index for index in range(completions) if index not in taken]


def uncounted(tally: Tally, status: dict[str, Any], pods: Iterable[Object]) -> tuple[dict[str, list[str]], int, int]:
    """(pods noted but not yet released from the finalizer, newly counted successes, newly counted failures)."""
    held = {uid_of(pod) for pod in pods if is_tracked(pod)}
    noted = status.get("uncountedTerminatedPods") or {}
    kept: dict[str, list[str]] = {}
    counted = []
    for field, fresh in (("succeeded", tally.won), ("failed", tally.lost)):
        before = list(noted.get(field) or ())
        stay = [uid for uid in before if uid in held] + [uid_of(pod) for pod in fresh]
        counted.append(sum(uid not in held for uid in before))
        if stay:
            kept[field] = stay
    return kept, counted[0], counted[1]
