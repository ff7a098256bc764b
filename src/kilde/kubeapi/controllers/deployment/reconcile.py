"""One step of a Deployment: find or make the ReplicaSet of its template, move sizes, then say how far it is."""

from functools import partial
from typing import Any, NamedTuple

from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.claiming import Claimed, claim
from kilde.kubeapi.controllers.conditions import Condition, find
from kilde.kubeapi.controllers.deployment.fleet import (
    COMPONENT,
    DESIRED,
    REPLICA_SETS,
    RESOURCE,
    Fleet,
    active,
    counted,
    gather,
    replicas,
    revision,
)
from kilde.kubeapi.controllers.deployment.progress import (
    calculate,
    complete,
    deadline,
    has_deadline,
    progress_condition,
    settle,
    with_progress,
)
from kilde.kubeapi.controllers.deployment.revisions import mark_new, new_replica_set, with_revision
from kilde.kubeapi.controllers.deployment.scaling import Size, grow_new, rescale, resize, shrink_old
from kilde.kubeapi.controllers.metadata import annotations_of, deleting, generation_of, name_of, namespace_of, uid_of
from kilde.kubeapi.controllers.pods import TERMINAL, phase
from kilde.kubeapi.controllers.replicaset import owner_keys
from kilde.kubeapi.controllers.selecting import is_empty
from kilde.kubeapi.controllers.steps import (
    NOTHING,
    Controller,
    Create,
    Delete,
    Emit,
    Key,
    Moment,
    Refusals,
    Step,
    Update,
    View,
    Write,
    itself,
)

_SELECTING_ALL = "This deployment is selecting all pods. A non-empty selector is required."


class _Done(NamedTuple):
    """What the first half of a step did: `rolling_out` (else paused, scaled or deleted), `created` a ReplicaSet."""

    rolling_out: bool
    created: bool


def controller() -> Controller:
    """The controller of `apps/v1` Deployments. A pod that is gone wakes a Deployment that waits to recreate."""
    triggers = {RESOURCE: itself, REPLICA_SETS: owner_keys("Deployment", RESOURCE), "pods": _recreating}
    return Controller(COMPONENT, _reduce, triggers)


def _recreating(pod: Object, view: View) -> list[Key]:
    if not deleting(pod) and phase(pod) not in TERMINAL:
        return []
    namespace = namespace_of(pod)
    for owner in pod["metadata"].get("ownerReferences") or ():
        rs = view.get(REPLICA_SETS, namespace, owner["name"]) if owner.get("kind") == "ReplicaSet" else None
        for above in (rs or {"metadata": {}})["metadata"].get("ownerReferences") or ():
            found = view.get(RESOURCE, namespace, above["name"])
            if found is not None and (found["spec"].get("strategy") or {}).get("type") == "Recreate":
                return [Key(namespace, above["name"])]
    return []


def _claimed(deployment: Object, view: View) -> Claimed:
    return claim(deployment, deployment["spec"].get("selector"), REPLICA_SETS, view)


def _reduce(key: Key, view: View, moment: Moment) -> Step:
    deployment = view.get(RESOURCE, *key)
    if deployment is None:
        return NOTHING
    if is_empty(deployment["spec"].get("selector")):
        told = Emit(deployment, "SelectingAll", _SELECTING_ALL, COMPONENT, "Warning")
        return Step(
            (told,) if (deployment.get("status") or {}).get("observedGeneration") != generation_of(deployment) else ()
        )
    claimed = _claimed(deployment, view)
    fleet = gather(deployment, claimed.objects)
    due = [] if deleting(deployment) else _move(fleet, view)
    rolling_out = not (deleting(deployment) or fleet.spec.get("paused") or _rescaled(fleet))
    created = any(isinstance(write, Create) for write in due)
    return Step((*claimed.writes, *due), then=partial(_settle, key, _Done(rolling_out, created)))


def _move(fleet: Fleet, view: View) -> list[Write]:
    """The writes that bring the fleet one step on; each step touches a ReplicaSet once, the next is woken by that."""
    if marks := mark_new(fleet):
        return marks
    if fleet.spec.get("paused"):
        return resize(fleet, rescale(fleet)) or _clean_up(fleet)
    if _rescaled(fleet):
        return resize(fleet, rescale(fleet))
    if not fleet.rolling:
        return _recreate(fleet, view)
    if fleet.new is None:
        return [new_replica_set(fleet)]
    return resize(fleet, grow_new(fleet)) or resize(fleet, shrink_old(fleet)) or _clean_up_when_done(fleet)


def _rescaled(fleet: Fleet) -> bool:
    """Whether somebody changed the Deployment's replicas since the ReplicaSets were last sized."""
    for rs in active(fleet.every):
        desired = annotations_of(rs).get(DESIRED)
        if desired is not None and desired != str(fleet.wanted):
            return True
    return False


def _recreate(fleet: Fleet, view: View) -> list[Write]:
    if running := active(fleet.old):
        return resize(fleet, [Size(rs, 0) for rs in running])
    for rs in fleet.old:
        if any(phase(pod) not in TERMINAL for pod in view.owned("pods", uid_of(rs))):
            return []
    if fleet.new is None:
        return [new_replica_set(fleet)]
    return resize(fleet, [Size(fleet.new, fleet.wanted)]) or _clean_up_when_done(fleet)


def _clean_up_when_done(fleet: Fleet) -> list[Write]:
    return _clean_up(fleet) if complete(fleet, fleet.deployment.get("status") or {}) else []


def _clean_up(fleet: Fleet) -> list[Write]:
    limit = fleet.spec.get("revisionHistoryLimit")
    if limit is None:
        return []
    idle = [
        rs
        for rs in sorted(fleet.old, key=revision)
        if not deleting(rs)
        and replicas(rs) == 0
        and counted([rs], "replicas") == 0
        and counted([rs], "observedGeneration") >= generation_of(rs)
    ]
    spare = idle[: max(0, len(fleet.old) - int(limit))]
    return [Delete(REPLICA_SETS, namespace_of(rs), name_of(rs), uid_of(rs)) for rs in spare]


def _settle(key: Key, done: _Done, view: View, moment: Moment, refusals: Refusals) -> Step:
    deployment = view.get(RESOURCE, *key)
    if deployment is None:
        return NOTHING
    fleet = gather(deployment, _claimed(deployment, view).objects)
    refused = next((refusal.message for refusal in refusals if isinstance(refusal.write, Create)), "")
    old = deployment.get("status") or {}
    collisions = old.get("collisionCount")
    if "already exists" in refused:
        return _collided(deployment, old, int(collisions or 0) + 1)
    conditions = _announced(fleet, done, refused, list(old.get("conditions") or ()), moment.now)
    status = calculate(fleet, conditions, collisions, moment.now)
    if done.rolling_out and not refused:
        status = with_progress(fleet, status, moment.now)
    changed = {**with_revision(fleet), "status": status}
    writes: list[Write] = []
    if refused:
        message = f"Failed to create new replica set: {refused}"
        writes.append(Emit(deployment, "ReplicaSetCreateError", message, COMPONENT, "Warning"))
    if status != old or changed["metadata"] != deployment["metadata"]:
        writes.append(Update(RESOURCE, changed, "status"))
    return Step(tuple(writes), wake=deadline(fleet, status))


def _collided(deployment: Object, status: dict[str, Any], collisions: int) -> Step:
    """Another ReplicaSet has the name: count, so that the next hash is another."""
    return Step((Update(RESOURCE, {**deployment, "status": {**status, "collisionCount": collisions}}, "status"),))


def _announced(fleet: Fleet, done: _Done, refused: str, conditions: list[Condition], now: float) -> list[Condition]:
    """What happened to the new ReplicaSet, or to `paused`, as a Progressing condition."""
    if not has_deadline(fleet):
        return conditions
    current = find(conditions, "Progressing")
    paused_before = (current or {}).get("reason") == "DeploymentPaused"
    if fleet.spec.get("paused"):
        said = progress_condition("Unknown", "DeploymentPaused", "Deployment is paused", now)
    elif refused:
        said = progress_condition("False", "ReplicaSetCreateError", f"Failed to create new replica set: {refused}", now)
    elif paused_before:
        said = progress_condition("Unknown", "DeploymentResumed", "Deployment is resumed", now)
    elif done.created and fleet.new is not None:
        text = f'Created new replica set "{name_of(fleet.new)}"'
        said = progress_condition("True", "NewReplicaSetCreated", text, now)
    elif current is None and fleet.new is not None:
        text = f'Found new replica set "{name_of(fleet.new)}"'
        said = progress_condition("True", "FoundNewReplicaSet", text, now)
    else:
        return conditions
    return settle(conditions, said)
