"""Which file knows the actions of a kind (`group/Kind`): one line each; a file is imported when it is asked for."""

from typing import Final

_FLUX: Final = {
    "source.toolkit.fluxcd.io": ("GitRepository", "OCIRepository", "HelmRepository", "HelmChart", "Bucket"),
    "kustomize.toolkit.fluxcd.io": ("Kustomization",),
    "helm.toolkit.fluxcd.io": ("HelmRelease",),
    "image.toolkit.fluxcd.io": ("ImageRepository", "ImageUpdateAutomation"),
    "notification.toolkit.fluxcd.io": ("Alert", "Provider", "Receiver"),
}

KINDS: Final = {
    "apps/Deployment": "workloads",
    "apps/StatefulSet": "workloads",
    "apps/DaemonSet": "workloads",
    "batch/CronJob": "jobs",
    "batch/Job": "jobs",
    "argoproj.io/Rollout": "argo_rollouts",
    "argoproj.io/AnalysisRun": "argo_rollouts",
    "argoproj.io/WorkflowTemplate": "argo_workflows",
    "argoproj.io/CronWorkflow": "argo_workflows",
    "argoproj.io/Application": "argo_cd",
    "keda.sh/ScaledObject": "keda",
    "keda.sh/ScaledJob": "keda",
    "postgresql.cnpg.io/Cluster": "cloud_native_pg",
    "external-secrets.io/ExternalSecret": "external_secrets",
    "external-secrets.io/PushSecret": "external_secrets",
    "k8s.mariadb.com/MariaDB": "mariadb",
    "psmdb.percona.com/PerconaServerMongoDB": "percona",
    "core.strimzi.io/StrimziPodSet": "strimzi",
    "capsule.clastix.io/GlobalTenantResource": "capsule",
    "capsule.clastix.io/Tenant": "capsule",
    "capsule.clastix.io/TenantResource": "capsule",
    "numaflow.numaproj.io/InterStepBufferService": "numaflow",
    "numaflow.numaproj.io/MonoVertex": "numaflow",
    "numaflow.numaproj.io/Pipeline": "numaflow",
    "numaplane.numaproj.io/MonoVertexRollout": "numaplane",
    "numaplane.numaproj.io/PipelineRollout": "numaplane",
    "promoter.argoproj.io/PullRequest": "promoter",
    **{f"{group}/{kind}": "flux" for group, kinds in _FLUX.items() for kind in kinds},
}
"""Each file has ACTIONS: the actions of each kind it knows, in the order they are shown."""
