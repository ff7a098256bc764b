"""Flux: Ready and Reconciling, and of charts and sources that a release or an artefact is there."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import conditions, part, text
from kilde.core.health.health import Health, degraded, healthy, progressing, suspended
from kilde.core.health.judging import Judge


def _kind(*proofs: str) -> Judge:
    def judge(obj: Object) -> Health:
        """Well when Ready, and one of the proofs where there are any, are True; under way when Ready is Unknown and it reconciles."""
        if part(obj, "spec").get("suspend") is True:
            return suspended(f"{text(obj, 'kind')} is suspended")
        if not isinstance(part(obj, "status").get("conditions"), list):
            return progressing("Status unknown")
        answers = [(text(item, "type"), text(item, "status")) for item in conditions(obj)]
        message = _reason(obj)
        if ("Ready", "Unknown") in answers and ("Reconciling", "True") in answers:
            return progressing(message)
        good = sum((name == "Ready" or name in proofs) and answer == "True" for name, answer in answers)
        return healthy(message) if good == (2 if proofs else 1) else degraded(message)

    return judge


def _reason(obj: Object) -> str:
    """Why it is (not) ready, and that its artefact is outdated where it is."""
    message = ""
    for item in conditions(obj):
        if text(item, "type") == "Ready":
            message = text(item, "reason")
        elif text(item, "type") == "ArtifactOutdated" and text(item, "status") == "True":
            message = f"{message} {text(item, 'reason')}"
    return message


def _image(*reasons: str, can_suspend: bool) -> Judge:
    def judge(obj: Object) -> Health:
        """Not Ready is progress, as long as it reconciles for one of the reasons."""
        if can_suspend and part(obj, "spec").get("suspend") is True:
            return suspended(f"{text(obj, 'kind')} is suspended")
        if not isinstance(part(obj, "status").get("conditions"), list):
            return progressing("Status unknown")
        found = list(conditions(obj))
        answers = {(text(item, "type"), text(item, "status")) for item in found}
        causes = {text(item, "reason") for item in found if text(item, "type") == "Reconciling" and _is_true(item)}
        if ("Ready", "False") in answers and causes & set(reasons):
            return progressing(_reason(obj))
        return healthy(_reason(obj)) if ("Ready", "True") in answers else degraded(_reason(obj))

    return judge


def _is_true(item: Object) -> bool:
    return text(item, "status") == "True"


def helm_repository(obj: Object) -> Health:
    """One of type oci has no status at all."""
    if text(part(obj, "spec"), "type") == "oci" and part(obj, "spec").get("suspend") is not True:
        return healthy("Helm repositories of type 'oci' do not contain any information in the status.")
    return _source(obj)


def receiver(obj: Object) -> Health:
    """Ready or not: nothing is progress."""
    if not isinstance(part(obj, "status").get("conditions"), list):
        return progressing("Status unknown")
    is_ready = any(text(item, "type") == "Ready" and text(item, "status") == "True" for item in conditions(obj))
    return healthy(_reason(obj)) if is_ready else degraded(_reason(obj))


_plain: Final = _kind()
_source: Final = _kind("ArtifactInStorage")

KINDS: Final[Mapping[str, Judge]] = {
    "Bucket": _source,
    "GitRepository": _source,
    "HelmChart": _source,
    "HelmRelease": _kind("Released", "TestSuccess"),
    "HelmRepository": helm_repository,
    "ImagePolicy": _image("NewGeneration", "AccessingRepository", "ApplyingPolicy", can_suspend=False),
    "ImageRepository": _image("NewGeneration", "Scanning", can_suspend=True),
    "ImageUpdateAutomation": _plain,
    "Kustomization": _plain,
    "OCIRepository": _source,
    "Receiver": receiver,
}
