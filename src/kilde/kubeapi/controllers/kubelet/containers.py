"""One container's life: waiting, pulled, running, ready, ended, started again; a step at a time, on given moments."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import sha256
from itertools import starmap
from typing import Any

from kilde.core.basics.moment import parse, rfc3339
from kilde.kubeapi.controllers.kubelet.images import present_words, pull_problem, pull_status, pulled_words
from kilde.kubeapi.controllers.script import NEVER, PodScript

FIRST_BACKOFF, LONGEST_BACKOFF = 10.0, 300.0
_LOOK_AGAIN = 1.0  # seconds until a container that is held back asks anew


class Role(StrEnum):
    """What is expected of a container: to end well before the others start, to end well, or to stay."""

    INIT = "init"
    TASK = "task"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Plan:
    """The next moments of a container: when its present wait is over, when it is ready, when no longer, when it ends.

    `pulls` counts failed pulls.
    """

    due: float | None = None
    ready_at: float | None = None
    unready_at: float | None = None
    ends_at: float | None = None
    pulls: int = 0

    @property
    def wake(self) -> float | None:
        every = (self.due, self.ready_at, self.unready_at, self.ends_at)
        return min((moment for moment in every if moment is not None and moment < NEVER), default=None)


@dataclass(frozen=True, slots=True)
class Said:
    """An event about the container: reason, message, and whether it is a warning."""

    reason: str
    message: str
    warning: bool = False


@dataclass(frozen=True, slots=True)
class Context:
    """What the container's pod gives it: `pod` is name_namespace(uid) as messages have it, `lack` what its variables lack.

    `held`: it may not get ready now, whatever its plan. `resizes`: it has to be started anew for its new resources.
    """

    now: float
    role: Role
    restart: str
    script: PodScript
    pod: str
    lack: str = ""
    init_time: float = 0.0
    held: bool = False
    resizes: bool = False


@dataclass(frozen=True, slots=True)
class Turn:
    """A container after a step: its status, its plan, and what was said about it."""

    status: dict[str, Any]
    plan: Plan
    said: tuple[Said, ...] = ()


def fresh(spec: Mapping[str, Any], reason: str) -> dict[str, Any]:
    """The status of a container that has not been started."""
    return {
        "name": spec["name"],
        "state": {"waiting": {"reason": reason}},
        "lastState": {},
        "ready": False,
        "restartCount": 0,
        "image": spec["image"],
        "imageID": "",
        "started": False,
    }


def advance(spec: Mapping[str, Any], status: dict[str, Any] | None, plan: Plan | None, context: Context) -> Turn:
    """The container at `context.now`: as many steps as are due."""
    if status is None:
        turn = Turn(fresh(spec, "ContainerCreating"), _creation(context))
    else:
        turn = Turn(status, plan or _recovered(status, context))
    said: list[Said] = []
    for _ in range(6):
        after = _step(spec, turn, context)
        if after is None:
            break
        said += after.said
        turn, context = after, replace(context, resizes=False)
    return Turn(turn.status, turn.plan, tuple(said))


def _creation(context: Context) -> Plan:
    return Plan(due=context.now + context.script.pull + context.script.start)


def _recovered(status: dict[str, Any], context: Context) -> Plan:
    """The plan of a container of which only the status is known: the server has been started anew."""
    running = status["state"].get("running")
    if running is None:
        return Plan(due=context.now)
    began = parse(running.get("startedAt", "")) or context.now
    plan = _running_plan(began, int(status.get("restartCount") or 0), context)
    if status.get("ready") and plan.ready_at is not None and plan.ready_at <= context.now:
        return replace(plan, ready_at=None, unready_at=_tires(context))
    return replace(plan, ready_at=max(context.now, plan.ready_at or 0.0))


def _step(spec: Mapping[str, Any], turn: Turn, context: Context) -> Turn | None:
    """The next state if it is due; None if nothing is."""
    state, plan = turn.status["state"], turn.plan
    if "waiting" in state:
        return _from_waiting(spec, turn, context)
    if "running" in state:
        return _from_running(spec, turn, context)
    if "terminated" in state and _restarts(state["terminated"], context):
        return _from_terminated(turn, context) if plan.due is None else _restarted(spec, turn, context)
    return None


def _from_waiting(spec: Mapping[str, Any], turn: Turn, context: Context) -> Turn | None:
    reason = turn.status["state"]["waiting"].get("reason")
    if reason == "CreateContainerConfigError":
        return None if _lack(context) else _start(spec, turn, context)
    if turn.plan.due is None or context.now < turn.plan.due:
        return None
    if reason == "CrashLoopBackOff":
        return _restarted(spec, turn, context)
    script = context.script
    problem = pull_problem(spec["image"], script.pull_error) if turn.plan.pulls < script.pull_times else None
    if problem is not None:
        problem = problem._replace(reason=script.pull_reason)
        pulls, waiting, wait, words = pull_status(spec["image"], problem, reason or "", turn.plan.pulls)
        due = None if wait is None else context.now + wait
        plan = Plan(due=due, pulls=pulls)
        return Turn({**turn.status, "state": {"waiting": waiting}}, plan, tuple(Said(*one) for one in words))
    if lack := _lack(context):
        waiting = {"reason": "CreateContainerConfigError", "message": lack}
        said = (Said("Failed", f"Error: {lack}", warning=True),)
        return Turn({**turn.status, "state": {"waiting": waiting}}, Plan(), said)
    return _start(spec, turn, context)


def _lack(context: Context) -> str:
    return context.script.config_error or context.lack


def _start(spec: Mapping[str, Any], turn: Turn, context: Context) -> Turn:
    name, image = spec["name"], spec["image"]
    restarts = int(turn.status.get("restartCount") or 0)
    plan = _running_plan(context.now, restarts, context)
    ready = plan.ready_at is not None and plan.ready_at <= context.now and not context.held
    status = {
        **turn.status,
        "state": {"running": {"startedAt": rfc3339(context.now)}},
        "ready": ready,
        "started": True,
        "image": image,
        "imageID": "kilde://" + _digest(image),
        "containerID": "kilde://" + _digest(f"{context.pod}/{name}/{restarts}"),
    }
    pulled = bool(turn.plan.pulls) or spec.get("imagePullPolicy") == "Always"
    words = pulled_words(image, context.script.pull) if pulled else present_words(image)
    said = (*starmap(Said, words), Said("Created", "Container created"), Said("Started", "Container started"))
    return Turn(status, replace(plan, ready_at=None, unready_at=_tires(context)) if ready else plan, said)


def _running_plan(began: float, restarts: int, context: Context) -> Plan:
    end = _end_of(restarts, context)
    ready_at = None if context.role is Role.INIT else began + context.script.ready
    return Plan(ready_at=ready_at, ends_at=None if end is None else began + end[0])


def _end_of(restarts: int, context: Context) -> tuple[float, int] | None:
    """(seconds from its start, exit code) of the way a container ends; None if it stays."""
    script = context.script
    if script.crashes is not None and restarts < script.crashes:
        return script.after, script.exit_code
    if context.role is Role.INIT:
        return context.init_time, script.init_exit if restarts < script.init_fails else 0
    return (script.run, 0) if context.role is Role.TASK else None


def _tires(context: Context) -> float | None:
    """When a container that is ready now will not be any more."""
    return context.now + context.script.flap[0] if context.script.flap else None


def _from_running(spec: Mapping[str, Any], turn: Turn, context: Context) -> Turn | None:
    plan, now = turn.plan, context.now
    changed = turn.status.get("image") != spec["image"] and context.role is not Role.TASK
    if changed or context.resizes:
        why = "definition changed, will be restarted" if changed else "resize requires restart"
        text = f"Container {spec['name']} {why}"
        ended = _end(turn, context, code=137)
        return replace(ended, plan=Plan(due=now), said=(Said("Killing", text),))
    if plan.ends_at is not None and plan.ends_at <= now:
        end = _end_of(int(turn.status["restartCount"]), context)
        return _end(turn, context, code=end[1] if end is not None else 0)
    return _readiness(turn, context)


def _readiness(turn: Turn, context: Context) -> Turn | None:
    """A running container that gets ready, or ceases to be for a while."""
    plan, now, script = turn.plan, context.now, context.script
    if plan.ready_at is not None and plan.ready_at <= now:
        if context.held:
            return replace(turn, plan=replace(plan, ready_at=now + _LOOK_AGAIN), said=())
        return Turn({**turn.status, "ready": True}, replace(plan, ready_at=None, unready_at=_tires(context)))
    if turn.status.get("ready") and plan.ready_at is not None:
        return Turn({**turn.status, "ready": False}, plan)  # a script that came later wants it to wait
    if script.flap is not None and plan.unready_at is not None and plan.unready_at <= now:
        said = Said("Unhealthy", "Readiness probe failed: simulated", warning=True)
        plan = replace(plan, ready_at=now + script.flap[1], unready_at=None)
        return Turn({**turn.status, "ready": False}, plan, (said,))
    return None


def _end(turn: Turn, context: Context, *, code: int) -> Turn:
    oom = context.script.oom and code == 137
    terminated = {
        "exitCode": code,
        "reason": "OOMKilled" if oom else "Completed" if code == 0 else "Error",
        "startedAt": turn.status["state"]["running"]["startedAt"],
        "finishedAt": rfc3339(context.now),
        "containerID": turn.status.get("containerID", ""),
    }
    if context.script.message and code:
        terminated["message"] = context.script.message
    ready = context.role is Role.INIT and code == 0
    status = {**turn.status, "state": {"terminated": terminated}, "ready": ready, "started": False}
    return Turn(status, Plan())


def _restarts(terminated: Mapping[str, Any], context: Context) -> bool:
    failed = int(terminated.get("exitCode") or 0) != 0
    if context.role is Role.INIT:
        return failed and context.restart != "Never"
    return context.restart == "Always" or (context.restart == "OnFailure" and failed)


def _from_terminated(turn: Turn, context: Context) -> Turn:
    """The first restart comes at once; later ones wait, twice as long each time."""
    restarts = int(turn.status.get("restartCount") or 0)
    if restarts == 0:
        return replace(turn, plan=Plan(due=context.now), said=())
    wait = min(FIRST_BACKOFF * 2 ** (restarts - 1), LONGEST_BACKOFF)
    text = f"back-off {_words(wait)} restarting failed container={turn.status['name']} pod={context.pod}"
    waiting = {"reason": "CrashLoopBackOff", "message": text}
    status = {**turn.status, "state": {"waiting": waiting}, "lastState": turn.status["state"]}
    said = Said(
        "BackOff", f"Back-off restarting failed container {turn.status['name']} in pod {context.pod}", warning=True
    )
    return Turn(status, Plan(due=context.now + wait), (said,))


def _restarted(spec: Mapping[str, Any], turn: Turn, context: Context) -> Turn | None:
    if turn.plan.due is None or turn.plan.due > context.now:
        return None
    status = {**turn.status, "restartCount": int(turn.status.get("restartCount") or 0) + 1}
    if "terminated" in status["state"]:
        status["lastState"] = status["state"]
    return _start(spec, Turn(status, turn.plan), context)


def _words(seconds: float) -> str:
    """As Go prints a duration: 10s, 1m20s, 5m0s."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()
