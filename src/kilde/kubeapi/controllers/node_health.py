"""What becomes of a pretended node by script: down (its kubelet is silent), not ready, and well again."""

from typing import Any, NamedTuple

from kilde.core.basics.moment import rfc3339
from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.conditions import find, put
from kilde.kubeapi.controllers.rules import steps_for
from kilde.kubeapi.controllers.script import NEVER, NODE, Steps, seconds
from kilde.kubeapi.controllers.steps import View

UP, DOWN, NOT_READY = "up", "down", "not-ready"
_SILENT = ("Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.")
_NO_NETWORK = (
    "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: "
    "cni plugin not initialized"
)


class Health(NamedTuple):
    """How a node is now, by which steps and since when they are known, and when that is to be looked at again."""

    state: str
    steps: tuple[tuple[str, str], ...]
    since: float
    wake: float | None = None


def health(node: Object, view: View, before: Health | None, now: float) -> Health:
    """The state the script wants; `before` is what was found the last time."""
    steps = steps_for(node, NODE, view)
    signature = tuple(sorted(steps.items()))
    since = before.since if before is not None and before.steps == signature else now
    fault = next((fault for fault in (DOWN, NOT_READY) if fault in steps), UP)
    begins = since + seconds(steps, "after", 0.0)
    ends = begins + seconds(steps, "for", NEVER)
    if fault == UP or now >= ends:
        return Health(UP, signature, since)
    if now < begins:
        return Health(UP, signature, since, begins)
    return Health(fault, signature, since, ends if ends < NEVER else None)


def state_of(node: Object) -> str:
    """What the node's conditions show of it."""
    ready = find((node.get("status") or {}).get("conditions"), "Ready") or {}
    if ready.get("reason") == _SILENT[1]:
        return DOWN
    return NOT_READY if ready.get("reason") == "KubeletNotReady" else UP


def conditions(node: Object, found: Health, healthy: list[dict[str, Any]], now: float) -> list[dict[str, Any]]:
    """The node's conditions in that state; `healthy` are those of one that is well."""
    have = (node.get("status") or {}).get("conditions") or []
    if found.state == UP:
        wanted = healthy
    elif found.state == DOWN:
        wanted = [{**one, "status": _SILENT[0], "reason": _SILENT[1], "message": _SILENT[2]} for one in have]
    else:
        message = _message(dict(found.steps))
        ready = {**(find(have, "Ready") or {"type": "Ready"}), "status": "False", "reason": "KubeletNotReady"}
        wanted = [{**ready, "message": message}]
    for one in wanted:
        old = find(have, one["type"])
        turned = old is None or old.get("status") != one["status"]
        time = rfc3339(now) if turned or old is None else old.get("lastTransitionTime", rfc3339(now))
        have = put(have, {**one, "lastTransitionTime": time})
    return have


def _message(steps: Steps) -> str:
    return steps.get("message") or _NO_NETWORK
