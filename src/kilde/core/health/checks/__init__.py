"""CHECKS: every kind that has a health, one line each. A new kind is one file here, one line here, and its cases."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from kilde.core.health.check import Check
from kilde.core.health.checks import (
    api_service,
    argo_workflow,
    daemon_set,
    deployment,
    horizontal_pod_autoscaler,
    ingress,
    job,
    persistent_volume_claim,
    pod,
    replica_set,
    sealed_secret,
    service,
    stateful_set,
)
from kilde.core.objects.ref import GroupKind

CHECKS: Final[Mapping[GroupKind, Check]] = MappingProxyType(
    {
        GroupKind("", "PersistentVolumeClaim"): Check(persistent_volume_claim.judge, ("v1",)),
        GroupKind("", "Pod"): Check(pod.judge, ("v1",)),
        GroupKind("", "Service"): Check(service.judge, ("v1",)),
        GroupKind("apiregistration.k8s.io", "APIService"): Check(api_service.judge, ("v1", "v1beta1")),
        GroupKind("apps", "DaemonSet"): Check(daemon_set.judge, ("v1",)),
        GroupKind("apps", "Deployment"): Check(deployment.judge, ("v1",)),
        GroupKind("apps", "ReplicaSet"): Check(replica_set.judge, ("v1",)),
        GroupKind("apps", "StatefulSet"): Check(stateful_set.judge, ("v1",)),
        GroupKind("argoproj.io", "Workflow"): Check(argo_workflow.judge),
        GroupKind("autoscaling", "HorizontalPodAutoscaler"): Check(
            horizontal_pod_autoscaler.judge, ("v1", "v2", "v2beta1", "v2beta2"), "HPA"
        ),
        GroupKind("batch", "Job"): Check(job.judge, ("v1",)),
        GroupKind("bitnami.com", "SealedSecret"): Check(sealed_secret.judge),
        GroupKind("extensions", "Ingress"): Check(ingress.judge),
        GroupKind("networking.k8s.io", "Ingress"): Check(ingress.judge),
    }
)
