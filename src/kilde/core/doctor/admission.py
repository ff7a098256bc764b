"""Webhooks of the cluster that would break or slow a sync: those that do not answer, and those that see everything."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from kilde.core.basics.values import Object
from kilde.core.doctor.durations import told
from kilde.core.doctor.exposition import Sample, between, buckets, quantile, total
from kilde.core.doctor.finding import Finding, Verdict

Backends = Mapping[tuple[str, str], bool]
"""Services by namespace and name: whether one has an address that is ready."""
CALLS, OPENED = "apiserver_admission_webhook_admission_duration_seconds", "apiserver_admission_webhook_fail_open_count"
METRICS = (CALLS, OPENED)
_WRITES = frozenset(("CREATE", "UPDATE", "DELETE", "*"))
_LONG = 15  # seconds; what nothing is said of is 10
_MOST = 20
_SLOW = 1.0


def judge_admission(
    configurations: Iterable[Object], definitions: Iterable[Object], backends: Backends
) -> list[Finding]:
    """Webhook configurations of both kinds, and CRDs with a conversion webhook."""
    count = 0
    found: list[Finding] = []
    for configuration in configurations:
        for hook in configuration.get("webhooks") or ():
            count += 1
            found += _hook(configuration, hook, backends)
    for definition in definitions:
        client = ((definition.get("spec") or {}).get("conversion") or {}).get("webhook", {}).get("clientConfig")
        if client:
            count += 1
            found += _conversion(definition, client, backends)
    if len(found) > _MOST:
        says = f"{len(found) - _MOST} more findings on webhooks are left out"
        worst_first = sorted(found, key=lambda each: each.verdict is not Verdict.BAD)
        return [*worst_first[:_MOST], Finding(area="webhooks", check="cluster", verdict=Verdict.WATCH, says=says)]
    if found:
        return found
    says = f"{count} webhooks of the cluster, none of which would hold up a sync"
    return [Finding(area="webhooks", check="cluster", verdict=Verdict.GOOD, says=says, numbers={"count": float(count)})]


def judge_webhook_calls(now: Sequence[Sample], before: Sequence[Sample] = ()) -> list[Finding]:
    """From the API server's own page: the slowest webhook, and writes that passed because one did not answer."""
    names = sorted({each.labels.get("name", "") for each in now if each.name == f"{CALLS}_bucket"})
    slowest, p99 = "", 0.0
    for name in names:

        def chosen(labels: Mapping[str, str], name: str = name) -> bool:
            return labels.get("name") == name

        found = quantile(0.99, between(buckets(now, CALLS, chosen), buckets(before, CALLS, chosen)))
        if found is not None and found > p99:
            slowest, p99 = name, found
    opened = (total(now, OPENED) or 0.0) - (total(before, OPENED) or 0.0)
    if not slowest:
        return []
    verdict, hint = Verdict.GOOD, ""
    if p99 >= _SLOW or opened > 0:
        verdict, hint = Verdict.WATCH, "each write waits for it: more replicas, or narrower rules"
    says = f"the slowest, {slowest}: p99 {told(p99)}" + (
        f"; {opened:,.0f} writes passed unseen by one" if opened > 0 else ""
    )
    numbers = {"p99": p99, "failedOpen": max(0.0, opened)}
    return [Finding(area="webhooks", check="calls", verdict=verdict, says=says, hint=hint, numbers=numbers)]


def _hook(configuration: Object, hook: Mapping[str, Any], backends: Backends) -> Iterator[Finding]:
    kind = "mutating" if str(configuration.get("kind", "")).startswith("Mutating") else "validating"
    check = f"{kind}/{(configuration.get('metadata') or {}).get('name')}/{hook.get('name')}"
    fails = hook.get("failurePolicy", "Fail") != "Ignore"
    seconds = int(hook.get("timeoutSeconds") or 10)
    what = _matched(hook)
    dead = _dead(hook.get("clientConfig") or {}, backends)
    if dead and fails:
        hint = f"mend the service, or kubectl delete {kind}webhookconfiguration {(configuration.get('metadata') or {}).get('name')}"
        yield _finding(check, Verdict.BAD, f"every write of {what} is refused: {dead}", hint)
    elif dead:
        yield _finding(
            check,
            Verdict.WATCH,
            f"each write of {what} may wait {seconds} s, and is not looked at: {dead}",
            "mend the service",
        )
    elif fails and _sees_everything(hook):
        hint = "leave out kube-system and its own namespace by namespaceSelector, or failurePolicy: Ignore"
        yield _finding(
            check,
            Verdict.WATCH,
            "sees every write and refuses it when it does not answer, those that would mend it, too",
            hint,
        )
    elif seconds > _LONG:
        yield _finding(
            check,
            Verdict.WATCH,
            f"a write of {what} may wait {seconds} s for it",
            "timeoutSeconds: 5 is enough for most",
        )


def _conversion(definition: Object, client: Mapping[str, Any], backends: Backends) -> Iterator[Finding]:
    name = str((definition.get("metadata") or {}).get("name"))
    dead = _dead(client, backends)
    versions = (definition.get("spec") or {}).get("versions") or ()
    if dead and sum(1 for version in versions if version.get("served")) > 1:
        yield _finding(
            f"conversion/{name}",
            Verdict.BAD,
            f"its objects cannot be read in every version: {dead}",
            "mend the service",
        )


def _finding(check: str, verdict: Verdict, says: str, hint: str) -> Finding:
    return Finding(area="webhooks", check=check, verdict=verdict, says=says, hint=hint)


def _dead(client: Mapping[str, Any], backends: Backends) -> str:
    service = client.get("service")
    if not service:
        return ""  # an address outside of the cluster: not asked, as a look from here would say nothing
    place = str(service.get("namespace", "")), str(service.get("name", ""))
    if place not in backends:
        return f"there is no Service {place[0]}/{place[1]}"
    return "" if backends[place] else f"Service {place[0]}/{place[1]} has no ready address"


def _matched(hook: Mapping[str, Any]) -> str:
    names = sorted(
        {str(name).partition("/")[0] for rule in hook.get("rules") or () for name in rule.get("resources") or ()}
    )
    if "*" in names:
        return "everything"
    return f"{', '.join(names[:4])}{', …' if len(names) > 4 else ''}" if names else "nothing"


def _sees_everything(hook: Mapping[str, Any]) -> bool:
    if any(_chooses(hook.get(key)) for key in ("namespaceSelector", "objectSelector")) or hook.get("matchConditions"):
        return False
    return any(
        "*" in (rule.get("apiGroups") or ())
        and any(str(name) in ("*", "*/*") for name in rule.get("resources") or ())
        and rule.get("scope", "*") == "*"
        and _WRITES & set(rule.get("operations") or ())
        for rule in hook.get("rules") or ()
    )


def _chooses(selector: object) -> bool:
    return isinstance(selector, dict) and any(selector.values())
