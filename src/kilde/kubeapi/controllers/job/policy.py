"""A Job's policies: which failures end it or do not count (KEP-3329), and which successes suffice (KEP-3998)."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.job.indexes import parse_indexes
from kilde.kubeapi.controllers.metadata import name_of, namespace_of

FAIL_JOB, FAIL_INDEX, IGNORE = "FailJob", "FailIndex", "Ignore"


class Match(NamedTuple):
    """The first rule that a failed pod meets: its action (FailJob, Ignore, Count, FailIndex), and why in upstream's words."""

    action: str
    why: str


def matching(policy: Mapping[str, Any] | None, pod: Object) -> Match | None:
    """The rule for a failed pod; None if no rule says anything about it."""
    for index, rule in enumerate((policy or {}).get("rules") or ()):
        action = str(rule.get("action", "Count"))
        by_code = rule.get("onExitCodes")
        why = _by_exit_code(by_code, pod) if by_code else _by_condition(rule.get("onPodConditions"), pod)
        if why:
            return Match(action, f"{why} matching {action} rule at index {index}")
    return None


def counts(policy: Mapping[str, Any] | None, pod: Object) -> bool:
    """Whether a failed pod counts towards the limits."""
    found = matching(policy, pod)
    return found is None or found.action != IGNORE


def fatal_failure(policy: Mapping[str, Any] | None, pod: Object) -> str:
    """Why this pod's failure ends the whole Job; empty if it does not."""
    found = matching(policy, pod)
    return found.why if found is not None and found.action == FAIL_JOB else ""


def met_rule(policy: Mapping[str, Any] | None, completions: int, done: frozenset[int]) -> int | None:
    """The first rule of a success policy that the completed indexes meet; None if none does."""
    for number, rule in enumerate((policy or {}).get("rules") or ()):
        among, enough = rule.get("succeededIndexes"), rule.get("succeededCount")
        if among is None:
            if enough is not None and done and len(done) >= int(enough):
                return number
            continue
        wanted = set(parse_indexes(among, completions))
        have = len(wanted & done)
        if wanted and done and (have == len(wanted) or (enough is not None and have >= int(enough))):
            return number
    return None


def _by_exit_code(wanted: Mapping[str, Any], pod: Object) -> str:
    status = pod.get("status") or {}
    for one in (*(status.get("containerStatuses") or ()), *(status.get("initContainerStatuses") or ())):
        code = ((one.get("state") or {}).get("terminated") or {}).get("exitCode")
        if not code or wanted.get("containerName") not in (None, one["name"]):
            continue
        if (code in (wanted.get("values") or ())) is (wanted.get("operator") == "In"):
            return f"Container {one['name']} for pod {namespace_of(pod)}/{name_of(pod)} failed with exit code {code}"
    return ""


def _by_condition(wanted: list[Mapping[str, Any]] | None, pod: Object) -> str:
    patterns = {(one["type"], one.get("status", "True")) for one in wanted or ()}
    for one in (pod.get("status") or {}).get("conditions") or ():
        if (one["type"], one.get("status")) in patterns:
            return f"Pod {namespace_of(pod)}/{name_of(pod)} has condition {one['type']}"
    return ""
