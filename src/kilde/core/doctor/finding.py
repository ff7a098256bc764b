"""Finding: one thing that was looked at, how it is, and what to do about it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum


class Verdict(StrEnum):
    """How a thing is. UNKNOWN: it could not be looked at."""

    GOOD = "good"
    WATCH = "watch"
    BAD = "bad"
    UNKNOWN = "unknown"


_WORST = (Verdict.GOOD, Verdict.UNKNOWN, Verdict.WATCH, Verdict.BAD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`area` groups the table (disk, etcd, api, machine, …); `check` is stable within it; `numbers` are in SI units, seconds and bytes."""

    area: str
    check: str
    verdict: Verdict
    says: str
    hint: str = ""
    numbers: dict[str, float] = field(default_factory=dict)


def worst(findings: Iterable[Finding]) -> Verdict:
    """The verdict on all of them; GOOD where there is none."""
    return max((each.verdict for each in findings), key=_WORST.index, default=Verdict.GOOD)
