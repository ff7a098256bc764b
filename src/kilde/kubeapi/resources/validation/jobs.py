"""Validation of jobs and cron jobs."""

from collections.abc import Iterator

from kilde.core.basics.values import Json, Object
from kilde.kubeapi.resources.causes import Cause, Struct, invalid, not_supported, required
from kilde.kubeapi.resources.go_structs import held
from kilde.kubeapi.resources.validation.fields import (
    IMMUTABLE,
    as_declared,
    check_selector,
    get,
    items,
    not_negative,
    one_of,
    selects,
    unchanged,
)
from kilde.kubeapi.resources.validation.job_policies import check_failure_policy, check_success_policy
from kilde.kubeapi.resources.validation.names import dns_label, longer_than
from kilde.kubeapi.resources.validation.pods import check_template
from kilde.kubeapi.resources.validation.schedules import schedule_problem
from kilde.kubeapi.resources.validation.zones import ZONES

_LONGEST_CRON_JOB = 52  # a job's name is the cron job's and 11 characters
_UID, _OLD_UID = "batch.kubernetes.io/controller-uid", "controller-uid"
_NAME, _OLD_NAME = "batch.kubernetes.io/job-name", "job-name"
_MODES = ("NonIndexed", "Indexed")
_REPLACEMENT = ("Failed", "TerminatingOrFailed")
_COUNTS = (
    "parallelism",
    "completions",
    "activeDeadlineSeconds",
    "backoffLimit",
    "ttlSecondsAfterFinished",
    "backoffLimitPerIndex",
    "maxFailedIndexes",
)
_CONCURRENCY = ("Allow", "Forbid", "Replace")
_SCHEDULING = ("nodeSelector", "affinity", "tolerations", "schedulingGates")
_MOST_INDEXED = 100_000


def check_job(job: Object) -> Iterator[Cause]:
    """What is wrong with a Job; its selector and labels are generated before, unless it brings its own."""
    yield from _generated_selector(job)
    yield from _job(job)


def _job(job: Object) -> Iterator[Cause]:
    spec = job.get("spec") or {}
    yield from _job_spec(spec, "spec")
    selector = spec.get("selector")
    if selector is None:
        yield required("spec.selector")
    else:
        yield from check_selector(selector, "spec.selector")
    labels = get(spec, "template", "metadata", "labels")
    if not selects(selector, labels):
        yield invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")

    completions = spec.get("completions") or 0
    if spec.get("completionMode") == "Indexed" and completions > 0:
        name = get(job, "metadata", "name", default="")
        last = f"{name}-{completions - 1}"
        if dns_label(last):
            yield invalid("metadata.name", name, f"will not able to create pod with invalid DNS label: {last}")


def _generated_selector(job: Object) -> Iterator[Cause]:
    spec = job.get("spec") or {}
    if spec.get("manualSelector") or spec.get("selector") is None:
        return
    uid, name = get(job, "metadata", "uid", default=""), get(job, "metadata", "name", default="")
    expected = {_UID: uid, _OLD_UID: uid, _NAME: name, _OLD_NAME: name}
    labels = get(spec, "template", "metadata", "labels", default={})
    for key, value in expected.items():
        at = f"spec.template.metadata.labels[{key}]"
        if key not in labels:
            yield required(at, f"must be '{value}'")
        elif labels[key] != value:
            yield invalid(at, labels[key], f"must be '{value}'")
    if not selects(spec["selector"], expected):
        yield invalid("spec.selector", as_declared(spec["selector"]), "`selector` not auto-generated")


def _job_spec(spec: Object, at: str) -> Iterator[Cause]:
    for key in _COUNTS:
        yield from not_negative(spec.get(key), f"{at}.{key}")
    mode, replacement = spec.get("completionMode"), spec.get("podReplacementPolicy")
    if mode is not None and mode not in _MODES:
        yield not_supported(f"{at}.completionMode", mode, _MODES)
    yield from _indexed(spec, at)
    yield from _success(spec, at)
    if spec.get("podFailurePolicy") is not None:
        yield from check_failure_policy(spec, f"{at}.podFailurePolicy")
    if replacement is not None:
        allowed = _REPLACEMENT if spec.get("podFailurePolicy") is None else _REPLACEMENT[:1]
        if replacement not in allowed:
            yield not_supported(f"{at}.podReplacementPolicy", replacement, allowed)
    yield from check_template(spec.get("template"), f"{at}.template")
    policy = get(spec, "template", "spec", "restartPolicy", default="")
    where = f"{at}.template.spec.restartPolicy"
    if policy in ("", "Always"):
        yield required(where, 'valid values: "OnFailure", "Never"')
    elif policy not in ("OnFailure", "Never"):
        yield not_supported(where, policy, ("OnFailure", "Never"))
    elif spec.get("podFailurePolicy") is not None and policy != "Never":
        yield invalid(where, policy, 'only "Never" is supported when podFailurePolicy is specified')


def _indexed(spec: Object, at: str) -> Iterator[Cause]:
    if spec.get("maxFailedIndexes") is not None and spec.get("backoffLimitPerIndex") is None:
        yield required(f"{at}.backoffLimitPerIndex", "when maxFailedIndexes is specified")
    mode = spec.get("completionMode")
    if mode == "Indexed":
        if spec.get("completions") is None:
            yield required(f"{at}.completions", "when completion mode is Indexed")
        if (spec.get("parallelism") or 0) > _MOST_INDEXED:
            yield invalid(
                f"{at}.parallelism",
                spec["parallelism"],
                f"must be less than or equal to {_MOST_INDEXED} when completion mode is Indexed",
            )
        failed, completions = spec.get("maxFailedIndexes"), spec.get("completions")
        if failed is not None and completions is not None and failed > completions:
            yield invalid(f"{at}.maxFailedIndexes", failed, "must be less than or equal to completions")
        if failed is not None and failed > _MOST_INDEXED:
            yield invalid(f"{at}.maxFailedIndexes", failed, f"must be less than or equal to {_MOST_INDEXED}")
    for key in ("backoffLimitPerIndex", "maxFailedIndexes") if mode in (None, "NonIndexed") else ():
        if spec.get(key) is not None:
            yield invalid(f"{at}.{key}", spec[key], "requires indexed completion mode")


def _success(spec: Object, at: str) -> Iterator[Cause]:
    policy = spec.get("successPolicy")
    if policy is None:
        return
    if spec.get("completionMode") == "Indexed":
        yield from check_success_policy(spec, f"{at}.successPolicy")
    else:
        yield invalid(f"{at}.successPolicy", _internal_policy(policy), "requires indexed completion mode")


def _internal_policy(policy: Object) -> Struct:
    """A successPolicy as the server holds it."""
    names = {"SucceededIndexes": "succeededIndexes", "SucceededCount": "succeededCount"}
    return Struct(
        {"Rules": [Struct({name: rule.get(key) for name, key in names.items()}) for _, rule in items(policy, "rules")]}
    )


def check_job_update(new: Object, old: Object) -> Iterator[Cause]:
    """What is wrong with a change of a Job: what it runs is for ever, how many at a time is not."""
    yield from check_job(new)
    yield from _job(new)  # a real server does so twice, and names what it finds twice
    spec, before = new.get("spec") or {}, old.get("spec") or {}
    yield from _completions(spec, before)
    yield from unchanged(as_declared(spec.get("selector")), as_declared(before.get("selector")), "spec.selector")
    yield from _template_stays(spec, before, old)
    for key in ("completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy"):
        value = spec.get(key)
        told = held(f"{key[0].upper()}{key[1:]}", value) if isinstance(value, dict) else value
        if value != before.get(key):
            yield invalid(f"spec.{key}", told, IMMUTABLE)


def _template_stays(spec: Object, before: Object, old: Object) -> Iterator[Cause]:
    template, was = spec.get("template") or {}, before.get("template") or {}
    if not _rests(old):
        if template != was:
            yield invalid("spec.template", held("PodTemplateSpec", template), IMMUTABLE)
    elif _fixed_of_pod(template) != _fixed_of_pod(was, like=template):
        yield invalid("spec.template.spec", held("PodSpec", template.get("spec") or {}), IMMUTABLE)


def _rests(job: Object) -> bool:
    """Whether nothing of a suspended Job runs: then it may be said anew where its pods may run, and what they need."""
    status = job.get("status") or {}
    suspended = any(
        one.get("type") == "Suspended" and one.get("status") == "True" for one in status.get("conditions") or ()
    )
    return bool(
        get(job, "spec", "suspend") and (not status.get("startTime") or suspended) and not (status.get("active") or 0)
    )


def _completions(spec: Object, before: Object) -> Iterator[Cause]:
    if spec.get("completions") == before.get("completions"):
        return
    wanted = spec.get("completions")
    if spec.get("completionMode") != "Indexed":
        yield invalid("spec.completions", wanted, IMMUTABLE)
    elif wanted is not None and wanted != spec.get("parallelism"):
        yield invalid("spec.completions", wanted, "can only be modified in tandem with spec.parallelism")


def _fixed_of_pod(template: Object, like: Object | None = None) -> Json:
    """What may not change of the pods of a Job that rests: all but where they may run and what containers of the same name ask for."""
    pod = {key: value for key, value in (template.get("spec") or {}).items() if key not in _SCHEDULING}
    other = template if like is None else like
    for key in ("containers", "initContainers"):
        held, beside = pod.get(key) or [], get(other, "spec", key, default=[])
        if len(held) == len(beside):
            pod[key] = [
                {k: v for k, v in one.items() if k != "resources"} if one.get("name") == two.get("name") else one
                for one, two in zip(held, beside, strict=True)
            ]
    affinity = get(template, "spec", "affinity", default={})
    return {**pod, "affinity": {key: value for key, value in affinity.items() if key != "nodeAffinity"}}


def check_job_status(new: Object, old: Object) -> Iterator[Cause]:
    """What is wrong with a new status of a Job: how it ends must be consistent."""
    status, at = new.get("status") or {}, "status"
    true = {one.get("type") for one in status.get("conditions") or () if one.get("status") == "True"}
    for key in ("active", "succeeded", "failed", "ready", "terminating"):
        yield from not_negative(status.get(key), f"{at}.{key}")
    if true & {"Complete", "Failed"}:
        if status.get("startTime") is None:
            yield required(f"{at}.startTime", "startTime is required for finished job")
        if (status.get("active") or 0) > 0:
            yield invalid(f"{at}.active", status["active"], "active>0 is invalid for finished job")
    if "Complete" not in true and status.get("completionTime") is not None:
        words = "cannot set completionTime when there is no Complete=True condition"
        yield invalid(f"{at}.completionTime", status["completionTime"], words)
    yield from _ending(true, status, at)


def _ending(true: set[str], status: Object, at: str) -> Iterator[Cause]:
    if "Complete" in true and status.get("completionTime") is None:
        yield required(f"{at}.completionTime", "completionTime is required for Complete jobs")
    for wrong, words in (
        ({"Complete", "Failed"} <= true, "cannot set Complete=True and Failed=True conditions"),
        ("Complete" in true and "SuccessCriteriaMet" not in true, _NEEDS.format("Complete", "SuccessCriteriaMet")),
        ("Failed" in true and "FailureTarget" not in true, _NEEDS.format("Failed", "FailureTarget")),
    ):
        if wrong:
            yield Cause(f"{at}.conditions", "FieldValueInvalid", f"Invalid value: {words}")


_NEEDS = "cannot set {}=True condition without the {}=true condition"


def check_cron_job(cron_job: Object) -> Iterator[Cause]:
    """What is wrong with a CronJob."""
    name = get(cron_job, "metadata", "name", default="")
    if len(name) > _LONGEST_CRON_JOB:
        yield invalid("metadata.name", name, longer_than(_LONGEST_CRON_JOB))
    yield from _cron_spec(cron_job.get("spec") or {})


def check_cron_job_update(new: Object, old: Object) -> Iterator[Cause]:
    """What is wrong with a change of a CronJob."""
    yield from _cron_spec(new.get("spec") or {})


def _cron_spec(spec: Object) -> Iterator[Cause]:
    schedule = spec.get("schedule") or ""
    if not schedule:
        yield required("spec.schedule")
    else:
        yield from _schedule(schedule)
    yield from not_negative(spec.get("startingDeadlineSeconds"), "spec.startingDeadlineSeconds")
    yield from _zone(spec.get("timeZone"))
    yield from one_of(spec.get("concurrencyPolicy"), _CONCURRENCY, "spec.concurrencyPolicy", needed=True)
    template = get(spec, "jobTemplate", "spec", default={})
    yield from _job_spec(template, "spec.jobTemplate.spec")
    if template.get("selector") is not None:
        yield invalid(
            "spec.jobTemplate.spec.selector", as_declared(template["selector"]), "`selector` will be auto-generated"
        )
    if template.get("manualSelector"):
        yield not_supported("spec.jobTemplate.spec.manualSelector", template["manualSelector"], ("nil", "false"))
    for key in ("successfulJobsHistoryLimit", "failedJobsHistoryLimit"):
        yield from not_negative(spec.get(key), f"spec.{key}")


def _schedule(schedule: str) -> Iterator[Cause]:
    if "TZ" in schedule:
        yield invalid("spec.schedule", schedule, "cannot use TZ or CRON_TZ in schedule, use timeZone field instead")
        return
    problem = schedule_problem(schedule)
    if problem:
        yield invalid("spec.schedule", schedule, problem)


def _zone(zone: Json) -> Iterator[Cause]:
    if zone is None:
        return
    if not zone:
        yield invalid("spec.timeZone", zone, "timeZone must be nil or non-empty string")
    elif zone.lower() == "local":
        yield invalid(
            "spec.timeZone",
            zone,
            "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones",
        )
    elif zone not in ZONES:
        yield invalid("spec.timeZone", zone, f"unknown time zone {zone}")
