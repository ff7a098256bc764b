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


_plain: Final = _kind()
_source: Final = _kind("ArtifactInStorage")

KINDS: Final[Mapping[str, Judge]] = {
    "Bucket": _source,
    "GitRepository": _source,
    "HelmChart": _source,
    "HelmRelease": _kind("Released", "TestSuccess"),
    "HelmRepository": _source,
    "ImagePolicy": _plain,
    "ImageRepository": _plain,
    "ImageUpdateAutomation": _plain,
    "Kustomization": _plain,
    "OCIRepository": _source,
    "Receiver": _plain,
}
