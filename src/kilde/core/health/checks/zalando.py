"""Zalando's postgresql: its state is a word that speaks for itself."""

from collections.abc import Mapping
from typing import Final

from kilde.core.health.health import degraded, healthy, progressing
from kilde.core.health.judging import Judge, by_word

KINDS: Final[Mapping[str, Judge]] = {
    "postgresql": by_word(
        "PostgresClusterStatus",
        {"Running": healthy("Running"), "Creating": progressing("Creating"), "Updating": progressing("Updating")},
        absent=progressing("Waiting for postgres cluster status..."),
        other=degraded,
    )
}
