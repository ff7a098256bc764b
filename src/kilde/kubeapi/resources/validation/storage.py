"""Validation of volumes, claims and storage classes."""

import math
from collections.abc import Iterator, Sequence

from kilde.core.basics.values import Json, Object
from kilde.kubeapi.resources.causes import (
    Cause,
    Struct,
    duplicate,
    forbidden,
    invalid,
    not_supported,
    required,
    too_long,
)
from kilde.kubeapi.resources.go_structs import changed
from kilde.kubeapi.resources.validation.fields import (
    IMMUTABLE,
    check_selector,
    get,
    items,
    named,
    one_of,
    quantity,
    unchanged,
    word_of,
)
from kilde.kubeapi.resources.validation.names import dns_label, dns_subdomain, qualified_name
from kilde.kubeapi.resources.validation.scheduling import check_node_selector
from kilde.kubeapi.resources.validation.volume_sources import check_persistent_sources, present, recycled_root

_ACCESS_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
_VOLUME_MODES = ("Block", "Filesystem")
_MOST_PARAMETERS, _LARGEST_PARAMETERS = 512, 256 * 1024
_RECLAIM = ("Delete", "Recycle", "Retain")
_BINDING = ("Immediate", "WaitForFirstConsumer")
_ALONE = "ReadWriteOncePod"
_GROWS_WITH = "controllerExpandSecretRef"
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
_MOUNT_OPTIONS = "volume.beta.kubernetes.io/mount-options"
# Volumes that may be mounted with options that an annotation gives.
_MOUNTED = (
    *("awsElasticBlockStore", "azureDisk", "azureFile", "cephfs", "cinder", "gcePersistentDisk", "glusterfs"),
    *("iscsi", "nfs", "photonPersistentDisk", "quobyte", "rbd", "vsphereVolume"),
)
_GENERAL_LABELS = {
    "beta.kubernetes.io/arch": "kubernetes.io/arch",
    "beta.kubernetes.io/instance-type": "node.kubernetes.io/instance-type",
    "beta.kubernetes.io/os": "kubernetes.io/os",
    "failure-domain.beta.kubernetes.io/region": "topology.kubernetes.io/region",
    "failure-domain.beta.kubernetes.io/zone": "topology.kubernetes.io/zone",
}
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
    yield from word_of(spec.get("volumeMode"), _VOLUME_MODES, f"{at}.volumeMode")
    yield from _data_sources(spec, at)


def _data_sources(spec: Object, at: str) -> Iterator[Cause]:
    for key in ("dataSource", "dataSourceRef"):
        one = spec.get(key)
        if one is None:
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
        if key == "dataSourceRef":
            yield from named(one.get("namespace"), dns_label, f"{where}.namespace")
    yield from _agreement(spec.get("dataSource"), spec.get("dataSourceRef"), at)


def _agreement(source: Json, reference: Json, at: str) -> Iterator[Cause]:
    """The two ways to name what a volume begins with name the same. A real server shows its path object, which is empty."""
    if not isinstance(source, dict) or not isinstance(reference, dict):
        return
    if reference.get("namespace"):
        yield invalid(at, {}, "may not be specified when dataSourceRef.namespace is specified")
    elif any(source.get(key) != reference.get(key) for key in ("apiGroup", "kind", "name")):
        yield invalid(at, {}, "must match dataSourceRef")


def _access_modes(modes: Sequence[str], at: str, missing: str) -> Iterator[Cause]:
    if not modes:
        yield required(at, missing)
    for mode in modes:
        if mode not in _ACCESS_MODES:
            yield not_supported(at, mode, _ACCESS_MODES)
    if _ALONE in modes and {*modes} & {*_ACCESS_MODES} - {_ALONE}:
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
    if not before.get("volumeName"):
        before = {key: value for key, value in before.items() if key != "volumeName"}
        before |= {key: spec[key] for key in ("volumeName",) if key in spec}
    if "storageClassName" not in before:  # a class of "" is one: it says that there is to be none
        spec.pop("storageClassName", None)
    bound = get(old, "status", "phase") == "Bound"
    size, was = get(spec, "resources", "requests", "storage"), get(before, "resources", "requests", "storage")
    if bound:
        spec.pop("volumeAttributesClassName", None)
        spec |= {key: before[key] for key in ("volumeAttributesClassName",) if key in before}
        asked = get(spec, "resources", "requests")
        if asked:  # what no longer asks for anything has changed
            spec["resources"] = {**spec["resources"], "requests": {**asked, "storage": was}}
    if spec != before:
        yield forbidden("spec", changed(_CLAIM_FIXED, "PersistentVolumeClaimSpec", before, spec))
    yield from _not_smaller(size, was, get(old, "status", "capacity", "storage"))
    yield from unchanged(spec.get("volumeMode"), before.get("volumeMode"), "volumeMode")


def _not_smaller(size: Json, was: Json, has: Json) -> Iterator[Cause]:
    """A claim may ask for less than before (to recover from a growth that failed), but never for less than it has."""
    new, old, real = (quantity(one or 0) for one in (size, was, has))
    if new is not None and old is not None and real is not None and new.value < old.value and new.value <= real.value:
        yield forbidden("spec.resources.requests.storage", "field can not be less than status.capacity")


def check_volume(volume: Object) -> Iterator[Cause]:
    """What is wrong with a PersistentVolume."""
    spec, name = volume.get("spec") or {}, get(volume, "metadata", "name", default="")
    yield from _access_modes(spec.get("accessModes") or (), "spec.accessModes", "")
    yield from _capacity(spec.get("capacity") or {}, "spec.capacity")
    yield from one_of(spec.get("persistentVolumeReclaimPolicy"), _RECLAIM, "spec.persistentVolumeReclaimPolicy")
    needed = get(spec, "nodeAffinity", "required")
    if needed is not None:
        yield from check_node_selector(needed, "spec.nodeAffinity.required")
    elif spec.get("nodeAffinity") is not None:
        yield required("spec.nodeAffinity.required", "must specify required node constraints")
    yield from check_persistent_sources(spec, "spec", name)
    if recycled_root(spec):
        yield forbidden("spec.persistentVolumeReclaimPolicy", "may not be 'recycle' for a hostPath mount of '/'")
    yield from named(spec.get("storageClassName"), dns_subdomain, "spec.storageClassName")
    if spec.get("volumeMode") is not None and spec["volumeMode"] not in _VOLUME_MODES:
        yield not_supported("spec.volumeMode", spec["volumeMode"], _VOLUME_MODES)
    attributes = spec.get("volumeAttributesClassName")
    if attributes is not None:
        if not attributes:
            yield required("spec.volumeAttributesClassName", "an empty string is disallowed")
        yield from named(attributes, dns_subdomain, "spec.volumeAttributesClassName")
        if spec.get("csi") is None:
            yield required("spec.csi", "has to be specified when using volumeAttributesClassName")
    if _MOUNT_OPTIONS in get(volume, "metadata", "annotations", default={}) and not present(spec, _MOUNTED):
        yield forbidden(f"metadata.annotations.{_MOUNT_OPTIONS}", "may not specify mount options for this volume type")


def check_inline_volume(spec: Object, at: str) -> Iterator[Cause]:
    """What is wrong with the spec of a volume that is attached without a PersistentVolume: it is a CSI driver's."""
    for key in ("claimRef", "capacity"):
        if spec.get(key):
            yield forbidden(f"{at}.{key}", "may not be specified in the context of inline volumes")
    if spec.get("csi") is None:
        yield required(f"{at}.csi", "has to be specified in the context of inline volumes")
    yield from _access_modes(spec.get("accessModes") or (), f"{at}.accessModes", "")
    if spec.get("persistentVolumeReclaimPolicy") not in (None, "", "Retain"):
        words = "may only be Retain in the context of inline volumes"
        yield forbidden(f"{at}.persistentVolumeReclaimPolicy", words)
    if spec.get("nodeAffinity") is not None:
        yield forbidden(f"{at}.nodeAffinity", "may not be specified in the context of inline volumes")
    yield from check_persistent_sources(spec, at, "")
    if spec.get("storageClassName"):
        yield forbidden(f"{at}.storageClassName", "may not be specified in the context of inline volumes")
    if spec.get("volumeMode") not in (None, "Filesystem"):
        words = "may not specify volumeMode other than Filesystem in the context of inline volumes"
        yield forbidden(f"{at}.volumeMode", words)


def _capacity(capacity: Object, at: str) -> Iterator[Cause]:
    if not capacity:
        yield required(at)
    if set(capacity) != {"storage"}:
        yield not_supported(at, dict(capacity) or None, ("storage",))
    for key, amount in capacity.items():
        found = quantity(amount)
        if found is not None and found.value < 0:
            yield invalid(f"{at}[{key}]", math.floor(found.value), "must be a valid resource quantity")
        yield from _positive(amount, f"{at}[{key}]")


def check_volume_update(new: Object, old: Object) -> Iterator[Cause]:
    """What is wrong with a change of a PersistentVolume: where it lies stays."""
    for _ in range(2):  # a real server judges the whole twice, and names each cause twice
        yield from check_volume(new)
    spec, before = new.get("spec") or {}, old.get("spec") or {}
    source, had = _sources(spec, before), _sources(before, before)
    if source != had:
        told = changed(_SOURCE_FIXED, "PersistentVolumeSource", had, source)
        yield forbidden("spec.persistentvolumesource", told)
    yield from unchanged(spec.get("volumeMode"), before.get("volumeMode"), "volumeMode")
    affinity, was = spec.get("nodeAffinity"), before.get("nodeAffinity")
    if was is not None and affinity not in (was, _renewed(was)):
        words = f"{IMMUTABLE}, except for updating from beta label to GA"
        yield invalid("nodeAffinity", _affinity_as_held(affinity), words)
    if before.get("volumeAttributesClassName") is not None and spec.get("volumeAttributesClassName") is None:
        yield forbidden("spec.volumeAttributesClassName", "update from non-nil value to nil is forbidden")


def _sources(spec: Object, before: Object) -> Object:
    """Where a volume lies; the secret that it grows with may be told later."""
    found = {key: value for key, value in spec.items() if key not in _NOT_SOURCES}
    csi, was = spec.get("csi"), before.get("csi")
    if csi and was and was.get(_GROWS_WITH) is None:
        found["csi"] = {key: value for key, value in csi.items() if key != _GROWS_WITH}
    return found


def _renewed(affinity: Json) -> Json:
    """A node affinity with labels that were beta under the names that took their place."""
    if isinstance(affinity, dict):
        return {
            key: _GENERAL_LABELS.get(one, one) if key == "key" and isinstance(one, str) else _renewed(one)
            for key, one in affinity.items()
        }
    return [_renewed(one) for one in affinity] if isinstance(affinity, list) else affinity


def _affinity_as_held(affinity: Json) -> Json:
    """A node affinity as the server holds it: Go's names and order, null where a list is not set."""

    def expressions(term: Json, key: str) -> Json:
        found = get(term, key)
        return found and [
            Struct({"Key": one.get("key") or "", "Operator": one.get("operator") or "", "Values": one.get("values")})
            for one in found
        ]

    if affinity is None:
        return None
    terms = [
        Struct(
            {"MatchExpressions": expressions(term, "matchExpressions"), "MatchFields": expressions(term, "matchFields")}
        )
        for term in get(affinity, "required", "nodeSelectorTerms", default=[])
    ]
    return Struct({"Required": Struct({"NodeSelectorTerms": terms})})


def check_storage_class(obj: Object) -> Iterator[Cause]:
    """What is wrong with a StorageClass."""
    yield from _provisioner(obj.get("provisioner") or "", "provisioner")
    yield from _parameters(obj.get("parameters") or {})
    yield from one_of(obj.get("reclaimPolicy"), ("Delete", "Retain"), "reclaimPolicy")
    if obj.get("volumeBindingMode") is None:
        yield required("volumeBindingMode")
    yield from word_of(obj.get("volumeBindingMode"), _BINDING, "volumeBindingMode")
    yield from _topologies(obj.get("allowedTopologies") or ())


def _provisioner(name: str, at: str) -> Iterator[Cause]:
    if not name:
        yield required(at)
    else:
        yield from (invalid(at, name.lower(), text) for text in qualified_name(name.lower()))


def _parameters(parameters: Object) -> Iterator[Cause]:
    if len(parameters) > _MOST_PARAMETERS:
        yield too_long("parameters", _MOST_PARAMETERS)
        return
    if "" in parameters:
        yield invalid("parameters", "", "field can not be empty.")
    if sum(len(key.encode()) + len(value.encode()) for key, value in parameters.items()) > _LARGEST_PARAMETERS:
        yield too_long("parameters", _LARGEST_PARAMETERS)


def _topologies(terms: Sequence[Object]) -> Iterator[Cause]:
    seen: list[dict[str, frozenset[str]]] = []
    for index, term in enumerate(terms):
        at, found = f"allowedTopologies[{index}].matchLabelExpressions", dict[str, frozenset[str]]()
        for number, one in items(term, "matchLabelExpressions"):
            where, key, values = f"{at}[{number}]", one.get("key") or "", one.get("values") or []
            if not values:
                yield required(f"{where}.values")
            yield from (
                duplicate(f"{where}.values[{i}]", value) for i, value in enumerate(values) if value in values[:i]
            )
            yield from (invalid(f"{where}.key", key, text) for text in qualified_name(key))
            if key in found:
                yield duplicate(f"{where}.key", key)
            found[key] = frozenset(values)
        # A real server looks among as many empty terms as there are terms, besides those before.
        yield from [duplicate(at, "")] * ((0 if found else len(terms)) + seen.count(found))
        seen.append(found)


def check_storage_class_update(new: Object, old: Object) -> Iterator[Cause]:
    """What is wrong with a change of a StorageClass: hardly anything may change."""
    yield from check_storage_class(new)
    for key in ("parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"):
        yield from unchanged(new.get(key), old.get(key), key)


def check_attributes_class(obj: Object) -> Iterator[Cause]:
    """What is wrong with a VolumeAttributesClass."""
    yield from _provisioner(obj.get("driverName") or "", "driverName")
    yield from _parameters(obj.get("parameters") or {})
    if not obj.get("parameters"):
        yield required("parameters", "must contain at least one key/value pair")


def check_attributes_class_update(new: Object, old: Object) -> Iterator[Cause]:
    """What is wrong with a change of a VolumeAttributesClass: it does not change."""
    for key in ("driverName", "parameters"):
        if new.get(key) != old.get(key):
            yield forbidden(key, f"updates to {key} are forbidden.")
    yield from check_attributes_class(new)
