"""Validation of horizontal pod autoscalers and disruption budgets."""

from collections.abc import Iterator, Mapping

from kilde.core.basics.values import Json, Object
from kilde.kubeapi.resources.causes import Cause, Struct, forbidden, invalid, not_supported, required
from kilde.kubeapi.resources.validation.fields import (
    check_selector,
    get,
    int_or_percent,
    items,
    named,
    one_of,
    quantity,
)
from kilde.kubeapi.resources.validation.names import path_segment

_LONGEST_WINDOW = 3600
_LONGEST_PERIOD = 1800
_SOURCES: Mapping[str, str] = {
    "ContainerResource": "containerResource",
    "External": "external",
    "Object": "object",
    "Pods": "pods",
    "Resource": "resource",
}
_TARGETS = ("Utilization", "Value", "AverageValue")


def check_autoscaler(obj: Object) -> Iterator[Cause]:
    """What is wrong with a HorizontalPodAutoscaler of either version."""
    spec = obj.get("spec") or {}
    least, most = spec.get("minReplicas"), spec.get("maxReplicas") or 0
    if least is not None and least < 1:
        yield invalid("spec.minReplicas", least, "must be greater than or equal to 1")
    if least == 0 and not any(one.get("type") in ("Object", "External") for one in spec.get("metrics") or ()):
        yield forbidden(
            "spec.metrics", "must specify at least one Object or External metric to support scaling to zero replicas"
        )
    if most == 0:
        yield required("spec.maxReplicas", "must be set and greater than 0")
    elif most < 0:
        yield invalid("spec.maxReplicas", most, "must be greater than or equal to 1")
    if least is not None and most < least:
        yield invalid("spec.maxReplicas", most, "must be greater than or equal to `minReplicas`")
    yield from _reference(spec.get("scaleTargetRef") or {})
    for index, metric in items(spec, "metrics"):
        yield from _metric(metric, f"spec.metrics[{index}]")
    for side in ("scaleUp", "scaleDown"):
        rules = get(spec, "behavior", side)
        if rules is not None:
            yield from _rules(rules, f"spec.behavior.{side}")


def _reference(target: Object) -> Iterator[Cause]:
    for key in ("kind", "name"):
        yield from named(target.get(key), path_segment, f"spec.scaleTargetRef.{key}", needed=True)
    version = target.get("apiVersion") or ""
    if "/" not in version:
        yield invalid("spec.scaleTargetRef.apiVersion", version, "apiVersion must specify API group")


def _metric(metric: Object, at: str) -> Iterator[Cause]:
    kind = metric.get("type") or ""
    if not kind:
        yield required(f"{at}.type", "must specify a metric source type")
    if kind not in _SOURCES:
        yield not_supported(f"{at}.type", kind, tuple(_SOURCES))
        yield not_supported(f"{at}.type", kind, tuple(_SOURCES))
        return
    for other in _SOURCES.values():
        if other != _SOURCES[kind] and metric.get(other) is not None:
            yield forbidden(f"{at}.{other}", "must populate the given metric source only")
    key = _SOURCES[kind]
    source = metric.get(key)
    if source is None:
        yield required(f"{at}.{key}", "must populate information for the given metric source")
        return
    if kind in ("Resource", "ContainerResource"):
        if not source.get("name"):
            yield required(f"{at}.{key}.name", "must specify a resource name")
        yield from _amount(source.get("target") or {}, f"{at}.{key}.target")
    elif not get(source, "metric", "name"):
        yield required(f"{at}.{key}.metric.name", "must specify a metric name")
    target = source.get("target") or {}
    yield from _target(target, f"{at}.{key}.target")
    yield from _chosen(kind, target, f"{at}.{key}.target")


def _chosen(kind: str, target: Object, at: str) -> Iterator[Cause]:
    """Which of its values the target of this source must have."""
    total, each = target.get("value") is not None, target.get("averageValue") is not None
    if kind == "Pods" and not each:
        yield required(f"{at}.averageValue", "must specify a positive target averageValue")
    if kind == "External" and not total and not each:
        yield required(f"{at}.averageValue", "must set either a target value for metric or a per-pod target")
    if kind == "External" and total and each:
        yield forbidden(f"{at}.value", "may not set both a target value for metric and a per-pod target")


def _target(target: Object, at: str) -> Iterator[Cause]:
    kind = target.get("type") or ""
    if not kind:
        yield required(f"{at}.type", "must specify a metric target type")
    if kind not in _TARGETS:
        yield invalid(f"{at}.type", kind, "must be either Utilization, Value, or AverageValue")
    percent: Json = target.get("averageUtilization")
    if percent is not None and percent < 1:
        yield invalid(f"{at}.averageUtilization", percent, "must be greater than 0")
    for key in ("value", "averageValue"):
        amount = None if target.get(key) is None else quantity(target[key])
        if amount is not None and amount.value <= 0:
            yield invalid(f"{at}.{key}", amount.text, "must be positive")


def _amount(target: Object, at: str) -> Iterator[Cause]:
    """A resource is measured in its own unit or in percent of what was requested, never both."""
    raw, percent = target.get("averageValue"), target.get("averageUtilization")
    if raw is None and percent is None:
        yield required(f"{at}.averageUtilization", "must set either a target raw value or a target utilization")
    elif raw is not None and percent is not None:
        yield forbidden(f"{at}.averageValue", "may not set both a target raw value and a target utilization")


def _rules(rules: Object, at: str) -> Iterator[Cause]:
    window = rules.get("stabilizationWindowSeconds") or 0
    if window < 0:
        yield invalid(f"{at}.stabilizationWindowSeconds", window, "must be greater than or equal to zero")
    elif window > _LONGEST_WINDOW:
        yield invalid(f"{at}.stabilizationWindowSeconds", window, f"must be less than or equal to {_LONGEST_WINDOW}")
    yield from one_of(rules.get("selectPolicy"), ("Disabled", "Max", "Min"), f"{at}.selectPolicy")
    if not rules.get("policies"):
        yield required(f"{at}.policies", "must specify at least one Policy")
    for index, policy in items(rules, "policies"):
        where = f"{at}.policies[{index}]"
        if policy.get("type") not in ("Percent", "Pods"):
            yield not_supported(f"{where}.type", policy.get("type") or "", ("Percent", "Pods"))
        for key in ("value", "periodSeconds"):
            number = policy.get(key) or 0
            if number <= 0:
                yield invalid(f"{where}.{key}", number, "must be greater than zero")
        if (policy.get("periodSeconds") or 0) > _LONGEST_PERIOD:
            yield invalid(
                f"{where}.periodSeconds", policy["periodSeconds"], f"must be less than or equal to {_LONGEST_PERIOD}"
            )


def check_budget(obj: Object) -> Iterator[Cause]:
    """What is wrong with a PodDisruptionBudget."""
    spec = obj.get("spec") or {}
    least, most = spec.get("minAvailable"), spec.get("maxUnavailable")
    if least is not None and most is not None:
        dump = Struct({"MinAvailable": least, "Selector": spec.get("selector"), "MaxUnavailable": most})
        dump["UnhealthyPodEvictionPolicy"] = spec.get("unhealthyPodEvictionPolicy")
        yield invalid("spec", dump, "minAvailable and maxUnavailable cannot be both set")
    yield from int_or_percent(least, "spec.minAvailable", most=True)
    yield from int_or_percent(most, "spec.maxUnavailable", most=True)
    yield from check_selector(spec.get("selector"), "spec.selector")
    yield from one_of(
        spec.get("unhealthyPodEvictionPolicy"), ("AlwaysAllow", "IfHealthyBudget"), "spec.unhealthyPodEvictionPolicy"
    )
