"""Our own share of the load: what a running controller has asked of the API server, from two readings of its metrics."""

from collections.abc import Sequence

from kilde.core.doctor.durations import told
from kilde.core.doctor.exposition import Sample, total
from kilde.core.doctor.finding import Finding, Verdict

_REQUESTS, _MEMORY = "kilde_api_requests_total", "process_resident_memory_bytes"
_WATCHES = "kilde_watches"
_FETCHES, _FETCHING = "kilde_fetches_total", "kilde_fetch_seconds_total"
METRICS = (_REQUESTS, _MEMORY, _WATCHES, _FETCHES, _FETCHING)
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
    return findings + _git_load(now, before, seconds)


def _git_load(now: Sequence[Sample], before: Sequence[Sample], seconds: float) -> list[Finding]:
    """Fetches since its start and within these seconds; none from a controller that does not count them."""
    fetches = total(now, _FETCHES)
    if fetches is None:
        return []
    failed = total(now, _FETCHES, lambda labels: labels.get("outcome") == "failed") or 0.0
    rate = max(0.0, fetches - (total(before, _FETCHES) or 0.0)) * 60 / seconds
    mean = (total(now, _FETCHING) or 0.0) / fetches if fetches else 0.0
    says = f"{rate:,.0f} fetches a minute; since its start {fetches:,.0f}, of which {failed:,.0f} failed, {told(mean)} each"
    bad = fetches >= 10 and failed > fetches / 2
    verdict, hint = (
        (Verdict.WATCH, "most fetches fail: kilde app list tells which repositories") if bad else (Verdict.GOOD, "")
    )
    numbers = {"perMinute": rate, "total": fetches, "failed": failed, "meanSeconds": mean}
    return [Finding(area="kilde", check="git", verdict=verdict, says=says, hint=hint, numbers=numbers)]


def _by_verb(page: Sequence[Sample]) -> dict[str, float]:
    return {each.labels.get("verb", ""): each.value for each in page if each.name == _REQUESTS}
