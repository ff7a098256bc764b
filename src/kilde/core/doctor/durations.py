"""Distributions of durations: percentiles, and a histogram to look at. Durations are seconds."""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spread:
    """A distribution in five figures, each in seconds, and how many there were."""

    count: int
    p50: float
    p90: float
    p99: float
    p999: float
    most: float

    def numbers(self) -> dict[str, float]:
        """The figures by name."""
        return {name: getattr(self, name) for name in ("count", "p50", "p90", "p99", "p999", "most")}


def spread(durations: Sequence[float]) -> Spread:
    """Percentiles by nearest rank: each is one of the durations. Of none: all zero."""
    ordered = sorted(durations)

    def at(share: float) -> float:
        return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0

    return Spread(len(ordered), at(0.5), at(0.9), at(0.99), at(0.999), at(1.0))


def told(seconds: float) -> str:
    """A duration as people say it: three digits, in the unit that fits."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.3g} µs"


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of a histogram: from, to (seconds), and how many durations are between."""

    low: float
    high: float
    count: int


def bars(durations: Sequence[float]) -> list[Bar]:
    """How many durations fell between powers of two of a tenth of a millisecond; without the empty ends."""
    counts: dict[int, int] = {}
    for each in durations:
        step = max(0, math.floor(math.log2(each / _LEAST)) + 1) if each > 0 else 0
        counts[step] = counts.get(step, 0) + 1
    if not counts:
        return []
    return [Bar(_edge(step - 1), _edge(step), counts.get(step, 0)) for step in range(min(counts), max(counts) + 1)]


_LEAST = 1e-4


def _edge(step: int) -> float:
    return _LEAST * float(2**step) if step >= 0 else 0.0


def drawn(durations: Sequence[float], *, width: int = 40) -> list[str]:
    """The histogram as lines of text; the longest bar is as wide as asked."""
    found = bars(durations)
    most = max((bar.count for bar in found), default=0)
    lines = []
    for bar in found:
        edge = f"{told(bar.low) if bar.low else '0'} – {told(bar.high)}"
        mark = "█" * (math.ceil(bar.count / most * width) if bar.count else 0)
        lines.append(f"{edge:>19} │{mark:<{width}} {bar.count:,}")
    return lines
