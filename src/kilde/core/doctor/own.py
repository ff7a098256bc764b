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
    verbs = sorted({each.labels.get("verb", "") for each in now if each.name == _REQUESTS})
    rates: dict[str, float] = {}
    for verb in verbs:
        passed = (total(now, _REQUESTS, lambda labels, verb=verb: labels.get("verb") == verb) or 0) - (  # type: ignore[misc]
            total(before, _REQUESTS, lambda labels, verb=verb: labels.get("verb") == verb) or 0  # type: ignore[misc]
        )
        rates[verb] = max(0.0, passed) * 60 / seconds
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
