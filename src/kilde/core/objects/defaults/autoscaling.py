"""Defaults of HorizontalPodAutoscalers and PodDisruptionBudgets."""

from collections.abc import Callable, Mapping

from kilde.core.basics.values import Object
from kilde.core.objects.defaults.filling import fill

_PERCENT: Object = {"type": "Percent", "value": 100, "periodSeconds": 15}
_PODS: Object = {"type": "Pods", "value": 4, "periodSeconds": 15}


def _v1(value: Object) -> None:
    fill(value, "minReplicas", 1)
    fill(value, "targetCPUUtilizationPercentage", 80)


def _v2(value: Object) -> None:
    fill(value, "minReplicas", 1)
    if not value.get("metrics"):
        target = {"type": "Utilization", "averageUtilization": 80}
        value["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]


def _behavior(value: Object) -> None:
    up = {"stabilizationWindowSeconds": 0, "selectPolicy": "Max", "policies": [dict(_PODS), dict(_PERCENT)]}
    down = {"selectPolicy": "Max", "policies": [dict(_PERCENT)]}
    value["scaleUp"] = {**up, **(value.get("scaleUp") or {})}
    value["scaleDown"] = {**down, **(value.get("scaleDown") or {})}


DEFAULTS: Mapping[str, Callable[[Object], None]] = {
    "io.k8s.api.autoscaling.v1.HorizontalPodAutoscalerSpec": _v1,
    "io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerSpec": _v2,
    "io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerBehavior": _behavior,
}
