"""How a Job ends: the reasons in the order in which upstream asks for them."""

from typing import NamedTuple

from kilde.core.basics.moment import parse
from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.conditions import find
from kilde.kubeapi.controllers.job.policy import fatal_failure, met_rule
from kilde.kubeapi.controllers.job.tally import Tally, has_failed, is_indexed
from kilde.kubeapi.controllers.metadata import deleting
from kilde.kubeapi.controllers.pods import phase

LIMIT = 6
_SUCCESS, _FAILURE = ("SuccessCriteriaMet", "Complete"), ("FailureTarget", "Failed")


class Verdict(NamedTuple):
    """How a Job ends: conditions in their order, the last one is its end."""

    kinds: tuple[str, ...]
    reason: str
    message: str

    @property
    def is_failure(self) -> bool:
        return self.kinds == _FAILURE


_REACHED = Verdict(_SUCCESS, "CompletionsReached", "Reached expected number of succeeded pods")
_TOO_MANY = Verdict(_FAILURE, "BackoffLimitExceeded", "Job has reached the specified backoff limit")
_TOO_LONG = Verdict(_FAILURE, "DeadlineExceeded", "Job was active longer than specified deadline")
_TOO_MANY_INDEXES = Verdict(
    _FAILURE, "MaxFailedIndexesExceeded", "Job has exceeded the specified maximal number of failed indexes"
)
_FAILED_INDEXES = Verdict(_FAILURE, "FailedIndexes", "Job has failed indexes")


def judged(job: Object, tally: Tally, now: float) -> Verdict | None:
    """How the Job ends with this tally, whatever its number of completions; None if nothing ends it."""
    return _settled(job) or _by_policy(job, tally) or _by_limits(job, tally, now) or _by_indexes(job, tally)


def reached(job: Object, tally: Tally) -> Verdict | None:
    """The verdict if enough pods have succeeded; pods beyond that are given up first, which a Job being deleted does not do."""
    completions = job["spec"].get("completions")
    if completions is None:
        enough = tally.succeeded > 0
        stay = tally.active and (deleting(job) or not job["spec"].get("suspend"))
    else:
        enough = tally.succeeded >= int(completions)
        stay = tally.active and deleting(job)
    return _REACHED if enough and not stay else None


def deadline(job: Object) -> float | None:
    """When the Job has been active for too long; None if it may go on, or is held."""
    limit, began = job["spec"].get("activeDeadlineSeconds"), (job.get("status") or {}).get("startTime")
    if limit is None or not began or job["spec"].get("suspend"):
        return None
    return (parse(began) or 0.0) + int(limit)


def _settled(job: Object) -> Verdict | None:
    """What has been decided already and waits for the last pods to be counted."""
    for kinds in (_SUCCESS, _FAILURE):
        found = find((job.get("status") or {}).get("conditions"), kinds[0])
        if found is not None and found["status"] == "True":
            return Verdict(kinds, found.get("reason", ""), found.get("message", ""))
    return None


def _by_policy(job: Object, tally: Tally) -> Verdict | None:
    policy = job["spec"].get("podFailurePolicy")
    fatal = next((why for pod in tally.pods if has_failed(job, pod) and (why := fatal_failure(policy, pod))), "")
    return Verdict(_FAILURE, "PodFailurePolicy", fatal) if fatal else None


def _by_limits(job: Object, tally: Tally, now: float) -> Verdict | None:
    limit = int(job["spec"].get("backoffLimit", LIMIT))
    if tally.failed > limit or _restarted_too_often(job, tally, limit):
        return _TOO_MANY
    end = deadline(job)
    return _TOO_LONG if end is not None and end <= now else None


def _restarted_too_often(job: Object, tally: Tally, limit: int) -> bool:
    """Restarts of containers in place (restartPolicy OnFailure) count as failures."""
    if job["spec"]["template"]["spec"].get("restartPolicy") != "OnFailure":
        return False
    restarts = 0
    for pod in tally.pods:
        status = pod.get("status") or {}
        if phase(pod) in ("Running", "Pending"):
            for one in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())):
                restarts += int(one.get("restartCount") or 0)
    return restarts >= max(limit, 1)


def _by_indexes(job: Object, tally: Tally) -> Verdict | None:
    if not is_indexed(job):
        return None
    spec, completions = job["spec"], int(job["spec"].get("completions") or 0)
    if tally.spoiled:
        most = spec.get("maxFailedIndexes")
        if most is not None and len(tally.spoiled) > int(most):
            return _TOO_MANY_INDEXES
        if len(tally.spoiled) + len(tally.done) >= completions:
            return _FAILED_INDEXES
    rule = met_rule(spec.get("successPolicy"), completions, tally.done)
    return None if rule is None else Verdict(_SUCCESS, "SuccessPolicy", f"Matched rules at index {rule}")
