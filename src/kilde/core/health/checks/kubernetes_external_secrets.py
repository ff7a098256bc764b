"""Kubernetes External Secrets (before the operator of that name): SUCCESS, or ERROR and why."""

from collections.abc import Mapping
from typing import Final

from kilde.core.health.health import Health, degraded, healthy, progressing
from kilde.core.health.judging import Judge, by_word

_WAITING: Final = progressing("Waiting for ExternalSecret.")


def _other(word: str) -> Health:
    return degraded(word.replace("ERROR, ", "")) if word.startswith("ERROR") else _WAITING


KINDS: Final[Mapping[str, Judge]] = {
    "ExternalSecret": by_word("status", {"SUCCESS": healthy("Fetched ExternalSecret.")}, absent=_WAITING, other=_other)
}
