"""Defaults of Jobs and CronJobs."""

from collections.abc import Callable, Mapping

from kilde.core.basics.values import Object
from kilde.core.objects.defaults.filling import fill

_BATCH = "io.k8s.api.batch.v1."
_NO_LIMIT = 2**31 - 1


def _job(value: Object) -> None:
    spec, metadata = value.get("spec"), value.get("metadata")
    if not isinstance(spec, dict) or not isinstance(metadata, dict):
        return
    template = spec.get("template")
    labels = (template.get("metadata") or {}).get("labels") if isinstance(template, dict) else None
    if labels and not metadata.get("labels"):
        metadata["labels"] = labels  # the same map, as in Go: what the template gets later, the job has too
    if "completions" not in spec and "parallelism" not in spec:
        spec["completions"] = 1
    fill(spec, "parallelism", 1)
    fill(spec, "backoffLimit", _NO_LIMIT if "backoffLimitPerIndex" in spec else 6)
    fill(spec, "completionMode", "NonIndexed")
    fill(spec, "suspend", False)
    fill(spec, "podReplacementPolicy", "Failed" if "podFailurePolicy" in spec else "TerminatingOrFailed")
    fill(spec, "manualSelector", False)


def _cron_job(value: Object) -> None:
    fill(value, "concurrencyPolicy", "Allow")
    fill(value, "suspend", False)
    fill(value, "successfulJobsHistoryLimit", 3)
    fill(value, "failedJobsHistoryLimit", 1)


def _condition_pattern(value: Object) -> None:
    if not value.get("status"):
        value["status"] = "True"


DEFAULTS: Mapping[str, Callable[[Object], None]] = {
    _BATCH + "Job": _job,
    _BATCH + "CronJobSpec": _cron_job,
    _BATCH + "PodFailurePolicyOnPodConditionsPattern": _condition_pattern,
}
