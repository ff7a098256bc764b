"""What of a live object is put back after it was deleted: all but what the server, a controller or the one that is gone had given it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from kilde.core.basics.values import Object
from kilde.core.objects.kinds import apply_order
from kilde.core.objects.ref import ObjectRef
from kilde.core.plan.order import wave_of
from kilde.core.plan.planner import RESTORED

_SERVERS_OWN = (
    "uid", "resourceVersion", "generation", "creationTimestamp", "selfLink", "managedFields",
    "deletionTimestamp", "deletionGracePeriodSeconds", "ownerReferences",
)  # fmt: skip
_BOUND = ("pv.kubernetes.io/", "volume.kubernetes.io/selected-node", "volume.beta.kubernetes.io/storage-provisioner",
          "volume.kubernetes.io/storage-provisioner", "deployment.kubernetes.io/", "deprecated.daemonset.template.generation")  # fmt: skip
_GOING = ("foregroundDeletion", "orphan", "kubernetes.io/pvc-protection")
_JOB_LABELS = ("controller-uid", "job-name", "batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One object that was deleted, as it was just before. `at`: seconds since the epoch; `operation`: its record in the ledger.

    `plan` and `rendered` are those of an approval that its deletion rested on ("" where nobody had to approve).
    """

    application: str  # namespace/name
    operation: int
    at: float
    ref: ObjectRef
    uid: str
    body: Object
    plan: str = ""
    rendered: str = ""


def restorable(live: Object, *, operation: int) -> Object:
    """The manifest that puts the object back, marked with the operation that took it away.

    Addresses, volumes and selectors that the cluster had given are left for it to give anew; owners are left out, since they may be gone.
    """
    meta: dict[str, Any] = {
        key: value for key, value in (live.get("metadata") or {}).items() if key not in _SERVERS_OWN
    }
    annotations = {k: v for k, v in (meta.get("annotations") or {}).items() if not k.startswith(_BOUND)}
    meta["annotations"] = {**annotations, RESTORED: str(operation)}
    finalizers = [one for one in meta.pop("finalizers", None) or () if one not in _GOING]
    if finalizers:
        meta["finalizers"] = finalizers
    body = {key: value for key, value in live.items() if key != "status"}
    spec = body.get("spec")
    if isinstance(spec, dict):
        body["spec"] = _spec(str(live.get("kind")), spec)
    if live.get("kind") == "Job":
        body = _job(body)
    return {**body, "metadata": meta}


def _spec(kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    match kind:
        case "Namespace":
            return {key: value for key, value in spec.items() if key != "finalizers"}
        case "PersistentVolumeClaim":
            return {key: value for key, value in spec.items() if key != "volumeName"}
        case "PersistentVolume":
            return {key: value for key, value in spec.items() if key != "claimRef"}
        case "Pod":
            return {key: value for key, value in spec.items() if key != "nodeName"}
        case "Service" if spec.get("clusterIP") != "None":
            return {key: value for key, value in spec.items() if key not in ("clusterIP", "clusterIPs")}
        case _:
            return spec


def _job(body: Object) -> Object:
    """A Job's selector and the labels that go with it are made anew, unless its author had made them."""
    spec = body.get("spec") or {}
    if spec.get("manualSelector"):
        return body
    template = spec.get("template") or {}
    meta = template.get("metadata") or {}
    labels = {key: value for key, value in (meta.get("labels") or {}).items() if key not in _JOB_LABELS}
    rest = {key: value for key, value in spec.items() if key != "selector"}
    return {**body, "spec": {**rest, "template": {**template, "metadata": {**meta, "labels": labels}}}}


def in_order(kept: Iterable[Kept]) -> list[list[Kept]]:
    """Waves, the first one first; in each of them kinds in the order in which they are applied."""

    def place(one: Kept) -> tuple[int, int, ObjectRef]:
        wave = wave_of((one.body.get("metadata") or {}).get("annotations") or {})
        return wave, apply_order(one.ref.group, one.ref.kind), one.ref

    groups: dict[tuple[int, int], list[Kept]] = {}
    for one in sorted(kept, key=place):
        groups.setdefault(place(one)[:2], []).append(one)
    return list(groups.values())
