"""Resizing a pod in place: what its containers are given, and a wish for more until they have it (upstream: kubelet/allocation)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

import msgspec

from kilde.core.basics.moment import rfc3339
from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.conditions import find
from kilde.kubeapi.controllers.kubelet.status import Statuses
from kilde.kubeapi.controllers.metadata import generation_of, uid_of
from kilde.kubeapi.controllers.placing import amount, requests_of
from kilde.kubeapi.controllers.pods import TERMINAL, phase, spec_of
from kilde.kubeapi.controllers.steps import KUBELET, Emit, View, earliest

PENDING, IN_PROGRESS = "PodResizePending", "PodResizeInProgress"
_LOOK_AGAIN = 180.0  # seconds until a wish that the node has no room for is tried again without a reason
_OUT_OF = {"cpu": "OutOfcpu", "memory": "OutOfmemory", "ephemeral-storage": "OutOfephemeral-storage"}
_canonical = msgspec.json.Encoder(order="deterministic").encode
_Given = Mapping[str, Object]


@dataclass(frozen=True, slots=True)
class Allocation:
    """What the node has set aside for each container, and when the running ones get it (None: they have it)."""

    given: _Given
    due: float | None = None


class Resize(NamedTuple):
    """Where a pod's resources are: the conditions that tell of it, what is said, which containers have to be started anew for it."""

    allocation: Allocation
    conditions: Statuses
    said: tuple[Emit, ...]
    restarts: frozenset[str]
    wake: float | None


def resized(pod: Object, known: Allocation | None, view: View, now: float, after: float) -> Resize:
    """The next step of a pod's resources. `known` is what the last one left; `after` how long it takes until containers have theirs."""
    old = (pod.get("status") or {}).get("conditions") or []
    pending, going = find(old, PENDING), find(old, IN_PROGRESS)
    wanted = _wanted(pod)
    known = known or _recovered(pod, wanted, now if going else None)
    given = {name: known.given.get(name, resources) for name, resources in wanted.items()}
    due, said = known.due, list[Emit]()
    if given == wanted:
        pending = None
    elif (lack := _shortage(pod, view)) is None:
        given, due, pending = wanted, now + after, None
        going = _condition(pod, IN_PROGRESS, now)
        said.append(_emit(pod, "ResizeStarted", "Pod resize started", generation_of(pod)))
    else:
        told = _deferred(pod, pending, lack.message, now)
        if pending is None or pending.get("observedGeneration") != told["observedGeneration"]:
            words = f"Pod resize {lack.reason}"
            said.append(_emit(pod, "ResizeDeferred", words, generation_of(pod), error=lack.message))
        pending = told
    restarts: frozenset[str] = frozenset()
    if due is None:
        going = None
    elif due <= now:
        restarts = frozenset(_restarting(pod, given))
        generation = int((going or {}).get("observedGeneration") or generation_of(pod))
        said.append(_emit(pod, "ResizeCompleted", "Pod resize completed", generation, given=given))
        due = going = None
    conditions = [one for one in (pending, going) if one is not None]
    wake = earliest(due, now + _LOOK_AGAIN if pending is not None else None)
    return Resize(Allocation(given, due), conditions, tuple(said), restarts, wake)


def with_resources(status: dict[str, Any], allocation: Allocation) -> dict[str, Any]:
    """A container's status with what it is given, and what it has: that of a running one follows when it is due."""
    if not status.get("containerID"):
        return status
    given = allocation.given.get(status["name"], {})
    waits = allocation.due is not None and "running" in status["state"] and "resources" in status
    made = {key: value for key, value in status.items() if key not in ("allocatedResources", "resources")}
    if given.get("requests"):
        made["allocatedResources"] = given["requests"]
    return {**made, "resources": status["resources"] if waits else given}


def waits_for_room(pod: Object) -> bool:
    """Whether the pod wants to be larger than its node has room for."""
    return find((pod.get("status") or {}).get("conditions"), PENDING) is not None


def makes_room(pod: Object) -> bool:
    """Whether others on the node may fit now: the pod has ended, or has been given other resources."""
    return phase(pod) in TERMINAL or find((pod.get("status") or {}).get("conditions"), IN_PROGRESS) is not None


def _containers(pod: Object) -> Iterable[tuple[str, Mapping[str, Any]]]:
    spec = spec_of(pod)
    return ((place, one) for place in ("initContainers", "containers") for one in spec.get(place) or ())


def _wanted(pod: Object) -> dict[str, Object]:
    return {one["name"]: one.get("resources") or {} for _, one in _containers(pod)}


def _statuses(pod: Object) -> dict[str, Mapping[str, Any]]:
    status = pod.get("status") or {}
    both = ("initContainerStatuses", "containerStatuses")
    return {one["name"]: one for field in both for one in status.get(field) or ()}


def _recovered(pod: Object, wanted: _Given, due: float | None) -> Allocation:
    """What is known of a pod that was there before the server was started: a resize that had begun is about to end."""
    if due is not None:
        return Allocation(wanted, due)
    held = _statuses(pod)
    return Allocation({name: held.get(name, {}).get("resources", each) for name, each in wanted.items()})


def _restarting(pod: Object, given: _Given) -> Iterable[str]:
    """The running containers whose policy wants them started anew for what has changed."""
    held = _statuses(pod)
    for _, one in _containers(pod):
        has = held.get(one["name"], {})
        if "running" not in has.get("state", {}) or "resources" not in has:
            continue
        new = given[one["name"]]
        for policy in one.get("resizePolicy") or ():
            changed = any(
                _of(has["resources"], kind, policy) != _of(new, kind, policy) for kind in ("limits", "requests")
            )
            if policy.get("restartPolicy") == "RestartContainer" and changed:
                yield one["name"]


def _of(resources: Object, kind: str, policy: Mapping[str, Any]) -> Any:
    return (resources.get(kind) or {}).get(policy.get("resourceName"))


class _Lack(NamedTuple):
    reason: str
    message: str


def _shortage(pod: Object, view: View) -> _Lack | None:
    """What the node lacks for the pod's wish, in the kubelet's words; None if it has room."""
    node = view.get("nodes", "", spec_of(pod)["nodeName"]) or {}
    room = (node.get("status") or {}).get("allocatable") or {}
    others = [
        one
        for one in view.on_node(spec_of(pod)["nodeName"])
        if uid_of(one) != uid_of(pod) and phase(one) not in TERMINAL
    ]
    for resource, asked in requests_of(pod).items():
        if resource not in _OUT_OF or resource not in room:
            continue
        used = sum((_allocated(one).get(resource, Fraction(0)) for one in others), Fraction(0))
        if asked > amount(room[resource]) - used:
            numbers = (_number(resource, one) for one in (asked, used, amount(room[resource])))
            told = ", ".join(
                f"{name}: {one}" for name, one in zip(("requested", "used", "capacity"), numbers, strict=True)
            )
            return _Lack(_OUT_OF[resource], f"Node didn't have enough resource: {resource}, {told}")
    return None


def _allocated(pod: Object) -> dict[str, Fraction]:
    """What is set aside for a pod: what it wishes for beyond that is not."""
    if not waits_for_room(pod):
        return requests_of(pod)
    held, spec = _statuses(pod), dict(spec_of(pod))
    for place in ("initContainers", "containers"):
        if spec.get(place):
            spec[place] = [
                {**one, "resources": {"requests": held.get(one["name"], {}).get("allocatedResources", {})}}
                for one in spec[place]
            ]
    return requests_of({**pod, "spec": spec})


def _number(resource: str, value: Fraction) -> int:
    """As Kubernetes counts: thousandths of a CPU, bytes."""
    scaled = value * 1000 if resource == "cpu" else value
    return -(-scaled.numerator // scaled.denominator)


def _condition(pod: Object, kind: str, now: float, **more: str) -> dict[str, Any]:
    times = {"lastProbeTime": rfc3339(now), "lastTransitionTime": rfc3339(now)}
    return {"type": kind, "status": "True", **times, "observedGeneration": generation_of(pod), **more}


def _deferred(pod: Object, old: Mapping[str, Any] | None, message: str, now: float) -> dict[str, Any]:
    made = _condition(pod, PENDING, now, reason="Deferred", message=message)
    if old is None:
        return made
    made["lastTransitionTime"] = old["lastTransitionTime"]
    same = all(old.get(key) == made[key] for key in ("reason", "message", "observedGeneration"))
    return {**made, "lastProbeTime": old["lastProbeTime"]} if same else made


def _emit(
    pod: Object, reason: str, words: str, generation: int, *, error: str = "", given: _Given | None = None
) -> Emit:
    """An event with the resources that are wanted, or those that are `given`, as Go writes them."""
    told: dict[str, Any] = {}
    for place, one in _containers(pod):
        resources = one.get("resources") or {} if given is None else given[one["name"]]
        told.setdefault(place, []).append({"name": one["name"], "resources": resources})
    summary = {**told, "generation": generation, **({"error": error} if error else {})}
    kind = "Warning" if error else "Normal"
    return Emit(pod, reason, f"{words}: {_as_go(summary)}", KUBELET, kind, host=spec_of(pod)["nodeName"])


def _as_go(value: Mapping[str, Any]) -> str:
    """Maps are in the order of their keys there, and structs have theirs: of all these structs only the outermost is not in that order."""
    return "{" + ",".join(f'"{key}":{_canonical(one).decode()}' for key, one in value.items()) + "}"
