"""Jaeger's operator: one phase."""

from collections.abc import Mapping
from typing import Final

from kilde.core.health.health import degraded, healthy, progressing
from kilde.core.health.judging import Judge, by_word

KINDS: Final[Mapping[str, Judge]] = {
    "Jaeger": by_word(
        "phase",
        {"Running": healthy("Jaeger is Running"), "Failed": degraded("Jaeger Failed For Some Reason")},
        absent=progressing("Waiting for Jaeger"),
    )
}
