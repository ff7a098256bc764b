"""Gloo: a state per reporting namespace, as a word or (before 1.10) a number, and on its own in old statuses."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import part, text
from kilde.core.health.health import Health, degraded, healthy, progressing, suspended
from kilde.core.health.judging import Judge

_UNSEEN: Final = suspended("The resource has not yet been validated")
_NUMBERS: Final = {0: "Pending", 1: "Accepted", 2: "Rejected", 3: "Warning"}


def judge(obj: Object) -> Health:
    """The worst that any reporter says: refused or warned, then not yet looked at, then accepted."""
    status = part(obj, "status")
    reports = [item for item in part(status, "statuses").values() if isinstance(item, dict)] or [status]
    states = [_state(item) for item in reports]
    for item, state in zip(reports, states, strict=True):
        if state in ("Rejected", "Warning"):
            return degraded(text(item, "reason"))
    if "Pending" in states:
        return _UNSEEN
    return healthy("The resource has been validated") if "Accepted" in states else progressing("Update in progress")


def _state(report: Object) -> str:
    state = report.get("state")
    return _NUMBERS.get(state, "") if isinstance(state, int) else text(report, "state")


def edge(obj: Object) -> Health:
    """The edge's kinds: the first reporter that says anything decides; the state on its own counts where none does."""
    status = part(obj, "status")
    reports = [item for item in part(status, "statuses").values() if isinstance(item, dict)]
    for item in (*reports, status):
        state = _state(item)
        if state in ("Rejected", "Warning"):
            return degraded(text(item, "reason"))
        if state in ("Pending", "Accepted"):
            return healthy("The resource has been validated") if state == "Accepted" else _UNSEEN
    return progressing("Update in progress")


_EDGE: Final = ("Gateway", "MatchableHttpGateway", "RouteOption", "RouteTable", "VirtualHostOption", "VirtualService")
KINDS: Final[Mapping[str, Judge]] = {
    **dict.fromkeys(("Proxy", "Settings", "Upstream", "UpstreamGroup"), judge),
    **dict.fromkeys(_EDGE, edge),
}
