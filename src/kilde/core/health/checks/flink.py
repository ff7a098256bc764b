"""FlinkDeployment: reconciled, or how far its job manager is."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import part, text
from kilde.core.health.health import HEALTHY, Health, degraded, progressing
from kilde.core.health.judging import Judge


def deployment(obj: Object) -> Health:
    status = part(obj, "status")
    reconciled = part(status, "reconciliationStatus")
    if reconciled.get("success") is True or reconciled.get("state") == "DEPLOYED":
        return HEALTHY
    manager = text(status, "jobManagerDeploymentStatus") if reconciled else ""
    if manager in ("DEPLOYED_NOT_READY", "DEPLOYING"):
        return progressing("Waiting for deploying")
    return degraded(text(reconciled, "error")) if manager == "ERROR" else progressing("Waiting for Flink operator")


KINDS: Final[Mapping[str, Judge]] = {"FlinkDeployment": deployment}
