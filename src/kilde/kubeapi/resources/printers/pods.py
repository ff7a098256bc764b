"""How pods are printed: readiness, the status kubectl shows, restarts."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from kilde.core.basics.moment import parse
from kilde.core.basics.values import Object
from kilde.kubeapi.resources.printers.column import (
    AGE,
    NAME,
    NONE,
    Column,
    Printer,
    condition,
    containers_of,
    deleting,
    field,
    get,
    human_duration,
    labels_text,
    wide,
)

_DONE = {
    "Succeeded": ("Succeeded", "The pod has completed successfully."),
    "Failed": ("Failed", "The pod failed."),
}


@dataclass(slots=True)
class _Summary:
    """What the columns Ready, Status and Restarts show, gathered container by container."""

    reason: str
    ready: int = 0
    total: int = 0
    restarts: int = 0
    last_restart: float | None = None

    def count(self, container: Object) -> None:
        """Adds a container's restarts."""
        self.restarts += int(get(container, "restartCount", default=0))
        finished = parse(str(get(container, "lastState", "terminated", "finishedAt", default="")))
        if finished is not None and (self.last_restart is None or finished > self.last_restart):
            self.last_restart = finished


def _ended(terminated: Object) -> str:
    """The word for how a container ended."""
    if terminated.get("reason"):
        return str(terminated["reason"])
    signal = terminated.get("signal")
    return f"Signal:{signal}" if signal else f"ExitCode:{terminated.get('exitCode', 0)}"


def _restartable(pod: Object) -> set[str]:
    """The names of the sidecars: init containers that are restarted for ever."""
    found = get(pod, "spec", "initContainers", default=())
    return {str(one.get("name")) for one in found if one.get("restartPolicy") == "Always"}


def _summary(pod: Object) -> _Summary:
    reason = str(get(pod, "status", "reason") or get(pod, "status", "phase", default=""))
    if condition(pod, "PodScheduled").get("reason") == "SchedulingGated":
        reason = "SchedulingGated"
    sidecars = _restartable(pod)
    total = len(get(pod, "spec", "containers", default=())) + len(sidecars)
    all_init, only_sidecars = _Summary(reason, total=total), _Summary(reason, total=total)
    initializing = _initialize(pod, sidecars, all_init, only_sidecars)
    if initializing and condition(pod, "Initialized").get("status") != "True":
        found = all_init
    else:
        found, only_sidecars.reason = only_sidecars, all_init.reason
        found.ready = all_init.ready
        _run(pod, found)
    _mark_deleted(pod, found)
    return found


def _initialize(pod: Object, sidecars: set[str], found: _Summary, sidecars_only: _Summary) -> bool:
    """Walks the init containers up to the one that is not done; whether there is one."""
    statuses = get(pod, "status", "initContainerStatuses", default=())
    for index, container in enumerate(statuses):
        found.count(container)
        sidecar = container.get("name") in sidecars
        if sidecar:
            sidecars_only.count(container)
        terminated, waiting = get(container, "state", "terminated"), get(container, "state", "waiting", default={})
        if terminated is not None and terminated.get("exitCode", 0) == 0:
            continue
        if sidecar and container.get("started"):
            found.ready += bool(container.get("ready"))
            continue
        if terminated is not None:
            found.reason = "Init:" + _ended(terminated)
        elif waiting.get("reason") and waiting["reason"] != "PodInitializing":
            found.reason = f"Init:{waiting['reason']}"
        else:
            found.reason = f"Init:{index}/{len(get(pod, 'spec', 'initContainers', default=()))}"
        return True
    return False


def _run(pod: Object, found: _Summary) -> None:
    """Walks the containers from the last to the first: the first one in trouble names the status."""
    running, failure = False, ""
    for container in reversed(get(pod, "status", "containerStatuses", default=())):
        found.count(container)
        waiting, terminated = get(container, "state", "waiting", default={}), get(container, "state", "terminated")
        if waiting.get("reason"):
            found.reason = str(waiting["reason"])
        elif terminated is not None:
            found.reason = _ended(terminated)
            failure = found.reason if terminated.get("exitCode") else failure
        elif container.get("ready") and get(container, "state", "running") is not None:
            running = True
            found.ready += 1
    if found.reason == "Completed":
        ready = running and condition(pod, "Ready").get("status") == "True"
        found.reason = "Running" if ready else failure or ("NotReady" if running else found.reason)


def _mark_deleted(pod: Object, found: _Summary) -> None:
    if not deleting(pod):
        return
    if get(pod, "status", "reason") == "NodeLost":
        found.reason = "Unknown"
    elif get(pod, "status", "phase") not in _DONE:
        found.reason = "Terminating"


def _ready(pod: Object, now: float) -> str:
    found = _summary(pod)
    return f"{found.ready}/{found.total}"


def _status(pod: Object, now: float) -> str:
    return _summary(pod).reason


def _restarts(pod: Object, now: float) -> str:
    found = _summary(pod)
    if found.restarts and found.last_restart is not None:
        return f"{found.restarts} ({human_duration(now - found.last_restart)} ago)"
    return str(found.restarts)


def _ip(pod: Object, now: float) -> str:
    addresses: Iterable[Any] = get(pod, "status", "podIPs", default=())
    return next((str(one.get("ip")) for one in addresses if one.get("ip")), str(get(pod, "status", "podIP") or NONE))


def _readiness_gates(pod: Object, now: float) -> str:
    gates = get(pod, "spec", "readinessGates", default=())
    passed = sum(condition(pod, gate.get("conditionType", "")).get("status") == "True" for gate in gates)
    return f"{passed}/{len(gates)}" if gates else NONE


def _conditions(pod: Object) -> list[Object]:
    done = _DONE.get(get(pod, "status", "phase", default=""))
    if done is None:
        return []
    return [{"type": "Completed", "status": "True", "reason": done[0], "message": done[1]}]


POD = Printer(
    (
        NAME,
        Column("Ready", _ready),
        Column("Status", _status),
        Column("Restarts", _restarts),
        AGE,
        wide("IP", _ip),
        wide("Node", lambda pod, now: get(pod, "spec", "nodeName") or NONE),
        wide("Nominated Node", lambda pod, now: get(pod, "status", "nominatedNodeName") or NONE),
        wide("Readiness Gates", _readiness_gates),
    ),
    _conditions,
)

_NAMES, _IMAGES = containers_of("template", "spec")
POD_TEMPLATE = Printer(
    (
        NAME,
        Column("Containers", _NAMES.cell),
        Column("Images", _IMAGES.cell),
        Column("Pod Labels", lambda obj, now: labels_text(field("template", "metadata", "labels")(obj, now))),
    )
)
