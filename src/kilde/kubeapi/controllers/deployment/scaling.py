"""Scaling: which ReplicaSets of a fleet get other sizes in the next step, by rollout or in proportion."""

from typing import NamedTuple

from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.deployment.fleet import (
    COMPONENT,
    DESIRED,
    MAXIMUM,
    REPLICA_SETS,
    Fleet,
    active,
    counted,
    new_replicas,
    replicas,
    saturated,
    total,
)
from kilde.kubeapi.controllers.metadata import annotations_of, name_of, with_metadata
from kilde.kubeapi.controllers.steps import Emit, Update, Write


class Size(NamedTuple):
    """A ReplicaSet and the number of replicas it is to have."""

    replica_set: Object
    replicas: int


def resize(fleet: Fleet, sizes: list[Size]) -> list[Write]:
    """The writes and events that give ReplicaSets these sizes; nothing for those that have them."""
    writes: list[Write] = []
    marks = {DESIRED: str(fleet.wanted), MAXIMUM: str(fleet.wanted + fleet.max_surge)}
    for rs, size in sizes:
        have = annotations_of(rs)
        if replicas(rs) == size and marks.items() <= have.items():
            continue
        changed = with_metadata(rs, annotations={**have, **marks})
        changed["spec"] = {**rs["spec"], "replicas": size}
        writes.append(Update(REPLICA_SETS, changed))
        if replicas(rs) != size:
            way = "up" if size > replicas(rs) else "down"
            message = f"Scaled {way} replica set {name_of(rs)} from {replicas(rs)} to {size}"
            writes.append(Emit(fleet.deployment, "ScalingReplicaSet", message, COMPONENT))
    return writes


def grow_new(fleet: Fleet) -> list[Size]:
    """The new ReplicaSet's size in a rolling update; empty if it has it."""
    if fleet.new is None or replicas(fleet.new) == fleet.wanted:
        return []
    size = fleet.wanted if replicas(fleet.new) > fleet.wanted else new_replicas(fleet)
    return [Size(fleet.new, size)] if size != replicas(fleet.new) else []


def shrink_old(fleet: Fleet) -> list[Size]:
    """The old ReplicaSets' sizes in a rolling update: unhealthy replicas go first, then what availability allows."""
    if total(fleet.old) == 0:
        return []
    least = fleet.wanted - fleet.max_unavailable
    missing = replicas(fleet.new) - counted([fleet.new], "availableReplicas") if fleet.new is not None else 0
    budget = total(fleet.every) - least - missing
    if budget <= 0:
        return []
    sizes, cleaned = {}, 0
    for rs in fleet.old:
        gone = min(budget - cleaned, replicas(rs) - min(replicas(rs), counted([rs], "availableReplicas")))
        sizes[name_of(rs)] = replicas(rs) - gone
        cleaned += gone
    spare = counted(fleet.every, "availableReplicas") - least
    for rs in fleet.old:
        gone = max(0, min(sizes[name_of(rs)], spare))
        sizes[name_of(rs)] -= gone
        spare -= gone
    return [Size(rs, sizes[name_of(rs)]) for rs in fleet.old if sizes[name_of(rs)] != replicas(rs)]


def rescale(fleet: Fleet) -> list[Size]:
    """Sizes after the Deployment's own replicas changed (upstream: scale): one takes all, or all share."""
    current = active(fleet.every)
    if len(current) <= 1:
        latest = current[0] if current else fleet.new or (fleet.old[-1] if fleet.old else None)
        return [Size(latest, fleet.wanted)] if latest is not None else []
    if saturated(fleet):
        return [Size(rs, 0) for rs in active(fleet.old)]
    return _in_proportion(fleet, current) if fleet.rolling else []


def _in_proportion(fleet: Fleet, current: list[Object]) -> list[Size]:
    allowed = fleet.wanted + fleet.max_surge if fleet.wanted > 0 else 0
    to_add = allowed - total(current)
    order = sorted(current, key=lambda rs: rs["metadata"].get("creationTimestamp", ""), reverse=to_add > 0)
    order.sort(key=replicas, reverse=True)
    sizes, added = [], 0
    for rs in order:
        share = _share(fleet, rs, to_add, added) if to_add else 0
        added += share
        sizes.append(replicas(rs) + share)
    if sizes and added != to_add:
        sizes[0] = max(0, sizes[0] + to_add - added)
    return [Size(rs, size) for rs, size in zip(order, sizes, strict=True)]


def _share(fleet: Fleet, rs: Object, to_add: int, added: int) -> int:
    """What one ReplicaSet gets of `to_add` replicas (negative: loses); rounded half up, never past what is left."""
    if replicas(rs) == 0:
        return 0
    if fleet.wanted == 0:
        return -replicas(rs)
    mark = annotations_of(rs).get(MAXIMUM, "")
    before = (
        int(mark)
        if mark.isdigit() and int(mark) > 0
        else int((fleet.deployment.get("status") or {}).get("replicas") or 0)
    )
    after = fleet.wanted + fleet.max_surge
    exact = replicas(rs) * after / before if before else replicas(rs)
    share = int(exact + 0.5) - replicas(rs)
    left = to_add - added
    return min(share, left) if to_add > 0 else max(share, left)
