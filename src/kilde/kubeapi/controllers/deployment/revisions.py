"""Revisions: the annotations that number a Deployment's ReplicaSets, and the ReplicaSet made for a template."""

from typing import Any

from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.deployment.fleet import (
    COMPONENT,
    DESIRED,
    HASH_LABEL,
    MAXIMUM,
    REPLICA_SETS,
    REVISION,
    REVISION_HISTORY,
    Fleet,
    new_replicas,
    revision,
)
from kilde.kubeapi.controllers.metadata import annotations_of, name_of, namespace_of, owner_reference, with_metadata
from kilde.kubeapi.controllers.naming import template_hash
from kilde.kubeapi.controllers.steps import Create, Emit, Update, Write

_NOT_COPIED = {
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    REVISION_HISTORY,
    DESIRED,
    MAXIMUM,
    "deprecated.deployment.rollback.to",
}


def _next(fleet: Fleet) -> int:
    return max((revision(rs) for rs in fleet.old), default=0) + 1


def _inherited(fleet: Fleet) -> dict[str, str]:
    return {key: value for key, value in annotations_of(fleet.deployment).items() if key not in _NOT_COPIED}


def mark_new(fleet: Fleet) -> list[Write]:
    """Gives the new ReplicaSet the highest revision, the Deployment's annotations and minReadySeconds."""
    rs = fleet.new
    if rs is None:
        return []
    have = annotations_of(rs)
    marks = {**have, **_inherited(fleet)}
    if revision(rs) < _next(fleet):
        marks[REVISION] = str(_next(fleet))
        if REVISION in have:
            marks[REVISION_HISTORY] = ",".join(filter(None, (have.get(REVISION_HISTORY), have[REVISION])))
    seconds = fleet.spec.get("minReadySeconds") or 0
    if marks == have and seconds == (rs["spec"].get("minReadySeconds") or 0):
        return []
    changed = with_metadata(rs, annotations=marks)
    changed["spec"] = {**rs["spec"], "minReadySeconds": seconds}
    return [Update(REPLICA_SETS, changed)]


def with_revision(fleet: Fleet) -> Object:
    """The Deployment with its revision annotation equal to the new ReplicaSet's."""
    have = annotations_of(fleet.deployment)
    if fleet.new is None or have.get(REVISION) == annotations_of(fleet.new).get(REVISION):
        return fleet.deployment
    mark = annotations_of(fleet.new).get(REVISION)
    return with_metadata(fleet.deployment, annotations={**have, REVISION: mark}) if mark else fleet.deployment


def new_replica_set(fleet: Fleet) -> Create:
    """The ReplicaSet of the Deployment's template, with as many replicas as the rollout allows at once."""
    deployment, template = fleet.deployment, fleet.spec["template"]
    collisions = int((deployment.get("status") or {}).get("collisionCount") or 0)
    suffix = template_hash(template, collisions)
    labels = {**((template.get("metadata") or {}).get("labels") or {}), HASH_LABEL: suffix}
    selector = fleet.spec["selector"]
    size = new_replicas(fleet)
    spec: dict[str, Any] = {
        "replicas": size,
        "selector": {**selector, "matchLabels": {**(selector.get("matchLabels") or {}), HASH_LABEL: suffix}},
        "template": {**template, "metadata": {**(template.get("metadata") or {}), "labels": labels}},
    }
    if fleet.spec.get("minReadySeconds"):
        spec["minReadySeconds"] = fleet.spec["minReadySeconds"]
    name = f"{name_of(deployment)}-{suffix}"
    body = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": name,
            "namespace": namespace_of(deployment),
            "labels": labels,
            "annotations": {
                **_inherited(fleet),
                REVISION: str(_next(fleet)),
                DESIRED: str(fleet.wanted),
                MAXIMUM: str(fleet.wanted + fleet.max_surge),
            },
            "ownerReferences": [owner_reference(deployment)],
        },
        "spec": spec,
    }
    told = Emit(deployment, "ScalingReplicaSet", f"Scaled up replica set {name} from 0 to {size}", COMPONENT)
    return Create(REPLICA_SETS, body, told if size > 0 else None)
