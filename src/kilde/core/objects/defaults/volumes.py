"""Defaults of volumes in Pods and of PersistentVolumes' sources."""

from collections.abc import Callable, Mapping

from kilde.core.basics.values import Object
from kilde.core.objects.defaults.containers import pull_policy
from kilde.core.objects.defaults.filling import fill

_CORE = "io.k8s.api.core.v1."
_MODE = 0o644


def _volume(value: Object) -> None:
    if value.keys() <= {"name"}:
        value["emptyDir"] = {}


def _image(value: Object) -> None:
    if "pullPolicy" not in value:
        value["pullPolicy"] = pull_policy(str(value.get("reference") or ""))


def _with_mode(value: Object) -> None:
    fill(value, "defaultMode", _MODE)


def _host_path(value: Object) -> None:
    fill(value, "type", "")


def _token(value: Object) -> None:
    fill(value, "expirationSeconds", 3600)


def _iscsi(value: Object) -> None:
    fill(value, "iscsiInterface", "default")


def _rbd(value: Object) -> None:
    fill(value, "pool", "rbd")
    fill(value, "user", "admin")
    fill(value, "keyring", "/etc/ceph/keyring")


def _azure_disk(value: Object) -> None:
    fill(value, "cachingMode", "ReadWrite")
    fill(value, "fsType", "ext4")
    fill(value, "readOnly", False)
    fill(value, "kind", "Shared")


def _scale_io(value: Object) -> None:
    fill(value, "storageMode", "ThinProvisioned")
    fill(value, "fsType", "xfs")


DEFAULTS: Mapping[str, Callable[[Object], None]] = {
    _CORE + "Volume": _volume,
    _CORE + "ImageVolumeSource": _image,
    _CORE + "SecretVolumeSource": _with_mode,
    _CORE + "ConfigMapVolumeSource": _with_mode,
    _CORE + "DownwardAPIVolumeSource": _with_mode,
    _CORE + "ProjectedVolumeSource": _with_mode,
    _CORE + "ServiceAccountTokenProjection": _token,
    _CORE + "HostPathVolumeSource": _host_path,
    _CORE + "ISCSIVolumeSource": _iscsi,
    _CORE + "ISCSIPersistentVolumeSource": _iscsi,
    _CORE + "RBDVolumeSource": _rbd,
    _CORE + "RBDPersistentVolumeSource": _rbd,
    _CORE + "AzureDiskVolumeSource": _azure_disk,
    _CORE + "ScaleIOVolumeSource": _scale_io,
    _CORE + "ScaleIOPersistentVolumeSource": _scale_io,
}
