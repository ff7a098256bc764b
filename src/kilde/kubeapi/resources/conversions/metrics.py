"""Metrics of autoscalers: v1 has them flat in an annotation, v2 nests what identifies them and what is aimed at."""

from collections.abc import Mapping, Sequence

from kilde.core.basics.values import Json, Object
from kilde.kubeapi.resources.conversions.go_json import (
    Field,
    Reader,
    Unfit,
    amount,
    mapping,
    number,
    read,
    struct,
    text,
)

_ZERO = "0"
_REFERENCE = (Field("kind", text, ""), Field("name", text, ""), Field("apiVersion", text, "", omit=True))
_NO_REFERENCE: Json = {"kind": "", "name": ""}
Fields = Sequence[Field]


def _of(*fields: tuple[str, Reader] | tuple[str, Reader, Json]) -> Fields:
    """Fields: those with a default are always written, the others where they are set."""
    return [
        Field(one[0], one[1], one[2]) if len(one) == 3 else Field(one[0], one[1], None, omit=True) for one in fields
    ]


_SELECTOR, _METRIC = ("selector", mapping), ("metricName", text, "")
_OTHER_SELECTOR = ("metricSelector", mapping)
_TARGET = ("target", struct(_REFERENCE), _NO_REFERENCE)
_GOALS = (("targetAverageUtilization", number), ("targetAverageValue", amount))
_USES = (("currentAverageUtilization", number), ("currentAverageValue", amount, _ZERO))

SPECS: Mapping[str, Fields] = {
    "object": _of(_TARGET, _METRIC, ("targetValue", amount, _ZERO), _SELECTOR, ("averageValue", amount)),
    "pods": _of(_METRIC, ("targetAverageValue", amount, _ZERO), _SELECTOR),
    "resource": _of(("name", text, ""), *_GOALS),
    "containerResource": _of(("name", text, ""), *_GOALS, ("container", text, "")),
    "external": _of(_METRIC, _OTHER_SELECTOR, ("targetValue", amount), ("targetAverageValue", amount)),
}
STATUSES: Mapping[str, Fields] = {
    "object": _of(_TARGET, _METRIC, ("currentValue", amount, _ZERO), _SELECTOR, ("averageValue", amount)),
    "pods": _of(_METRIC, ("currentAverageValue", amount, _ZERO), _SELECTOR),
    "resource": _of(("name", text, ""), *_USES),
    "containerResource": _of(("name", text, ""), *_USES, ("container", text, "")),
    "external": _of(_METRIC, _OTHER_SELECTOR, ("currentValue", amount, _ZERO), ("currentAverageValue", amount)),
}
# Where v1 has the value, the average and the percentage of a source.
_VALUES: Mapping[str, tuple[str, str, str]] = {
    "object": ("{}Value", "averageValue", ""),
    "pods": ("", "{}AverageValue", ""),
    "resource": ("", "{}AverageValue", "{}AverageUtilization"),
    "containerResource": ("", "{}AverageValue", "{}AverageUtilization"),
    "external": ("{}Value", "{}AverageValue", ""),
}
_NESTED = ("value", "averageValue", "averageUtilization")


def nested(metric: Json) -> Object:
    """A metric of v1 in the form of v2. Unfit if Go would not decode it."""
    return _nested(metric, SPECS, "target")


def nested_status(metric: Json) -> Object:
    """The same for what was measured."""
    return _nested(metric, STATUSES, "current")


def flat(metric: Object) -> Object:
    """A metric of v2 in the form of v1."""
    return _flat(metric, SPECS, "target")


def flat_status(metric: Object) -> Object:
    """The same for what was measured."""
    return _flat(metric, STATUSES, "current")


def _nested(metric: Json, types: Mapping[str, Fields], side: str) -> Object:
    if not isinstance(metric, dict | None):
        raise Unfit
    made: Object = {"type": text((metric or {}).get("type")) or ""}
    for key, fields in types.items():
        source = (metric or {}).get(key)
        if source is not None:
            made[key] = _nested_source(key, read(fields, source), side)
    return made


def _nested_source(key: str, source: Object, side: str) -> Object:
    found: Object = {}
    for name, pattern in zip(_NESTED, _VALUES[key], strict=True):
        value = source.get(pattern.format(side)) if pattern else None
        if value is not None:
            found[name] = value
    if side == "target":
        found = _typed(key, found)
    made: Object = {part: source[part] for part in ("name", "container") if part in source}
    if "metricName" in source:
        selector = source.get("selector", source.get("metricSelector"))
        made["metric"] = {"name": source["metricName"], **({} if selector is None else {"selector": selector})}
    if "target" in source:
        made["describedObject"] = source["target"]
    return {**made, side: found}


def _typed(key: str, target: Object) -> Object:
    """The target with its type, which v1 does not say."""
    if "averageUtilization" in target:
        kind = "Utilization"
    elif key == "object":
        kind = "Value" if "averageValue" not in target else "AverageValue"
        if kind == "AverageValue" and target.get("value") == _ZERO:
            del target["value"]  # v1 cannot leave it out
    else:
        kind = "Value" if "value" in target else "AverageValue"
    return {"type": kind, **target}


def _flat(metric: Object, types: Mapping[str, Fields], side: str) -> Object:
    made: Object = {"type": metric.get("type") or ""}
    for key, fields in types.items():
        source = metric.get(key)
        if source is not None:
            made[key] = read(fields, _flat_source(key, source, side))
    return made


def _flat_source(key: str, source: Object, side: str) -> Object:
    about, found = source.get("metric") or {}, source.get(side) or {}
    made: Object = {part: source.get(part) for part in ("name", "container")}
    made |= {
        "metricName": about.get("name"),
        "selector": about.get("selector"),
        "metricSelector": about.get("selector"),
    }
    for name, pattern in zip(_NESTED, _VALUES[key], strict=True):
        if pattern:
            made[pattern.format(side)] = found.get(name)
    made["target"] = source.get("describedObject")
    return made
