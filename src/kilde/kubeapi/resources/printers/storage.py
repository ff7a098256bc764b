"""How volumes, claims and their classes are printed."""

from kilde.core.basics.values import Json, Object
from kilde.kubeapi.resources.printers.column import (
    AGE,
    NAME,
    UNSET,
    Column,
    Printer,
    deleting,
    field,
    get,
    joined,
    wide,
)

_MODES = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}
_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
_OLD_CLASS = "volume.beta.kubernetes.io/storage-class"
_VOLUME_MODE = wide("VolumeMode", field("spec", "volumeMode", default=UNSET))
_ATTRIBUTES = Column("VolumeAttributesClass", field("spec", "volumeAttributesClassName", default=UNSET))


def _modes(modes: Json) -> str:
    return ",".join(short for mode, short in _MODES.items() if mode in (modes or ()))


def _phase(obj: Object, now: float) -> str:
    return "Terminating" if deleting(obj) else str(get(obj, "status", "phase", default=""))


def _storage_class(obj: Object, now: float) -> str:
    old = get(obj, "metadata", "annotations", _OLD_CLASS)
    return str(get(obj, "spec", "storageClassName", default="") if old is None else old)


def _claim(volume: Object, now: float) -> str:
    claim = get(volume, "spec", "claimRef")
    return "" if claim is None else f"{claim.get('namespace', '')}/{claim.get('name', '')}"


def _claimed(claim: Object, now: float) -> str:
    """The capacity, once there is a volume."""
    return str(get(claim, "status", "capacity", "storage", default="0")) if get(claim, "spec", "volumeName") else ""


def _claim_modes(claim: Object, now: float) -> str:
    return _modes(get(claim, "status", "accessModes")) if get(claim, "spec", "volumeName") else ""


def _class_name(obj: Object, now: float) -> str:
    default = get(obj, "metadata", "annotations", _DEFAULT_CLASS) == "true"
    return str(get(obj, "metadata", "name", default="")) + (" (default)" if default else "")


def _audiences(driver: Object, now: float) -> str:
    requests = get(driver, "spec", "tokenRequests", default=())
    return joined((one.get("audience", "") for one in requests), empty=UNSET)


PERSISTENT_VOLUME = Printer(
    (
        NAME,
        Column("Capacity", field("spec", "capacity", "storage", default="0")),
        Column("Access Modes", lambda obj, now: _modes(get(obj, "spec", "accessModes"))),
        Column("Reclaim Policy", field("spec", "persistentVolumeReclaimPolicy")),
        Column("Status", _phase),
        Column("Claim", _claim),
        Column("StorageClass", _storage_class),
        _ATTRIBUTES,
        Column("Reason", field("status", "reason")),
        AGE,
        _VOLUME_MODE,
    )
)
PERSISTENT_VOLUME_CLAIM = Printer(
    (
        NAME,
        Column("Status", _phase),
        Column("Volume", field("spec", "volumeName")),
        Column("Capacity", _claimed),
        Column("Access Modes", _claim_modes),
        Column("StorageClass", _storage_class),
        _ATTRIBUTES,
        AGE,
        _VOLUME_MODE,
    )
)
STORAGE_CLASS = Printer(
    (
        Column("Name", _class_name, format="name", description=NAME.description),
        Column("Provisioner", field("provisioner")),
        Column("ReclaimPolicy", field("reclaimPolicy", default="Delete")),
        Column("VolumeBindingMode", field("volumeBindingMode", default="Immediate")),
        Column("AllowVolumeExpansion", field("allowVolumeExpansion", default=False)),
        AGE,
    )
)
CSI_DRIVER = Printer(
    (
        NAME,
        Column("AttachRequired", field("spec", "attachRequired", default=True), "boolean"),
        Column("PodInfoOnMount", field("spec", "podInfoOnMount", default=False), "boolean"),
        Column("StorageCapacity", field("spec", "storageCapacity", default=False), "boolean"),
        Column("TokenRequests", _audiences),
        Column("RequiresRepublish", field("spec", "requiresRepublish", default=False), "boolean"),
        Column("Modes", lambda obj, now: joined(get(obj, "spec", "volumeLifecycleModes", default=()))),
        AGE,
    )
)
CSI_NODE = Printer(
    (NAME, Column("Drivers", lambda obj, now: len(get(obj, "spec", "drivers", default=())), "integer"), AGE)
)
VOLUME_ATTACHMENT = Printer(
    (
        NAME,
        Column("Attacher", field("spec", "attacher"), format="name"),
        Column("PV", field("spec", "source", "persistentVolumeName")),
        Column("Node", field("spec", "nodeName")),
        Column("Attached", field("status", "attached", default=False), "boolean"),
        AGE,
    )
)
VOLUME_ATTRIBUTES_CLASS = Printer((NAME, Column("DriverName", field("driverName")), AGE))
