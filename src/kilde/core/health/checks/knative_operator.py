"""The Knative operator: all of some conditions True; what is not is told with the others, numbered from 1."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import conditions, text
from kilde.core.health.health import Health, degraded, healthy, progressing
from kilde.core.health.judging import Judge, is_talking


def _kind(name: str, *needed: str, waits_for: tuple[str, ...]) -> Judge:
    def judge(obj: Object) -> Health:
        if not is_talking(obj):
            return progressing(f"Waiting for {name}")
        found = [(text(item, "type"), text(item, "status")) for item in conditions(obj)]
        message = "".join(f"{index}: {kind} | {answer}\n" for index, (kind, answer) in enumerate(found, start=1))
        if any(answer == "Unknown" or (answer == "False" and kind in waits_for) for kind, answer in found):
            return progressing(message)
        good = sum(answer == "True" and kind in needed for kind, answer in found)
        return healthy(f"{name} is healthy.") if good == len(needed) else degraded(message)

    return judge


KINDS: Final[Mapping[str, Judge]] = {
    "KnativeEventing": _kind("KnativeEventing", "Ready", "InstallSucceeded", waits_for=("Ready",)),
    "KnativeServing": _kind(
        "KnativeServing",
        *("Ready", "InstallSucceeded", "DependenciesInstalled", "DeploymentsAvailable"),
        waits_for=("Ready", "DeploymentsAvailable"),
    ),
}
