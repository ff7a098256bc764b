"""CustomResourceDefinition: established, with its names accepted and a structural schema."""

from kilde.core.basics.values import Object
from kilde.core.health.fields import conditions, text
from kilde.core.health.health import Health, degraded, healthy, progressing
from kilde.core.health.judging import said

_TELLING = frozenset(
    {
        ("Terminating", "True"),
        ("NamesAccepted", "False"),
        ("Established", "True"),
        ("NonStructuralSchema", "True"),
    }
)


def judge(obj: Object) -> Health:
    """Argo CD's check, its quirk kept: the message is that of the last condition that tells, whichever decides."""
    found = list(conditions(obj))
    if not found:
        return progressing("Status conditions not found")
    told = [item for item in found if (text(item, "type"), text(item, "status")) in _TELLING]
    kinds = {text(item, "type") for item in told}
    message = said(told[-1]) if told else ""
    if "Terminating" in kinds:
        return progressing(f"CRD is terminating: {message}")
    if "NamesAccepted" in kinds:
        return degraded(f"CRD names have not been accepted: {message}")
    if "Established" not in kinds:
        return degraded("CRD is not established")
    if "NonStructuralSchema" in kinds:
        return degraded(f"Schema violations found: {message}")
    return healthy("CRD is healthy")
