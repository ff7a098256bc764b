"""Validation of horizontal pod autoscalers and disruption budgets."""

from collections.abc import Iterator, Mapping

from kilde.core.basics.values import Json, Object
from kilde.kubeapi.resources.causes import Cause, Struct, forbidden, invalid, not_supported, required
from kilde.kubeapi.resources.validation.amounts import check_resource_name
from kilde.kubeapi.resources.validation.conditions import check_status_conditions
from kilde.kubeapi.resources.validation.fields import (
    check_selector,
    get,
    int_or_percent,
    items,
    named,
    not_negative,
    quantity,
    word_of,
)
from kilde.kubeapi.resources.validation.names import dns_label, path_segment

_LONGEST_WINDOW = 3600
_LONGEST_PERIOD = 1800
_SOURCES: Mapping[str, str] = {
    "Object": "object",
    "External": "external",
    "Pods": "pods",
    "Resource": "resource",
    "ContainerResource": "containerResource",
}
_TARGETS = ("Utilization", "Value", "AverageValue")


def check_autoscaler(obj: Object) -> Iterator[Cause]:
    """What is wrong with a HorizontalPodAutoscaler of either version."""
    spec = obj.get("spec") or {}
    least, most = spec.get("minReplicas"), spec.get("maxReplicas") or 0
    if least is not None and least < 1:
        yield invalid("spec.minReplicas", least, "must be greater than or equal to 1")
    if most == 0:
        yield required("spec.maxReplicas", "must be set and greater than 0")
    elif most < 0:
        yield invalid("spec.maxReplicas", most, "must be greater than or equal to 1")
    if least is not None and most < least:
        yield invalid("spec.maxReplicas", most, "must be greater than or equal to `minReplicas`")
    yield from _reference(spec.get("scaleTargetRef") or {})
    percent = spec.get("targetCPUUtilizationPercentage")
    if percent is not None and percent < 1:
        yield invalid("spec.metrics[0].resource.target.averageUtilization", percent, "must be greater than 0")
    for index, metric in items(spec, "metrics"):
        yield from _metric(metric, f"spec.metrics[{index}]")
    if least == 0 and not any(one.get("type") in ("Object", "External") for one in spec.get("metrics") or ()):
        yield forbidden(
            "spec.metrics", "must specify at least one Object or External metric to support scaling to zero replicas"
        )
    for side in ("scaleUp", "scaleDown"):
        rules = get(spec, "behavior", side)
        if rules is not None:
            yield from _rules(rules, f"spec.behavior.{side}")


def _reference(target: Object) -> Iterator[Cause]:
    for key in ("kind", "name"):
        yield from named(target.get(key), path_segment, f"spec.scaleTargetRef.{key}", needed=True)
    core = target.get("kind") == "ReplicationController"  # the only one of the core group that can be scaled
    yield from _version(target, "spec.scaleTargetRef", core=core)


def _version(target: Object, at: str, *, core: bool) -> Iterator[Cause]:
    """The apiVersion of a reference: of a group, or, with `core`, of the core group, too."""
    version = target.get("apiVersion") or ""
    group, slash, _ = version.partition("/")
    if version.count("/") > 1:
        yield invalid(f"{at}.apiVersion", version, f"unexpected GroupVersion string: {version}")
    elif not core and not (slash and group):
        yield invalid(f"{at}.apiVersion", version, "apiVersion must specify API group")


def _metric(metric: Object, at: str) -> Iterator[Cause]:
    kind = metric.get("type") or ""
    if not kind:
        yield required(f"{at}.type", "must specify a metric source type")
    if kind not in _SOURCES:
        yield not_supported(f"{at}.type", kind, sorted(_SOURCES))
    present = [(name, key) for name, key in _SOURCES.items() if metric.get(key) is not None]
    for name, key in present[:1]:  # of several only the first is looked at
        yield from _source(name, metric[key], f"{at}.{key}")
    wanted = _SOURCES.get(kind)
    if wanted is None:
        yield not_supported(f"{at}.type", kind, sorted(_SOURCES))
    elif metric.get(wanted) is None:
        yield required(f"{at}.{wanted}", "must populate information for the given metric source")
    if len(present) > 1:
        for _, key in present:
            if key != wanted:
                yield forbidden(f"{at}.{key}", "must populate the given metric source only")


def _source(kind: str, source: Object, at: str) -> Iterator[Cause]:
    if kind in ("Resource", "ContainerResource"):
        if not source.get("name"):
            yield required(f"{at}.name", "must specify a resource name")
        elif kind == "ContainerResource":
            yield from check_resource_name(source["name"], f"{at}.name")
        if kind == "ContainerResource" and not source.get("container"):
            yield required(f"{at}.container", "must specify a container")
        elif kind == "ContainerResource":
            yield from named(source["container"], dns_label, f"{at}.container")
        yield from _target(source.get("target") or {}, f"{at}.target")
        yield from _amount(source.get("target") or {}, f"{at}.target")
    else:
        yield from _named_metric(kind, source, at)


def _named_metric(kind: str, source: Object, at: str) -> Iterator[Cause]:
    """A metric that somebody gathers, of pods, of one object or of anything."""
    if kind == "Object":
        about = source.get("describedObject") or {}
        for key in ("kind", "name"):
            yield from named(about.get(key), path_segment, f"{at}.describedObject.{key}", needed=True)
        yield from _version(about, f"{at}.describedObject", core=True)
    name = get(source, "metric", "name", default="")
    if not name:
        yield required(f"{at}.metric.name", "must specify a metric name")
    else:
        yield from (invalid(f"{at}.metric.name", name, text) for text in path_segment(name))
    target = source.get("target") or {}
    yield from _target(target, f"{at}.target")
    if kind == "External" and target.get("value") is not None and target.get("averageValue") is not None:
        words = "may not set both a target value for metric and a per-pod target"
        yield forbidden(f"{at}.target.value", words)
    if target.get("averageValue") is not None or (kind != "Pods" and target.get("value") is not None):
        return
    yield required(f"{at}.target.averageValue", _NO_TARGET[kind])


_NO_TARGET: Mapping[str, str] = {
    "External": "must set either a target value for metric or a per-pod target",
    "Object": "must set either a target value or averageValue",
    "Pods": "must specify a positive target averageValue",
}


def _target(target: Object, at: str) -> Iterator[Cause]:
    kind = target.get("type") or ""
    if not kind:
        yield required(f"{at}.type", "must specify a metric target type")
    if kind not in _TARGETS:
        yield invalid(f"{at}.type", kind, "must be either Utilization, Value, or AverageValue")
    for key in ("value", "averageValue"):
        amount = None if target.get(key) is None else quantity(target[key])
        if amount is not None and amount.value <= 0:
            yield invalid(f"{at}.{key}", amount.text, "must be positive")
    percent: Json = target.get("averageUtilization")
    if percent is not None and percent < 1:
        yield invalid(f"{at}.averageUtilization", percent, "must be greater than 0")


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
    tolerance = None if rules.get("tolerance") is None else quantity(rules["tolerance"])
    if tolerance is not None and tolerance.value < 0:
        yield invalid(f"{at}.tolerance", tolerance.text, "must be greater than or equal to 0")
    yield from word_of(rules.get("selectPolicy"), ("Disabled", "Max", "Min"), f"{at}.selectPolicy")
    if not rules.get("policies"):
        yield required(f"{at}.policies", "must specify at least one Policy")
    for index, policy in items(rules, "policies"):
        where = f"{at}.policies[{index}]"
        kind = policy.get("type") or ""
        if kind not in ("Percent", "Pods"):
            yield not_supported(f"{where}.type", kind, ("Percent", "Pods"))
        for key in ("value", "periodSeconds"):
            number = policy.get(key) or 0
            if number <= 0:
                yield invalid(f"{where}.{key}", number, "must be greater than zero")
        if (policy.get("periodSeconds") or 0) > _LONGEST_PERIOD:
            yield invalid(
                f"{where}.periodSeconds", policy["periodSeconds"], f"must be less than or equal to {_LONGEST_PERIOD}"
            )


def check_budget_status(new: Object, old: Object) -> Iterator[Cause]:
    """What is wrong with a new status of a PodDisruptionBudget."""
    status = new.get("status") or {}
    yield from check_status_conditions(status.get("conditions"), "status.conditions")
    for key in ("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"):
        yield from not_negative(status.get(key), f"status.{key}")


def check_autoscaler_status(new: Object, old: Object) -> Iterator[Cause]:
    """What is wrong with a new status of a HorizontalPodAutoscaler."""
    for key in ("currentReplicas", "desiredReplicas"):
        yield from not_negative(get(new, "status", key), f"status.{key}")


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
    policy = spec.get("unhealthyPodEvictionPolicy")
    if policy is not None and policy not in ("AlwaysAllow", "IfHealthyBudget"):
        yield not_supported("spec.unhealthyPodEvictionPolicy", policy, ("AlwaysAllow", "IfHealthyBudget"))
