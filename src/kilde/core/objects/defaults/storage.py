"""Defaults of volumes, claims, storage classes and CSI drivers."""

from collections.abc import Callable, Mapping

from kilde.core.basics.values import Object
from kilde.core.objects.defaults.filling import fill

_CORE = "io.k8s.api.core.v1."
_STORAGE = "io.k8s.api.storage.v1."


def _volume(value: Object) -> None:
    spec = value.get("spec")
    if isinstance(spec, dict):
        fill(spec, "persistentVolumeReclaimPolicy", "Retain")
        fill(spec, "volumeMode", "Filesystem")


def _pending(value: Object) -> None:
    fill(value, "phase", "Pending")


def _claim(value: Object) -> None:
    fill(value, "volumeMode", "Filesystem")


def _storage_class(value: Object) -> None:
    fill(value, "reclaimPolicy", "Delete")
    fill(value, "volumeBindingMode", "Immediate")


def _csi_driver(value: Object) -> None:
    fill(value, "attachRequired", True)
    fill(value, "podInfoOnMount", False)
    fill(value, "storageCapacity", False)
    fill(value, "fsGroupPolicy", "ReadWriteOnceWithFSType")
    fill(value, "volumeLifecycleModes", ["Persistent"])
    fill(value, "requiresRepublish", False)
    fill(value, "seLinuxMount", False)


DEFAULTS: Mapping[str, Callable[[Object], None]] = {
    _CORE + "PersistentVolume": _volume,
    _CORE + "PersistentVolumeStatus": _pending,
    _CORE + "PersistentVolumeClaimSpec": _claim,
    _CORE + "PersistentVolumeClaimStatus": _pending,
    _STORAGE + "StorageClass": _storage_class,
    _STORAGE + "CSIDriverSpec": _csi_driver,
}
