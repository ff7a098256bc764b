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
from kilde.kubeapi.controllers.pods import TERMINAL, available_at, is_available, is_ready, phase
from kilde.kubeapi.controllers.replicaset import owner_keys
from kilde.kubeapi.controllers.statefulset.claims import CLAIMS, handed_over, missing_claims
from kilde.kubeapi.controllers.statefulset.members import first, make_pod, ordinal, revision_of
from kilde.kubeapi.controllers.steps import (
    NOTHING,
    Controller,
    Create,
    Delete,
    Emit,
    Key,
    Moment,
    Patch,
    Refusals,
    Step,
    Update,
    View,
    Write,
    itself,
)

RESOURCE = "statefulsets.apps"
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
        return is_available(pod, self.minimum, self.now) and not deleting(pod)

    @property
    def first_unwell(self) -> int | None:
        """The lowest number whose member is missing or not available, of those wanted before those that are not."""
        order = (*self.wanted, *reversed(self.condemned))
        return next((n for n in order if (pod := self.members.get(n)) is None or not self.available(pod)), None)


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
        elif phase(pod) in TERMINAL:
            writes += [] if deleting(pod) else [_delete(found, pod)]
        else:
            if phase(pod) == "Pending":
                writes += _claims(found, number, pod, view)
            if not found.one_by_one or found.available(pod):
                writes += _kept(found, number, pod, view)
                continue
        if found.one_by_one:
            return writes, True
    return writes, False


def _kept(found: _Set, number: int, pod: Object, view: View) -> list[Write]:
    """What a member lacks of its claims' owners; such a change counts as one of the pod."""
    writes = handed_over(found.owner, number, pod, view, condemned=False)
    text = f"Update Pod {name_of(pod)} in StatefulSet {name_of(found.owner)} successful"
    return [*writes, Emit(found.owner, "SuccessfulUpdate", text, COMPONENT)] if writes else []


def _birth(found: _Set, number: int, view: View) -> list[Write]:
    pod = make_pod(found.owner, number, _revision_for(found, number))
    text = f"Create Pod {name_of(pod)} in StatefulSet {name_of(found.owner)} successful"
    told = Emit(found.owner, "SuccessfulCreate", text, COMPONENT)
    return [*_claims(found, number, pod, view), Create("pods", pod, told)]


def _claims(found: _Set, number: int, pod: Object, view: View) -> list[Write]:
    writes: list[Write] = []
    for wanted in missing_claims(found.owner, number, view):
        text = f"Create Claim {name_of(wanted)} Pod {name_of(pod)} in StatefulSet {name_of(found.owner)} success"
        writes.append(Create(CLAIMS, wanted, Emit(found.owner, "SuccessfulCreate", text, COMPONENT)))
    return writes


def _revision_for(found: _Set, number: int) -> Object:
    """Which template a member is made of: the old one below the partition."""
    rolling, start = found.strategy.get("rollingUpdate"), first(found.owner)
    if rolling is not None:
        old = number < start + found.partition
    else:
        status = found.owner.get("status") or {}
        rolls = found.strategy.get("type", "RollingUpdate") == "RollingUpdate"
        old = rolls and number < start + int(status.get("currentReplicas") or 0)
    return found.current if old else found.past.update


def _delete(found: _Set, pod: Object) -> Delete:
    text = f"Delete Pod {name_of(pod)} in StatefulSet {name_of(found.owner)} successful"
    told = Emit(found.owner, "SuccessfulDelete", text, COMPONENT)
    return Delete("pods", namespace_of(pod), name_of(pod), uid_of(pod), told=told)


def _give_up(found: _Set, view: View) -> tuple[list[Write], bool]:
    """Deletes members above the wanted number, the highest first; ordered sets one at a time, and none while another is unwell."""
    writes: list[Write] = []
    for number in found.condemned:
        writes += handed_over(found.owner, number, found.members[number], view, condemned=True)
    for number in found.condemned:
        pod = found.members[number]
        waits = found.one_by_one and not found.available(pod) and number != found.first_unwell
        if not deleting(pod) and not waits:
            writes.append(_delete(found, pod))
        if found.one_by_one:
            return writes, True
    return writes, False


def _renew(found: _Set) -> list[Write]:
    """Deletes the last member of an older revision, down to the partition, once those after it are well."""
    if found.strategy.get("type") == "OnDelete":
        return []
    for number in reversed(found.wanted):
        pod = found.members.get(number)
        if number < first(found.owner) + found.partition:
            break
        if pod is not None and revision_of(pod) != name_of(found.past.update) and not deleting(pod):
            return [_delete(found, pod)]
        if pod is None or not found.available(pod):
            break
    return []


def _settle(key: Key, view: View, moment: Moment, refusals: Refusals) -> Step:
    owner = view.get(RESOURCE, *key)
    if owner is None:
        return NOTHING
    found = _look(owner, view, moment.now)
    writes: list[Write] = [said for refusal in refusals for said in _refused(found, refusal.write, refusal.message)]
    status = _status(found)
    if status != (owner.get("status") or {}):
        writes.append(Update(RESOURCE, with_status(owner, status), "status"))
    live = {revision_of(pod) for pod in found.members.values()} | {status["currentRevision"], status["updateRevision"]}
    limit = owner["spec"].get("revisionHistoryLimit")
    writes += history.spare(found.past.all, live, 10 if limit is None else int(limit))
    return Step(tuple(writes), wake=available_at(list(found.members.values()), found.minimum, moment.now))


def _refused(found: _Set, write: Write, message: str) -> list[Write]:
    if not isinstance(write, Create | Delete | Patch):
        return []
    name = name_of(write.body) if isinstance(write, Create) else write.name
    verb = "Create" if isinstance(write, Create) else "Delete" if isinstance(write, Delete) else "Update"
    ours = f"in StatefulSet {name_of(found.owner)} failed error: {message}"
    if write.resource == CLAIMS and isinstance(write, Create):
        pod = f"{name_of(found.owner)}-{name.rpartition('-')[2]}"
        lacks = f"in StatefulSet {name_of(found.owner)} failed error: failed to create PVC {name}: {message}"
        texts = [f"Create Claim {name} for Pod {pod} {ours}", f"Create Pod {pod} {lacks}"]
    else:
        texts = [f"{verb} Pod {name} {ours}"]
    return [Emit(found.owner, f"Failed{verb}", text, COMPONENT, "Warning") for text in texts]


def _status(found: _Set) -> dict[str, Any]:
    old = found.owner.get("status") or {}
    update, current = name_of(found.past.update), name_of(found.current)
    pods = list(found.members.values())
    alive = [pod for pod in pods if not deleting(pod) and phase(pod) not in TERMINAL]
    ready = sum(phase(pod) == "Running" and is_ready(pod) for pod in pods)
    updated = sum(revision_of(pod) == update for pod in alive)
    held = sum(revision_of(pod) == current for pod in alive)
    rolling = found.strategy.get("type", "RollingUpdate") == "RollingUpdate"
    replicas = len(found.wanted)
    if rolling and updated == ready == len(pods) == replicas and current != update:
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
        "availableReplicas": sum(
            phase(pod) == "Running" and is_available(pod, found.minimum, found.now) for pod in pods
        ),
        "conditions": old.get("conditions"),
    }
    return dense(status, "replicas", "availableReplicas", "collisionCount")
