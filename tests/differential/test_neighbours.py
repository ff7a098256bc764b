"""What neighbours of recorded requests found to be answered otherwise, as the requests that tell: on both servers alike."""

import json
import time
from typing import Any

import pytest

from differential.normal import differences, normal
from differential.sides import Ask, Pair

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(120)]

MERGE = "application/merge-patch+json"
_SPACE = "/api/v1/namespaces/NAMESPACE"
_META = "application/json;as={};v={};g=meta.k8s.io,application/json"
_TABLE = _META.format("Table", "v1")
_DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_CRD = f"{_DEFINITIONS}/foos.NAMESPACE.test"
_FOOS = "/apis/NAMESPACE.test/v1/foos"
_SERVICE = "/apis/apiregistration.k8s.io/v1/apiservices/v1.NAMESPACE.test"
_TEMPLATE = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
_WORKLOAD = {"selector": {"matchLabels": {"a": "b"}}, "template": _TEMPLATE}
_LISTS = (
    f"{_SPACE}/pods",
    "/apis/events.k8s.io/v1/namespaces/NAMESPACE/events",
    "/apis/rbac.authorization.k8s.io/v1/namespaces/NAMESPACE/roles",
    "/apis/apps/v1/namespaces/NAMESPACE/daemonsets",
    "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas",
    "/api/v1/nodes",
    _FOOS,
)
_BIGGER = {"name": "c", "resources": {"requests": {"cpu": "1"}}}
SET_UP = [
    Ask("POST", f"{_SPACE}/pods", {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}),
    Ask("POST", "/apis/apps/v1/namespaces/NAMESPACE/daemonsets", {"metadata": {"name": "d"}, "spec": _WORKLOAD}),
    Ask(
        "POST",
        "/apis/autoscaling/v1/namespaces/NAMESPACE/horizontalpodautoscalers",
        {
            "metadata": {"name": "h"},
            "spec": {
                "maxReplicas": 2,
                "targetCPUUtilizationPercentage": 5,
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "x"},
            },
        },
    ),
    Ask(
        "POST",
        "/apis/events.k8s.io/v1/namespaces/NAMESPACE/events",
        {
            "metadata": {"name": "e"},
            "eventTime": "2026-01-01T00:00:00.000000Z",
            "action": "a",
            "reason": "r",
            "type": "Normal",
            "reportingController": "x.test/c",
            "reportingInstance": "i",
            "regarding": {"kind": "Pod", "name": "p", "namespace": "NAMESPACE"},
        },
    ),
    Ask("POST", f"{_SPACE}/services", {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}]}}),
    Ask("POST", f"{_SPACE}/replicationcontrollers", {"metadata": {"name": "r"}, "spec": {"template": _TEMPLATE}}),
    Ask("POST", f"{_SPACE}/endpoints", {"metadata": {"name": "e"}}),
    Ask(
        "POST",
        "/apis/networking.k8s.io/v1/namespaces/NAMESPACE/ingresses",
        {"metadata": {"name": "i"}, "spec": {"defaultBackend": {"service": {"name": "s", "port": {"number": 80}}}}},
    ),
    Ask(
        "POST",
        _DEFINITIONS,
        {
            "metadata": {"name": "foos.NAMESPACE.test"},
            "spec": {
                "group": "NAMESPACE.test",
                "scope": "Cluster",
                "names": {"plural": "foos", "kind": "Foo"},
                "versions": [
                    {
                        "name": "v1",
                        "served": True,
                        "storage": True,
                        "schema": {"openAPIV3Schema": {"type": "object"}},
                    }
                ],
            },
        },
    ),
]


def _read(path: str, kind: str, version: str = "v1") -> Ask:
    return Ask("GET", path, accept=_META.format(kind, version))


def _running(told: dict[str, Any]) -> dict[str, Any]:
    about = {"name": "c", "image": "i", "imageID": "", "ready": True, "restartCount": 0}
    return {"status": {"containerStatuses": [{**about, "state": {"running": {}}, **told}]}}


def _about(kind: str, version: str, path: str, **more: Any) -> Ask:
    return Ask(
        "PUT", path, {"apiVersion": version, "kind": kind, "metadata": {"uid": "x", **more.pop("metadata", {})}, **more}
    )


ASKS = [
    *(_read(path, "PartialObjectMetadata") for path in _LISTS),
    *(_read(f"{_LISTS[index]}/{name}", "PartialObjectMetadataList") for index, name in ((0, "p"), (1, "e"), (3, "d"))),
    *(_read(f"{_LISTS[3]}{name}", kind) for name, kind in (("/d", "PartialObjectMetadata"), ("", "PartialObjectMetadataList"))),
    *(_read(_LISTS[3] + name, "Table", "v1beta1") for name in ("", "/d", "?includeObject=None")),
    _read(_LISTS[3], "PartialObjectMetadataList", "v1beta1"),
    *(
        Ask("GET", f"/apis/{path}?includeObject=Object", accept=_TABLE)
        for path in (
            "autoscaling/v1/namespaces/NAMESPACE/horizontalpodautoscalers/h",
            "autoscaling/v2/namespaces/NAMESPACE/horizontalpodautoscalers/h",
            "events.k8s.io/v1/namespaces/NAMESPACE/events/e",
        )
    ),
    Ask("GET", "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas", accept=_TABLE),
    Ask("PATCH", "/apis/networking.k8s.io/v1/ipaddresses/10.0.0.1", {"spec": {"parentRef": None}}, MERGE),
    *(Ask("GET", f"{_SPACE}/configmaps?fieldSelector={chosen}") for chosen in ("%3D", "!%3D", "%3Dx", "a%3Db%3Dc")),
    Ask("GET", "/apis/resource.k8s.io/v1/resourceslices?fieldSelector=spec.pool%3Dx"),
    _about("Service", "v1", f"{_SPACE}/services/s", spec={"ports": [{"port": 80}]}),
    _about("ReplicationController", "v1", f"{_SPACE}/replicationcontrollers/r"),
    _about("Endpoints", "v1", f"{_SPACE}/endpoints/e"),
    _about("Ingress", "networking.k8s.io/v1", "/apis/networking.k8s.io/v1/namespaces/NAMESPACE/ingresses/i"),
    _about("APIService", "apiregistration.k8s.io/v1", "/apis/apiregistration.k8s.io/v1/apiservices/v1.apps"),
    Ask("PATCH", f"{_SPACE}/pods/p/status", {"metadata": {"labels": {"a": "b"}, "annotations": {"c": "d"}}}, MERGE),
    Ask("PATCH", f"{_SPACE}/pods/p/status", {"metadata": {"finalizers": ["a.b/c"], "ownerReferences": []}}, MERGE),
    Ask("PATCH", f"{_SPACE}/pods/p/resize", {"metadata": {}}, MERGE),
    Ask("PATCH", f"{_SPACE}/pods/p/ephemeralcontainers", {"metadata": {}}, MERGE),
    *(Ask("PATCH", f"{_SPACE}/pods/p/status", _running(told), MERGE) for told in ({}, {"resources": {}})),
    Ask("PATCH", f"{_SPACE}/pods/p/resize", {"spec": {"containers": [_BIGGER]}}, "application/strategic-merge-patch+json"),
    Ask("PATCH", f"{_SPACE}/pods/p/status", _running({}), MERGE),
    Ask("PATCH", f"{_SPACE}/pods/p/resize", {"spec": {"containers": [_BIGGER]}}, "application/strategic-merge-patch+json"),
    Ask("DELETE", f"{_LISTS[1]}/e", {"preconditions": {"uid": "x"}}),
    Ask("DELETE", f"{_LISTS[1]}/e?propagationPolicy=Foreground"),
    Ask("GET", f"{_LISTS[1]}/e"),
]  # fmt: skip
_LONG = "a" * 260
_SLICE = "/apis/discovery.k8s.io/v1/namespaces/NAMESPACE/endpointslices"
# What the variations of every kind found, which try only some of them at a time.
SPOILED: list[tuple[str, dict[str, Any]]] = [
    (
        "/apis/networking.k8s.io/v1/namespaces/NAMESPACE/networkpolicies",
        {"spec": {"podSelector": {}, "ingress": [{"ports": [{"protocol": ""}]}]}},
    ),
    *(
        (
            "/apis/apiregistration.k8s.io/v1/apiservices",
            {
                "metadata": {"name": "v1.g.test"},
                "spec": {
                    "group": "g.test",
                    "version": "v1",
                    "groupPriorityMinimum": 1,
                    "versionPriority": 1,
                    "service": service,
                    **more,
                },
            },
        )
        for service in ({"name": "s", "namespace": "n", "port": -1}, {"name": "s", "namespace": "n", "port": 65536}, {})
        for more in ({}, {"insecureSkipTLSVerify": True, "caBundle": "YQ=="})
    ),
    (_SLICE, {"addressType": "IPv4", "ports": [], "endpoints": [{"addresses": ["192.0.2.1"], "hostname": ""}]}),
    (
        "/apis/apps/v1/namespaces/NAMESPACE/statefulsets",
        {
            "spec": {
                **_WORKLOAD,
                "serviceName": "s",
                "volumeClaimTemplates": [
                    {
                        "metadata": {"name": "c"},
                        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1500m"}}},
                    }
                ],
            }
        },
    ),
    (f"{_SPACE}/services", {"spec": {"internalTrafficPolicy": "", "ports": [{"port": 80}]}}),
    (
        "/apis/resource.k8s.io/v1/resourceslices",
        {"spec": {"driver": "Big.x", "nodeName": "n", "pool": {"name": "p", "generation": 1, "resourceSliceCount": 1}}},
    ),
    (f"{_SPACE}/replicationcontrollers", {"metadata": {"name": _LONG}, "spec": {"template": _TEMPLATE}}),
    ("/apis/resource.k8s.io/v1/deviceclasses", {"metadata": {"name": _LONG}, "spec": {}}),
    (f"{_SPACE}/configmaps", {"metadata": {"name": "x", "labels": {f"{_LONG}/a": "b"}}}),
    *(
        (
            _DEFINITIONS,
            {
                "spec": {
                    "group": "g.test",
                    "scope": "Cluster",
                    "names": {"plural": "xs", "kind": "X"},
                    "versions": [
                        {
                            "name": "v1",
                            "served": True,
                            "storage": True,
                            "schema": {
                                "openAPIV3Schema": {
                                    "type": "object",
                                    "properties": {"spec": {"type": "object", **schema}},
                                }
                            },
                        }
                    ],
                }
            },
        )
        for schema in (
            {"items": ["x"]},
            {"additionalProperties": "x"},
            {"additionalItems": 1},
            {"x-kubernetes-validations": ["a"]},
        )
    ),
]
ASKS += [
    Ask("POST", f"{path}?dryRun=All&fieldValidation=Strict", {"metadata": {"name": "x"}, **body})
    for path, body in SPOILED
]
ENDING = [
    Ask("GET", _SERVICE),
    Ask("POST", _FOOS, {"apiVersion": "NAMESPACE.test/v1", "kind": "Foo", "metadata": {"name": "x", "finalizers": ["a.b/c"]}}),
    _read(f"{_FOOS}/x", "PartialObjectMetadataList"),
    Ask("DELETE", _CRD, {"preconditions": {"uid": "x"}}),
    Ask("DELETE", _CRD, {"preconditions": {"resourceVersion": "1"}}),
    Ask("DELETE", f"{_CRD}?dryRun=All"),
    Ask("DELETE", f"{_CRD}?propagationPolicy=Foreground"),
    Ask("GET", _CRD),
    Ask("DELETE", f"{_CRD}?propagationPolicy=Orphan"),
    Ask("POST", _FOOS, {"apiVersion": "NAMESPACE.test/v1", "kind": "Foo", "metadata": {"name": "y"}}),
]  # fmt: skip


def test_they_are_answered_alike(pair: Pair, namespace: str) -> None:
    _set_up(pair, namespace)

    assert not (found := _differences(pair, namespace, ASKS)), "\n".join(found)


def test_a_definition_ends_alike(pair: Pair, namespace: str) -> None:
    _set_up(pair, namespace)
    pair.await_answer(_in(Ask("GET", _SERVICE), namespace), 200)

    found = _differences(pair, namespace, ENDING)

    pair.set_up(_in(Ask("PATCH", f"{_FOOS}/x", {"metadata": {"finalizers": None}}, MERGE), namespace))
    pair.set_up(_in(Ask("PATCH", _CRD, {"metadata": {"finalizers": None}}, MERGE), namespace))
    for gone in (_CRD, _SERVICE):
        pair.await_answer(_in(Ask("GET", gone), namespace), 404)
    assert not found, "\n".join(found)


def _set_up(pair: Pair, namespace: str) -> None:
    pair.set_up(*(_in(one, namespace) for one in SET_UP))
    pair.await_served(f"/apis/{namespace}.test/v1/foos")


def _differences(pair: Pair, namespace: str, asks: list[Ask]) -> list[str]:
    found = []
    for number, one in enumerate(asks):
        if one.path == _CRD and one.method == "GET":
            time.sleep(1)  # the real server's finalizer looks at the CRD after the answer
        real, ours = ({**normal(answer)} for answer in pair.ask(_in(one, namespace)))
        found += [f"{number} {one}: {line}" for line in differences(_without_prose(real), _without_prose(ours))]
    return found


def _without_prose(answer: Any) -> Any:
    """The answer without what columns are described by, ages and the versions that a message tells."""
    if isinstance(answer, dict):
        body = answer.get("body")
        if isinstance(body, dict) and body.get("kind") == "Table":
            body["columnDefinitions"] = [{**one, "description": ""} for one in body["columnDefinitions"]]
            body["rows"] = [{**row, "cells": []} for row in body["rows"]]
        if isinstance(body, dict) and "in object meta: " in str(body.get("message")):
            body["message"] = body["message"].partition("in object meta: ")[0]
    return answer


def _in(ask: Ask, namespace: str) -> Ask:
    body = None if ask.body is None else json.loads(json.dumps(ask.body).replace("NAMESPACE", namespace))
    return Ask(ask.method, ask.path.replace("NAMESPACE", namespace), body, ask.media, ask.accept)
