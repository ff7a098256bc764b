"""CHECKS: every built-in kind that has a health, one line each; CUSTOM: the custom ones by group, loaded when one is met.

A new kind is one file here (or a line in its group's), one line here, and its cases.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from kilde.core.health.check import Check
from kilde.core.health.checks import (
    api_service,
    argo_rollout,
    argo_workflow,
    cron_job,
    custom_resource_definition,
    daemon_set,
    deployment,
    horizontal_pod_autoscaler,
    ingress,
    job,
    persistent_volume_claim,
    pod,
    pod_disruption_budget,
    replica_set,
    sealed_secret,
    service,
    stateful_set,
    vault_secret,
)
from kilde.core.objects.ref import GroupKind

CHECKS: Final[Mapping[GroupKind, Check]] = MappingProxyType(
    {
        GroupKind("", "PersistentVolumeClaim"): Check(persistent_volume_claim.judge, ("v1",)),
        GroupKind("", "Pod"): Check(pod.judge, ("v1",)),
        GroupKind("", "Service"): Check(service.judge, ("v1",)),
        GroupKind("apiextensions.k8s.io", "CustomResourceDefinition"): Check(custom_resource_definition.judge),
        GroupKind("apiregistration.k8s.io", "APIService"): Check(api_service.judge, ("v1", "v1beta1")),
        GroupKind("apps", "DaemonSet"): Check(daemon_set.judge, ("v1",)),
        GroupKind("apps", "Deployment"): Check(deployment.judge, ("v1",)),
        GroupKind("apps", "ReplicaSet"): Check(replica_set.judge, ("v1",)),
        GroupKind("apps", "StatefulSet"): Check(stateful_set.judge, ("v1",)),
        GroupKind("argoproj.io", "Rollout"): Check(argo_rollout.judge),
        GroupKind("argoproj.io", "Workflow"): Check(argo_workflow.judge),
        GroupKind("autoscaling", "HorizontalPodAutoscaler"): Check(
            horizontal_pod_autoscaler.judge, ("v1", "v2", "v2beta1", "v2beta2"), "HPA"
        ),
        GroupKind("batch", "CronJob"): Check(cron_job.judge),
        GroupKind("batch", "Job"): Check(job.judge, ("v1",)),
        GroupKind("bitnami.com", "SealedSecret"): Check(sealed_secret.judge),
        GroupKind("extensions", "Ingress"): Check(ingress.judge),
        GroupKind("kilde.dev", "VaultSecret"): Check(vault_secret.judge),
        GroupKind("networking.k8s.io", "Ingress"): Check(ingress.judge),
        GroupKind("policy", "PodDisruptionBudget"): Check(pod_disruption_budget.judge),
    }
)

CUSTOM: Final[Mapping[str, str]] = MappingProxyType(
    {
        "acid.zalan.do": "zalando",
        "acme.cert-manager.io": "certmanager",
        "addons.cluster.x-k8s.io": "cluster_api",
        "apps.openshift.io": "openshift",
        "argoproj.io": "argo",
        "autoscaling.k8s.io": "vertical_pod_autoscaler",
        "camel.apache.org": "camel",
        "capabilities.3scale.net": "three_scale",
        "ceph.rook.io": "rook",
        "cert-manager.io": "certmanager",
        "clickhouse.altinity.com": "click_house",
        "cluster.x-k8s.io": "cluster_api",
        "controlplane.cluster.x-k8s.io": "cluster_api",
        "core.gardener.cloud": "gardener",
        "core.humio.com": "humio",
        "datadoghq.com": "datadog",
        "elasticsearch.k8s.elastic.co": "elastic",
        "external-secrets.io": "external_secrets",
        "flagger.app": "flagger",
        "flink.apache.org": "flink",
        "gateway.networking.k8s.io": "gateway_api",
        "gloo.solo.io": "gloo",
        "grafana.integreatly.org": "grafana",
        "helm.toolkit.fluxcd.io": "flux",
        "iammanager.keikoproj.io": "iamrole",
        "image.toolkit.fluxcd.io": "flux",
        "k8s.keycloak.org": "keycloak",
        "k8s.mariadb.com": "mariadb",
        "kafka.strimzi.io": "strimzi",
        "karpenter.k8s.aws": "karpenter",
        "karpenter.sh": "karpenter",
        "keda.sh": "keda",
        "kiali.io": "kiali",
        "kubevirt.io": "kubevirt",
        "kustomize.toolkit.fluxcd.io": "flux",
        "kyverno.io": "kyverno",
        "lifecycle.keptn.sh": "keptn",
        "longhorn.io": "longhorn",
        "minio.min.io": "minio",
        "monitoring.coreos.com": "prometheus_operator",
        "networking.gke.io": "gke",
        "nmstate.io": "nmstate",
        "notification.toolkit.fluxcd.io": "flux",
        "objectbucket.io": "object_bucket",
        "operator.victoriametrics.com": "victoria_metrics",
        "operators.coreos.com": "olm",
        "postgresql.cnpg.io": "cloud_native_pg",
        "projectcontour.io": "contour",
        "psmdb.percona.com": "percona",
        "pxc.percona.com": "percona",
        "rabbitmq.com": "rabbit_mq",
        "route.openshift.io": "openshift",
        "serving.knative.dev": "knative",
        "serving.kserve.io": "knative",
        "snapshot.storage.k8s.io": "snapshot",
        "source.toolkit.fluxcd.io": "flux",
        "trident.netapp.io": "trident",
        "velero.io": "velero",
    }
)
"""Group → the file here whose KINDS has its kinds ("_": any other kind of the group)."""

FAMILIES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "cnrm.cloud.google.com": "config_connector",
        "crossplane.io": "crossplane",
        "services.k8s.aws": "aws_controllers",
        "upbound.io": "crossplane",
    }
)
"""The same for every group below a domain; KINDS may name one kind of one group as `group/kind`."""
