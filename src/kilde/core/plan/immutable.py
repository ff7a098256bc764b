"""Fields that an API server does not let be changed: such a change needs the object deleted and made anew, or it is refused.

The rules are those of Kubernetes' validation (pkg/apis/*/validation, ValidateUpdate) for built-in kinds. What a custom kind's rules
say (`self == oldSelf`) is known to the server alone: a dry run tells.
"""

from collections.abc import Iterable, Mapping

from kilde.core.basics.values import Object
from kilde.core.objects.ref import GroupKind, ObjectRef
from kilde.core.plan.change import FieldChange

_FIXED: Mapping[GroupKind, tuple[str, ...]] = {
    GroupKind("apps", "Deployment"): ("spec.selector",),
    GroupKind("apps", "ReplicaSet"): ("spec.selector",),
    GroupKind("apps", "DaemonSet"): ("spec.selector",),
    GroupKind("batch", "Job"): ("spec.selector", "spec.template", "spec.completionMode", "spec.podFailurePolicy"),
    GroupKind("", "Secret"): ("type",),
    GroupKind("rbac.authorization.k8s.io", "RoleBinding"): ("roleRef",),
    GroupKind("rbac.authorization.k8s.io", "ClusterRoleBinding"): ("roleRef",),
    GroupKind("storage.k8s.io", "StorageClass"): ("provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"),
    GroupKind("networking.k8s.io", "IngressClass"): ("spec.controller",),
    GroupKind("scheduling.k8s.io", "PriorityClass"): ("value", "preemptionPolicy"),
    GroupKind("node.k8s.io", "RuntimeClass"): ("handler",),
    GroupKind("apiextensions.k8s.io", "CustomResourceDefinition"): ("spec.group", "spec.scope", "spec.names.plural"),
}
_ONLY: Mapping[GroupKind, tuple[str, ...]] = {  # all of the spec is fixed but these
    GroupKind("apps", "StatefulSet"): (
        "spec.replicas", "spec.template", "spec.updateStrategy", "spec.minReadySeconds", "spec.ordinals",
        "spec.persistentVolumeClaimRetentionPolicy", "spec.revisionHistoryLimit",
    ),
    GroupKind("", "PersistentVolumeClaim"): ("spec.resources", "spec.volumeAttributesClassName", "spec.volumeName"),
    GroupKind("", "Pod"): (
        "spec.containers", "spec.initContainers", "spec.ephemeralContainers", "spec.activeDeadlineSeconds", "spec.tolerations",
        "spec.schedulingGates", "spec.terminationGracePeriodSeconds",
    ),
}  # fmt: skip
_SEALED = (GroupKind("", "ConfigMap"), GroupKind("", "Secret"))


def immutable_fields(ref: ObjectRef, live: Object, fields: Iterable[FieldChange]) -> tuple[str, ...]:
    """The paths among these changes that the server refuses."""
    kind = ref.group_kind
    fixed = _FIXED.get(kind, ())
    if kind in _SEALED and live.get("immutable") is True:
        fixed = (*fixed, "data", "binaryData", "stringData", "immutable")
    open_ones = _ONLY.get(kind)
    return tuple(
        field.path
        for field in fields
        if _under(field.path, fixed) or (open_ones is not None and _spec_but(field.path, open_ones))
    )


def _spec_but(path: str, open_ones: tuple[str, ...]) -> bool:
    return _under(path, ("spec",)) and not _under(path, open_ones)


def _under(path: str, prefixes: Iterable[str]) -> bool:
    return any(path == one or path.startswith((f"{one}.", f"{one}[")) for one in prefixes)
