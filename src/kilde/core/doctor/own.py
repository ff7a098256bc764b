"""Our own share of the load: what a running controller has asked of the API server, from two readings of its metrics."""

from collections.abc import Sequence

from kilde.core.doctor.exposition import Sample, total
from kilde.core.doctor.finding import Finding, Verdict

_REQUESTS, _MEMORY = "kilde_api_requests_total", "process_resident_memory_bytes"
_WATCHES = "kilde_watches"
METRICS = (_REQUESTS, _MEMORY, _WATCHES)
_WRITES = ("apply", "patch", "create", "update", "delete")
_MIB = 1 << 20


def judge_own(now: Sequence[Sample], before: Sequence[Sample], seconds: float) -> list[Finding]:
    """What the controller did in these seconds between the two readings."""
    earlier, later = _by_verb(before), _by_verb(now)
    rates = {verb: max(0.0, count - earlier.get(verb, 0.0)) * 60 / seconds for verb, count in sorted(later.items())}
    writes = sum(rate for verb, rate in rates.items() if verb in _WRITES)
    busy = ", ".join(f"{verb} {rate:,.0f}" for verb, rate in rates.items() if rate >= 0.5) or "none"
    findings = [
        Finding(area="kilde", check="requests", verdict=Verdict.GOOD, says=f"requests a minute: {busy}", numbers=rates),
        Finding(area="kilde", check="writes", verdict=Verdict.GOOD, says=f"{writes:,.0f} writes a minute", numbers={"perMinute": writes}),
    ]  # fmt: skip
    for name, check, what in ((_WATCHES, "watches", "{:,.0f} watches"), (_MEMORY, "memory", "{:,.0f} MiB of memory")):
        found = total(now, name)
        if found is not None:
            shown = found / _MIB if check == "memory" else found
            findings.append(
                Finding(
                    area="kilde", check=check, verdict=Verdict.GOOD, says=what.format(shown), numbers={check: found}
                )
            )
    return findings


def _by_verb(page: Sequence[Sample]) -> dict[str, float]:
    return {each.labels.get("verb", ""): each.value for each in page if each.name == _REQUESTS}
