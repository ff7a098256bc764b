"""SpinKube's SpinApp: available, rolled out, with all its replicas."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import conditions, maybe_number, number, part, text
from kilde.core.health.health import Health, degraded, healthy, progressing
from kilde.core.health.judging import Judge, said


def spin_app(obj: Object) -> Health:
    status = part(obj, "status")
    if not isinstance(obj.get("status"), dict):
        return progressing("Waiting for status to be available")
    moving, available, why = "", False, ""
    for item in conditions(obj):
        kind, answer = text(item, "type"), text(item, "status")
        if kind == "Progressing" and answer == "False" and _failed(item):
            return degraded(said(item, "Application deployment has failed"))
        if kind == "Progressing" and answer == "True":
            moving = said(item, "Application progress status")
        if kind == "Available":
            available = answer == "True"
            why = said(item, "Application is not available")
    if not available:
        return degraded(why)
    wanted = maybe_number(part(obj, "spec"), "replicas")
    there, wanted = number(status, "readyReplicas"), 1 if wanted is None else wanted
    if there < wanted:
        return progressing(f"Waiting for replicas to be ready ({there}/{wanted})")
    return progressing(moving) if moving else healthy(f"Application is healthy with {there}/{wanted} replicas ready")


def _failed(item: Object) -> bool:
    message = said(item).lower()
    return text(item, "reason") == "ProgressDeadlineExceeded" or "timeout" in message or "failed" in message


KINDS: Final[Mapping[str, Judge]] = {"SpinApp": spin_app}
