"""What kube-apiserver's metrics say about etcd behind it, about its own speed, and about whom it turns away.

Names: https://kubernetes.io/docs/reference/instrumentation/metrics/ . Latency goals: Kubernetes' SLOs (1 s for a request for one
object).
"""

from collections.abc import Mapping, Sequence

from kilde.core.doctor.durations import Spread, told
from kilde.core.doctor.exposition import Sample, total
from kilde.core.doctor.finding import Finding, Verdict
from kilde.core.doctor.latency import judge_latency

_ETCD, _REQUESTS = "etcd_request_duration_seconds", "apiserver_request_duration_seconds"
_REJECTED = "apiserver_flowcontrol_rejected_requests_total"
_LOST = "kilde doctor disk on etcd's machine, and --etcd-metrics, tell where it is lost"
METRICS = (_ETCD, _REQUESTS, _REJECTED)
_WRITES = frozenset(("create", "update", "delete", "txn"))
_ONE = frozenset(("GET", "POST", "PUT", "PATCH", "DELETE", "APPLY"))


def judge_apiserver(now: Sequence[Sample], before: Sequence[Sample] = ()) -> list[Finding]:
    """What a page of its metrics says; with an earlier page, about the time between the two."""
    pages = now, before
    findings = [
        judge_latency("api", "etcd-writes", "its writes to etcd", _ETCD, 0.050, pages, hint=_LOST, chosen=_is_write),
        judge_latency("api", "requests", "requests for one object", _REQUESTS, 1.0, pages, hint=_LOST, chosen=_is_one),
        _rejected(now, before),
    ]
    return [each for each in findings if each is not None]


def judge_round_trips(found: Spread) -> Finding:
    """The verdict on small requests, one after the other, from here to the API server and back."""
    verdict = Verdict.GOOD if found.p99 < 0.25 else Verdict.WATCH if found.p99 < 1.0 else Verdict.BAD
    hint = (
        ""
        if verdict is Verdict.GOOD
        else "heals and syncs wait for each answer: run Kilde near the API server, and look at what else loads it"
    )
    return Finding(
        area="api", check="round-trip", verdict=verdict, hint=hint, numbers=found.numbers(),
        says=f"{found.count} small requests: p50 {told(found.p50)}, p99 {told(found.p99)}",
    )  # fmt: skip


def _is_write(labels: Mapping[str, str]) -> bool:
    return labels.get("operation") in _WRITES


def _is_one(labels: Mapping[str, str]) -> bool:
    return labels.get("verb") in _ONE and labels.get("subresource") not in (
        "exec",
        "attach",
        "portforward",
        "log",
        "proxy",
    )


def _rejected(now: Sequence[Sample], before: Sequence[Sample]) -> Finding | None:
    if not any(each.name == f"{_REQUESTS}_bucket" for each in now):
        return None
    later, earlier = total(now, _REJECTED) or 0.0, total(before, _REJECTED) or 0.0
    count = later - earlier if later >= earlier else later
    verdict = Verdict.GOOD if not count else Verdict.WATCH
    hint = (
        ""
        if verdict is Verdict.GOOD
        else "somebody is slowed down by priority and fairness: see apiserver_flowcontrol_rejected_requests_total by flow_schema"
    )
    return Finding(
        area="api",
        check="rejected",
        verdict=verdict,
        says=f"{count:,.0f} requests turned away by priority and fairness",
        hint=hint,
        numbers={"count": count},
    )
