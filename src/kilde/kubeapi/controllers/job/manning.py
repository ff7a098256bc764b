"""Which pods a Job makes or gives up, and what a pod of it is."""

from typing import NamedTuple

from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.job.indexes import FAILURES, IGNORED, INDEX, failures_of, ignored_of, index_of
from kilde.kubeapi.controllers.job.patience import Patience, backoff, ended_at
from kilde.kubeapi.controllers.job.policy import counts
from kilde.kubeapi.controllers.job.tally import TRACKING, Tally, at_work, is_indexed, is_valid, replaces_failed_only
from kilde.kubeapi.controllers.metadata import name_of, namespace_of
from kilde.kubeapi.controllers.pods import deletion_rank, from_template, is_terminating
from kilde.kubeapi.controllers.steps import Create, Emit

COMPONENT = "job-controller"
_BURST = 500
_LONGEST_GENERATED = 58  # of 63 characters, five are drawn


class Manning(NamedTuple):
    """The pods to give up, or else those to make, and when to look again if failures make them wait."""

    surplus: tuple[Object, ...] = ()
    creates: tuple[Create, ...] = ()
    wake: float | None = None


def manned(job: Object, tally: Tally, patience: Patience, now: float) -> Manning:
    """What is due for a Job that goes on."""
    spec, active = job["spec"], len(tally.active)
    if spec.get("suspend"):
        return Manning(tally.active)
    wanted = int(spec.get("parallelism", 1))
    completions = spec.get("completions")
    if completions is not None:
        wanted = min(wanted, max(0, int(completions) - tally.succeeded))
    elif tally.succeeded:
        wanted = active
    surplus = _surplus(job, tally, max(0, active - wanted))
    if surplus:
        return Manning(surplus[:_BURST])
    missing = wanted - active - (tally.terminating if replaces_failed_only(job) else 0)
    if missing <= 0:
        return Manning()
    if tally.spoiled is None and patience.until() > now:
        return Manning(wake=patience.until())
    missing = min(missing, _BURST)
    if not is_indexed(job):
        return Manning(creates=(Create("pods", _pod(job), _told(job)),) * missing)
    return _indexed(job, tally, missing, now)


def _told(job: Object) -> Emit:
    return Emit(job, "SuccessfulCreate", "Created pod: {name}", COMPONENT)


def _surplus(job: Object, tally: Tally, at_least: int) -> tuple[Object, ...]:
    """Pods to give up: those whose index is wrong or taken twice, and as many more as there are too many."""
    gone: list[Object] = []
    left = sorted(tally.active, key=deletion_rank)
    if is_indexed(job):
        taken: set[int | None] = set()
        for pod in reversed(left):
            index = index_of(pod)
            if not is_valid(job, pod) or index in taken:
                gone.append(pod)
            taken.add(index)
        left = [pod for pod in left if pod not in gone]
    return (*gone, *left[: max(0, at_least - len(gone))])


def _indexed(job: Object, tally: Tally, missing: int, now: float) -> Manning:
    taken = tally.done | at_work(tally.active) | (tally.spoiled or frozenset())
    if replaces_failed_only(job):
        taken |= at_work([pod for pod in tally.pods if is_terminating(pod)])
    completions = int(job["spec"].get("completions") or 0)
    free = [index for index in range(completions) if index not in taken][:missing]
    due = {index: _due(tally.held.get(index)) for index in free}
    ready = [index for index in free if due[index] <= now]
    if free and not ready:
        return Manning(wake=min(due.values()))
    return Manning(creates=tuple(Create("pods", _at(job, index, tally), _told(job)) for index in ready))


def _due(failed: Object | None) -> float:
    """When a pod may take the place of one that failed at its index."""
    if failed is None:
        return 0.0
    return ended_at(failed) + backoff(failures_of(failed) + ignored_of(failed) + 1)


def _pod(job: Object) -> Object:
    pod = from_template(job["spec"]["template"], job, namespace=namespace_of(job))
    finalizers = pod["metadata"].get("finalizers", ())
    pod["metadata"]["finalizers"] = [*finalizers, *([] if TRACKING in finalizers else [TRACKING])]
    return pod


def _at(job: Object, index: int, tally: Tally) -> Object:
    """The pod of an index, which knows it by annotation, label, variable and host name."""
    pod = _pod(job)
    meta, spec, tail = pod["metadata"], pod["spec"], f"-{index}-"
    meta["generateName"] = name_of(job)[: _LONGEST_GENERATED - len(tail)] + tail
    meta["annotations"] = {**meta.get("annotations", {}), INDEX: str(index)}
    if tally.spoiled is not None:
        meta["annotations"] |= _carried_on(job, tally.held.get(index))
    meta["labels"] = {**meta["labels"], INDEX: str(index)}
    variable = {"name": "JOB_COMPLETION_INDEX", "valueFrom": {"fieldRef": {"fieldPath": f"metadata.labels['{INDEX}']"}}}
    for field in ("initContainers", "containers"):
        if spec.get(field):
            spec[field] = [_with(one, variable) for one in spec[field]]
    spec["hostname"] = f"{name_of(job)}-{index}"
    return pod


def _with(container: Object, variable: Object) -> Object:
    have = container.get("env") or ()
    return (
        container if any(one["name"] == variable["name"] for one in have) else {**container, "env": [*have, variable]}
    )


def _carried_on(job: Object, failed: Object | None) -> dict[str, str]:
    """The count of an index's failures, one more than the pod had that is replaced."""
    if failed is None:
        return {FAILURES: "0"}
    counted = counts(job["spec"].get("podFailurePolicy"), failed)
    ignored = ignored_of(failed) + (not counted)
    return {FAILURES: str(failures_of(failed) + counted)} | ({IGNORED: str(ignored)} if ignored else {})
