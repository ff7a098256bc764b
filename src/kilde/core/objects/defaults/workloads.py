"""Defaults of the workloads of group apps."""

from collections.abc import Callable, Mapping

from kilde.core.basics.values import Object
from kilde.core.objects.defaults.filling import fill

_APPS = "io.k8s.api.apps.v1."


def _deployment(value: Object) -> None:
    fill(value, "replicas", 1)
    fill(value, "revisionHistoryLimit", 10)
    fill(value, "progressDeadlineSeconds", 600)


def _deployment_strategy(value: Object) -> None:
    fill(value, "type", "RollingUpdate")
    _rolling(value, maxUnavailable="25%", maxSurge="25%")


def _rolling(value: Object, **defaults: object) -> None:
    given = value.get("rollingUpdate")
    if value["type"] == "RollingUpdate":
        value["rollingUpdate"] = {**defaults, **(given or {})}
    elif isinstance(given, dict):  # of no use, but the internal form has zeros where nothing is said
        value["rollingUpdate"] = {**dict.fromkeys(defaults, 0), **given}


def _daemon_set(value: Object) -> None:
    fill(value, "revisionHistoryLimit", 10)


def _daemon_set_strategy(value: Object) -> None:
    fill(value, "type", "RollingUpdate")
    _rolling(value, maxUnavailable=1, maxSurge=0)


def _stateful_set(value: Object) -> None:
    fill(value, "podManagementPolicy", "OrderedReady")
    fill(value, "replicas", 1)
    fill(value, "revisionHistoryLimit", 10)
    retention = value.get("persistentVolumeClaimRetentionPolicy") or {}
    value["persistentVolumeClaimRetentionPolicy"] = {"whenDeleted": "Retain", "whenScaled": "Retain", **retention}
    for claim in value.get("volumeClaimTemplates") or ():
        if isinstance(claim, dict):
            claim["apiVersion"], claim["kind"] = "v1", "PersistentVolumeClaim"


def _stateful_set_strategy(value: Object) -> None:
    if "type" not in value:
        value["type"] = "RollingUpdate"
        fill(value, "rollingUpdate", {})
    if isinstance(value.get("rollingUpdate"), dict):
        value["rollingUpdate"] = {"partition": 0, **value["rollingUpdate"]}


def _replica_set(value: Object) -> None:
    fill(value, "replicas", 1)


DEFAULTS: Mapping[str, Callable[[Object], None]] = {
    _APPS + "DeploymentSpec": _deployment,
    _APPS + "DeploymentStrategy": _deployment_strategy,
    _APPS + "DaemonSetSpec": _daemon_set,
    _APPS + "DaemonSetUpdateStrategy": _daemon_set_strategy,
    _APPS + "StatefulSetSpec": _stateful_set,
    _APPS + "StatefulSetUpdateStrategy": _stateful_set_strategy,
    _APPS + "ReplicaSetSpec": _replica_set,
}
