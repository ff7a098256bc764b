"""Bodies with fields and values that a release keeps, drops or refuses by its feature gates: what each is about → (path, body)."""

from typing import Any

_ONE = {"name": "c", "image": "i"}
_SELECTOR = {"matchLabels": {"a": "b"}}
_TEMPLATE = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [_ONE]}}
_CLAIM = {
    "accessModes": ["ReadWriteOnce"],
    "resources": {"requests": {"storage": "1Gi"}},
    "volumeAttributesClassName": "x",
}
_APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/c"
Case = tuple[str, dict[str, Any]]


def _made(kind: str, spec: dict[str, Any], *, group: str = "", name: str = "x", cluster: bool = False) -> Case:
    place = "" if cluster else "namespaces/NAMESPACE/"
    root = f"/apis/{group}" if group else "/api/v1"
    return f"{root}/{place}{kind}", {"metadata": {"name": name}, "spec": spec}


def _pod(annotations: dict[str, str] | None = None, **spec: Any) -> Case:
    path, body = _made("pods", {"containers": [_ONE], **spec})
    return path, {**body, "metadata": {"name": "x", "annotations": annotations or {}}}


def _container(**more: Any) -> Case:
    return _pod(containers=[{**_ONE, **more}])


def _source(**source: Any) -> Case:
    return _pod(volumes=[{"name": "v", "projected": {"sources": [source]}}])


def _service(wanted: str, name: str = "x") -> Case:
    return _made("services", {"ports": [{"port": 1}], "trafficDistribution": wanted}, name=name)


_MOUNTED = {**_ONE, "volumeMounts": [{"name": "v", "mountPath": "/x"}]}
_FILE = {"name": "A", "valueFrom": {"fileKeyRef": {"volumeName": "v", "path": "p", "key": "k"}}}
_RULE = {"action": "Restart", "exitCodes": {"operator": "In", "values": [1]}}
_SPREAD = {"rollingUpdate": {"maxUnavailable": 2}, "type": "RollingUpdate"}
_FAR = {"kind": "X", "name": "n", "apiGroup": "a.b", "namespace": "q"}
_BACKEND = {"service": {"name": "1s", "port": {"number": 1}}}
_HINTED = {"addresses": ["1.2.3.4"], "hints": {"forZones": [{"name": "z"}], "forNodes": [{"name": "n"}]}}

CASES: dict[str, Case] = {
    "a pod's own resources": _pod(resources={"requests": {"cpu": "1"}}),
    "a pod's own guarantee": _pod(
        resources={"requests": {"cpu": "1", "memory": "1Mi"}, "limits": {"cpu": "1", "memory": "1Mi"}}
    ),
    "a stop signal": _container(lifecycle={"stopSignal": "SIGTERM"}),
    "an image volume": _pod(volumes=[{"name": "v", "image": {"reference": "x"}}], containers=[_MOUNTED]),
    "a resource claim": _pod(
        resourceClaims=[{"name": "r", "resourceClaimName": "x"}],
        containers=[{**_ONE, "resources": {"claims": [{"name": "r"}]}}],
    ),
    "a host name": _pod(hostnameOverride="h"),
    "rules of restarts": _container(restartPolicy="Never", restartPolicyRules=[_RULE]),
    "a container's restarts": _container(restartPolicy="Always"),
    "a variable from a file": _pod(volumes=[{"name": "v", "emptyDir": {}}], containers=[{**_ONE, "env": [_FILE]}]),
    "a pod's certificate": _source(podCertificate={"signerName": "a.b/c", "keyType": "ED25519"}),
    "a bundle of trust": _source(clusterTrustBundle={"name": "x", "path": "p"}),
    "a comparing toleration": _pod(tolerations=[{"key": "a", "operator": "Gt", "value": "1"}]),
    "the host's network": _pod(hostUsers=False, hostNetwork=True),
    "a group": _pod(schedulingGroup={"podGroupName": "g"}),
    "a profile": _pod(securityContext={"appArmorProfile": {"type": "RuntimeDefault"}}),
    "an old profile": _pod({_APP_ARMOR: "localhost/p"}),
    "an odd old profile": _pod({_APP_ARMOR: "what"}),
    "a profile of nobody": _pod({f"{_APP_ARMOR}x": "unconfined"}),
    "two profiles": _pod({_APP_ARMOR: "unconfined"}, securityContext={"appArmorProfile": {"type": "RuntimeDefault"}}),
    "two filters": _pod(
        {"seccomp.security.alpha.kubernetes.io/pod": "localhost/a"},
        securityContext={"seccompProfile": {"type": "Localhost", "localhostProfile": "b"}},
    ),
    "an odd filter": _pod({"container.seccomp.security.alpha.kubernetes.io/c": "odd"}),
    "an odd file of a filter": _pod({"container.seccomp.security.alpha.kubernetes.io/c": "localhost//a/../b"}),
    "a mirror": _pod({"kubernetes.io/config.mirror": "x"}),
    "an odd cost": _pod({"controller.kubernetes.io/pod-deletion-cost": "+1"}),
    "a cost": _pod({"controller.kubernetes.io/pod-deletion-cost": "-1"}),
    "a template's odd cost": _made(
        "deployments",
        {
            "selector": _SELECTOR,
            "template": {
                **_TEMPLATE,
                "metadata": {
                    "labels": {"a": "b"},
                    "annotations": {"controller.kubernetes.io/pod-deletion-cost": "x", _APP_ARMOR: "y"},
                },
            },
        },
        group="apps/v1",
    ),
    "a claim's class": _made("persistentvolumeclaims", _CLAIM),
    "a claim's far source": _made("persistentvolumeclaims", {**_CLAIM, "dataSourceRef": _FAR}),
    "a volume's class": _made(
        "persistentvolumes",
        {
            "capacity": {"storage": "1Gi"},
            "accessModes": ["ReadWriteOnce"],
            "csi": {"driver": "a.b", "volumeHandle": "h"},
            "volumeAttributesClassName": "x",
            "storageClassName": "s",
        },
        name="gated",
        cluster=True,
    ),
    "a set's rollout": _made(
        "statefulsets",
        {"serviceName": "x", "selector": _SELECTOR, "template": _TEMPLATE, "updateStrategy": _SPREAD},
        group="apps/v1",
    ),
    "near traffic": _service("PreferSameNode"),
    "close traffic": _service("PreferClose"),
    "odd traffic": _service("Bad"),
    "a service's name": _service("PreferClose", "1x"),
    "a backend's name": _made("ingresses", {"defaultBackend": _BACKEND}, group="networking.k8s.io/v1"),
    "a tolerance": _made(
        "horizontalpodautoscalers",
        {
            "maxReplicas": 3,
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "n"},
            "behavior": {"scaleDown": {"tolerance": "0.1"}},
        },
        group="autoscaling/v2",
    ),
    "a driver's period": _made(
        "csidrivers",
        {"nodeAllocatableUpdatePeriodSeconds": 20, "tokenRequests": [{"audience": "a"}]},
        group="storage.k8s.io/v1",
        name="gated.test",
        cluster=True,
    ),
    "hints of nodes": (
        "/apis/discovery.k8s.io/v1/namespaces/NAMESPACE/endpointslices",
        {"metadata": {"name": "x"}, "addressType": "IPv4", "endpoints": [_HINTED]},
    ),
}
