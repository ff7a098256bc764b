"""An application's status in Argo CD's shape, worked out as a value; and the smallest merge patch from one status to the next.

Shapes as watched on Argo CD: health without a message, `group` left out when empty, resources in the order of the text
`group/kind/namespace/name`. A status equal to the one that is there is not written.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from kilde.core.apply.outcome import ObjectResult, Phase
from kilde.core.apps.application import Application
from kilde.core.apps.sources import Source, read_joined, told_revisions, told_sources
from kilde.core.basics.moment import rfc3339
from kilde.core.basics.values import Object
from kilde.core.objects.ref import GroupKind, ObjectRef

_APPLICATION = GroupKind("argoproj.io", "Application")


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceState:
    """One object in `status.resources`. An empty `sync` leaves the word out: the object is listed but does not count."""

    ref: ObjectRef
    version: str
    sync: str
    wave: int = 0
    requires_pruning: bool = False
    hook: bool = False
    confirmation: bool = False  # a person has to confirm that it goes


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one pass found out about an application."""

    sync: str  # Synced | OutOfSync | Unknown
    health: str
    revisions: tuple[str, ...] = ()  # of each source
    source_types: tuple[str, ...] = ()
    resources: tuple[ResourceState, ...] = ()
    conditions: tuple[tuple[str, str], ...] = ()  # (type, message)
    images: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()
    compared: bool = True  # False: the spec itself is unusable, nothing was compared


def not_compared(verdict: Verdict, why: str) -> Verdict:
    """The same where both sides are known, and nothing can be said of how they differ."""
    rows = tuple(replace(one, sync="Unknown") for one in verdict.resources)
    return replace(verdict, sync="Unknown", resources=rows, conditions=(*verdict.conditions, ("ComparisonError", why)))


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationState:
    """`status.operationState`: the operation that runs, or the last one."""

    operation: Mapping[str, Any]
    phase: Phase
    message: str = ""
    started_at: float
    finished_at: float | None = None
    revisions: tuple[str, ...] = ()
    sources: tuple[Source, ...] | None = None  # where it took others than the application's
    results: tuple[ObjectResult, ...] = ()
    retries: int = 0
    has_result: bool = False


def render_status(app: Application, verdict: Verdict, *, now: float, automated: bool = False) -> dict[str, Any]:
    """The whole status but `operationState` and `history`, which are carried over from the one that is there.

    `automated`: an operation that nobody asked for is about to be told of.
    """
    old = app.status
    status: dict[str, Any] = {key: old[key] for key in ("operationState", "history") if key in old}
    if verdict.compared or "controllerNamespace" in old:
        status["controllerNamespace"] = app.home
    conditions = _conditions(old.get("conditions") or (), verdict.conditions, now)
    if conditions:
        status["conditions"] = conditions
    status["health"] = _health(old.get("health") or {}, verdict.health, now)
    if verdict.sync == "Unknown" and not verdict.resources and "resources" in old:
        status["resources"] = old["resources"]  # the inventory outlives what could not be looked at
    if not verdict.compared:
        return {**old, **status, "sync": {**(old.get("sync") or {}), "status": verdict.sync}}
    status["resourceHealthSource"] = "appTree"
    if verdict.resources:
        status["resources"] = [_resource(state) for state in sorted(verdict.resources, key=_resource_order)]
    if any(verdict.source_types) or (app.several and verdict.source_types):
        types = list(verdict.source_types)
        status |= {"sourceTypes": types} if app.several else {"sourceType": types[0]}
    summary = _summary(verdict)
    if summary:
        status["summary"] = summary
    revisions = told_revisions(verdict.revisions, several=app.several)
    status["sync"] = {"comparedTo": compared_to(app), **revisions, "status": verdict.sync}
    if app.several and not automated and "source" not in ((old.get("sync") or {}).get("comparedTo") or {}):
        del status["sync"]["comparedTo"]["source"]  # Argo CD says it from its first automated operation on
    return status


def _summary(verdict: Verdict) -> dict[str, Any]:
    out: dict[str, Any] = {}
    if verdict.urls:
        out["externalURLs"] = list(verdict.urls)
    if verdict.images:
        out["images"] = list(verdict.images)
    if any(state.ref.group_kind == _APPLICATION for state in verdict.resources):
        out["isAppOfApps"] = True
    return out


def compared_to(app: Application) -> dict[str, Any]:
    """What a comparison rests on: source, destination and ignore rules as they were written."""
    out: dict[str, Any] = {"destination": {key: value for key, value in app.destination.raw.items() if value != ""}}
    if app.sources:
        out |= told_sources(app.sources, several=app.several)
    if app.ignore_raw:
        out["ignoreDifferences"] = [{key: value for key, value in rule.items() if value} for rule in app.ignore_raw]
    return out


def render_operation(state: OperationState, app: Application) -> dict[str, Any]:
    """`status.operationState`.

    Times are whole seconds, and whoever waits for "a newer operation" knows it by them: one that ends within the second of the
    last one is told to end a second later, so that no two look the same.
    """
    out: dict[str, Any] = {
        "operation": told_operation(state.operation),
        "phase": str(state.phase),
        "startedAt": rfc3339(state.started_at),
    }
    if state.message:
        out["message"] = state.message
    if state.finished_at is not None:
        out["finishedAt"] = rfc3339(state.finished_at)
        last = app.status.get("operationState") or {}
        if (last.get("startedAt"), last.get("finishedAt")) == (out["startedAt"], out["finishedAt"]):
            out["finishedAt"] = rfc3339(state.finished_at + 1)
    if state.retries:
        out["retryCount"] = state.retries
    if state.has_result:
        sources = told_sources(app.sources if state.sources is None else state.sources, several=app.several)
        sync = state.operation.get("sync") or {}
        if not app.sources and state.sources is None:
            sources = {"source": {"repoURL": ""}, **app.written}
        if app.several and app.sources and not (sync.get("source") or sync.get("sources")):
            sources["source"] = dict(app.sources[0].raw)  # Argo CD tells the first where an operation names none
        out["syncResult"] = {"revision": "", **told_revisions(state.revisions, several=app.several), **sources}
        if state.results and app.policy.namespace_metadata:
            out["syncResult"]["managedNamespaceMetadata"] = app.policy.namespace_metadata
        if state.results:
            out["syncResult"]["resources"] = [_result(result) for result in state.results]
    return out


_EVEN_IF_EMPTY = (
    "initiatedBy",
    "retry",
    "sync",
    "syncStrategy",
    "apply",
    "hook",
    "source",
)  # structs there: said when they say nothing


def told_operation(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The operation as Argo CD repeats it: what is false, zero or empty is left out; who began it and a retry are there."""
    return _told({"initiatedBy": {}, "retry": {}, **asked})


def _told(block: Mapping[str, Any]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for key, value in block.items():
        if isinstance(value, Mapping):
            value = _told(value) if key not in ("source", "helm", "kustomize", "directory", "plugin") else value
        elif isinstance(value, list) and key == "resources":
            value = [{"kind": "", "name": "", **_told(item)} if isinstance(item, Mapping) else item for item in value]
        if value or key in _EVEN_IF_EMPTY:
            out[key] = value
    return out


def add_history(
    history: Iterable[Mapping[str, Any]],
    app: Application,
    *,
    revisions: tuple[str, ...],
    sources: tuple[Source, ...] | None = None,
    started: float,
    ended: float,
    by: Object,
) -> list[dict[str, Any]]:
    """History with one more deployment, cut to the application's limit (0: none is kept)."""
    kept = [dict(entry) for entry in history]
    entry = {
        "deployStartedAt": rfc3339(started),
        "deployedAt": rfc3339(ended),
        "id": (kept[-1].get("id", -1) + 1) if kept else 0,
        "initiatedBy": {key: value for key, value in by.items() if value},
        **(told_revisions(revisions, several=app.several) if any(revisions) else {}),  # local manifests have none
        **told_sources(app.sources if sources is None else sources, several=app.several),
    }
    limit = app.history_limit
    return [*kept, entry][-limit:] if limit > 0 else []


def _conditions(old: Iterable[Mapping[str, Any]], found: Iterable[tuple[str, str]], now: float) -> list[dict[str, Any]]:
    since = {(c.get("type"), c.get("message")): c.get("lastTransitionTime") for c in old}
    return [
        {"lastTransitionTime": since.get((kind, text)) or rfc3339(now), "message": text, "type": kind}
        for kind, text in sorted(set(found))
    ]


def _health(old: Mapping[str, Any], status: str, now: float) -> dict[str, Any]:
    same = old.get("status") == status and old.get("lastTransitionTime")
    return {"lastTransitionTime": old["lastTransitionTime"] if same else rfc3339(now), "status": status}


def _resource_order(state: ResourceState) -> str:
    ref = state.ref
    return f"{ref.group}/{ref.kind}/{ref.namespace}/{ref.name}"


def _resource(state: ResourceState) -> dict[str, Any]:
    ref = state.ref
    named = {"kind": ref.kind, "name": ref.name, "version": state.version}
    out: dict[str, Any] = {key: text for key, text in named.items() if text}
    if ref.group:
        out["group"] = ref.group
    if ref.namespace:
        out["namespace"] = ref.namespace
    if state.sync:
        out["status"] = state.sync
    if state.wave:
        out["syncWave"] = state.wave
    if state.hook:
        out["hook"] = True
    if state.confirmation:
        out["requiresDeletionConfirmation"] = True
    if state.requires_pruning:
        out["requiresPruning"] = True
    return out


def _result(result: ObjectResult) -> dict[str, Any]:
    ref = result.ref
    out: dict[str, Any] = {
        "group": ref.group,
        "kind": ref.kind,
        "message": result.message,
        "name": ref.name,
        "namespace": ref.namespace or result.reported_namespace,
        "status": str(result.code),
        "syncPhase": result.sync_phase,
        "version": result.version,
    }
    if result.hook_type:
        out["hookType"] = result.hook_type
    if result.hook_phase:
        out["hookPhase"] = result.hook_phase
    if result.images:
        out["images"] = list(result.images)
    return out


@dataclass(frozen=True, slots=True)
class LastAttempt:
    """What the last operation tried, as the status tells it: one attempt a revision and set of parameters."""

    revision: str  # of several sources: all of them, as sources.joined has them
    sources: tuple[Mapping[str, Any], ...] = ()
    phase: str = ""
    message: str = ""


def last_attempt(status: Mapping[str, Any]) -> LastAttempt | None:
    """The attempt recorded in `status.operationState`; None if there was none."""
    state = status.get("operationState")
    if not isinstance(state, dict):
        return None
    result = state.get("syncResult") or {}
    sync = (state.get("operation") or {}).get("sync") or {}
    return LastAttempt(
        revision=read_joined(result) or read_joined(sync),
        sources=_told_before(result) or _told_before(sync),
        phase=str(state.get("phase", "")),
        message=str(state.get("message", "")),
    )


def _told_before(block: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    several, one = block.get("sources"), block.get("source")
    found = several if isinstance(several, list) else [one] if one else []
    return tuple(item for item in found if isinstance(item, dict))
