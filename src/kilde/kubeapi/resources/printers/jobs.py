"""How jobs and cron jobs are printed."""

from kilde.core.basics.moment import parse
from kilde.core.basics.values import Object
from kilde.kubeapi.resources.printers.column import (
    AGE,
    NAME,
    NONE,
    UNSET,
    Column,
    Printer,
    condition,
    containers_of,
    deleting,
    field,
    get,
    human_duration,
    selector_text,
    since,
    wide,
)


def _status(job: Object, now: float) -> str:
    for kind, word in (
        ("Complete", "Complete"),
        ("Failed", "Failed"),
        ("", "Terminating"),
        ("Suspended", "Suspended"),
        ("FailureTarget", "FailureTarget"),
        ("SuccessCriteriaMet", "SuccessCriteriaMet"),
    ):
        if condition(job, kind).get("status") == "True" if kind else deleting(job):
            return word
    return "Running"


def _completions(job: Object, now: float) -> str:
    done = get(job, "status", "succeeded", default=0)
    wanted, parallel = get(job, "spec", "completions"), get(job, "spec", "parallelism", default=0)
    if wanted is not None:
        return f"{done}/{wanted}"
    return f"{done}/1 of {parallel}" if parallel > 1 else f"{done}/1"


def _duration(job: Object, now: float) -> str:
    start = parse(str(get(job, "status", "startTime", default="")))
    end = parse(str(get(job, "status", "completionTime", default="")))
    return "" if start is None else human_duration((now if end is None else end) - start)


def _suspend(cron_job: Object, now: float) -> str:
    value = get(cron_job, "spec", "suspend")
    return UNSET if value is None else str(bool(value))


def _last_schedule(cron_job: Object, now: float) -> str:
    last = get(cron_job, "status", "lastScheduleTime")
    return NONE if last is None else since(last, now)


JOB = Printer(
    (
        NAME,
        Column("Status", _status),
        Column("Completions", _completions),
        Column("Duration", _duration),
        AGE,
        *containers_of("spec", "template", "spec"),
        wide("Selector", lambda job, now: selector_text(get(job, "spec", "selector"))),
    )
)
CRON_JOB = Printer(
    (
        NAME,
        Column("Schedule", field("spec", "schedule")),
        Column("Timezone", field("spec", "timeZone", default=NONE)),
        Column("Suspend", _suspend, "boolean"),
        Column("Active", lambda obj, now: len(get(obj, "status", "active", default=())), "integer"),
        Column("Last Schedule", _last_schedule),
        AGE,
        *containers_of("spec", "jobTemplate", "spec", "template", "spec"),
        wide("Selector", lambda obj, now: selector_text(get(obj, "spec", "jobTemplate", "spec", "selector"))),
    )
)
