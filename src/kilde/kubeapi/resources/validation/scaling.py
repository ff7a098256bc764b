"""Validation of horizontal pod autoscalers and disruption budgets."""

from collections.abc import Iterator, Mapping

from kilde.core.basics.values import Json, Object
from kilde.kubeapi.resources.causes import Cause, Struct, forbidden, invalid, not_supported, required
from kilde.kubeapi.resources.validation.fields import between, check_selector, get, int_or_percent, items, named, one_of
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
    if most < 1:
        yield invalid("spec.maxReplicas", most, "must be greater than 0")
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
    if not target.get("apiVersion"):
        yield required("spec.scaleTargetRef.apiVersion")


def _metric(metric: Object, at: str) -> Iterator[Cause]:
    kind = metric.get("type") or ""
    if not kind:
        yield required(f"{at}.type", "must specify a metric source type")
        return
    if kind not in _SOURCES:
        yield not_supported(f"{at}.type", kind, tuple(_SOURCES))
        return
    key = _SOURCES[kind]
    source = metric.get(key)
    if source is None:
        yield required(f"{at}.{key}", f"must populate information for the given metric source when the type is {kind}")
        return
    if kind in ("Resource", "ContainerResource"):
        if not source.get("name"):
            yield required(f"{at}.{key}.name", "must specify a resource name")
    elif not get(source, "metric", "name"):
        yield required(f"{at}.{key}.metric.name")
    yield from _target(source.get("target") or {}, f"{at}.{key}.target")


def _target(target: Object, at: str) -> Iterator[Cause]:
    kind = target.get("type") or ""
    if not kind:
        yield required(f"{at}.type", "must specify a metric target type")
    elif kind not in _TARGETS:
        yield invalid(f"{at}.type", kind, "must be either Utilization, Value, or AverageValue")
    percent: Json = target.get("averageUtilization")
    if percent is not None and percent < 1:
        yield invalid(f"{at}.averageUtilization", percent, "must be greater than 0")
    if all(target.get(key) is None for key in ("averageUtilization", "averageValue", "value")):
        yield required(f"{at}.averageUtilization", "must set either a target raw value or a target utilization")


def _rules(rules: Object, at: str) -> Iterator[Cause]:
    yield from between(rules.get("stabilizationWindowSeconds"), 0, _LONGEST_WINDOW, f"{at}.stabilizationWindowSeconds")
    yield from one_of(rules.get("selectPolicy"), ("Disabled", "Max", "Min"), f"{at}.selectPolicy")
    if not rules.get("policies"):
        yield required(f"{at}.policies", "must specify at least one Policy")
    for index, policy in items(rules, "policies"):
        where = f"{at}.policies[{index}]"
        yield from one_of(policy.get("type"), ("Percent", "Pods"), f"{where}.type", needed=True)
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
        yield invalid("spec", dump, "minAvailable and maxUnavailable cannot be both set")
    yield from int_or_percent(least, "spec.minAvailable", most=True)
    yield from int_or_percent(most, "spec.maxUnavailable", most=True)
    yield from check_selector(spec.get("selector"), "spec.selector")
    yield from one_of(
        spec.get("unhealthyPodEvictionPolicy"), ("AlwaysAllow", "IfHealthyBudget"), "spec.unhealthyPodEvictionPolicy"
    )
