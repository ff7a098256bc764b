"""Health: the six words Argo CD has for it, their order, and how many verdicts become one."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class HealthStatus(StrEnum):
    """Argo CD's words, best first; the order in which they are written here is the order of worsening."""

    HEALTHY = "Healthy"
    SUSPENDED = "Suspended"
    PROGRESSING = "Progressing"
    MISSING = "Missing"
    DEGRADED = "Degraded"
    UNKNOWN = "Unknown"

    @property
    def badness(self) -> int:
        """0 for Healthy, 5 for Unknown."""
        return _BADNESS[self]

    def is_worse_than(self, other: "HealthStatus") -> bool:
        return self.badness > other.badness


_BADNESS: Final = {status: index for index, status in enumerate(HealthStatus)}


@dataclass(frozen=True, slots=True)
class Health:
    """One verdict. `message` is "" where Argo CD says nothing; `failed`: nobody judged, and the message says why not."""

    status: HealthStatus
    message: str = ""
    failed: bool = field(default=False, compare=False)


HEALTHY: Final = Health(HealthStatus.HEALTHY)


def healthy(message: str) -> Health:
    return Health(HealthStatus.HEALTHY, message)


def suspended(message: str) -> Health:
    return Health(HealthStatus.SUSPENDED, message)


def progressing(message: str) -> Health:
    return Health(HealthStatus.PROGRESSING, message)


def degraded(message: str) -> Health:
    return Health(HealthStatus.DEGRADED, message)


def unknown(message: str) -> Health:
    return Health(HealthStatus.UNKNOWN, message)


def unjudged(message: str) -> Health:
    """A configured check that could not judge: Unknown, which the application tells as an error, too."""
    return Health(HealthStatus.UNKNOWN, message, failed=True)


def aggregate(live: Iterable[Health | None], *, missing: int = 0) -> HealthStatus:
    """The health of an application, as Argo CD's controller computes it.

    `live` has one entry for each managed object that is there and counts (see `assess.counts`); None stands for a kind
    that has no health. `missing` is the number of wanted objects that are not there: they do not make an application
    less healthy (it is OutOfSync already), unless nothing of it is left at all: then it is Missing.
    An application of no objects is Healthy.
    """
    worst = HealthStatus.HEALTHY
    alive = 0
    for health in live:
        alive += 1
        if health is not None and health.status.is_worse_than(worst):
            worst = health.status
    return HealthStatus.MISSING if missing and not alive else worst
