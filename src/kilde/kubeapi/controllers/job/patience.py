"""How long a Job waits before it replaces a pod that failed: 10 s, twice as long each time, at most 10 min."""

from collections.abc import Sequence
from typing import NamedTuple

from kilde.core.basics.moment import parse
from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.conditions import find
from kilde.kubeapi.controllers.metadata import uid_of

_FIRST, _LONGEST = 10.0, 600.0


class Patience(NamedTuple):
    """What the controller remembers of a Job: failures since the last success, when the last was, which pods are in that."""

    failures: int = 0
    last: float = 0.0
    seen: frozenset[str] = frozenset()

    def until(self) -> float:
        """When the next pod may be made."""
        return self.last + backoff(self.failures) if self.failures else 0.0


def remembered(before: Patience | None, won: Sequence[Object], lost: Sequence[Object]) -> Patience:
    """With the pods that have ended and are not counted yet; none is taken twice."""
    old = before or Patience()
    seen = frozenset(map(uid_of, (*won, *lost)))
    failed = sorted(ended_at(pod) for pod in lost if uid_of(pod) not in old.seen)
    success = max((ended_at(pod) for pod in won if uid_of(pod) not in old.seen), default=None)
    if success is not None:
        old = Patience()
        failed = [moment for moment in failed if moment > success]
    return Patience(old.failures + len(failed), failed[-1] if failed else old.last, seen)


def backoff(failures: int) -> float:
    """Seconds to wait after so many failures."""
    return float(min(_FIRST * 2 ** min(max(failures, 1) - 1, 10), _LONGEST))


def ended_at(pod: Object) -> float:
    """When a pod ended, as well as it can be told: by its containers, its readiness, its deletion, or else its creation."""
    status, meta = pod.get("status") or {}, pod["metadata"]
    ends = [
        parse(((one.get("state") or {}).get("terminated") or {}).get("finishedAt", "") or "")
        for one in status.get("containerStatuses") or ()
    ]
    told = [moment for moment in ends if moment is not None]
    if told and len(told) == len(ends):
        return max(told)
    ready = find(status.get("conditions"), "Ready")
    if ready is not None and ready.get("status") == "False" and (moment := parse(ready.get("lastTransitionTime", ""))):
        return moment
    if deletion := parse(meta.get("deletionTimestamp", "")):
        return deletion - int(meta.get("deletionGracePeriodSeconds") or 0)
    return parse(meta.get("creationTimestamp", "")) or 0.0
