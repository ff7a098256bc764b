"""HorizontalPodAutoscaler v1 ↔ v2: what v1 has no field for is in annotations (kubernetes, pkg/apis/autoscaling/v1/conversion.go)."""

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from kilde.core.basics.values import Json, Object
from kilde.core.objects.defaults import apply_defaults
from kilde.kubeapi.resources.conversions.go_json import Field, Unfit, amount, array, number, read, struct, text, written
from kilde.kubeapi.resources.conversions.metrics import flat, flat_status, nested, nested_status

V1, V2 = "autoscaling/v1", "autoscaling/v2"
_PREFIX = "autoscaling.alpha.kubernetes.io/"
METRICS, BEHAVIOR = f"{_PREFIX}metrics", f"{_PREFIX}behavior"
CURRENT, CONDITIONS = f"{_PREFIX}current-metrics", f"{_PREFIX}conditions"
_TOLERANCES = (f"{_PREFIX}scale-down-tolerance", f"{_PREFIX}scale-up-tolerance")
_OURS = (METRICS, BEHAVIOR, CURRENT, CONDITIONS, *_TOLERANCES)
_DEFAULT_PERCENT = 80
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")

# The annotation of `behavior` has Go's own names: upstream writes its internal type there.
_POLICY = (Field("Type", text, ""), Field("Value", number, 0), Field("PeriodSeconds", number, 0))
_RULES = (
    Field("StabilizationWindowSeconds", number, None),
    Field("SelectPolicy", text, None),
    Field("Policies", array(struct(_POLICY)), None),
    Field("Tolerance", amount, None),
)
_BEHAVIOR = (Field("ScaleUp", struct(_RULES), None), Field("ScaleDown", struct(_RULES), None))


def _time(value: Json) -> Json:
    if value is not None and not (isinstance(value, str) and _TIME.fullmatch(value)):
        raise Unfit
    return value


_CONDITION = (
    Field("type", text, ""),
    Field("status", text, ""),
    Field("lastTransitionTime", _time, None),
    Field("reason", text, "", omit=True),
    Field("message", text, "", omit=True),
)


def to_v2(obj: Object) -> Object:
    """An autoscaler of either version as v2. Annotations that do not decode are dropped, as a server drops them."""
    annotations = (obj.get("metadata") or {}).get("annotations") or {}
    made = {**obj, "apiVersion": V2, "metadata": _annotated(obj, {})}
    if obj.get("apiVersion") != V1:
        return made
    made["spec"] = _spec_of_v1(obj.get("spec") or {}, annotations)
    status = _status_of_v1(obj.get("status"), annotations)
    if status is not None:
        made["status"] = status
    return made


def defaulted(obj: Object) -> Object:
    """An autoscaler of v1 with its defaults; that of the percentage is the conversion's, which knows the annotations."""
    spec = obj.get("spec")
    if not isinstance(spec, dict) or spec.get("targetCPUUtilizationPercentage") is not None:
        return apply_defaults(obj)
    made = apply_defaults(obj)
    return {**made, "spec": {key: one for key, one in made["spec"].items() if key != "targetCPUUtilizationPercentage"}}


def _spec_of_v1(spec: Object, annotations: Object) -> Object:
    spec = dict(spec)
    percent = spec.pop("targetCPUUtilizationPercentage", None)
    metrics = [] if percent is None else [_cpu(percent)]
    others = _decoded(annotations, METRICS, nested)
    metrics = [*(others or ()), *metrics] or [_cpu(_DEFAULT_PERCENT)]
    made = {**spec, "metrics": metrics}
    behavior = _behavior_of(annotations)
    if behavior:
        made["behavior"] = behavior
    return made


def _cpu(percent: int) -> Object:
    target = {"type": "Utilization", "averageUtilization": percent}
    return {"type": "Resource", "resource": {"name": "cpu", "target": target}}


def _status_of_v1(status: Object | None, annotations: Object) -> Object | None:
    current = _decoded(annotations, CURRENT, nested_status)
    conditions = _decoded(annotations, CONDITIONS, lambda one: read(_CONDITION, one))
    if status is None and current is None and conditions is None:
        return None
    made = {"desiredReplicas": 0, **(status or {})}
    if made.get("currentReplicas") == 0:
        del made["currentReplicas"]  # v2 leaves it out, v1 writes it
    percent = made.pop("currentCPUUtilizationPercentage", None)
    if current is not None:
        made["currentMetrics"] = current
    elif percent is not None:
        made["currentMetrics"] = [
            {"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": percent}}}
        ]
    if conditions is not None:
        made["conditions"] = conditions
    return {"currentMetrics": None, **made}


def _decoded(annotations: Object, name: str, decode: Callable[[Json], Object]) -> list[Object] | None:
    """The list in an annotation; None if there is none, or one that Go would not decode."""
    try:
        found = json.loads(annotations[name])
        return [decode(one) for one in found or ()] if isinstance(found, list | None) else None
    except (KeyError, ValueError, RecursionError, Unfit):
        return None


def _behavior_of(annotations: Object) -> Object | None:
    try:
        found = read(_BEHAVIOR, json.loads(annotations[BEHAVIOR]))
    except (KeyError, ValueError, RecursionError, Unfit):
        return None
    made: Object = _renamed(found, str.lower)
    return made


def _renamed(value: Json, first: Callable[[str], str]) -> Json:
    """The value with the first letter of every name in the other case, and without nulls."""
    if isinstance(value, dict):
        return {
            first(key[0]) + key[1:]: _renamed(item, first)
            for key, item in value.items()
            if item is not None or first is str.upper
        }
    return [_renamed(item, first) for item in value] if isinstance(value, list) else value


def to_v1(obj: Object) -> Object:
    """An autoscaler of v2 as v1."""
    spec: Object = obj.get("spec") or {}
    status: Object | None = obj.get("status")
    measured, conditions = (list((status or {}).get(key) or ()) for key in ("currentMetrics", "conditions"))
    metrics = list(spec.get("metrics") or ())
    others = [flat(metric) for metric in metrics if _cpu_percent(metric) is None]
    kept: dict[str, Any] = {}
    if others:
        kept[METRICS] = others
    if measured:
        kept[CURRENT] = list(map(flat_status, measured))
    if spec.get("behavior") is not None:
        kept[BEHAVIOR] = read(_BEHAVIOR, _renamed(spec["behavior"], str.upper))
    if conditions:
        kept[CONDITIONS] = [read(_CONDITION, one) for one in conditions]
    made = {**obj, "apiVersion": V1, "metadata": _annotated(obj, {key: written(one) for key, one in kept.items()})}
    made["spec"] = {key: value for key, value in spec.items() if key not in ("metrics", "behavior")}
    percent = next((found for found in map(_cpu_percent, metrics) if found is not None), None)
    if percent is not None:
        made["spec"]["targetCPUUtilizationPercentage"] = percent
    if status is not None:
        made["status"] = _status_to_v1(status)
    return made


def _cpu_percent(metric: Object) -> int | None:
    """The target that v1 has a field for; None for a metric that goes into the annotation."""
    resource = metric.get("resource") or {}
    if metric.get("type") != "Resource" or resource.get("name") != "cpu":
        return None
    found: int | None = (resource.get("target") or {}).get("averageUtilization")
    return found


def _status_to_v1(status: Object) -> Object:
    made = {"currentReplicas": 0, "desiredReplicas": 0, **status}
    made = {key: value for key, value in made.items() if key not in ("currentMetrics", "conditions")}
    for metric in status.get("currentMetrics") or ():
        resource = metric.get("resource") or {}
        percent = (resource.get("current") or {}).get("averageUtilization")
        if metric.get("type") == "Resource" and resource.get("name") == "cpu" and percent is not None:
            made["currentCPUUtilizationPercentage"] = percent
    return made


def _annotated(obj: Object, add: Object) -> Object:
    """The metadata with these annotations instead of those that carry a version's fields."""
    meta = dict(obj.get("metadata") or {})
    old = meta.get("annotations") or {}
    found = {**{key: value for key, value in old.items() if key not in _OURS}, **add}
    if found:
        meta["annotations"] = found
    elif old:
        del meta["annotations"]
    return meta


def swap(metadata: Object, other: Object | None, names: Iterable[str]) -> None:
    """Takes these annotations from the metadata of another object; they are gone where it has none."""
    mine = dict(metadata.get("annotations") or {})
    theirs = (other or {}).get("annotations") or {}
    for name in names:
        mine.pop(name, None)
        if name in theirs:
            mine[name] = theirs[name]
    if mine:
        metadata["annotations"] = mine
    else:
        metadata.pop("annotations", None)
