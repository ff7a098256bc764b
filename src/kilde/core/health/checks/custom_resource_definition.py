"""CustomResourceDefinition: established, with its names accepted and a structural schema."""

from kilde.core.basics.values import Object
from kilde.core.health.fields import conditions, text
from kilde.core.health.health import Health, degraded, healthy, progressing
from kilde.core.health.judging import said


def judge(obj: Object) -> Health:
    """The first condition that is amiss decides; Established alone makes it well."""
    is_established = False
    for item in conditions(obj):
        match text(item, "type"), text(item, "status"):
            case "Terminating", "True":
                return progressing(f"CRD is terminating: {said(item)}")
            case "NamesAccepted", "False":
                return degraded(f"CRD names have not been accepted: {said(item)}")
            case "NonStructuralSchema", "True":
                return degraded(f"Schema violations found: {said(item)}")
            case "Established", "True":
                is_established = True
            case "Established", _ if text(item, "reason") == "InvalidCABundle":
                return degraded(f"CRD is not established: {said(item)}")
            case "Established", _ if text(item, "reason") == "Installing":
                return progressing("CRD is being installed")
    if not any(True for _ in conditions(obj)):
        return progressing("Status conditions not found")
    return healthy("CRD is healthy") if is_established else progressing("CRD is not established")
