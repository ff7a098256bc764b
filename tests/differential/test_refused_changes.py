"""A change that is refused is told by both servers alike, letter by letter: the structs that they print, and how two differ."""

import re
from typing import Any

import pytest

from differential.sides import Ask, Pair

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(120)]

MERGE, STRATEGIC = "application/merge-patch+json", "application/strategic-merge-patch+json"
_UID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_CLAIM = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
_AFFINITY = {
    "topologyKey": "k",
    "labelSelector": {"matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}]},
}
_SPEC: dict[str, Any] = {
    "restartPolicy": "Never",
    "containers": [
        {
            "name": "c",
            "image": "i",
            "env": [{"name": "A", "value": "<&>"}],
            "livenessProbe": {"httpGet": {"port": "x"}},
            "resources": {"limits": {"cpu": "1"}},
        }
    ],
    "affinity": {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [_AFFINITY]}},
    "volumes": [
        {"name": "v", "emptyDir": {"sizeLimit": "1Gi"}},
        {"name": "r", "rbd": {"monitors": ["m"], "image": "i"}},
        {"name": "e", "ephemeral": {"volumeClaimTemplate": {"metadata": {"labels": {"x": "z"}}, "spec": _CLAIM}}},
    ],
}
_POD = {
    **_SPEC,
    "hostNetwork": True,
    "shareProcessNamespace": True,
    "securityContext": {"runAsUser": 5},
    "initContainers": [{"name": "i", "image": "i", "restartPolicy": "Always"}],
    "tolerations": [{"key": "a", "operator": "Exists"}],
    "topologySpreadConstraints": [
        {
            "maxSkew": 1,
            "topologyKey": "z",
            "whenUnsatisfiable": "DoNotSchedule",
            "labelSelector": {"matchLabels": {"b": "1", "a": "2"}},
        }
    ],
}
_JOB = {"template": {"metadata": {"labels": {"a": "b"}}, "spec": _SPEC}}
_DEVICES = {"devices": {"requests": [{"name": "a", "exactly": {"deviceClassName": "c"}}]}}
_CORE, _JOBS, _RESOURCE = (f"/{root}/namespaces/NS" for root in ("api/v1", "apis/batch/v1", "apis/resource.k8s.io/v1"))
OBJECTS: dict[str, dict[str, Any]] = {
    f"{_JOBS}/jobs/j": {"spec": _JOB},
    f"{_JOBS}/jobs/held": {"spec": {"suspend": True, **_JOB}},
    f"{_CORE}/pods/p": {"spec": _POD},
    f"{_CORE}/persistentvolumeclaims/c": {
        "spec": {**_CLAIM, "storageClassName": "x", "selector": {"matchLabels": {"b": "1", "a": "2"}}}
    },
    "/api/v1/persistentvolumes/NS": {
        "spec": {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "nfs": {"server": "s", "path": "/p"}}
    },
    f"{_RESOURCE}/resourceclaims/r": {"spec": _DEVICES},
    f"{_RESOURCE}/resourceclaimtemplates/r": {"spec": {"spec": _DEVICES}},
}
_IN_TEMPLATE = {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "other"}]}}}}
_SOURCE = {"selector": None, "dataSource": {"kind": "PersistentVolumeClaim", "name": "n"}}
_EXIT = {"rules": [{"action": "FailJob", "onExitCodes": {"operator": "In", "values": [3]}}]}
_ENV = [{"name": "B", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]
CHANGES: list[tuple[str, dict[str, Any], str]] = [
    *((f"{_JOBS}/jobs/{name}", _IN_TEMPLATE, STRATEGIC) for name in ("j", "held")),
    (f"{_JOBS}/jobs/j", {"spec": {"template": {"metadata": {"annotations": {"q": "r"}}}}}, MERGE),
    (f"{_JOBS}/jobs/j", {"spec": {"selector": {"matchLabels": {"a": "z"}}}}, MERGE),
    (f"{_JOBS}/jobs/j", {"spec": {"podFailurePolicy": _EXIT}}, MERGE),
    (f"{_JOBS}/jobs/j", {"spec": {"successPolicy": {"rules": [{"succeededCount": 1}]}}}, MERGE),
    *(
        (f"{_CORE}/pods/p", {"spec": spec}, STRATEGIC)
        for spec in (
            {"containers": [{"name": "c", "command": ["x", "<y>"]}]},
            {"containers": [{"name": "c", "image": "zz", "env": _ENV}]},
            {"containers": [{"name": "c", "resources": {"limits": {"cpu": "2"}}}]},
            {"hostPID": True},
            {"nodeName": "n"},
            {"securityContext": {"runAsGroup": 3}},
            {"volumes": [{"name": "n", "configMap": {"name": "c"}}]},
            {"dnsConfig": {"nameservers": ["192.0.2.1"]}},
            {"affinity": None},
            {"terminationGracePeriodSeconds": 5, "activeDeadlineSeconds": 4},
        )
    ),
    (f"{_CORE}/pods/p/ephemeralcontainers", {"spec": {"ephemeralContainers": [{"name": "e", "image": "j"}]}}, STRATEGIC),
    (f"{_CORE}/pods/p/ephemeralcontainers", {"spec": {"ephemeralContainers": []}}, MERGE),
    *(
        (f"{_CORE}/persistentvolumeclaims/c", {"spec": spec}, MERGE)
        for spec in (
            {"accessModes": ["ReadWriteMany"]},
            {"storageClassName": "y"},
            {"volumeName": "y", "volumeMode": "Block"},
            {"resources": {"requests": {"storage": "2Gi"}}},
            {"resources": {"requests": {"storage": "1Mi"}}},
            _SOURCE,
        )
    ),
    ("/api/v1/persistentvolumes/NS", {"spec": {"nfs": {"path": "/q"}}}, MERGE),
    ("/api/v1/persistentvolumes/NS", {"spec": {"nfs": None, "hostPath": {"path": "/q"}}}, MERGE),
    (f"{_RESOURCE}/resourceclaims/r", {"spec": {"devices": {"requests": None}}}, MERGE),
    (f"{_RESOURCE}/resourceclaimtemplates/r", {"spec": {"metadata": {"labels": {"a": "b"}}}}, MERGE),
]  # fmt: skip


def test_they_are_told_alike(pair: Pair, namespace: str) -> None:
    for path, body in OBJECTS.items():
        collection, _, name = path.replace("NS", namespace).rpartition("/")
        pair.set_up(Ask("POST", collection, {"metadata": {"name": name}, **body}))
    ephemeral = {"spec": {"ephemeralContainers": [{"name": "e", "image": "i"}]}}
    pair.set_up(Ask("PATCH", f"{_CORE}/pods/p/ephemeralcontainers".replace("NS", namespace), ephemeral, STRATEGIC))
    found = []
    for path, body, media in CHANGES:
        answers = pair.ask(Ask("PATCH", path.replace("NS", namespace), body, media))
        assert answers[0]["code"] == 422, (path, body, answers[0])
        real, ours = ([answer["code"], _UID.sub("<uid>", str(answer["body"].get("message")))] for answer in answers)
        if real != ours:
            found.append(f"{path} {body}:\nreal {real}\nours {ours}")

    assert not found, "\n".join(found)
