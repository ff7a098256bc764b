"""The Prometheus text format: samples out of a page of metrics, quantiles out of a histogram, and what happened between two pages.

Format: https://prometheus.io/docs/instrumenting/exposition_formats/ . Quantiles are interpolated as PromQL's histogram_quantile does.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

_LINE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})?\s+(\S+)(?:\s+-?\d+)?$")
_LABEL = re.compile(r'(?<![a-zA-Z0-9_])([a-zA-Z_][a-zA-Z0-9_]*+)="((?:[^"\\]|\\.)*+)"')
_ESCAPES = {r"\n": "\n", r"\"": '"', r"\\": "\\"}


class Sample(NamedTuple):
    """One line: a name, its labels, its value."""

    name: str
    labels: Mapping[str, str]
    value: float


Chosen = Callable[[Mapping[str, str]], bool]


def samples(text: str, names: Iterable[str]) -> list[Sample]:
    """The samples of these metrics (a histogram is named without `_bucket`); lines that are none are passed over."""
    wanted = {name for base in names for name in (base, f"{base}_bucket", f"{base}_count", f"{base}_sum")}
    found = []
    for line in text.splitlines():
        if line.startswith("#") or line.partition("{")[0].partition(" ")[0] not in wanted:
            continue
        match = _LINE.match(line.strip())
        if match is None:
            continue
        labels = {
            key: re.sub(r"\\.", lambda m: _ESCAPES.get(m[0], m[0]), value)
            for key, value in _LABEL.findall(match[2] or "")
        }
        try:
            found.append(Sample(match[1], labels, float(match[3])))
        except ValueError:
            continue
    return found


def total(found: Iterable[Sample], name: str, chosen: Chosen = lambda labels: True) -> float | None:
    """The sum of a counter or gauge over its labels; None if it is not there."""
    values = [each.value for each in found if each.name == name and chosen(each.labels)]
    return math.fsum(values) if values else None


def buckets(found: Iterable[Sample], name: str, chosen: Chosen = lambda labels: True) -> dict[float, float]:
    """A histogram's cumulative counts by upper bound, summed over its other labels."""
    summed: dict[float, float] = {}
    for each in found:
        if each.name == f"{name}_bucket" and chosen(each.labels):
            try:
                bound = float(each.labels["le"])
            except (KeyError, ValueError):
                continue
            summed[bound] = summed.get(bound, 0.0) + each.value
    return summed


def between(later: Mapping[float, float], earlier: Mapping[float, float]) -> dict[float, float]:
    """What was counted between two readings; the later one where the server has started anew meanwhile."""
    gone = {bound: count - earlier.get(bound, 0.0) for bound, count in later.items()}
    return dict(later) if any(count < 0 for count in gone.values()) else gone


def quantile(share: float, counts: Mapping[float, float]) -> float | None:
    """The quantile of cumulative counts by upper bound; None if nothing was counted.

    Where it falls into the last bucket, which has no end, it is that one's lower bound: the true value is larger.
    """
    bounds = sorted(counts)
    if not bounds or counts[bounds[-1]] <= 0:
        return None
    rank, below, before = share * counts[bounds[-1]], 0.0, 0.0
    for bound in bounds:
        if counts[bound] >= rank and counts[bound] > before:
            if math.isinf(bound):
                return below
            return below + (bound - below) * (rank - before) / (counts[bound] - before)
        below, before = (bound if not math.isinf(bound) else below), counts[bound]
    return below
