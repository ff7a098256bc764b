"""What pods use, as scripts say (`usage`), and the size an autoscaler works out from it (upstream: podautoscaler/replica_calculator)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Any

from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.metadata import name_of
from kilde.kubeapi.controllers.placing import amount
from kilde.kubeapi.controllers.pods import is_active, is_ready, spec_of
from kilde.kubeapi.controllers.rules import pod_steps
from kilde.kubeapi.controllers.steps import View

_TOLERANCE = Fraction(1, 10)


@dataclass(frozen=True, slots=True)
class Proposal:
    """What one metric asks for: the size, the metric's name in events and conditions, and its entry in the status."""

    replicas: int
    metric: str
    status: Mapping[str, Any]


class NoUsage(Exception):
    """A metric that cannot be worked out; the words are upstream's."""


def metrics_of(scaler: Object) -> list[dict[str, Any]]:
    """The metrics an autoscaler goes by."""
    return list(scaler["spec"].get("metrics") or ())


def proposals(scaler: Object, pods: Sequence[Object], replicas: int, view: View) -> Iterator[Proposal]:
    """One for each metric whose usage a script gives. NoUsage where requests are missing."""
    counted = [pod for pod in pods if is_active(pod)]
    steps = {name_of(pod): pod_steps(pod, view) for pod in counted}
    for metric in metrics_of(scaler):
        resource = metric.get("resource") or {}
        name = resource.get("name", "")
        usage = {pod: amount(found[name]) for pod, found in steps.items() if found.get(name)}
        if metric.get("type") == "Resource" and usage:
            yield _proposal(
                resource, [pod for pod in counted if is_ready(pod) and name_of(pod) in usage], usage, replicas
            )


def _proposal(
    resource: Mapping[str, Any], pods: Sequence[Object], usage: Mapping[str, Fraction], replicas: int
) -> Proposal:
    name, target = resource["name"], resource.get("target") or {}
    used = sum((usage[name_of(pod)] for pod in pods), Fraction(0))
    average = used / len(pods) if pods else Fraction(0)
    current: dict[str, Any] = {"averageValue": _shown(name, average)}
    if target.get("averageUtilization"):
        asked = sum((_request(pod, name) for pod in pods), Fraction(0))
        percent = int(used * 100 / asked) if asked else 0
        current["averageUtilization"] = percent
        ratio = Fraction(percent, int(target["averageUtilization"]))
        wanted, what = ceil(ratio * len(pods)), f"{name} resource utilization (percentage of request)"
    else:
        goal = amount(target.get("averageValue", "0")) or Fraction(1)
        ratio = used / (goal * (replicas or 1))
        wanted, what = ceil(used / goal), f"{name} resource"
    if abs(1 - ratio) <= _TOLERANCE or not pods:
        wanted = replicas
    return Proposal(wanted, what, {"type": "Resource", "resource": {"name": name, "current": current}})


def _request(pod: Object, name: str) -> Fraction:
    total = Fraction(0)
    for container in spec_of(pod).get("containers") or ():
        asked = ((container.get("resources") or {}).get("requests") or {}).get(name)
        if asked is None:
            raise NoUsage(f"missing request for {name} in container {container['name']} of Pod {name_of(pod)}")
        total += amount(asked)
    return total


def _shown(name: str, value: Fraction) -> str:
    """A quantity as metrics have it: thousandths of a CPU, whole bytes."""
    if name == "cpu":
        return f"{ceil(value * 1000)}m"
    return str(ceil(value))
