"""One step of a bound pod: its containers move on as far as is due, its status follows, a deleted one goes away."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from kilde.core.basics.moment import parse, rfc3339
from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.conditions import find
from kilde.kubeapi.controllers.kubelet.acting import is_held, settled
from kilde.kubeapi.controllers.kubelet.containers import Context, Plan, Role, Said, advance, fresh
from kilde.kubeapi.controllers.kubelet.environment import CONFIG_MAP, SECRET, missing_mount, missing_variable, needs
from kilde.kubeapi.controllers.kubelet.resizing import Allocation, makes_room, resized, waits_for_room, with_resources
from kilde.kubeapi.controllers.kubelet.status import Statuses, conditions_of, initialized, phase_of, pod_address
from kilde.kubeapi.controllers.metadata import (
    deleting,
    name_of,
    namespace_of,
    uid_of,
    with_status,
)
from kilde.kubeapi.controllers.nodes import address
from kilde.kubeapi.controllers.pods import TERMINAL, phase, spec_of
from kilde.kubeapi.controllers.rules import RULES, pod_script
from kilde.kubeapi.controllers.script import NEVER, PodScript, Profile
from kilde.kubeapi.controllers.steps import (
    KUBELET,
    NOTHING,
    Controller,
    Delete,
    Emit,
    Key,
    Moment,
    Step,
    Trigger,
    Update,
    View,
    Write,
    earliest,
)


@dataclass(frozen=True, slots=True)
class Memo:
    """What the kubelet remembers of a pod: whose memory it is, the containers' plans and resources, when it began to stop, what it said.

    `scripts` are those the plans were made from: another one makes another plan.
    """

    uid: str
    plans: Mapping[str, Plan]
    stops_at: float | None = None
    lack: str = ""
    scripts: Mapping[str, PodScript] = field(default_factory=dict)
    allocation: Allocation | None = None


def controller(profile: Profile) -> Controller:
    """The kubelets of all nodes; new ConfigMaps and Secrets wake the pods that wait for them."""
    triggers: dict[str, Trigger] = {
        "pods": _bound,
        CONFIG_MAP: _waiting(CONFIG_MAP),
        SECRET: _waiting(SECRET),
        "nodes": _on,
        RULES: _all,
    }
    return Controller("kubelet", partial(_reduce, profile), triggers, manager=KUBELET, workers=4)


def _bound(pod: Object, view: View) -> list[Key]:
    """The pod, and those that may have the room that it has left on its node."""
    node = spec_of(pod).get("nodeName")
    if not node:
        return []
    gone = view.get("pods", namespace_of(pod), name_of(pod)) is None
    others = filter(waits_for_room, view.on_node(node)) if gone or makes_room(pod) else ()
    return [Key(namespace_of(one), name_of(one)) for one in (pod, *others)]


def _on(node: Object, view: View) -> list[Key]:
    return [Key(namespace_of(pod), name_of(pod)) for pod in view.on_node(name_of(node))]


def _all(_: Object, view: View) -> list[Key]:
    return [Key(namespace_of(pod), name_of(pod)) for pod in view.every("pods") if spec_of(pod).get("nodeName")]


def _waiting(resource: str) -> Trigger:
    def trigger(obj: Object, view: View) -> list[Key]:
        return [
            Key(namespace_of(pod), name_of(pod))
            for pod in view.every("pods", namespace_of(obj))
            if phase(pod) == "Pending" and spec_of(pod).get("nodeName") and needs(pod, resource, name_of(obj))
        ]

    return trigger


def _reduce(profile: Profile, key: Key, view: View, moment: Moment) -> Step:
    pod = view.get("pods", *key)
    if pod is None:
        return NOTHING
    node = view.get("nodes", "", spec_of(pod).get("nodeName", ""))
    ready = find(((node or {}).get("status") or {}).get("conditions"), "Ready")
    if ready is None or ready["status"] != "True":
        return Step(memo=moment.memo)
    memo = moment.memo if moment.memo is not None and moment.memo.uid == uid_of(pod) else Memo(uid_of(pod), {})
    script = pod_script(pod, view, profile)
    if deleting(pod):
        return _stop(pod, memo, script, moment.now)
    if phase(pod) in TERMINAL:
        return NOTHING
    if _overdue(pod, moment.now):
        return _fail(
            pod, "DeadlineExceeded", "Pod was active on the node longer than the specified deadline", moment.now
        )
    if _evicted(pod, script) is not None and (_evicted(pod, script) or 0.0) <= moment.now:
        text = script.message or "The node was low on resource: memory."
        return _fail(pod, "Evicted", text, moment.now, warning=True)
    return _live(pod, memo, script, profile, view, moment.now)


def _evicted(pod: Object, script: PodScript) -> float | None:
    """When the script has the pod evicted; None if it does not, or the pod has not begun."""
    began = parse((pod.get("status") or {}).get("startTime") or "")
    return None if script.evict is None or began is None else began + script.evict


def _overdue(pod: Object, now: float) -> bool:
    limit, began = spec_of(pod).get("activeDeadlineSeconds"), (pod.get("status") or {}).get("startTime")
    return bool(limit and began and (parse(began) or now) + limit <= now)


def _live(pod: Object, memo: Memo, script: PodScript, profile: Profile, view: View, now: float) -> Step:
    lack = missing_mount(pod, view)
    status = pod.get("status") or {}
    plans: dict[str, Plan] = {}
    scripts: dict[str, PodScript] = {}
    said: list[Write] = []
    resize = resized(pod, memo.allocation, view, now, script.resize)
    walk = _Walk(pod, memo, profile, view, now, plans, scripts, said, resize.restarts)
    if lack:
        inits, mains = _stopped(pod)
        if lack != memo.lack:
            said.append(Emit(pod, "FailedMount", lack, KUBELET, "Warning", host=spec_of(pod)["nodeName"]))
        begun = not inits
    else:
        inits, begun = walk.inits()
        mains = walk.mains() if begun else _stopped(pod)[1]
    inits, mains = ([with_resources(one, resize.allocation) for one in some] for some in (inits, mains))
    new = _status(pod, inits, mains, begun, view, now, resize.conditions)
    writes: list[Write] = [*resize.said, *said]
    if new != status:
        writes.append(Update("pods", with_status(pod, new), "status"))
    evicted = _evicted({**pod, "status": new}, script)
    wake = earliest(*(plan.wake for plan in plans.values()), _deadline(pod, new), evicted, resize.wake)
    return Step(tuple(writes), wake=wake, memo=Memo(memo.uid, plans, None, lack, scripts, resize.allocation))


def _deadline(pod: Object, status: dict[str, Any]) -> float | None:
    limit = spec_of(pod).get("activeDeadlineSeconds")
    return (parse(status["startTime"]) or 0.0) + int(limit) if limit else None


@dataclass(frozen=True, slots=True)
class _Walk:
    """Moves the containers of one pod; what they plan, follow and say is gathered in `plans`, `scripts` and `said`."""

    pod: Object
    memo: Memo
    profile: Profile
    view: View
    now: float
    plans: dict[str, Plan]
    scripts: dict[str, PodScript]
    said: list[Write]
    restarts: frozenset[str]

    def inits(self) -> tuple[Statuses, bool]:
        """The init containers' statuses, moved one after the other, and whether they are all done."""
        specs = spec_of(self.pod).get("initContainers") or []
        statuses: Statuses = []
        for spec in specs:
            if not initialized(statuses, specs[: len(statuses)]):
                statuses.append(fresh(spec, "PodInitializing"))
                continue
            stays = spec.get("restartPolicy") == "Always"
            statuses.append(self._move(spec, "initContainers", Role.SERVICE if stays else Role.INIT))
        return statuses, initialized(statuses, specs)

    def mains(self) -> Statuses:
        """The containers' statuses."""
        role = Role.TASK if _is_task(self.pod) else Role.SERVICE
        return [self._move(spec, "containers", role) for spec in spec_of(self.pod).get("containers") or ()]

    def _move(self, spec: dict[str, Any], place: str, role: Role) -> dict[str, Any]:
        pod, name = self.pod, spec["name"]
        field = "initContainerStatuses" if place == "initContainers" else "containerStatuses"
        held = next((one for one in (pod.get("status") or {}).get(field) or () if one["name"] == name), None)
        if held is not None and held["state"].get("waiting", {}).get("reason") == "PodInitializing":
            held = None
        script = self.scripts[name] = pod_script(pod, self.view, self.profile, spec)
        context = Context(
            now=self.now,
            role=role,
            restart="Always" if spec.get("restartPolicy") == "Always" else spec_of(pod).get("restartPolicy", "Always"),
            script=settled(script, pod, self.view, self.profile),
            held=is_held(script, pod, self.view),
            pod=f"{name_of(pod)}_{namespace_of(pod)}({uid_of(pod)})",
            lack=missing_variable(pod, spec, self.view),
            init_time=self.profile.init,
            resizes=name in self.restarts,
        )
        known = self.memo.plans.get(name) if self.memo.scripts.get(name) == script else None
        turn = advance(spec, held, known, context)
        self.plans[name] = turn.plan
        self.said.extend(_emit(pod, one, f"spec.{place}{{{name}}}") for one in turn.said)
        return turn.status


def _is_task(pod: Object) -> bool:
    return bool(spec_of(pod).get("restartPolicy", "Always") != "Always")


def _emit(pod: Object, said: Said, path: str) -> Emit:
    kind = "Warning" if said.warning else "Normal"
    return Emit(pod, said.reason, said.message, KUBELET, kind, host=spec_of(pod)["nodeName"], field_path=path)


def _stopped(pod: Object) -> tuple[Statuses, Statuses]:
    """Statuses of containers of which none has been started."""
    specs = spec_of(pod)
    inits = [fresh(spec, "PodInitializing") for spec in specs.get("initContainers") or ()]
    reason = "PodInitializing" if inits else "ContainerCreating"
    return inits, [fresh(spec, reason) for spec in specs.get("containers") or ()]


def _status(
    pod: Object, inits: Statuses, mains: Statuses, begun: bool, view: View, now: float, resizing: Statuses
) -> dict[str, Any]:
    old, node = pod.get("status") or {}, spec_of(pod)["nodeName"]
    status: dict[str, Any] = {
        **old,
        "observedGeneration": pod["metadata"].get("generation", 1),
        "phase": phase_of(pod, inits, mains),
        "hostIP": address(node),
        "hostIPs": [{"ip": address(node)}],
        "startTime": old.get("startTime") or rfc3339(now),
        "containerStatuses": mains,
    }
    if inits:
        status["initContainerStatuses"] = inits
    if any("waiting" not in one["state"] for one in (*inits, *mains)) or spec_of(pod).get("hostNetwork"):
        status["podIP"] = pod_address(pod, view)
        status["podIPs"] = [{"ip": status["podIP"]}]
    ended = status["phase"] in TERMINAL
    status["conditions"] = [
        *(() if ended else resizing),
        *conditions_of(pod, status["phase"], begun, inits, mains, now),
    ]
    return status


def _fail(pod: Object, reason: str, message: str, now: float, *, warning: bool = False) -> Step:
    status = {**_killed(pod, now), "phase": "Failed", "reason": reason, "message": message}
    kind = "Warning" if warning else "Normal"
    told = Emit(pod, reason, message, KUBELET, kind, host=spec_of(pod)["nodeName"])
    return Step((Update("pods", with_status(pod, status), "status"), told))


def _killed(pod: Object, now: float) -> dict[str, Any]:
    """The status of a pod whose containers have all been stopped."""
    status = pod.get("status") or {}
    mains = []
    for one in status.get("containerStatuses") or ():
        if "terminated" not in one["state"]:
            ended = {"exitCode": 137, "reason": "Error", "finishedAt": rfc3339(now)}
            began = (one["state"].get("running") or {}).get("startedAt")
            ended |= {"startedAt": began} if began else {}
            one = {**one, "state": {"terminated": ended}, "ready": False, "started": False}
        mains.append(one)
    failed = any(one["state"]["terminated"].get("exitCode") for one in mains)
    new = {**status, "containerStatuses": mains, "phase": "Failed" if failed else "Succeeded"}
    inits = status.get("initContainerStatuses") or []
    return {**new, "conditions": conditions_of(pod, new["phase"], True, inits, mains, now)}


def _stop(pod: Object, memo: Memo, script: PodScript, now: float) -> Step:
    """A deleted pod: its containers are told to end, a moment later it is gone, with a finished status if others hold it."""
    if phase(pod) not in TERMINAL and memo.stops_at is None:
        grace = pod["metadata"].get("deletionGracePeriodSeconds")
        wait = min(script.terminate, float(grace if grace is not None else NEVER))
        running = [one for one in (pod.get("status") or {}).get("containerStatuses") or () if "running" in one["state"]]
        said = tuple(
            _emit(pod, Said("Killing", f"Stopping container {one['name']}"), f"spec.containers{{{one['name']}}}")
            for one in running
        )
        if wait > 0:
            return Step(said, wake=now + wait, memo=Memo(memo.uid, memo.plans, now + wait))
        memo = Memo(memo.uid, memo.plans, now)
    if memo.stops_at is not None and now < memo.stops_at:
        return Step(wake=memo.stops_at, memo=memo)
    writes: list[Write] = []
    if pod["metadata"].get("finalizers"):
        if phase(pod) not in TERMINAL:
            return Step((Update("pods", with_status(pod, _killed(pod, now)), "status"),), wake=now, memo=memo)
        if pod["metadata"].get("deletionGracePeriodSeconds") == 0:
            return Step(memo=memo)
    writes.append(Delete("pods", namespace_of(pod), name_of(pod), uid_of(pod), grace=0))
    return Step(tuple(writes), memo=memo)
