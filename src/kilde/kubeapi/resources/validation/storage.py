"""Validation of volumes, claims and storage classes."""

from collections.abc import Iterator, Sequence

from kilde.core.basics.values import Json, Object
from kilde.kubeapi.resources.causes import Cause, duplicate, forbidden, invalid, not_supported, required, too_long
from kilde.kubeapi.resources.validation.fields import check_selector, get, items, named, one_of, quantity, unchanged
from kilde.kubeapi.resources.validation.names import dns_subdomain, qualified_name
from kilde.kubeapi.resources.validation.scheduling import check_node_selector

_DRIVER_LENGTH = 63
_ACCESS_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
_VOLUME_MODES = ("Block", "Filesystem")
_RECLAIM = ("Delete", "Recycle", "Retain")
_BINDING = ("Immediate", "WaitForFirstConsumer")
_ALONE = "ReadWriteOncePod"
_NOT_SOURCES = frozenset(
    {
        "accessModes",
        "capacity",
        "claimRef",
        "mountOptions",
        "nodeAffinity",
        "persistentVolumeReclaimPolicy",
        "storageClassName",
        "volumeAttributesClassName",
        "volumeMode",
    }
)
# In the order in which a real server looks at them.
_SOURCES = (
    "hostPath",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "glusterfs",
    "flocker",
    "nfs",
    "rbd",
    "quobyte",
    "cephfs",
    "iscsi",
    "cinder",
    "fc",
    "flexVolume",
    "azureFile",
    "vsphereVolume",
    "photonPersistentDisk",
    "portworxVolume",
    "azureDisk",
    "scaleIO",
    "local",
    "storageos",
    "csi",
)
_CLAIM_FIXED = (
    "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
)
_SOURCE_FIXED = "spec.persistentvolumesource is immutable after creation"


def check_claim(claim: Object) -> Iterator[Cause]:
    """What is wrong with a PersistentVolumeClaim."""
    yield from check_claim_spec(claim.get("spec") or {}, "spec")


def check_claim_spec(spec: Object, at: str) -> Iterator[Cause]:
    """What is wrong with the spec of a claim, or of what claims are made from."""
    yield from _access_modes(spec.get("accessModes") or (), f"{at}.accessModes", "at least 1 access mode is required")
    yield from check_selector(spec.get("selector"), f"{at}.selector")
    yield from _positive(get(spec, "resources", "requests", "storage"), f"{at}.resources[storage]")
    for key in ("storageClassName", "volumeAttributesClassName"):
        yield from named(spec.get(key), dns_subdomain, f"{at}.{key}")
    yield from one_of(spec.get("volumeMode"), _VOLUME_MODES, f"{at}.volumeMode")
    yield from _data_sources(spec, at)


def _data_sources(spec: Object, at: str) -> Iterator[Cause]:
    for key in ("dataSource", "dataSourceRef"):
        one = spec.get(key)
        if not one:
            continue
        where = f"{at}.{key}"
        if not one.get("name"):
            yield required(f"{where}.name")
        if not one.get("kind"):
            yield required(f"{where}.kind")
        group = one.get("apiGroup") or ""
        if not group and one.get("kind") != "PersistentVolumeClaim":
            yield invalid(
                where, one.get("kind") or "", "must be 'PersistentVolumeClaim' when referencing the default apiGroup"
            )
        yield from named(group, dns_subdomain, f"{where}.apiGroup")


def _access_modes(modes: Sequence[str], at: str, missing: str) -> Iterator[Cause]:
    if not modes:
        yield required(at, missing)
    for mode in modes:
        if mode not in _ACCESS_MODES:
            yield not_supported(at, mode, _ACCESS_MODES)
    if _ALONE in modes and len(modes) > 1:
        yield forbidden(at, f"may not use {_ALONE} with other access modes")


def _positive(amount: Json, at: str) -> Iterator[Cause]:
    found = None if amount is None else quantity(amount)
    if found is None:
        yield required(at)
    elif found.value <= 0:
        yield invalid(at, found.text, "must be greater than zero")


def check_claim_update(new: Object, old: Object) -> Iterator[Cause]:
    """What is wrong with a change of a claim: it may grow once it is bound, and be given what it had not."""
    yield from check_claim(new)
    spec, before = dict(new.get("spec") or {}), dict(old.get("spec") or {})
    for key in ("volumeName", "storageClassName"):
        if not before.get(key):
            spec.pop(key, None)
            before.pop(key, None)
    bound = get(old, "status", "phase") == "Bound"
    size, was = get(spec, "resources", "requests", "storage"), get(before, "resources", "requests", "storage")
    if bound:
        for one in (spec, before):
            one.pop("volumeAttributesClassName", None)
            one["resources"] = {key: value for key, value in (one.get("resources") or {}).items() if key != "requests"}
    if spec != before:
        yield forbidden("spec", _CLAIM_FIXED)
    yield from _not_smaller(size, was, get(old, "status", "capacity", "storage"))
    yield from unchanged(spec.get("volumeMode"), before.get("volumeMode"), "volumeMode")


def _not_smaller(size: Json, was: Json, has: Json) -> Iterator[Cause]:
    """A claim may ask for less than before (to recover from a growth that failed), but never for less than it has."""
    new, old, real = (quantity(one or 0) for one in (size, was, has))
    if new is not None and old is not None and real is not None and new.value < old.value and new.value <= real.value:
        yield forbidden("spec.resources.requests.storage", "field can not be less than status.capacity")


def check_volume(volume: Object) -> Iterator[Cause]:
    """What is wrong with a PersistentVolume."""
    spec = volume.get("spec") or {}
    yield from _access_modes(spec.get("accessModes") or (), "spec.accessModes", "")
    capacity = spec.get("capacity") or {}
    if not capacity:
        yield required("spec.capacity")
    if set(capacity) != {"storage"}:
        yield not_supported("spec.capacity", dict(capacity) or None, ("storage",))
    if "storage" in capacity:
        yield from _positive(capacity["storage"], "spec.capacity[storage]")
    sources = [key for key in _SOURCES if spec.get(key) is not None]
    if not sources:
        yield required("spec", "must specify a volume type")
    for source in sources[:1]:  # of more than one, the first counts
        yield from _source(source, spec)
    for extra in sources[1:]:
        yield forbidden(f"spec.{extra}", "may not specify more than 1 volume type")
    yield from one_of(spec.get("persistentVolumeReclaimPolicy"), _RECLAIM, "spec.persistentVolumeReclaimPolicy")
    yield from named(spec.get("storageClassName"), dns_subdomain, "spec.storageClassName")
    yield from one_of(spec.get("volumeMode"), _VOLUME_MODES, "spec.volumeMode")
    needed = get(spec, "nodeAffinity", "required")
    if needed is not None:
        yield from check_node_selector(needed, "spec.nodeAffinity.required")
    elif spec.get("nodeAffinity") is not None:
        yield required("spec.nodeAffinity.required", "must specify required node constraints")


def _source(key: str, spec: Object) -> Iterator[Cause]:
    if key == "hostPath":
        yield from _host_path(spec)
    elif key == "csi":
        yield from _csi(spec["csi"])
    elif key == "local" and not spec["local"].get("path"):
        yield required("spec.local.path")


def _csi(source: Json) -> Iterator[Cause]:
    if source is None:
        return
    yield from driver_name(source.get("driver"), "spec.csi.driver")
    if not source.get("volumeHandle"):
        yield required("spec.csi.volumeHandle")
    for key in (
        "controllerPublishSecretRef",
        "controllerExpandSecretRef",
        "nodePublishSecretRef",
        "nodeExpandSecretRef",
        "nodeStageSecretRef",
    ):
        secret = source.get(key)
        if secret is not None:
            yield from (required(f"spec.csi.{key}.{name}") for name in ("name", "namespace") if not secret.get(name))


def driver_name(value: Json, at: str) -> Iterator[Cause]:
    """The name of a CSI driver: a subdomain of at most 63 letters."""
    text = value or ""
    if not text:
        yield required(at)
        return
    if len(text) > _DRIVER_LENGTH:
        yield too_long(at, _DRIVER_LENGTH)
    yield from (invalid(at, text, words) for words in dns_subdomain(text.lower()))


def _host_path(spec: Object) -> Iterator[Cause]:
    path = get(spec, "hostPath", "path", default="")
    if spec.get("hostPath") is None:
        return
    if not path:
        yield required("spec.hostPath.path")
    elif ".." in path.split("/"):
        yield invalid("spec.hostPath.path", path, "must not contain '..'")
    if path.rstrip("/") == "" and spec.get("persistentVolumeReclaimPolicy") == "Recycle":
        yield forbidden("spec.hostPath.path", "may not be '/' for a recycle policy")


def check_volume_update(new: Object, old: Object) -> Iterator[Cause]:
    """What is wrong with a change of a PersistentVolume: where it lies stays."""
    for _ in range(2):  # a real server judges the whole twice, and names each cause twice
        yield from check_volume(new)
    spec, before = new.get("spec") or {}, old.get("spec") or {}
    if {key: value for key, value in spec.items() if key not in _NOT_SOURCES} != {
        key: value for key, value in before.items() if key not in _NOT_SOURCES
    }:
        yield forbidden("spec.persistentvolumesource", _SOURCE_FIXED)
    yield from unchanged(spec.get("volumeMode"), before.get("volumeMode"), "volumeMode")
    if before.get("nodeAffinity") is not None:
        yield from unchanged(spec.get("nodeAffinity"), before.get("nodeAffinity"), "nodeAffinity")


def check_storage_class(obj: Object) -> Iterator[Cause]:
    """What is wrong with a StorageClass."""
    provisioner = obj.get("provisioner") or ""
    if not provisioner:
        yield required("provisioner")
    else:
        yield from (invalid("provisioner", provisioner.lower(), text) for text in qualified_name(provisioner.lower()))
    yield from one_of(obj.get("reclaimPolicy"), ("Delete", "Retain"), "reclaimPolicy")
    yield from one_of(obj.get("volumeBindingMode"), _BINDING, "volumeBindingMode", needed=True)
    if any(not key for key in obj.get("parameters") or {}):
        yield invalid("parameters", "", "field can not be empty.")
    yield from _topologies(obj.get("allowedTopologies") or ())


def _topologies(terms: Sequence[Object]) -> Iterator[Cause]:
    seen: list[dict[str, frozenset[str]]] = []
    for index, term in enumerate(terms):
        at, found = f"allowedTopologies[{index}].matchLabelExpressions", dict[str, frozenset[str]]()
        for number, one in items(term, "matchLabelExpressions"):
            where, key, values = f"{at}[{number}]", one.get("key") or "", one.get("values") or []
            yield from (invalid(f"{where}.key", key, text) for text in qualified_name(key))
            if not values:
                yield required(f"{where}.values")
            yield from (
                duplicate(f"{where}.values[{i}]", value) for i, value in enumerate(values) if value in values[:i]
            )
            if key in found:
                yield duplicate(f"{where}.key", key)
            found[key] = frozenset(values)
        if not found or found in seen:
            yield duplicate(at, "")
        seen.append(found)


def check_storage_class_update(new: Object, old: Object) -> Iterator[Cause]:
    """What is wrong with a change of a StorageClass: hardly anything may change."""
    yield from check_storage_class(new)
    for key in ("parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"):
        yield from unchanged(new.get(key), old.get(key), key)


def check_attributes_class(obj: Object) -> Iterator[Cause]:
    """What is wrong with a VolumeAttributesClass."""
    if not obj.get("driverName"):
        yield required("driverName")
    if not obj.get("parameters"):
        yield required("parameters", "must contain at least one key/value pair")


def check_attributes_class_update(new: Object, old: Object) -> Iterator[Cause]:
    """What is wrong with a change of a VolumeAttributesClass: it does not change."""
    for key in ("driverName", "parameters"):
        if new.get(key) != old.get(key):
            yield forbidden(key, f"updates to {key} are forbidden.")
