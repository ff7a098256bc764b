"""The status of a pod, out of the statuses of its containers: phase, conditions, addresses (upstream: kubelet/status)."""

from typing import Any

from kilde.core.basics.moment import rfc3339
from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.conditions import find
from kilde.kubeapi.controllers.metadata import name_of, uid_of
from kilde.kubeapi.controllers.naming import fnv32a
from kilde.kubeapi.controllers.nodes import address
from kilde.kubeapi.controllers.pods import spec_of
from kilde.kubeapi.controllers.steps import View

Statuses = list[dict[str, Any]]
_RESIZING = ("PodResizePending", "PodResizeInProgress")  # which come before these


def phase_of(pod: Object, inits: Statuses, mains: Statuses) -> str:
    """Upstream's getPhase: Pending until a container has started, Succeeded or Failed when none will go on."""
    restart = spec_of(pod).get("restartPolicy", "Always")
    if restart == "Never" and any(_code(status) for status in inits):
        return "Failed"
    if not mains or any("waiting" in status["state"] and not status.get("lastState") for status in mains):
        return "Pending"
    ended = [status for status in mains if "terminated" in status["state"]]
    if len(ended) < len(mains) or restart == "Always":
        return "Running"
    if all(_code(status) == 0 for status in ended):
        return "Succeeded"
    return "Failed" if restart == "Never" else "Running"


def _code(status: dict[str, Any]) -> int:
    return int((status["state"].get("terminated") or {}).get("exitCode") or 0)


def initialized(inits: Statuses, specs: list[dict[str, Any]]) -> bool:
    """Whether all init containers have ended well; those that stay (restartPolicy Always) have only to have started."""
    stays = {spec["name"] for spec in specs if spec.get("restartPolicy") == "Always"}
    return len(inits) == len(specs) and all(
        status.get("started") if status["name"] in stays else "terminated" in status["state"] and not _code(status)
        for status in inits
    )


def conditions_of(pod: Object, phase: str, begun: bool, inits: Statuses, mains: Statuses, now: float) -> Statuses:
    """The conditions as a kubelet orders them; times move only where the answer does."""
    old = (pod.get("status") or {}).get("conditions") or []
    done = phase == "Succeeded"
    waiting = [status["name"] for status in mains if not status["ready"]]
    pending = [status["name"] for status in inits if not status["ready"]]
    unready = f"containers with unready status: [{' '.join(waiting)}]"
    complete = ("False", "PodCompleted", "") if done else ("False", "PodFailed", "") if phase == "Failed" else None
    fine = ("True", "", "")
    made = {
        "Initialized": ("True", "PodCompleted", "")
        if done
        else fine
        if begun
        else ("False", "ContainersNotInitialized", f"containers with incomplete status: [{' '.join(pending)}]"),
        "ContainersReady": complete or (("False", "ContainersNotReady", unready) if waiting else fine),
        "PodScheduled": fine,
    }
    made["Ready"] = made["ContainersReady"]
    gates = [gate["conditionType"] for gate in spec_of(pod).get("readinessGates") or ()]
    closed = [gate for gate in gates if (find(old, gate) or {}).get("status") != "True"]
    if made["Ready"] == fine and closed:
        text = " ".join(f'corresponding condition of pod readiness gate "{gate}" does not exist.' for gate in closed)
        made["Ready"] = ("False", "ReadinessGatesNotReady", text)
    order = ("Initialized", "Ready", "ContainersReady", "PodScheduled")
    others = [one for one in old if one["type"] not in (*order, *_RESIZING)]
    return [*(_condition(pod, kind, made[kind], old, now) for kind in order), *others]


def _condition(pod: Object, kind: str, verdict: tuple[str, str, str], old: Statuses, now: float) -> dict[str, Any]:
    status, reason, message = verdict
    before = find(old, kind)
    time = before["lastTransitionTime"] if before is not None and before["status"] == status else rfc3339(now)
    made = {"type": kind, "status": status, "lastProbeTime": None, "lastTransitionTime": time}
    made["observedGeneration"] = pod["metadata"].get("generation", 1)
    if reason:
        made["reason"] = reason
    if message:
        made["message"] = message
    return made


def pod_address(pod: Object, view: View) -> str:
    """The pod's address: its node's with hostNetwork, else one of the node's own range that no other pod has."""
    node = spec_of(pod)["nodeName"]
    if spec_of(pod).get("hostNetwork"):
        return address(node)
    held = (pod.get("status") or {}).get("podIP")
    if held:
        return str(held)
    taken = {(other.get("status") or {}).get("podIP") for other in view.on_node(node)}
    block = int(address(node).rpartition(".")[2]) - 10 + 200 * int(address(node).split(".")[2])
    first = fnv32a((uid_of(pod) + name_of(pod)).encode())
    for step in range(250):
        found = f"10.244.{block % 256}.{(first + step) % 250 + 2}"
        if found not in taken:
            return found
    return f"10.245.{block % 256}.{first % 250 + 2}"
