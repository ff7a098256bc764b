"""How horizontal pod autoscalers and disruption budgets are printed."""

from collections.abc import Callable, Iterator, Mapping

from kilde.core.basics.values import Json, Object
from kilde.kubeapi.resources.printers.column import AGE, NAME, UNKNOWN, UNSET, Column, Printer, cut, field, get

_SHOWN = 2  # targets beyond these are only counted


def _average(metric: Object, status: Object) -> str:
    current = get(status, "current", "averageValue", default=UNKNOWN)
    return f"{current}/{get(metric, 'target', 'averageValue', default='')}"


def _value_or_average(metric: Object, status: Object) -> str:
    if get(metric, "target", "averageValue") is not None:
        return f"{_average(metric, status)} (avg)"
    return f"{get(status, 'current', 'value', default=UNKNOWN)}/{get(metric, 'target', 'value', default='')}"


def _resource(metric: Object, status: Object) -> str:
    name = metric.get("name", "")
    if get(metric, "target", "averageValue") is not None:
        return f"{name}: {_average(metric, status)}"
    used, wanted = get(status, "current", "averageUtilization"), get(metric, "target", "averageUtilization")
    return f"{name}: {UNKNOWN if used is None else f'{used}%'}/{'<auto>' if wanted is None else f'{wanted}%'}"


_METRICS: Mapping[str, tuple[str, Callable[[Object, Object], str]]] = {
    "External": ("external", _value_or_average),
    "Pods": ("pods", _average),
    "Object": ("object", _value_or_average),
    "Resource": ("resource", _resource),
    "ContainerResource": ("containerResource", _resource),
}


def _metrics(scaler: Object) -> Iterator[str]:
    statuses = get(scaler, "status", "currentMetrics", default=[])
    for index, metric in enumerate(get(scaler, "spec", "metrics", default=())):
        key, text = _METRICS.get(metric.get("type", ""), ("", None))
        status = statuses[index] if index < len(statuses) else {}
        yield "<unknown type>" if text is None else text(metric.get(key) or {}, status.get(key) or {})


def _targets(scaler: Object, now: float) -> str:
    return cut(list(_metrics(scaler)), _SHOWN, separator=", ")


def _reference(scaler: Object, now: float) -> str:
    target = get(scaler, "spec", "scaleTargetRef", default={})
    return f"{target.get('kind', '')}/{target.get('name', '')}"


def _text(*path: str, default: str) -> Callable[[Object, float], Json]:
    return lambda obj, now: str(get(obj, *path, default=default))


HORIZONTAL_POD_AUTOSCALER = Printer(
    (
        NAME,
        Column("Reference", _reference),
        Column("Targets", _targets),
        Column("MinPods", _text("spec", "minReplicas", default=UNSET)),
        Column("MaxPods", field("spec", "maxReplicas", default=0)),
        Column("Replicas", field("status", "currentReplicas", default=0)),
        AGE,
    )
)
POD_DISRUPTION_BUDGET = Printer(
    (
        NAME,
        Column("Min Available", _text("spec", "minAvailable", default="N/A")),
        Column("Max Unavailable", _text("spec", "maxUnavailable", default="N/A")),
        Column("Allowed Disruptions", field("status", "disruptionsAllowed", default=0), "integer"),
        AGE,
    )
)
