"""Argo CD's GitOps promoter: every kind has a Ready condition; beyond it, commits, gates and pull requests have their own word."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from kilde.core.basics.values import Object
from kilde.core.health.fields import conditions, part, parts, text
from kilde.core.health.health import Health, degraded, healthy, progressing
from kilde.core.health.judging import Judge, is_of_another, said


def _kind(
    start: str,
    spec: str,
    failed: str,
    other: str,
    missing: str,
    then: Judge,
    *,
    doubt: str = "",
    types: tuple[str, ...] = ("Ready",),
) -> Judge:
    """By Ready: of another generation, False (reconciliation failed, or another reason), perhaps Unknown; then, `then`."""

    def judge(obj: Object) -> Health:
        if not isinstance(obj.get("status"), dict):
            return progressing(start)
        told = [item for item in conditions(obj) if text(item, "type") in types]
        for item in told:
            if is_of_another(obj, item):
                return progressing(f"Waiting for {spec} spec update to be observed")
            reason, answer = str(item.get("reason", "Unknown")), text(item, "status")
            if answer == "False":
                what = failed if reason == "ReconciliationError" else f"{other} ({reason})"
                return degraded(f"{what}: {said(item, 'Unknown error')}")
            if answer == "Unknown" and doubt:
                return progressing(f"{doubt} ({reason}): {said(item, 'Unknown')}")
        return then(obj) if told else progressing(missing)

    return judge


def _simple(start: str, then: Judge, spec: str = "", *types: str) -> Judge:
    name = spec or start
    failed = f"{start[0].upper()}{start[1:]} reconciliation failed"
    missing = f"{start[0].upper()}{start[1:]} is not ready yet"
    return _kind(f"Initializing {start}", name, failed, failed, missing, then, types=types or ("Ready",))


def _named(
    kind: str, start: str, name: str, then: Judge, failed: str = "validation failed", doubt: str = "readiness unknown"
) -> Judge:
    missing = f"{kind} Ready condition is missing"
    return _kind(
        f"Initializing {start}", kind, f"{name} {failed}", f"{name} not ready", missing, then, doubt=f"{name} {doubt}"
    )


def _well(message: str) -> Judge:
    return lambda _: healthy(message)


def _applications(obj: Object) -> Health:
    selected = part(obj, "status").get("applicationsSelected")
    if not isinstance(selected, list) or not selected:
        return degraded("Argo CD commit status has no applications configured")
    return healthy(f"Argo CD commit status is healthy and is tracking {len(selected)} applications")


def _commit(obj: Object) -> Health:
    status = part(obj, "status")
    sha, phase = text(status, "sha"), text(status, "phase")
    told = f"Commit status for commit {sha} reports {phase}"
    return healthy(told if {"sha", "phase"} <= status.keys() else "Commit status is healthy")


def _pull_request(obj: Object) -> Health:
    status = part(obj, "status")
    told = f"Pull request is {text(status, 'state')} as PR {status.get('id')}"
    return healthy(told if {"id", "state"} <= status.keys() else "Pull request is healthy")


def _gate(name: str, passed: str, idle: str) -> Judge:
    """A phase for each environment: a failure, then what is not decided, then all passed."""

    def judge(obj: Object) -> Health:
        found = parts(part(obj, "status"), "environments")
        phases = [(text(one, "branch") or "?", text(one, "phase")) for one in found]
        failed = ", ".join(branch for branch, phase in phases if phase == "failure")
        waiting = ", ".join(branch for branch, phase in phases if phase not in ("failure", "success"))
        if failed:
            return degraded(f"{name} failed for branch(es): {failed}")
        if waiting:
            return progressing(f"{name} pending for branch(es): {waiting}")
        return healthy(f"{passed} for {len(found)} environment(s)" if found else idle)

    return judge


_SHORT: Final = 7


def policy(obj: Object) -> Health:
    """One environment, of a ChangeTransferPolicy."""
    status = part(obj, "status")
    active, proposed = _dry(status, "active"), _dry(status, "proposed")
    if not active or not proposed:
        return progressing(f"The {'proposed' if active else 'active'} commit DRY SHA is missing or empty.")
    if active != proposed:
        told = _statuses(parts(part(status, "proposed"), "commitStatuses"))
        return healthy(f"Promotion in progress from '{active[:_SHORT]}' to '{proposed[:_SHORT]}': {told}")
    checks = parts(part(status, "active"), "commitStatuses")
    if _keys(checks, "pending") or _keys(checks, "failure"):
        return healthy(
            f"Environment is up-to-date, but there are non-successful active commit statuses: {_statuses(checks)}"
        )
    return healthy(f"Environment is up-to-date on commit {active[:_SHORT]}.")


def strategy(obj: Object) -> Health:
    """All environments, of a PromotionStrategy: all must propose one commit; the first that has another is told."""
    found = parts(part(obj, "status"), "environments")
    if not found:
        return degraded("Promotion strategy has no environments configured")
    for one in found:
        lacking = "active" if not _dry(one, "active") else "" if _proposed(one) else "proposed"
        if lacking:
            return progressing(
                f"The {lacking} commit DRY SHA is missing or empty in environment '{text(one, 'branch')}'."
            )
    wanted = _proposed(found[0])
    if any(_proposed(one) != wanted for one in found):
        return progressing(
            "Not all environments have the same proposed commit SHA. "
            "This likely means the hydrator has not run for all environments yet."
        )
    hydrated = f"Hydrator has processed dry commit '{wanted[:_SHORT]}'."
    for one in found:
        active, proposed = _dry(one, "active"), _dry(one, "proposed")
        if active != proposed:
            way = f"'{text(one, 'branch')}' from '{active[:_SHORT]}' to '{proposed[:_SHORT]}'"
            told = _statuses(parts(part(one, "proposed"), "commitStatuses"))
            return healthy(f"Promotion in progress for environment {way}: {told}{hydrated} ")
    if amiss := ", ".join(filter(None, map(_amiss, found))):
        return healthy(
            f"Environments are up-to-date, but some environments have non-successful commit statuses: {amiss}."
        )
    return healthy(f"All environments are up-to-date on commit '{_dry(found[0], 'active')[:_SHORT]}'. {hydrated}")


def _dry(environment: Object, side: str) -> str:
    return text(part(environment, side, "dry"), "sha")


def _proposed(environment: Object) -> str:
    """What the hydrator has noted goes before what it was last asked for."""
    return text(part(environment, "proposed", "note"), "drySha") or _dry(environment, "proposed")


def _keys(statuses: Sequence[Object], phase: str) -> list[str]:
    return [text(one, "key") for one in statuses if text(one, "phase") == phase]


def _statuses(found: Sequence[Object]) -> str:
    count = Counter(text(one, "phase") for one in found)
    told = f"{count['pending']} pending, {count['success']} successful, {count['failure']} failed. "
    for phase, word in (("pending", "Pending"), ("failure", "Failed")):
        if keys := _keys(found, phase):
            told += f"{word} commit statuses: {', '.join(keys)}. "
    return told


def _amiss(environment: Object) -> str:
    checks = parts(part(environment, "active"), "commitStatuses")
    failed, pending = len(_keys(checks, "failure")), len(_keys(checks, "pending"))
    return f"{text(environment, 'branch')} ({failed} failed, {pending} pending)" if failed or pending else ""


_GIT: Final = "Git commit validation"
_WEB: Final = "Web request commit validation"
_TIMED: Final = "Timed commit gate"

KINDS: Final[Mapping[str, Judge]] = {
    "ArgoCDCommitStatus": _simple("Argo CD commit status", _applications),
    "ChangeTransferPolicy": _simple("change transfer policy", policy),
    "ClusterScmProvider": _named(
        "ClusterScmProvider", "cluster SCM provider", "Cluster SCM provider", _well("Cluster SCM provider is ready")
    ),
    "CommitStatus": _simple("commit status", _commit),
    "GitCommitStatus": _named(
        "GitCommitStatus",
        "git commit validation",
        _GIT,
        _gate(_GIT, f"{_GIT} passed", f"{_GIT} reconciled"),
        "failed",
        "status unknown",
    ),
    "GitRepository": _named("GitRepository", "Git repository", "Git repository", _well("Git repository is ready")),
    "PromotionStrategy": _simple("promotion strategy", strategy),
    "PullRequest": _simple("pull request", _pull_request, "", "Reconciled", "Ready"),
    "ScmProvider": _named("ScmProvider", "SCM provider", "SCM provider", _well("SCM provider is ready")),
    "TimedCommitStatus": _named(
        "TimedCommitStatus",
        "timed commit gate",
        _TIMED,
        _gate(_TIMED, f"{_TIMED} satisfied", f"{_TIMED} reconciled"),
        "failed",
        "status unknown",
    ),
    "WebRequestCommitStatus": _named(
        "WebRequestCommitStatus",
        "web request commit validation",
        _WEB,
        _gate("Web request validation", "Web request validation passed", f"{_WEB} reconciled"),
        "failed",
        "unknown",
    ),
}
