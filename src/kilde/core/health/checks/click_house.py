"""Altinity's ClickHouseInstallation: its status is one word."""

from collections.abc import Mapping
from typing import Final

from kilde.core.health.health import degraded, healthy, progressing
from kilde.core.health.judging import Judge, by_word

KINDS: Final[Mapping[str, Judge]] = {
    "ClickHouseInstallation": by_word(
        "status",
        {
            "Completed": healthy("ClickHouse installation completed successfully"),
            "InProgress": progressing("ClickHouse installation in progress"),
        },
        absent=progressing("ClickHouse status not yet available"),
        other=lambda word: degraded(f"ClickHouse status: {word}"),
    )
}
