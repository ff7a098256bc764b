"""The log of a pretended container, worked out from its status and its script: the same lines whenever it is asked for."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from kilde.core.basics.moment import parse
from kilde.core.basics.values import Object

_MOST_REPEATED = 10_000
_PLACES = ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")


class Line(NamedTuple):
    """One line, and when it was written (seconds since the epoch)."""

    time: float
    text: str


class Instance(NamedTuple):
    """One life of a container: since when, until when (None: it lives), how it ended."""

    number: int
    began: float
    ended: float | None
    exit_code: int
    reason: str
    message: str


class Wish(NamedTuple):
    """What a script wants written: lines at the start, again every so many seconds (0: once)."""

    lines: tuple[str, ...]
    every: float


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which lines are asked for (PodLogOptions)."""

    since: float | None = None
    tail: int | None = None
    limit: int | None = None
    timestamps: bool = False


def status_of(pod: Object, container: str) -> Mapping[str, Any] | None:
    """The status of a container of any sort; None if there is none yet."""
    every = [one for place in _PLACES for one in (pod.get("status") or {}).get(place) or ()]
    return next((one for one in every if one.get("name") == container), None)


def instance_of(status: Mapping[str, Any], *, previous: bool) -> Instance | None:
    """The present life of a container (or the last, where it is between two), or the one before; None if there was none."""
    state, last = status.get("state") or {}, status.get("lastState") or {}
    number = int(status.get("restartCount") or 0)
    if previous:
        ended = last.get("terminated")
        return None if ended is None else _ended(number - 1, ended)
    if "running" in state:
        return Instance(number, parse(state["running"].get("startedAt", "")) or 0.0, None, 0, "", "")
    ended = state.get("terminated") or last.get("terminated")
    return None if ended is None else _ended(number, ended)


def _ended(number: int, state: Mapping[str, Any]) -> Instance:
    ended = parse(state.get("finishedAt", "")) or 0.0
    began = parse(state.get("startedAt", "")) or ended
    code = int(state.get("exitCode") or 0)
    return Instance(number, began, ended, code, state.get("reason", ""), state.get("message", ""))


def lines_of(pod: Object, container: Mapping[str, Any], life: Instance, wish: Wish, now: float) -> list[Line]:
    """Everything the container has written until now."""
    first = wish.lines or (_greeting(pod, container),)
    lines = [Line(life.began, text) for text in first]
    until = life.ended if life.ended is not None else now
    if wish.every > 0:
        count = int((until - life.began) / wish.every)
        start = max(1, count - _MOST_REPEATED // len(first) + 1)
        lines += [Line(life.began + turn * wish.every, text) for turn in range(start, count + 1) for text in first]
    if life.ended is not None:
        lines += [Line(life.ended, text) for text in _farewell(life).splitlines()]
    return lines


def _greeting(pod: Object, container: Mapping[str, Any]) -> str:
    node = (pod.get("spec") or {}).get("nodeName", "")
    return f"{container['name']} ({container['image']}) started on {node}; simulated: annotation sim.kilde.dev/log writes more"


def _farewell(life: Instance) -> str:
    if life.message:
        return life.message
    if life.exit_code == 0:
        return "finished"
    return "killed: out of memory" if life.reason == "OOMKilled" else f"exited with code {life.exit_code}"


def chosen_lines(lines: Iterable[Line], chosen: Chosen) -> list[Line]:
    """The lines that were asked for, without regard to size."""
    found = [line for line in lines if chosen.since is None or line.time >= chosen.since]
    if chosen.tail is not None:
        found = found[len(found) - chosen.tail :] if 0 < chosen.tail < len(found) else found if chosen.tail else []
    return found


def written(lines: Iterable[Line], chosen: Chosen) -> bytes:
    """The lines as a kubelet sends them."""
    return "".join(
        f"{_stamp(line.time)} {line.text}\n" if chosen.timestamps else f"{line.text}\n" for line in lines
    ).encode()


def _stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")
