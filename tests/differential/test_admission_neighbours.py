"""Pod security in every version of its levels, limits and quotas: what a real API server refuses, ours refuses in the same words."""

from typing import Any

import pytest

from differential.normal import differences, normal
from differential.sides import Ask, Pair

pytestmark = [pytest.mark.live, pytest.mark.slow, pytest.mark.timeout(120)]

_LABEL = "pod-security.kubernetes.io/"
_C: dict[str, Any] = {"name": "c", "image": "i"}
_GOOD = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def _with(**context: Any) -> dict[str, Any]:
    return {**_C, "securityContext": context}


SPECS: dict[str, dict[str, Any]] = {
    "plain": {"containers": [_C]},
    "good": {"containers": [_with(**_GOOD)]},
    "host": {
        "hostNetwork": True,
        "hostPID": True,
        "hostIPC": True,
        "containers": [{**_C, "ports": [{"containerPort": port, "hostPort": port} for port in (9, 80)]}],
    },
    "volumes": {
        "containers": [_C],
        "volumes": [
            {"name": "a", "hostPath": {"path": "/"}},
            {"name": "b", "nfs": {"server": "s", "path": "/p"}},
            {"name": "c", "emptyDir": {}},
        ],
    },
    "proc": {"containers": [_with(procMount="Unmasked", runAsUser=0)], "hostUsers": False},
    "selinux": {
        "securityContext": {"seLinuxOptions": {"type": "x", "user": "u", "role": "r"}},
        "containers": [_with(seLinuxOptions={"type": "container_engine_t"})],
    },
    "seccomp": {
        "securityContext": {"seccompProfile": {"type": "Unconfined"}},
        "containers": [_with(seccompProfile={"type": "Unconfined"})],
    },
    "root": {"securityContext": {"runAsUser": 0, "runAsNonRoot": False}, "containers": [_with(runAsUser=0)]},
    "sysctls": {
        "securityContext": {
            "sysctls": [
                {"name": name, "value": "1"}
                for name in ("net.core.somaxconn", "kernel.shm_rmid_forced", "net.ipv4.tcp_rmem")
            ]
        },
        "containers": [_C],
    },
    "apparmor": {
        "securityContext": {"appArmorProfile": {"type": "Unconfined"}},
        "containers": [_with(appArmorProfile={"type": "Unconfined"})],
    },
    "windows": {"os": {"name": "windows"}, "containers": [_C]},
    "capabilities": {"containers": [_with(capabilities={"add": ["NET_BIND_SERVICE", "CHOWN", "NET_RAW"]})]},
    "probes": {
        "containers": [
            {
                **_C,
                "lifecycle": {"postStart": {"httpGet": {"port": 80, "host": "192.0.2.1"}}},
                "livenessProbe": {"tcpSocket": {"port": 1, "host": "a"}},
            }
        ]
    },
}
LEVELS = [(level, version) for level in ("baseline", "restricted") for version in ("latest", "v1.0", "v1.24", "v1.34")]
LIMITS = [
    {
        "type": "Container",
        "max": {"cpu": "1", "memory": "1Gi"},
        "min": {"cpu": "50m"},
        "default": {"cpu": "200m"},
        "maxLimitRequestRatio": {"cpu": "3"},
    },
    {"type": "Pod", "max": {"cpu": "1500m"}, "maxLimitRequestRatio": {"memory": "2"}},
    {"type": "PersistentVolumeClaim", "min": {"storage": "1Gi"}, "max": {"storage": "5Gi"}},
]
SIZES: list[dict[str, Any]] = [
    {},
    {"limits": {"cpu": "2"}},
    {"requests": {"cpu": "10m"}},
    {"requests": {"memory": "1Mi"}, "limits": {"memory": "100Mi"}},
]
_ELSEWHERE = {
    "requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "k", "namespaces": ["x"], "labelSelector": {}}]
}
PODS: dict[str, dict[str, Any]] = {
    "best-effort": {"containers": [_C]},
    "burstable": {"containers": [{**_C, "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "2"}}}]},
    "ephemeral": {"containers": [{**_C, "resources": {"requests": {"ephemeral-storage": "1Gi"}, "limits": {"memory": "2Gi"}}}]},
    "elsewhere": {"affinity": {"podAntiAffinity": _ELSEWHERE}, "containers": [_C]},
    "whole": {"resources": {"requests": {"cpu": "2"}, "limits": {"memory": "3Gi"}}, "containers": [_C]},
    "beside": {
        "containers": [{**_C, "resources": {"requests": {"cpu": "100m"}, "limits": {"memory": "1Mi"}}}],
        "initContainers": [
            {"name": "s", "image": "i", "restartPolicy": "Always", "resources": {"requests": {"cpu": "300m"}, "limits": {"memory": "1Mi"}}},
            {"name": "p", "image": "i", "resources": {"requests": {"cpu": "250m"}, "limits": {"memory": "1Mi"}}},
        ],
    },
}  # fmt: skip
QUOTAS: list[dict[str, Any]] = [
    {"hard": {"pods": "0"}, "scopes": ["CrossNamespacePodAffinity"]},
    {"hard": {"limits.memory": "1Gi", "requests.ephemeral-storage": "1Mi"}},
    {"hard": {"requests.cpu": "500m"}},
    {"hard": {"pods": "3"}},
]


def test_pod_security_is_enforced_alike(pair: Pair, namespace: str) -> None:
    found: list[str] = []
    for level, version in LEVELS:
        labels = {f"{_LABEL}enforce": level, f"{_LABEL}enforce-version": version}
        pair.set_up(Ask("PATCH", f"/api/v1/namespaces/{namespace}", _labelled(labels), "application/merge-patch+json"))
        for name, spec in SPECS.items():
            notes = {"container.apparmor.security.beta.kubernetes.io/c": "unconfined"} if name == "apparmor" else {}
            body = {"metadata": {"name": "p", "annotations": notes}, "spec": spec}
            asked = Ask("POST", f"/api/v1/namespaces/{namespace}/pods?dryRun=All", body)
            found += _different(pair, f"{level} {version} {name}", asked)

    assert not found, "\n".join(found)


def test_limits_are_judged_alike(pair: Pair, namespace: str) -> None:
    space = f"/api/v1/namespaces/{namespace}"
    pair.set_up(Ask("POST", f"{space}/limitranges", {"metadata": {"name": "l"}, "spec": {"limits": LIMITS}}))
    found: list[str] = []
    for size in SIZES:
        spec = {
            "containers": [{**_C, "resources": size}, {"name": "d", "image": "i"}],
            "initContainers": [{"name": "i", "image": "i", "resources": size}],
        }
        found += _different(
            pair, str(size), Ask("POST", f"{space}/pods?dryRun=All", {"metadata": {"name": "p"}, "spec": spec})
        )
    for storage in ("1Mi", "6Gi"):
        claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": storage}}}
        asked = Ask("POST", f"{space}/persistentvolumeclaims?dryRun=All", {"metadata": {"name": "c"}, "spec": claim})
        found += _different(pair, storage, asked)

    assert not found, "\n".join(found)


@pytest.mark.parametrize("spec", QUOTAS, ids=[str(one["hard"]) for one in QUOTAS])
def test_quotas_are_charged_alike(pair: Pair, namespace: str, spec: dict[str, Any]) -> None:
    space = f"/api/v1/namespaces/{namespace}"
    pair.set_up(Ask("POST", f"{space}/resourcequotas", {"metadata": {"name": "q"}, "spec": spec}))
    status = {"hard": spec["hard"], "used": dict.fromkeys(spec["hard"], "0")}
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q"}, "spec": spec, "status": status}
    pair.set_up(Ask("PUT", f"{space}/resourcequotas/q/status", quota))
    found: list[str] = []
    for name, pod in PODS.items():
        found += _different(pair, name, Ask("POST", f"{space}/pods", {"metadata": {"name": name}, "spec": pod}))
    found += _different(pair, "used", Ask("GET", f"{space}/resourcequotas/q"))

    assert not found, "\n".join(found)


def _labelled(labels: dict[str, str]) -> dict[str, Any]:
    return {"metadata": {"labels": labels}}


def _different(pair: Pair, name: str, ask: Ask) -> list[str]:
    real, ours = map(normal, pair.ask(ask))
    return [f"{name}: {line}" for line in differences(real, ours)]
