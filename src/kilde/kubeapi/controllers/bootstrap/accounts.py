"""The ServiceAccounts that kube-controller-manager makes for its controllers, each of which works under its own (as with kubeadm)."""

from collections.abc import Iterator

from kilde.core.basics.values import Object

_NAMESPACE = "kube-system"
_NAMES = (
    "attachdetach-controller", "certificate-controller", "clusterrole-aggregation-controller", "cronjob-controller",
    "daemon-set-controller", "deployment-controller", "device-taint-eviction-controller", "disruption-controller",
    "endpoint-controller", "endpointslice-controller", "endpointslicemirroring-controller",
    "ephemeral-volume-controller", "expand-controller", "generic-garbage-collector", "horizontal-pod-autoscaler",
    "job-controller", "legacy-service-account-token-cleaner", "namespace-controller", "node-controller",
    "persistent-volume-binder", "pod-garbage-collector", "pv-protection-controller", "pvc-protection-controller",
    "replicaset-controller", "replication-controller", "resource-claim-controller", "resourcequota-controller",
    "root-ca-cert-publisher", "service-account-controller", "service-cidrs-controller", "statefulset-controller",
    "ttl-after-finished-controller", "ttl-controller", "validatingadmissionpolicy-status-controller",
    "volumeattributesclass-protection-controller",
)  # fmt: skip
# The minor from which a controller runs by default, where it is not the oldest that is served.
_SINCE = {
    "device-taint-eviction-controller": 36,
    "resource-claim-controller": 34,
    "volumeattributesclass-protection-controller": 34,
}


def accounts(version: str) -> Iterator[Object]:
    """Those of a version (`v1.36.3`)."""
    minor = int(version.split(".")[1])
    for name in _NAMES:
        if minor >= _SINCE.get(name, 0):
            meta = {"name": name, "namespace": _NAMESPACE}
            yield {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta}
