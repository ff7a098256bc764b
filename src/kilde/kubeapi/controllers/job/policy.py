"""A Job's pod failure policy: which failures end the Job, and which do not count (KEP-3329)."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.conditions import find
from kilde.kubeapi.controllers.metadata import name_of, namespace_of


class Match(NamedTuple):
    """The first rule that a failed pod meets: its action (FailJob, Ignore, Count, FailIndex), and why in upstream's words."""

    action: str
    why: str


def matching(policy: Mapping[str, Any] | None, pod: Object) -> Match | None:
    """The rule for a failed pod; None if no rule says anything about it."""
    for index, rule in enumerate((policy or {}).get("rules") or ()):
        action = str(rule.get("action", "Count"))
        why = _by_exit_code(rule.get("onExitCodes"), pod) or _by_condition(rule.get("onPodConditions"), pod)
        if why:
            return Match(action, f"{why} matching {action} rule at index {index}")
    return None


def fatal_failure(policy: Mapping[str, Any] | None, pod: Object) -> str:
    """Why this pod's failure ends the whole Job; empty if it does not."""
    found = matching(policy, pod)
    return found.why if found is not None and found.action == "FailJob" else ""


def _by_exit_code(wanted: Mapping[str, Any] | None, pod: Object) -> str:
    if wanted is None:
        return ""
    status = pod.get("status") or {}
    for one in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())):
        code = ((one.get("state") or {}).get("terminated") or {}).get("exitCode")
        if not code or wanted.get("containerName") not in (None, one["name"]):
            continue
        if (code in (wanted.get("values") or ())) is (wanted.get("operator") == "In"):
            return f"Container {one['name']} for pod {namespace_of(pod)}/{name_of(pod)} failed with exit code {code}"
    return ""


def _by_condition(wanted: list[Mapping[str, Any]] | None, pod: Object) -> str:
    for one in wanted or ():
        found = find((pod.get("status") or {}).get("conditions"), one["type"])
        if found is not None and found.get("status") == one.get("status", "True"):
            return f"Pod {namespace_of(pod)}/{name_of(pod)} has condition {one['type']}"
    return ""
