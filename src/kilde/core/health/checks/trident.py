"""NetApp's Trident: the orchestrator is installed, a backend is bound, or either has failed."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import part, text
from kilde.core.health.health import Health, degraded, healthy, progressing
from kilde.core.health.judging import Judge, said


def orchestrator(obj: Object) -> Health:
    status = part(obj, "status")
    word = text(status, "status")
    if word == "Installed":
        return healthy(said(status))
    return degraded(said(status)) if word in ("Failed", "Error") else progressing("Waiting for trident installation")


def backend(obj: Object) -> Health:
    status = part(obj, "status")
    last = text(status, "lastOperationStatus")
    if last == "Success" and text(status, "phase") == "Bound":
        return healthy(said(status))
    return degraded(said(status)) if last == "Failed" else progressing("Waiting for backend creation")


KINDS: Final[Mapping[str, Judge]] = {"TridentBackendConfig": backend, "TridentOrchestrator": orchestrator}
