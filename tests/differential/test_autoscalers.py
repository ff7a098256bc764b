"""HorizontalPodAutoscaler v1 and v2: written in each version, read in each, changed in each, as the real server converts them."""

import json
from typing import Any

import pytest

from differential.normal import differences, normal
from differential.sides import Ask, Pair

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(300)]

VERSIONS = ("v1", "v2")
PREFIX = "autoscaling.alpha.kubernetes.io/"
MERGE, STRATEGIC, APPLY = (
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
)
TARGET = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"}
SELECTOR = {"matchLabels": {"a": "b"}}


def utilization(name: str, percent: int) -> dict[str, Any]:
    target = {"type": "Utilization", "averageUtilization": percent}
    return {"type": "Resource", "resource": {"name": name, "target": target}}


def about(kind: str, field: str, source: dict[str, Any], **target: Any) -> dict[str, Any]:
    return {"type": kind, field: {**source, "target": target}}


METRIC = {"metric": {"name": "m<&>", "selector": SELECTOR}}
DESCRIBED = {"describedObject": {"apiVersion": "v1", "kind": "Service", "name": "s"}}
OTHERS = [
    about("Resource", "resource", {"name": "memory"}, type="AverageValue", averageValue="1024Mi"),
    about("Pods", "pods", METRIC, type="AverageValue", averageValue="1500m"),
    about("Object", "object", {**METRIC, **DESCRIBED}, type="Value", value="10k"),
    about("Object", "object", {"metric": {"name": "n"}, **DESCRIBED}, type="AverageValue", averageValue="3"),
    about("External", "external", METRIC, type="Value", value="7"),
    about("External", "external", {"metric": {"name": "e"}}, type="AverageValue", averageValue="0.5"),
    about(
        "ContainerResource",
        "containerResource",
        {"name": "cpu", "container": "c"},
        type="Utilization",
        averageUtilization=9,
    ),
]
BEHAVIOR = {
    "scaleDown": {"stabilizationWindowSeconds": 60, "policies": [{"type": "Pods", "value": 2, "periodSeconds": 30}]},
    "scaleUp": {"selectPolicy": "Min"},
}
FLAT = [
    {"type": "Pods", "pods": {"metricName": "p", "targetAverageValue": "1000m"}},
    {"type": "Resource", "resource": {"name": "cpu", "targetAverageUtilization": 44}},
    {
        "type": "Object",
        "object": {"target": {"kind": "K", "name": "n"}, "metricName": "o", "targetValue": "3", "unknown": 1},
    },
]
GO_BEHAVIOR = {"scaleup": {"Policies": [{"Type": "Pods", "Value": 1, "PeriodSeconds": 5}], "SelectPolicy": "Max"}}
CONDITIONS = [{"type": "AbleToScale", "status": "True", "reason": "R", "lastTransitionTime": "2026-01-01T00:00:00Z"}]
CURRENT = [
    {"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 12, "averageValue": "120m"}}},
    {"type": "Pods", "pods": {"metric": {"name": "p"}, "current": {"averageValue": "2"}}},
    {
        "type": "Object",
        "object": {**DESCRIBED, "metric": {"name": "o"}, "current": {"value": "5", "averageValue": "1"}},
    },
    {"type": "External", "external": {"metric": {"name": "e"}, "current": {"value": "5"}}},
    {
        "type": "ContainerResource",
        "containerResource": {"name": "memory", "container": "c", "current": {"averageValue": "1Gi"}},
    },
]


def v2(**spec: Any) -> tuple[str, dict[str, Any], dict[str, str]]:
    return "v2", {"maxReplicas": 4, **spec}, {}


def v1(annotations: dict[str, Any] | None = None, **spec: Any) -> tuple[str, dict[str, Any], dict[str, str]]:
    found = {key: one if isinstance(one, str) else json.dumps(one) for key, one in (annotations or {}).items()}
    return "v1", {"maxReplicas": 4, **spec}, {f"{PREFIX}{key}": value for key, value in found.items()}


SHAPES = {
    "v2 plain": v2(),
    "v2 cpu": v2(metrics=[utilization("cpu", 50)]),
    "v2 cpu among others": v2(metrics=[utilization("cpu", 50), *OTHERS, utilization("memory", 60)]),
    "v2 cpu twice": v2(metrics=[utilization("cpu", 50), utilization("cpu", 70)]),
    "v2 others": v2(metrics=OTHERS),
    "v2 behavior": v2(behavior=BEHAVIOR),
    "v2 tolerance": v2(behavior={"scaleUp": {"tolerance": "0.050"}}),
    "v2 bad": v2(maxReplicas=0, metrics=[about("Pods", "pods", METRIC, type="AverageValue")]),
    "v1 plain": v1(),
    "v1 cpu": v1(targetCPUUtilizationPercentage=33, minReplicas=2),
    "v1 others": v1({"metrics": FLAT}),
    "v1 others and cpu": v1({"metrics": FLAT}, targetCPUUtilizationPercentage=33),
    "v1 behavior": v1({"behavior": GO_BEHAVIOR}),
    "v1 empty behavior": v1({"behavior": "{}", "metrics": "[]"}),
    "v1 no policies": v1({"behavior": {"ScaleUp": {}}}),
    "v1 not JSON": v1({"behavior": "{", "metrics": "nothing", "conditions": "[1]", "current-metrics": '{"a":1}'}),
    "v1 wrong types": v1({"metrics": [{"type": 1}], "behavior": {"ScaleUp": []}}),
    "v1 bad metrics": v1({"metrics": [{"type": "Pods"}, {"type": "What"}]}),
    "v1 status": v1({"conditions": CONDITIONS}),
    "v1 bad": v1(maxReplicas=0, targetCPUUtilizationPercentage=-1),
}


def body(shape: str, namespace: str) -> tuple[str, dict[str, Any]]:
    version, spec, annotations = SHAPES[shape]
    meta = {"name": "h", "namespace": namespace, "annotations": {"mine": "1", **annotations}}
    kind = {"apiVersion": f"autoscaling/{version}", "kind": "HorizontalPodAutoscaler", "metadata": meta}
    return version, {**kind, "spec": {"scaleTargetRef": TARGET, **spec}}


def agree(pair: Pair, *asks: Ask) -> None:
    for ask in asks:
        real, ours = pair.ask(ask)
        for answer in (real, ours):
            names = [column["name"] for column in answer["body"].get("columnDefinitions", ())]
            for row in answer["body"].get("rows", ()):
                age = names.index("Age")
                assert row["cells"][age].endswith("s")  # the two were not made in the same second
                row["cells"][age] = "Ns"
            for column in answer["body"].pop("columnDefinitions", ()):
                assert column["description"]  # ours are in our words
        assert not differences(normal(real), normal(ours)), str(ask)


@pytest.mark.parametrize("shape", SHAPES)
def test_it_is_created_in_one_version_and_read_in_each(pair: Pair, namespace: str, shape: str) -> None:
    version, made = body(shape, namespace)
    paths = {one: f"/apis/autoscaling/{one}/namespaces/{namespace}/horizontalpodautoscalers" for one in VERSIONS}
    agree(pair, Ask("POST", f"{paths[version]}?fieldManager=m", made))
    for one in VERSIONS:
        agree(pair, Ask("GET", f"{paths[one]}/h"), Ask("GET", paths[one]))
        agree(pair, Ask("GET", f"{paths[one]}/h", accept="application/json;as=Table;v=v1;g=meta.k8s.io"))


@pytest.mark.parametrize("shape", [shape for shape in SHAPES if "bad" not in shape and "policies" not in shape])
@pytest.mark.parametrize("version", VERSIONS)
def test_it_is_changed_in_each_version(pair: Pair, namespace: str, shape: str, version: str) -> None:
    first, made = body(shape, namespace)
    paths = {one: f"/apis/autoscaling/{one}/namespaces/{namespace}/horizontalpodautoscalers" for one in VERSIONS}
    at = f"{paths[version]}/h"
    pair.set_up(Ask("POST", f"{paths[first]}?fieldManager=m", made))
    reads = [Ask("GET", f"{paths[one]}/h") for one in VERSIONS]
    agree(pair, Ask("PATCH", f"{at}?fieldManager=n", {"spec": {"maxReplicas": 6}}, MERGE), *reads)
    status: dict[str, Any] = {"currentReplicas": 1, "desiredReplicas": 2}
    if version == "v2":
        status |= {"currentMetrics": CURRENT, "conditions": CONDITIONS}
        change: dict[str, Any] = {"status": status}
    else:
        flat = [{"type": "Pods", "pods": {"metricName": "p", "currentAverageValue": "3"}}]
        notes = {f"{PREFIX}conditions": json.dumps(CONDITIONS), f"{PREFIX}current-metrics": json.dumps(flat)}
        notes |= {f"{PREFIX}metrics": json.dumps(FLAT)}
        change = {"status": status, "metadata": {"annotations": notes}}
    agree(pair, Ask("PATCH", f"{at}/status?fieldManager=s", change, MERGE), *reads)
    agree(pair, Ask("PATCH", f"{at}?fieldManager=n", {"metadata": {"labels": {"x": "y"}}}, STRATEGIC), *reads)
    applied = {key: made[key] for key in ("kind", "metadata")} | {"apiVersion": f"autoscaling/{version}"}
    applied["metadata"] = {"name": "h", "namespace": namespace}
    applied["spec"] = {"scaleTargetRef": TARGET, "maxReplicas": 6, "minReplicas": 3}
    agree(pair, Ask("PATCH", f"{at}?fieldManager=a&force=true", applied, APPLY), *reads)
    agree(pair, Ask("PUT", f"{at}?fieldManager=p", applied), *reads)
