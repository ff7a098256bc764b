"""The verdict on one latency histogram out of two readings of a page: good below half of its limit, bad from the limit on."""

from collections.abc import Sequence

from kilde.core.doctor.durations import told
from kilde.core.doctor.exposition import Chosen, Sample, between, buckets, quantile
from kilde.core.doctor.finding import Finding, Verdict


def judge_latency(
    area: str,
    check: str,
    what: str,
    name: str,
    limit: float,
    pages: tuple[Sequence[Sample], Sequence[Sample]],
    *,
    hint: str,
    chosen: Chosen = lambda labels: True,
) -> Finding | None:
    """`pages` are (now, before); `limit` seconds at p99; None where nothing was counted."""
    now, before = pages
    counts = between(buckets(now, name, chosen), buckets(before, name, chosen))
    p50, p99 = quantile(0.5, counts), quantile(0.99, counts)
    if p50 is None or p99 is None:
        return None
    verdict = Verdict.GOOD if p99 < limit / 2 else Verdict.WATCH if p99 < limit else Verdict.BAD
    return Finding(
        area=area,
        check=check,
        verdict=verdict,
        says=f"{what}: p50 {told(p50)}, p99 {told(p99)} (should stay below {told(limit)})",
        hint="" if verdict is Verdict.GOOD else hint,
        numbers={"p50": p50, "p99": p99, "count": max(counts.values())},
    )
