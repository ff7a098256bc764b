"""Conversions: an autoscaler goes from v2 to v1 and back without loss; what is in annotations is read as Go reads it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilde.kubeapi.resources.conversions import autoscalers
from kilde.kubeapi.resources.conversions.autoscalers import BEHAVIOR, METRICS, to_v1, to_v2

_AMOUNTS = st.sampled_from(("1", "250m", "3Gi", "10k"))
_NAMES = st.sampled_from(("m", "a<b>&c", "é\u2028"))
_METRIC = st.fixed_dictionaries({"name": _NAMES}, optional={"selector": st.just({"matchLabels": {"a": "b"}})})
_OBJECT = st.fixed_dictionaries({"kind": _NAMES, "name": _NAMES}, optional={"apiVersion": st.just("v1")})


def _target(kind: str, field: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries({"type": st.just(kind), field: values})


_PERCENT = _target("Utilization", "averageUtilization", st.integers(1, 100))
_AVERAGE, _VALUE = _target("AverageValue", "averageValue", _AMOUNTS), _target("Value", "value", _AMOUNTS)


def _source(kind: str, **parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries({"type": st.just(kind), kind[0].lower() + kind[1:]: st.fixed_dictionaries(parts)})


_METRICS = st.one_of(
    _source("Resource", name=st.just("memory"), target=_PERCENT | _AVERAGE),
    _source("ContainerResource", name=st.just("cpu"), container=_NAMES, target=_PERCENT | _AVERAGE),
    _source("Pods", metric=_METRIC, target=_AVERAGE),
    _source("Object", metric=_METRIC, describedObject=_OBJECT, target=_AVERAGE | _VALUE),
    _source("External", metric=_METRIC, target=_AVERAGE | _VALUE),
)
_POLICY = st.fixed_dictionaries(
    {"type": st.sampled_from(("Pods", "Percent")), "value": st.integers(1, 9), "periodSeconds": st.integers(1, 9)}
)
_RULES = st.fixed_dictionaries(
    {"selectPolicy": st.sampled_from(("Min", "Max")), "policies": st.lists(_POLICY, min_size=1, max_size=2)},
    optional={"stabilizationWindowSeconds": st.integers(0, 99), "tolerance": _AMOUNTS},
)
_BEHAVIOR = st.fixed_dictionaries({"scaleUp": _RULES, "scaleDown": _RULES})


def scaler(version: str, annotations: dict[str, str], **spec: Any) -> dict[str, Any]:
    meta = {"name": "h", **({"annotations": annotations} if annotations else {})}
    return {
        "apiVersion": version,
        "kind": "HorizontalPodAutoscaler",
        "metadata": meta,
        "spec": {"maxReplicas": 3, **spec},
    }


@given(
    metrics=st.lists(_METRICS, min_size=1, max_size=4),
    percent=st.none() | st.integers(1, 100),
    behavior=st.none() | _BEHAVIOR,
)
def test_nothing_is_lost_on_the_way_to_v1_and_back(metrics: list[Any], percent: int | None, behavior: Any) -> None:
    cpu = {"type": "Utilization", "averageUtilization": percent}
    last = [] if percent is None else [{"type": "Resource", "resource": {"name": "cpu", "target": cpu}}]
    spec = {"metrics": [*metrics, *last]} | ({} if behavior is None else {"behavior": behavior})
    made = scaler(autoscalers.V2, {"mine": "1"}, **spec)
    old = to_v1(made)
    assert old["spec"].get("targetCPUUtilizationPercentage") == percent
    assert to_v2(old) == made
    assert to_v1(to_v2(old)) == old
    assert not set("<>&\u2028") & set(old["metadata"]["annotations"][METRICS])


def test_names_in_annotations_are_read_in_any_case() -> None:
    behavior = {"SCALEUP": {"policies": [{"type": "Pods", "VALUE": 1, "periodseconds": 2}], "unknown": 1}}
    found = to_v2(scaler(autoscalers.V1, {BEHAVIOR: json.dumps(behavior)}))
    policies = [{"type": "Pods", "value": 1, "periodSeconds": 2}]
    assert found["spec"]["behavior"] == {"scaleUp": {"policies": policies}}
    assert "annotations" not in found["metadata"]


@pytest.mark.parametrize(
    "text", ["{", "3", '"x"', '[{"type":1}]', '[{"type":"Pods","pods":{"targetAverageValue":"x"}}]', "[" * 9999]
)
def test_an_annotation_that_does_not_decode_is_dropped(text: str) -> None:
    found = to_v2(scaler(autoscalers.V1, {METRICS: text}))
    target = {"type": "Utilization", "averageUtilization": 80}
    assert found["spec"] == {
        "maxReplicas": 3,
        "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
    }
    assert "annotations" not in found["metadata"]
