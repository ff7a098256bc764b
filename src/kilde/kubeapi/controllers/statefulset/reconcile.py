"""One step of a StatefulSet: repair the members in order, give up the condemned, then update from the last to the first."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from kilde.core.basics.values import Object
from kilde.kubeapi.controllers import history
from kilde.kubeapi.controllers.claiming import claim
from kilde.kubeapi.controllers.metadata import (
    controller_of,
    deleting,
    dense,
    generation_of,
    name_of,
    namespace_of,
    uid_of,
    with_status,
)
from kilde.kubeapi.controllers.naming import scaled
from kilde.kubeapi.controllers.pods import TERMINAL, available_at, is_available, is_ready, phase
from kilde.kubeapi.controllers.replicaset import owner_keys
from kilde.kubeapi.controllers.statefulset.members import (
    claims_of,
    first,
    gives_up_claims,
    make_pod,
    ordinal,
    revision_of,
)
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

RESOURCE = "statefulsets.apps"
CLAIMS = "persistentvolumeclaims"
COMPONENT = "statefulset-controller"


def controller() -> Controller:
    """The controller of `apps/v1` StatefulSets."""
    owners = owner_keys("StatefulSet", RESOURCE)
    return Controller(COMPONENT, _reduce, {RESOURCE: itself, "pods": owners, history.RESOURCE: _historian})


def _historian(revision: Object, view: View) -> list[Key]:
    owner = controller_of(revision)
    return [Key(namespace_of(revision), owner["name"])] if owner and owner.get("kind") == "StatefulSet" else []


@dataclass(frozen=True, slots=True)
class _Set:
    """A StatefulSet with its members by number; `condemned` have numbers that are no longer wanted."""

    owner: Object
    members: dict[int, Object]
    past: history.History
    now: float

    @property
    def wanted(self) -> range:
        start = first(self.owner)
        return range(start, start + int(self.owner["spec"].get("replicas", 1)))

    @property
    def condemned(self) -> list[int]:
        return sorted((number for number in self.members if number not in self.wanted), reverse=True)

    @property
    def one_by_one(self) -> bool:
        return bool(self.owner["spec"].get("podManagementPolicy") != "Parallel")

    @property
    def minimum(self) -> int:
        return int(self.owner["spec"].get("minReadySeconds") or 0)

    @property
    def strategy(self) -> dict[str, Any]:
        return self.owner["spec"].get("updateStrategy") or {}

    @property
    def partition(self) -> int:
        return int((self.strategy.get("rollingUpdate") or {}).get("partition") or 0)

    @property
    def current(self) -> Object:
        """The revision that most pods have had; the update's own before the first."""
        name = (self.owner.get("status") or {}).get("currentRevision")
        return next((revision for revision in self.past.all if name_of(revision) == name), self.past.update)

    def available(self, pod: Object) -> bool:
        return phase(pod) == "Running" and is_available(pod, self.minimum, self.now) and not deleting(pod)


def _look(owner: Object, view: View, now: float) -> _Set:
    pods = [pod for pod in view.owned("pods", uid_of(owner)) if ordinal(owner, pod) is not None]
    members = {number: pod for pod in pods if (number := ordinal(owner, pod)) is not None}
    collisions = int((owner.get("status") or {}).get("collisionCount") or 0)
    past = history.history_of(owner, view.owned(history.RESOURCE, uid_of(owner)), collisions)
    return _Set(owner, members, past, now)


def _reduce(key: Key, view: View, moment: Moment) -> Step:
    owner = view.get(RESOURCE, *key)
    if owner is None:
        return NOTHING
    adopted = claim(owner, owner["spec"].get("selector"), "pods", view).writes
    found = _look(owner, view, moment.now)
    writes: list[Write] = [*adopted, *found.past.writes]
    if not deleting(owner):
        writes += _due(found, view)
    return Step(tuple(writes), then=partial(_settle, key))


def _due(found: _Set, view: View) -> list[Write]:
    """The pods' next changes. A member that is not ready blocks an ordered set; the later parts wait for the earlier."""
    for part in (_repair, _give_up):
        writes, blocked = part(found, view)
        if writes or blocked:
            return writes
    return _renew(found)


def _repair(found: _Set, view: View) -> tuple[list[Write], bool]:
    """Creates what is missing and replaces what has failed; (writes, whether the rest has to wait)."""
    writes: list[Write] = []
    for number in found.wanted:
        pod = found.members.get(number)
        if pod is None:
            writes += _birth(found, number, view)
        elif phase(pod) in TERMINAL and not deleting(pod):
            writes.append(_replace_failed(found, pod))
        elif not found.one_by_one or found.available(pod):
            continue
        if found.one_by_one:
            return writes, True
    return writes, False


def _birth(found: _Set, number: int, view: View) -> list[Write]:
    owner, name = found.owner, name_of(found.owner)
    pod = make_pod(owner, number, _revision_for(found, number))
    writes: list[Write] = []
    for wanted in claims_of(owner, number):
        if view.get(CLAIMS, namespace_of(owner), name_of(wanted)) is None:
            text = f"create Claim {name_of(wanted)} Pod {name_of(pod)} in StatefulSet {name} success"
            writes.append(Create(CLAIMS, wanted, Emit(owner, "SuccessfulCreate", text, COMPONENT)))
    text = f"create Pod {name_of(pod)} in StatefulSet {name} successful"
    return [*writes, Create("pods", pod, Emit(owner, "SuccessfulCreate", text, COMPONENT))]


def _revision_for(found: _Set, number: int) -> Object:
    """Which template a member is made of: the old one below the partition, or while its turn has not come."""
    if found.strategy.get("type") == "OnDelete":
        return found.past.update
    rolling = found.strategy.get("rollingUpdate") or {}
    start = first(found.owner)
    if rolling.get("partition"):
        old = number < start + found.partition
    else:
        status = found.owner.get("status") or {}
        fresh = status.get("currentRevision") == status.get("updateRevision")
        moved = status.get("updateRevision") != name_of(found.past.update)
        old = (not fresh or moved) and number < start + int(status.get("currentReplicas") or 0)
    return found.current if old else found.past.update


def _replace_failed(found: _Set, pod: Object) -> Delete:
    text = f"StatefulSet {namespace_of(pod)}/{name_of(found.owner)} is recreating {phase(pod)} Pod {name_of(pod)}"
    reason = "RecreatingFailedPod" if phase(pod) == "Failed" else "RecreatingTerminatedPod"
    return _delete(found, pod, Emit(found.owner, reason, text, COMPONENT, "Warning"))


def _delete(found: _Set, pod: Object, told: Emit | None = None) -> Delete:
    text = f"delete Pod {name_of(pod)} in StatefulSet {name_of(found.owner)} successful"
    told = told or Emit(found.owner, "SuccessfulDelete", text, COMPONENT)
    return Delete("pods", namespace_of(pod), name_of(pod), uid_of(pod), told=told)


def _give_up(found: _Set, view: View) -> tuple[list[Write], bool]:
    """Deletes members above the wanted number, the highest first; ordered sets one at a time."""
    writes: list[Write] = []
    for number in found.condemned:
        pod = found.members[number]
        if not deleting(pod):
            writes += [_delete(found, pod), *_claims_given_up(found, number, view)]
        if found.one_by_one:
            return writes, True
    return writes, False


def _claims_given_up(found: _Set, number: int, view: View) -> list[Write]:
    if not gives_up_claims(found.owner):
        return []
    names = [(namespace_of(wanted), name_of(wanted)) for wanted in claims_of(found.owner, number)]
    held = [pvc for name in names if (pvc := view.get(CLAIMS, *name)) is not None and not deleting(pvc)]
    return [Delete(CLAIMS, namespace_of(pvc), name_of(pvc), uid_of(pvc)) for pvc in held]


def _renew(found: _Set) -> list[Write]:
    """Deletes members of an older revision, from the last to the partition, as many at a time as may be missing."""
    if found.strategy.get("type") == "OnDelete":
        return []
    rolling = found.strategy.get("rollingUpdate") or {}
    allowed = max(1, scaled(rolling.get("maxUnavailable", 1), len(found.wanted), round_up=True))
    missing, writes = 0, []
    for number in reversed(found.wanted):
        pod = found.members.get(number)
        old = number >= first(found.owner) + found.partition and (
            pod is not None and revision_of(pod) != name_of(found.past.update)
        )
        if pod is None or not found.available(pod):
            missing += 1
            if pod is not None and old and not deleting(pod):
                writes.append(_delete(found, pod))
        elif old and missing < allowed:
            missing += 1
            writes.append(_delete(found, pod))
        if missing >= allowed:
            return list(writes)
    return list(writes)


def _settle(key: Key, view: View, moment: Moment, refusals: Refusals) -> Step:
    owner = view.get(RESOURCE, *key)
    if owner is None:
        return NOTHING
    found = _look(owner, view, moment.now)
    writes: list[Write] = [_refused(found, refusal.write, refusal.message) for refusal in refusals]
    status = _status(found)
    if status != (owner.get("status") or {}):
        writes.append(Update(RESOURCE, with_status(owner, status), "status"))
    live = {revision_of(pod) for pod in found.members.values()} | {status["currentRevision"], status["updateRevision"]}
    limit = owner["spec"].get("revisionHistoryLimit")
    writes += history.spare(found.past.all, live, 10 if limit is None else int(limit))
    return Step(tuple(writes), wake=available_at(list(found.members.values()), found.minimum, moment.now))


def _refused(found: _Set, write: Write, message: str) -> Emit:
    pod = name_of(write.body) if isinstance(write, Create) else getattr(write, "name", "")
    verb, word = ("Create", "create") if isinstance(write, Create) else ("Delete", "delete")
    text = f"{word} Pod {pod} in StatefulSet {name_of(found.owner)} failed error: {message}"
    return Emit(found.owner, f"Failed{verb}", text, COMPONENT, "Warning")


def _status(found: _Set) -> dict[str, Any]:
    old = found.owner.get("status") or {}
    update, current = name_of(found.past.update), name_of(found.current)
    pods = list(found.members.values())
    alive = [pod for pod in pods if not deleting(pod) and phase(pod) not in TERMINAL]
    ready = sum(phase(pod) == "Running" and is_ready(pod) for pod in pods)
    updated = sum(revision_of(pod) == update for pod in alive)
    held = sum(revision_of(pod) == current for pod in alive)
    rolling = found.strategy.get("type", "RollingUpdate") == "RollingUpdate"
    if rolling and updated == len(pods) and ready == len(pods) and current != update:
        current, held = update, updated
    status = {
        "observedGeneration": generation_of(found.owner),
        "replicas": len(pods),
        "readyReplicas": ready,
        "currentReplicas": held,
        "updatedReplicas": updated,
        "currentRevision": current,
        "updateRevision": update,
        "collisionCount": int(old.get("collisionCount") or 0),
        "availableReplicas": sum(found.available(pod) for pod in pods),
        "conditions": old.get("conditions"),
    }
    return dense(status, "replicas", "availableReplicas", "collisionCount")
