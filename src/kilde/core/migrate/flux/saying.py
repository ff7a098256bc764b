"""What Flux says of its objects, in the words of an Application's status; and what we say, as far as Flux has words for it.

Flux judges a Kustomization or HelmRelease as a whole (its condition Ready), names the revision that it has applied and lists the objects
of it. It has no word for the type of a source, for images, or for the health of one object.
"""

from collections.abc import Mapping
from typing import Any

from kilde.core.basics.values import Object
from kilde.core.migrate.flux.making import truth
from kilde.core.migrate.flux.reading import inventory_entries, is_busy, items, mapping, text

HEALTHY, UNHEALTHY = "Healthy", "not Healthy"
_UNBUILT = frozenset({"BuildFailed"})  # reasons of Ready: nothing was applied, nothing can be
_UNHEALTHY = frozenset({"HealthCheckFailed"})  # all was applied
_TOLD = ("group", "version", "kind", "namespace", "name", "status")
_LONGEST = 200


def said(body: Object) -> Object:
    """The status of an Application that stands for this object; {} where Flux has no verdict (`silence` has the reason)."""
    ready = _ready(body)
    status, reason = text(ready, "status"), text(ready, "reason")
    if silence(body):
        return {}
    if reason in _UNBUILT:
        return {"sync": {"status": "Unknown"}}
    sync: Object = {"status": "Synced"}
    if revision := _revision(body, attempted=reason in _UNHEALTHY):
        sync["revision"] = revision
    entries = [{**one, "status": "Synced"} for one in inventory_entries(body)]
    out: Object = {"sync": sync, "resources": entries}
    if _waits(body):
        out["health"] = {"status": HEALTHY if status == "True" else UNHEALTHY}
    return out


def silence(body: Object) -> str:
    """Why Flux has no verdict on it now; "" where it has."""
    ready = _ready(body)
    reason = text(ready, "reason")
    if not ready:
        return "Flux has said nothing of it"
    if is_behind(body):
        return "Flux is reconciling it"
    if text(ready, "status") == "True" or reason in _UNBUILT | _UNHEALTHY:
        return ""
    return f"Flux has no verdict ({reason}): {text(ready, 'message')[:_LONGEST]}"


def is_behind(body: Object) -> bool:
    """Whether what it says is of before: it is being reconciled, or its spec has changed since."""
    generation = mapping(body, "metadata").get("generation")
    observed = mapping(body, "status").get("observedGeneration")
    return is_busy(body) or (None not in (generation, observed) and generation != observed)


def heard(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> Object:
    """What we say, without what Flux says nothing of in this status."""
    before, sync = dict(theirs), mapping(ours, "sync")
    kept = {key: sync[key] for key in ("status", "revision") if sync.get(key)}
    if not mapping(before, "sync").get("revision"):
        kept.pop("revision", None)
    out: Object = {"sync": kept}
    if "health" in before:
        out["health"] = {"status": HEALTHY if mapping(ours, "health").get("status") == HEALTHY else UNHEALTHY}
    if "resources" in before:
        listed = [one for one in items(ours, "resources") if not one.get("hook")]
        out["resources"] = [{key: one[key] for key in _TOLD if one.get(key)} for one in listed]
    return out


def _ready(body: Object) -> Object:
    conditions = items(mapping(body, "status"), "conditions")
    return next((one for one in conditions if one.get("type") == "Ready"), {})


def _revision(body: Object, *, attempted: bool) -> str:
    """Flux writes `branch@sha1:commit`, `tag@sha256:digest`, and a chart's version with what tells its content apart after a `+`."""
    status, spec = mapping(body, "status"), mapping(body, "spec")
    if text(body, "kind") == "HelmRelease":
        if text(mapping(mapping(mapping(spec, "chart"), "spec"), "sourceRef"), "kind") == "GitRepository":
            return ""  # the version of the chart, where an Application has a commit
        history = items(status, "history")
        return text(history[0], "chartVersion").partition("+")[0] if history else ""
    found = text(status, "lastAttemptedRevision" if attempted else "lastAppliedRevision").rpartition("@")[2]
    is_git = text(mapping(spec, "sourceRef"), "kind") == "GitRepository"
    return found.partition(":")[2] if is_git and ":" in found else found


def _waits(body: Object) -> bool:
    """Whether Ready says that every object is healthy, too."""
    spec = mapping(body, "spec")
    if text(body, "kind") == "HelmRelease":
        last = "upgrade" if text(mapping(body, "status"), "lastAttemptedReleaseAction") == "upgrade" else "install"
        return not truth(spec, last, "disableWait")
    return spec.get("wait") is True
