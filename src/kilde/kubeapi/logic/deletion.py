"""What a DELETE makes of an object: gone at once, or marked and waiting for finalizers, grace or its content (rest.BeforeDelete)."""

from typing import NamedTuple

from kilde.core.basics.moment import parse, rfc3339
from kilde.core.basics.values import Object
from kilde.kubeapi.logic.options import DeleteOptions

FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"
CRD_CLEANUP = "customresourcecleanup.apiextensions.k8s.io"
_ORPHAN_BY_DEFAULT = frozenset(("jobs.batch", "replicationcontrollers"))
_NOT_COLLECTED = frozenset(("events",))  # which nothing depends on: garbage collection is not asked of them
CRDS = "customresourcedefinitions.apiextensions.k8s.io"


class Verdict(NamedTuple):
    """The object after the DELETE; `gone` if it is to be removed now."""

    object: Object
    gone: bool


def judge(storage: str, old: Object, options: DeleteOptions, *, now: float) -> Verdict:
    """`storage` names the resource; `now` is seconds since the epoch."""
    obj = {**old, "metadata": dict(old["metadata"])}
    meta = obj["metadata"]
    finalizers = _finalizers(storage, meta.get("finalizers") or [], options)
    if finalizers:
        meta["finalizers"] = finalizers
    else:
        meta.pop("finalizers", None)
    grace = _grace(obj, options) if storage == "pods" else 0
    held = bool(finalizers) or (storage == "namespaces" and bool((obj.get("spec") or {}).get("finalizers")))
    if not held and grace == 0:
        ended = bool(meta.get("deletionTimestamp")) and not meta.get("deletionGracePeriodSeconds")
        if storage != "pods" or ended:  # shown as it was stored last: what let go the last finalizer was never written
            return Verdict({**old, "metadata": dict(old["metadata"])}, gone=True)
        _mark(meta, 0, now, namespace=False)
        return Verdict(obj, gone=True)
    if storage == "namespaces":
        obj["status"] = {**(obj.get("status") or {}), "phase": "Terminating"}
    _mark(meta, grace, now, namespace=storage == "namespaces")
    return Verdict(obj, gone=False)


def _mark(meta: Object, grace: int, now: float, *, namespace: bool) -> None:
    if not meta.get("deletionTimestamp"):
        meta["deletionTimestamp"] = rfc3339(now + grace)
        if meta.get("generation"):
            meta["generation"] += 1
        if not namespace:
            meta["deletionGracePeriodSeconds"] = grace
    elif not namespace and "deletionGracePeriodSeconds" not in meta:
        meta["deletionGracePeriodSeconds"] = grace  # a CRD, at its second DELETE
    elif not namespace and grace < int(meta["deletionGracePeriodSeconds"] or 0):
        began = (parse(meta["deletionTimestamp"]) or now) - int(meta["deletionGracePeriodSeconds"])
        meta["deletionTimestamp"] = rfc3339(began + grace)
        meta["deletionGracePeriodSeconds"] = grace


def _finalizers(storage: str, present: list[str], options: DeleteOptions) -> list[str]:
    policy = options.propagation
    if storage in _NOT_COLLECTED:
        policy = "Background"
    if not policy:
        if ORPHAN in present or FOREGROUND in present:
            return present
        policy = "Orphan" if storage in _ORPHAN_BY_DEFAULT else "Background"
    kept = [name for name in present if name not in (FOREGROUND, ORPHAN)]
    if policy == "Foreground":
        kept.append(FOREGROUND)
    elif policy == "Orphan":
        kept.append(ORPHAN)
    return kept


def end_definition(crd: Object, now: float) -> Object:
    """A CRD at its first DELETE: held for its objects, whatever the options say, and not counted as a change."""
    meta = crd["metadata"]
    finalizers = meta.get("finalizers") or []
    held = finalizers if CRD_CLEANUP in finalizers else [*finalizers, CRD_CLEANUP]
    return {**crd, "metadata": {**meta, "deletionTimestamp": rfc3339(now), "finalizers": held}}


def _grace(pod: Object, options: DeleteOptions) -> int:
    """Seconds a pod has to end: none if it never ran on a node or has ended."""
    spec, status, meta = pod.get("spec") or {}, pod.get("status") or {}, pod["metadata"]
    grace = options.grace
    if grace is None:
        grace = int(spec.get("terminationGracePeriodSeconds") or 0) if "terminationGracePeriodSeconds" in spec else 30
    if not spec.get("nodeName") or status.get("phase") in ("Failed", "Succeeded"):
        return 0
    if meta.get("deletionTimestamp"):
        return min(grace, int(meta.get("deletionGracePeriodSeconds") or 0))
    return grace
