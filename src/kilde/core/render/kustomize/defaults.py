"""The fields that kustomize's transformers change unless a configuration adds more, and which fields name other objects."""

from kilde.core.render.kustomize.fields import FieldSpec
from kilde.core.render.kustomize.resource import Gvk

_APPS = ("Deployment", "ReplicaSet", "DaemonSet", "StatefulSet")
_RBAC = "rbac.authorization.k8s.io"
_ADMISSION = "admissionregistration.k8s.io"
_TERM = "IgnoredDuringExecution"
_POD = {
    "Pod": "spec",
    "PodTemplate": "template/spec",
    **dict.fromkeys(("Deployment", "ReplicaSet", "DaemonSet", "StatefulSet", "Job"), "spec/template/spec"),
    "CronJob": "spec/jobTemplate/spec/template/spec",
}


def _spec(path: str, kind: str = "", *, group: str = "", version: str = "", create: bool = False) -> FieldSpec:
    return FieldSpec(path, Gvk(group, version, kind), create)


def _metadata(field: str, *, stateful_group: str) -> tuple[FieldSpec, ...]:
    """metadata/FIELD of the object itself and of its pod templates."""
    template = f"spec/template/metadata/{field}"
    return (
        _spec(f"metadata/{field}", create=True),
        _spec(template, "ReplicationController", version="v1", create=True),
        *(_spec(template, kind, create=True) for kind in _APPS[:3]),
        _spec(template, "StatefulSet", group=stateful_group, create=True),
        _spec(template, "Job", group="batch", create=True),
        _spec(f"spec/jobTemplate/metadata/{field}", "CronJob", group="batch", create=True),
        _spec(f"spec/jobTemplate/spec/template/metadata/{field}", "CronJob", group="batch", create=True),
    )


def _spreading(kind: str) -> tuple[FieldSpec, ...]:
    """Selectors inside the affinity and the spread constraints of a pod template; changed only where they exist."""
    pod = "spec/template/spec"
    labels = "labelSelector/matchLabels"
    paths = [
        f"{pod}/affinity/{affinity}/{rest}"
        for affinity in ("podAffinity", "podAntiAffinity")
        for rest in (
            f"preferredDuringScheduling{_TERM}/podAffinityTerm/{labels}",
            f"requiredDuringScheduling{_TERM}/{labels}",
        )
    ]
    return tuple(_spec(path, kind, group="apps") for path in (*paths, f"{pod}/topologySpreadConstraints/{labels}"))


TEMPLATE_LABELS = (
    *_metadata("labels", stateful_group="apps"),
    _spec("spec/volumeClaimTemplates[]/metadata/labels", "StatefulSet", group="apps", create=True),
)
LABELS = (_spec("metadata/labels", create=True),)
COMMON_LABELS = (
    _spec("spec/selector", "Service", version="v1", create=True),
    _spec("spec/selector", "ReplicationController", version="v1", create=True),
    *(_spec("spec/selector/matchLabels", kind, create=True) for kind in _APPS[:3]),
    _spec("spec/selector/matchLabels", "StatefulSet", group="apps", create=True),
    *_spreading("Deployment"),
    *_spreading("StatefulSet"),
    _spec("spec/selector/matchLabels", "Job", group="batch"),
    _spec("spec/jobTemplate/spec/selector/matchLabels", "CronJob", group="batch"),
    _spec("spec/selector/matchLabels", "PodDisruptionBudget", group="policy"),
    *(
        _spec(f"spec/{path}podSelector/matchLabels", "NetworkPolicy", group="networking.k8s.io")
        for path in ("", "ingress/from/", "egress/to/")
    ),
    *TEMPLATE_LABELS,
)
COMMON_ANNOTATIONS = _metadata("annotations", stateful_group="")
NAME = (_spec("metadata/name"),)
NAMESPACE = (
    _spec("metadata/name", "Namespace", create=True),
    _spec("spec/service/namespace", "APIService", group="apiregistration.k8s.io", create=True),
    _spec(
        "spec/conversion/webhook/clientConfig/service/namespace",
        "CustomResourceDefinition",
        group="apiextensions.k8s.io",
    ),
)
IMAGES = tuple(
    _spec(f"{pod}/{path}", create=True)
    for pod in ("spec", "spec/template/spec")
    for path in ("containers[]/image", "initContainers[]/image", "volumes[]/image/reference")
)
REPLICAS = tuple(
    _spec("spec/replicas", kind, create=True)
    for kind in ("Deployment", "ReplicationController", "ReplicaSet", "StatefulSet")
)


def _pod_fields(paths: tuple[str, ...], *, not_in_template: tuple[str, ...] = ()) -> tuple[FieldSpec, ...]:
    """The same fields of a pod wherever a kind holds one."""
    return tuple(
        _spec(f"{pod}/{path}", kind, version="v1" if kind == "Pod" else "")
        for kind, pod in _POD.items()
        for path in paths
        if kind != "PodTemplate" or path not in not_in_template
    )


def _sources(reference: str) -> tuple[str, ...]:
    """Where a container takes environment from."""
    return tuple(
        f"{containers}/{path}"
        for containers in ("containers", "initContainers")
        for path in (f"env/valueFrom/{reference}KeyRef/name", f"envFrom/{reference}Ref/name")
    )


def _pods(path: str, *kinds: str) -> tuple[FieldSpec, ...]:
    """One field of a pod in the kinds that kustomize lists for it."""
    spec = {**_POD, "ReplicationController": "spec/template/spec"}
    return tuple(_spec(f"{spec[kind]}/{path}", kind) for kind in kinds)


_WITH_CONTROLLERS = ("Pod", "StatefulSet", "Deployment", "ReplicationController", "CronJob", "Job", "DaemonSet")
_SCALED = (_spec("spec/scaleTargetRef/name", "HorizontalPodAutoscaler"),)
_RESOURCE_NAMES = (_spec("rules/resourceNames", "Role"), _spec("rules/resourceNames", "ClusterRole"))

NAME_REFERENCES: tuple[tuple[Gvk, tuple[FieldSpec, ...]], ...] = (
    *((Gvk(kind=kind), _SCALED) for kind in ("Deployment", "ReplicationController", "ReplicaSet", "StatefulSet")),
    (
        Gvk(version="v1", kind="ConfigMap"),
        (
            *_pod_fields(
                ("volumes/configMap/name", *_sources("configMap"), "volumes/projected/sources/configMap/name")
            ),
            _spec("spec/configSource/configMap", "Node"),
            *_RESOURCE_NAMES,
            _spec("metadata/annotations/nginx.ingress.kubernetes.io\\/fastcgi-params-configmap", "Ingress"),
        ),
    ),
    (
        Gvk(version="v1", kind="Secret"),
        (
            *_pod_fields(
                (
                    "volumes/secret/secretName",
                    *_sources("secret"),
                    "imagePullSecrets/name",
                    "volumes/projected/sources/secret/name",
                )
            ),
            _spec("spec/tls/secretName", "Ingress"),
            *(
                _spec(f"metadata/annotations/{name}", "Ingress")
                for name in (
                    "ingress.kubernetes.io\\/auth-secret",
                    "nginx.ingress.kubernetes.io\\/auth-secret",
                    "nginx.ingress.kubernetes.io\\/auth-tls-secret",
                )
            ),
            _spec("imagePullSecrets/name", "ServiceAccount"),
            *(
                _spec(f"parameters/{name}", "StorageClass")
                for name in ("secretName", "adminSecretName", "userSecretName", "secretRef")
            ),
            *_RESOURCE_NAMES,
            _spec(
                "spec/template/spec/containers/env/valueFrom/secretKeyRef/name",
                "Service",
                group="serving.knative.dev",
                version="v1",
            ),
            _spec("spec/azureFile/secretName", "PersistentVolume"),
        ),
    ),
    (
        Gvk(version="v1", kind="Service"),
        (
            _spec("spec/serviceName", "StatefulSet", group="apps"),
            *(
                _spec(f"spec/{path}", "Ingress")
                for path in (
                    "rules/http/paths/backend/serviceName",
                    "backend/serviceName",
                    "rules/http/paths/backend/service/name",
                    "defaultBackend/service/name",
                )
            ),
            _spec("spec/service/name", "APIService", group="apiregistration.k8s.io"),
            *(
                _spec("webhooks/clientConfig/service", f"{kind}WebhookConfiguration", group=_ADMISSION)
                for kind in ("Validating", "Mutating")
            ),
        ),
    ),
    (Gvk(_RBAC, "", "Role"), (_spec("roleRef/name", "RoleBinding", group=_RBAC),)),
    (
        Gvk(_RBAC, "", "ClusterRole"),
        (_spec("roleRef/name", "RoleBinding", group=_RBAC), _spec("roleRef/name", "ClusterRoleBinding", group=_RBAC)),
    ),
    (
        Gvk(version="v1", kind="ServiceAccount"),
        (
            _spec("subjects", "RoleBinding", group=_RBAC),
            _spec("subjects", "ClusterRoleBinding", group=_RBAC),
            *_pods("serviceAccountName", *_WITH_CONTROLLERS),
        ),
    ),
    (
        Gvk(version="v1", kind="PersistentVolumeClaim"),
        _pods("volumes/persistentVolumeClaim/claimName", *_WITH_CONTROLLERS),
    ),
    (
        Gvk(version="v1", kind="PersistentVolume"),
        (_spec("spec/volumeName", "PersistentVolumeClaim"), _spec("rules/resourceNames", "ClusterRole")),
    ),
    (
        Gvk("storage.k8s.io", "v1", "StorageClass"),
        (
            _spec("spec/storageClassName", "PersistentVolume"),
            _spec("spec/storageClassName", "PersistentVolumeClaim"),
            _spec("spec/volumeClaimTemplates/spec/storageClassName", "StatefulSet"),
        ),
    ),
    (Gvk("scheduling.k8s.io", "v1", "PriorityClass"), _pods("priorityClassName", *_WITH_CONTROLLERS)),
    # upstream's group holds the version, so this entry selects nothing; kept, because a configuration may merge into it
    (Gvk("networking.k8s.io/v1", "v1", "IngressClass"), (_spec("spec/ingressClassName", "Ingress"),)),
    (
        Gvk(_ADMISSION, "", "ValidatingAdmissionPolicy"),
        (_spec("spec/policyName", "ValidatingAdmissionPolicyBinding", group=_ADMISSION),),
    ),
)


def _variables() -> tuple[FieldSpec, ...]:
    pod = {kind: path for kind, path in _POD.items() if kind != "PodTemplate"}
    container = tuple(
        f"{containers}/{path}"
        for containers in ("containers", "initContainers")
        for path in ("args", "command", "env/value", "volumeMounts/mountPath")
    )
    return (
        *(_spec(f"{path}/{field}", kind) for kind, path in pod.items() for field in container),
        *(
            _spec(f"{path}/volumes/nfs/server", kind)
            for kind, path in pod.items()
            if kind not in ("CronJob", "StatefulSet")
        ),
        _spec("spec/jobTemplate/spec/template/volumes/nfs/server", "CronJob"),
        _spec("spec/volumeClaimTemplates/spec/nfs/server", "StatefulSet"),
        _spec("spec/template/metadata/annotations", "Deployment"),
        *(_spec(f"spec/{path}", "Ingress") for path in ("rules/host", "tls/hosts", "tls/secretName")),
        *(_spec(f"spec/ports/{path}", "Service") for path in ("port", "targetPort")),
        _spec("spec/nfs/server", "PersistentVolume"),
        _spec("metadata/labels"),
        _spec("metadata/annotations"),
    )


VARIABLES = _variables()
