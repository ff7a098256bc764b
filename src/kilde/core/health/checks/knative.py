"""Knative's Service: three conditions, told one a line where they are not True."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import conditions, part, text
from kilde.core.health.health import Health, degraded, healthy, progressing
from kilde.core.health.judging import Judge


def _kind(name: str, *needed: str) -> Judge:
    def judge(obj: Object) -> Health:
        """False is Degraded; three of the needed ones True and none else amiss is Healthy."""
        if not isinstance(part(obj, "status").get("conditions"), list):
            return progressing("Waiting for status update.")
        found = list(conditions(obj))
        amiss = [item for item in found if text(item, "status") in ("False", "Unknown")]
        message = "".join(f"{_line(item)}\n" for item in amiss)
        if any(text(item, "status") == "False" for item in amiss):
            return degraded(message)
        good = sum(text(item, "status") == "True" and text(item, "type") in needed for item in found)
        return healthy(f"{name} is healthy.") if good == 3 and not amiss else progressing(message)

    return judge


def _line(item: Object) -> str:
    line = f"{text(item, 'type')} is {text(item, 'status')}"
    if reason := text(item, "reason"):
        line += f", since {reason}."
    message = text(item, "message")
    return f"{line} {message}" if message else line


KINDS: Final[Mapping[str, Judge]] = {
    "Service": _kind("Knative Service", "ConfigurationsReady", "RoutesReady", "Ready"),
}
