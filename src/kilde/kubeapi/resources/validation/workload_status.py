"""What a status of a workload must be like: numbers that are none below zero, and no part greater than its whole."""

from collections.abc import Callable, Iterator, Sequence

from kilde.core.basics.values import Object
from kilde.kubeapi.resources.causes import Cause, invalid
from kilde.kubeapi.resources.validation.fields import not_negative

_PARTS = ("updatedReplicas", "readyReplicas", "availableReplicas")
Check = Callable[[Object, Object], Iterator[Cause]]


def _status(counts: Sequence[str], parts: Sequence[str] = (), ready: str = "", *, counts_up: bool = True) -> Check:
    """`parts` are none greater than replicas; `ready` is what the available ones are none greater than, in the words of the kind."""

    def check(new: Object, old: Object) -> Iterator[Cause]:
        status, before = new.get("status") or {}, old.get("status") or {}
        for key in counts:
            yield from not_negative(status.get(key), f"status.{key}")
        for key in parts:
            if (status.get(key) or 0) > (status.get("replicas") or 0):
                yield invalid(f"status.{key}", status.get(key) or 0, "cannot be greater than status.replicas")
        if ready and (status.get("availableReplicas") or 0) > (status.get("readyReplicas") or 0):
            yield invalid(
                "status.availableReplicas", status.get("availableReplicas") or 0, f"cannot be greater than {ready}"
            )
        had, has = before.get("collisionCount"), status.get("collisionCount")
        if counts_up and had is not None and (has is None or has < had):
            yield invalid("status.collisionCount", has or 0, "cannot be decremented")

    return check


check_deployment = _status(
    ("observedGeneration", "replicas", *_PARTS, "unavailableReplicas", "terminatingReplicas", "collisionCount"),
    _PARTS,
    "readyReplicas",
)
check_replica_set = _status(
    (
        *("replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas"),
        *("observedGeneration", "terminatingReplicas"),
    ),
    ("fullyLabeledReplicas", "readyReplicas", "availableReplicas"),
    "readyReplicas",
    counts_up=False,
)
check_stateful_set = _status(
    (
        *("replicas", "readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"),
        *("observedGeneration", "collisionCount"),
    ),
    ("readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"),
    "status.readyReplicas",
)
check_daemon_set = _status(
    (
        *("currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady"),
        *("observedGeneration", "updatedNumberScheduled", "numberAvailable", "numberUnavailable", "collisionCount"),
    )
)
