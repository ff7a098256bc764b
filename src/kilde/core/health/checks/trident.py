"""NetApp's TridentOrchestrator: installed, or not yet."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import part, text
from kilde.core.health.health import Health, healthy, progressing
from kilde.core.health.judging import Judge, said


def orchestrator(obj: Object) -> Health:
    status = part(obj, "status")
    is_there = text(status, "status") == "Installed"
    return healthy(said(status)) if is_there else progressing("Waiting for trident installation")


KINDS: Final[Mapping[str, Judge]] = {"TridentOrchestrator": orchestrator}
