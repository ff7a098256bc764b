"""What sequences of kubectl commands found to be answered otherwise, as the requests that tell: on both servers alike."""

from typing import Any

import pytest

from differential.normal import differences, normal
from differential.sides import Ask, Pair

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(120)]

MERGE, JSON_PATCH = "application/merge-patch+json", "application/json-patch+json"
_SPACE = "/api/v1/namespaces/NAMESPACE"
_MAP, _POD = f"{_SPACE}/configmaps/m", f"{_SPACE}/pods/p"
_SCALERS = "/apis/autoscaling/v2/namespaces/NAMESPACE/horizontalpodautoscalers?dryRun=All"
_OBJECT = {"type": "Object", "object": {"metric": {"name": "m"}, "target": {"type": "Value", "value": "1"}}}


def _container(**more: Any) -> dict[str, Any]:
    return {"containers": [{"name": "c", "image": "i", **more}]}


def _scaler(version: str, kind: str, described: str) -> dict[str, Any]:
    about = {"apiVersion": described, "kind": "K", "name": "n"}
    metric = {**_OBJECT, "object": {**_OBJECT["object"], "describedObject": about}}  # type: ignore[dict-item]
    target = {"apiVersion": version, "kind": kind, "name": "x"}
    return {"metadata": {"name": "h"}, "spec": {"maxReplicas": 2, "scaleTargetRef": target, "metrics": [metric]}}


SET_UP = [
    Ask("POST", f"{_SPACE}/configmaps", {"metadata": {"name": "m"}}),
    Ask("POST", f"{_SPACE}/pods", {"metadata": {"name": "p"}, "spec": _container()}),
    Ask("POST", f"{_SPACE}/pods", {"metadata": {"name": "q"}, "spec": _container()}),
    Ask("POST", f"{_SPACE}/limitranges", {
        "metadata": {"name": "l"},
        "spec": {"limits": [
            {"type": "Container", "default": {"cpu": "200m"}, "max": {"cpu": "2"}},
            {"type": "PersistentVolumeClaim", "max": {"storage": "1Gi"}},
        ]},
    }),
    Ask("POST", f"{_SPACE}/persistentvolumeclaims", {
        "metadata": {"name": "v"},
        "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "none", "resources": {"requests": {"storage": "1Mi"}}},
    }),
]  # fmt: skip
ASKS = [
    *(Ask("PATCH", _MAP, body, MERGE) for body in ("[]", '"x"', "7", "true", "null")),
    *(Ask("PATCH", _MAP, {key: "X"}, MERGE) for key in ("kind", "apiVersion")),
    *(Ask("PATCH", _MAP, [{"op": op, "path": "/kind", "value": "X"}], JSON_PATCH) for op in ("replace", "remove")),
    *(
        Ask("POST", _SCALERS, _scaler(version, kind, described))
        for version, kind, described in (
            ("v1", "Deployment", "v1"),
            ("v1", "ReplicationController", "v1"),
            ("", "ReplicationController", "a/b"),
            ("a/b/c", "X", "a/b/c"),
            ("/v1", "Deployment", ""),
        )
    ),
    *(
        Ask("POST", f"{_SPACE}/services{dry}", {"metadata": {"name": "s"}, "spec": {"clusterIP": address, "ports": [{"port": 80}]}})
        for dry in ("?dryRun=All", "")
        for address in ("192.0.2.9", "10.0.0.0", "10.0.255.255")
    ),
    *(
        Ask("POST", f"{_SPACE}/pods?dryRun=All", {"metadata": {"name": "n"}, "spec": _container(resources=wanted)})
        for wanted in ({"requests": {"cpu": "3"}}, {"limits": {"cpu": "3"}})
    ),
    *(
        Ask("PATCH", f"{_SPACE}/persistentvolumeclaims/v", {"spec": {"resources": {"requests": {"storage": size}}}}, MERGE)
        for size in ("2Mi", "2Gi")
    ),
    Ask("PATCH", "/api/v1/namespaces/NAMESPACE", {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "baseline"}}}, MERGE),
    Ask("PATCH", "/api/v1/namespaces/NAMESPACE", {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}, MERGE),
    Ask("PATCH", _POD, {"spec": _container(image="j")}, "application/strategic-merge-patch+json"),
    Ask("PATCH", _POD, {"metadata": {"labels": {"a": "b"}}}, MERGE),
]  # fmt: skip


def test_they_are_answered_alike(pair: Pair, namespace: str) -> None:
    pair.set_up(*(_in(one, namespace) for one in SET_UP))
    found: list[str] = []
    for number, one in enumerate(ASKS):
        real, ours = map(normal, pair.ask(_in(one, namespace)))
        found += [f"{number} {one}: {line}" for line in differences(real, ours)]

    assert not found, "\n".join(found)


def _in(ask: Ask, namespace: str) -> Ask:
    return Ask(ask.method, ask.path.replace("NAMESPACE", namespace), ask.body, ask.media)
