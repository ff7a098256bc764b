"""Progressive syncs (strategy RollingSync): which Applications are in which step, how far each is, and which may sync now.

As Argo CD's progressive syncs decide, state by state: Waiting, Pending, Progressing, Healthy; a step begins when all of the
steps before it are Healthy, and in a step `maxUpdate` bounds how many are under way.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kilde.core.basics.moment import parse, rfc3339
from kilde.core.basics.values import Object
from kilde.core.sets.application_set import ApplicationSet, Step
from kilde.core.sets.rollout_problems import Problems
from kilde.core.sets.status import INVALID_ROLLOUT, PROGRESSING, condition
from kilde.core.sets.writing import same_spec

WAITING, PENDING, UNDER_WAY, HEALTHY = "Waiting", "Pending", "Progressing", "Healthy"
_BOTH = "Application has pending changes (revision and spec differ), setting status to Waiting"
_REVISION = "Application has pending changes, setting status to Waiting"
_SPEC = "Application has pending changes (spec differs), setting status to Waiting"
_TO_PENDING = "Application moved to Pending status, watching for the Application resource to start Progressing"
_ENDED = ("Succeeded", "Failed", "Error")
_DONE = condition(
    PROGRESSING,
    status=False,
    reason="ApplicationSetRolloutComplete",
    message="ApplicationSet Rollout has completed",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """How a rollout stands. `to_sync`: those to sync now; `to_refresh`: those to be looked at anew before anything goes on."""

    statuses: tuple[Object, ...] = ()
    conditions: tuple[Object, ...] = ()
    to_sync: frozenset[str] = frozenset()
    to_refresh: tuple[str, ...] = ()


@dataclass(slots=True)
class Steps:
    """Which Applications each step selects, and the (first) step of each Application, from 0."""

    members: list[list[str]]
    of: dict[str, int] = field(default_factory=dict)
    problems: Problems = field(default_factory=Problems)


def advance(owner: ApplicationSet, live: Sequence[Object], wanted: Sequence[Object], now: float) -> Rollout:
    """The next state of the rollout. `live`: the Applications there are; `wanted`: those the set makes."""
    if not owner.rolling:
        return Rollout() if owner.steps is None else Rollout(conditions=(_DONE,))
    steps = steps_of(owner, wanted)
    before = {str(each.get("application")): each for each in owner.status.get("applicationStatus") or ()}
    since = _latest_change(before.values())
    wishes = {str(each["metadata"]["name"]): each for each in wanted}
    there = sorted(live, key=lambda each: str(each["metadata"]["name"]))
    statuses = [_evaluated(owner, app, before, wishes, steps, now) for app in there]
    since = since if since is not None else _latest_change(statuses)
    stale = [app for app in there if since is not None and _not_seen_since(app, since)]
    if stale:
        asked = tuple(_name(app) for app in stale if "argocd.argoproj.io/refresh" not in _annotations(app))
        return Rollout(
            statuses=tuple(statuses), to_refresh=asked, conditions=tuple(_conditions(owner, statuses, steps))
        )
    allowed = _allowed(steps, {_name(app) for app in there}, statuses)
    statuses = _promoted(owner, statuses, allowed, steps, now)
    pending = {str(each["application"]) for each in statuses if each["status"] == PENDING}
    return Rollout(
        statuses=tuple(statuses),
        conditions=tuple(_conditions(owner, statuses, steps)),
        to_sync=frozenset(allowed & pending),
    )


def steps_of(owner: ApplicationSet, applications: Iterable[Object]) -> Steps:
    """Sorts Applications into the steps of the set by their labels."""
    rules = owner.steps or ()
    found = Steps(members=[[] for _ in rules])
    for app in applications:
        name, labels = _name(app), app["metadata"].get("labels") or {}
        for index, step in enumerate(rules):
            if _selected(step, labels, index, found.problems):
                found.members[index].append(name)
                if name in found.of:
                    found.problems.repeated.setdefault(name, [found.of[name]]).append(index)
                else:
                    found.of[name] = index
    found.problems.empty = [index for index, names in enumerate(found.members) if not names]
    return found


def _selected(step: Step, labels: Mapping[str, str], index: int, problems: Problems) -> bool:
    for expression in step.expressions:
        key, operator = str(expression.get("key", "")), str(expression.get("operator", ""))
        values = expression.get("values") or []
        if key not in labels:
            if operator == "In":
                return False
            continue
        if operator not in ("In", "NotIn"):
            problems.operator(index, operator)
            return False
        if (labels[key] in values) is not (operator == "In"):
            return False
    return True


def _evaluated(
    owner: ApplicationSet,
    app: Object,
    before: Mapping[str, Object],
    wishes: Mapping[str, Object],
    steps: Steps,
    now: float,
) -> Object:
    """How one Application stands, before it is decided whether it may go on."""
    name, stamp = _name(app), rfc3339(now)
    status = app.get("status") or {}
    known = before.get(name)
    step = str(steps.of[name] + 1) if name in steps.of else "-1"
    out: Object = (
        {**known, "step": step}
        if known is not None
        else {
            "application": name,
            "lastTransitionTime": stamp,
            "message": "No Application status found, defaulting status to Waiting",
            "status": WAITING,
            "step": step,
            "targetRevisions": _revisions(status),
        }
    )
    moved = list(out.get("targetRevisions") or ()) != _revisions(status)
    changed = name in wishes and not same_spec(owner, without_automation(wishes[name]), app)
    if moved or changed:
        words = _BOTH if moved and changed else _REVISION if moved else _SPEC
        if not (out["status"] == WAITING and out["message"] == words and not moved):
            out |= {"status": WAITING, "message": words, "lastTransitionTime": stamp}
        out["targetRevisions"] = _revisions(status)
    said = _next(out, str((known or out)["status"]), status)
    return {**out, "status": said[0], "message": said[1], "lastTransitionTime": stamp} if said else out


def _next(own: Object, was: str, status: Mapping[str, Any]) -> tuple[str, str] | None:
    """The state that follows, with the words for it; None: it stays."""
    synced = (status.get("sync") or {}).get("status") == "Synced"
    well = (status.get("health") or {}).get("status") == "Healthy"
    if own["status"] == WAITING:
        if not synced:
            return None
        word = HEALTHY if well else UNDER_WAY
        return word, f"Application resource has synced, updating status to {word}"
    if was == PENDING:
        return _after_pending(own, status)
    if was == UNDER_WAY and synced and well:
        return HEALTHY, "Application resource became Healthy, updating status from Progressing to Healthy"
    return None


def _after_pending(own: Object, status: Mapping[str, Any]) -> tuple[str, str] | None:
    since = parse(str(own.get("lastTransitionTime", ""))) or 0.0
    operation = status.get("operationState") or {}
    started = parse(str(operation.get("startedAt", "")))
    if started is not None and started >= since:
        phase = operation.get("phase")
        words = "Application resource became Progressing"
        if phase in _ENDED:
            words = "Application resource completed a sync" + (" successfully" if phase == "Succeeded" else "")
        return UNDER_WAY, f"{words}, updating status from Pending to Progressing"
    if any(each.get("type") in ("InvalidSpecError", "UnknownError") for each in status.get("conditions") or ()):
        return UNDER_WAY, "Application resource has error and cannot sync, updating status to Progressing"
    return None


def _allowed(steps: Steps, there: set[str], statuses: Sequence[Object]) -> set[str]:
    """Everything in the steps up to the first that is not done."""
    state = {str(each["application"]): each["status"] for each in statuses}
    found: set[str] = set()
    for names in steps.members:
        found.update(names)
        if any(name not in there or state.get(name) != HEALTHY for name in names):
            break
    return found


def _promoted(
    owner: ApplicationSet, statuses: Sequence[Object], allowed: set[str], steps: Steps, now: float
) -> list[Object]:
    """Waiting becomes Pending for as many as `maxUpdate` lets."""
    where = {str(each["application"]): steps.of.get(str(each["application"]), 0) for each in statuses}
    total = Counter(where.values())
    busy = Counter(where[str(each["application"])] for each in statuses if each["status"] in (PENDING, UNDER_WAY))
    out = []
    for each in statuses:
        index = where[str(each["application"])]
        most = _most((owner.steps or ())[index].max_update, total[index], index, steps.problems)
        if each["status"] == WAITING and each["application"] in allowed and (most is None or busy[index] < most):
            busy[index] += 1
            each = {**each, "status": PENDING, "message": _TO_PENDING, "lastTransitionTime": rfc3339(now)}
        out.append(each)
    return out


def _most(written: int | str | None, total: int, index: int, problems: Problems) -> int | None:
    """How many may be under way at once; None: any number. A percentage above zero lets at least one."""
    if written is None:
        return None
    if isinstance(written, int):
        return written
    number = written.removesuffix("%")
    if not written.endswith("%") or not number.isdecimal():
        problems.maximum(index, written)
        return 1 if written != "0%" else 0
    return max(int(number) * total // 100, 1 if int(number) else 0)


def _conditions(owner: ApplicationSet, statuses: Sequence[Object], steps: Steps) -> Iterable[Object]:
    if words := steps.problems.words():
        yield condition(INVALID_ROLLOUT, status=True, reason="ApplicationSetInvalidRolloutConfig", message=words)
    for number in range(1, len(owner.steps or ()) + 1):
        if any(each["step"] == str(number) and each["status"] != HEALTHY for each in statuses):
            yield condition(
                PROGRESSING,
                status=True,
                reason="ApplicationSetModified",
                message=f"ApplicationSet is performing rollout of step {number}",
            )
            return
    yield _DONE


def _latest_change(statuses: Iterable[Mapping[str, Any]]) -> float | None:
    """When the last Application was found to have changes that wait; None where none does."""
    waiting = [
        each for each in statuses if each.get("status") == WAITING and each.get("message") in (_BOTH, _REVISION, _SPEC)
    ]
    times = [parse(str(each.get("lastTransitionTime", ""))) for each in waiting]
    return max((time for time in times if time is not None), default=None)


def _not_seen_since(app: Object, since: float) -> bool:
    seen = parse(str((app.get("status") or {}).get("reconciledAt", "")))
    return seen is None or seen < since


def _revisions(status: Mapping[str, Any]) -> list[str]:
    sync = status.get("sync") or {}
    if sync.get("revisions"):
        return [str(each) for each in sync["revisions"]]
    return [str(sync["revision"])] if sync.get("revision") else []


def _name(app: Object) -> str:
    return str(app["metadata"]["name"])


def _annotations(app: Object) -> Mapping[str, str]:
    found: Mapping[str, str] = app["metadata"].get("annotations") or {}
    return found


def without_automation(wanted: Object) -> Object:
    """The Application with automated sync switched off: a rolling set syncs by itself."""
    policy = wanted["spec"].get("syncPolicy") or {}
    if policy.get("automated") is None:
        return wanted
    automated = {**policy["automated"], "enabled": False}
    return {**wanted, "spec": {**wanted["spec"], "syncPolicy": {**policy, "automated": automated}}}


def with_sync(wanted: Object, revisions: Sequence[str]) -> Object:
    """The Application with the operation that syncs it, to the revisions that were seen when it was its turn."""
    policy = wanted["spec"].get("syncPolicy") or {}
    automated = policy.get("automated")
    sync: Object = {}
    if wanted["spec"].get("sources"):
        sync["revisions"] = list(revisions)
    elif revisions:
        sync["revision"] = revisions[0]
    if policy.get("syncOptions"):
        sync["syncOptions"] = policy["syncOptions"]
    if automated is not None and automated.get("enabled") is not False and automated.get("prune"):
        sync["prune"] = True
    reason = "ApplicationSet RollingSync triggered a sync of this Application resource"
    operation = {
        "initiatedBy": {"username": "applicationset-controller", "automated": True},
        "info": [{"name": "Reason", "value": reason}],
        "sync": sync,
        "retry": policy.get("retry") or {"limit": 5},
    }
    return {**without_automation(wanted), "operation": operation}
