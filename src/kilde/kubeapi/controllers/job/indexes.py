"""Completion indexes of a Job: as text in its status and success policy, and as annotations of its pods."""

from collections.abc import Iterable

from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.metadata import annotations_of

INDEX = "batch.kubernetes.io/job-completion-index"
FAILURES = "batch.kubernetes.io/job-index-failure-count"
IGNORED = "batch.kubernetes.io/job-index-ignored-failure-count"
_PAIR = 2


def index_of(pod: Object) -> int | None:
    """The index a pod works on; None if its annotation says none."""
    return _number(pod, INDEX)


def failures_of(pod: Object) -> int:
    """How many pods have failed at this pod's index before it, so that they count."""
    return _number(pod, FAILURES) or 0


def ignored_of(pod: Object) -> int:
    """How many have failed before it and were forgiven by the failure policy."""
    return _number(pod, IGNORED) or 0


def _number(pod: Object, annotation: str) -> int | None:
    text = annotations_of(pod).get(annotation, "")
    return int(text) if text.isascii() and text.isdigit() else None


def parse_indexes(text: str, below: int | None = None) -> list[int]:
    """`0-2,5` → [0, 1, 2, 5]; those that are not `below` the completions are left out."""
    found: list[int] = []
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        end = int(last or first)
        found += range(int(first), (end if below is None else min(end, below - 1)) + 1)
    return found


def print_indexes(indexes: Iterable[int]) -> str:
    """[0, 1, 2, 5] → `0-2,5`; two neighbours stay apart: `0,1`."""
    runs: list[list[int]] = []
    for index in sorted(indexes):
        if runs and runs[-1][-1] == index - 1:
            runs[-1].append(index)
        else:
            runs.append([index])
    parts = []
    for run in runs:
        parts += [f"{run[0]}-{run[-1]}"] if len(run) > _PAIR else [str(index) for index in run]
    return ",".join(parts)
