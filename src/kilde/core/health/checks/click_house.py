"""Altinity's ClickHouse and its keeper: the status is one word."""

from collections.abc import Mapping
from typing import Final

from kilde.core.health.health import degraded, healthy, progressing
from kilde.core.health.judging import Judge, by_word


def _installation(name: str) -> Judge:
    return by_word(
        "status",
        {
            "Completed": healthy(f"{name} installation completed successfully"),
            "InProgress": progressing(f"{name} installation in progress"),
        },
        absent=progressing(f"{name} status not yet available"),
        other=lambda word: degraded(f"{name} status: {word}"),
    )


KINDS: Final[Mapping[str, Judge]] = {
    "ClickHouseInstallation": _installation("ClickHouse"),
    "ClickHouseKeeperInstallation": _installation("ClickHouseKeeper"),
}
