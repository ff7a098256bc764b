"""Argo Rollouts' runs, CronWorkflow, EventBus and ApplicationSet."""

from collections.abc import Mapping
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import conditions, part, text
from kilde.core.health.health import Health, HealthStatus, degraded, healthy, progressing
from kilde.core.health.judging import INVALID, Judge, When, by_rank, ill, message_or_reason, said, well

_ANALYSIS: Final = {
    "Successful": healthy("Analysis run completed successfully"),
    "Failed": degraded("Analysis run failed"),
    "Error": degraded("Analysis run had an error"),
    "Inconclusive": Health(HealthStatus.UNKNOWN, "Analysis run was inconclusive"),
}
_EXPERIMENT: Final = {
    "Pending": progressing("Experiment is pending"),
    "Running": progressing("Experiment is running"),
    "Successful": healthy("Experiment is successful"),
    "Failed": degraded("Experiment has failed"),
    "Error": degraded("Experiment had an error"),
}


def analysis_run(obj: Object) -> Health:
    """A finished run speaks for itself; one under way does not."""
    if not isinstance(obj.get("status"), dict):
        return progressing("Waiting for analysis run to finish: status has not been reconciled.")
    status = part(obj, "status")
    phase = text(status, "phase")
    if phase in ("Pending", "Running"):
        return progressing("Analysis run is running")
    found = _ANALYSIS.get(phase)
    return Health(found.status, said(status, found.message)) if found else INVALID


def experiment(obj: Object) -> Health:
    if not isinstance(obj.get("status"), dict):
        return progressing("Waiting for experiment to finish: status has not been reconciled.")
    return _EXPERIMENT.get(text(part(obj, "status"), "phase"), INVALID)


def cron_workflow(obj: Object) -> Health:
    """Well unless a condition says otherwise."""
    for item in conditions(obj):
        kind = text(item, "type")
        if text(item, "status") == "True" and kind in ("SpecError", "SubmissionError"):
            return degraded(said(item))
        if text(item, "status") == "True" and kind == "Completed":
            return healthy(said(item))
    return healthy("CronWorkflow is healthy.")


def event_bus(obj: Object) -> Health:
    for item in conditions(obj):
        if text(item, "type") == "Deployed" and text(item, "status") in ("True", "False"):
            message = message_or_reason(item)
            return healthy(message) if text(item, "status") == "True" else degraded(message)
    return progressing("Waiting for initialization")


KINDS: Final[Mapping[str, Judge]] = {
    "AnalysisRun": analysis_run,
    "ApplicationSet": by_rank(
        ill("ErrorOccurred"),
        ill("ResourcesUpToDate", "False"),
        When("RolloutProgressing", "True", HealthStatus.PROGRESSING),
        well("ResourcesUpToDate"),
        waiting="Waiting for the status to be reported",
    ),
    "CronWorkflow": cron_workflow,
    "EventBus": event_bus,
    "Experiment": experiment,
}
