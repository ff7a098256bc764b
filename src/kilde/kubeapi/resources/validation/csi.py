"""Validation of what storage drivers register: CSIDrivers, CSINodes, CSIStorageCapacities, VolumeAttachments."""

from collections.abc import Iterator

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
from kilde.kubeapi.resources.validation.fields import (
    IMMUTABLE,
    NOT_NEGATIVE,
    check_selector,
    get,
    items,
    needed,
    quantity_not_negative,
    unchanged,
)
from kilde.kubeapi.resources.validation.names import dns_subdomain, qualified_name
from kilde.kubeapi.resources.validation.storage import check_inline_volume
from kilde.kubeapi.resources.validation.volume_sources import driver_name

_POLICIES = ("File", "None", "ReadWriteOnceWithFSType")
_MODES = ("Persistent", "Ephemeral")
_ID_LENGTH, _METADATA_SIZE, _ERROR_SIZE = 256, 256 * 1024, 1024


def check_driver(obj: Object) -> Iterator[Cause]:
    """What is wrong with a CSIDriver."""
    spec = obj.get("spec") or {}
    for at, key in (
        ("attachedRequired", "attachRequired"),
        ("podInfoOnMount", "podInfoOnMount"),
        ("storageCapacity", "storageCapacity"),
    ):
        if spec.get(key) is None:
            yield required(f"spec.{at}")
    policy = spec.get("fsGroupPolicy")
    if policy is not None and policy not in _POLICIES:
        yield not_supported("spec.fsGroupPolicy", policy, _POLICIES)
    yield from _token_requests(spec)
    for mode in spec.get("volumeLifecycleModes") or ():
        if mode not in _MODES:
            yield not_supported("spec.volumeLifecycleModes", mode, _MODES)
    if spec.get("seLinuxMount") is None:
        yield required("spec.seLinuxMount")
    period = spec.get("nodeAllocatableUpdatePeriodSeconds")
    if period is not None and period < 10:
        words = "must be greater than or equal to 10 seconds"
        yield invalid("spec.nodeAllocatableUpdatePeriodSeconds", period, words)
    secrets = spec.get("serviceAccountTokenInSecrets")
    if secrets is not None and not spec.get("tokenRequests"):
        words = "serviceAccountTokenInSecrets is set but no tokenRequests are specified"
        yield invalid("spec.serviceAccountTokenInSecrets", secrets, words)


def _token_requests(spec: Object) -> Iterator[Cause]:
    seen: set[str] = set()
    for index, request in items(spec, "tokenRequests"):
        at, audience = f"spec.tokenRequests[{index}]", request.get("audience") or ""
        if audience in seen:
            yield duplicate(f"{at}.audience", audience)
            continue
        seen.add(audience)
        seconds = request.get("expirationSeconds")
        if seconds is not None and seconds < 600:
            yield invalid(f"{at}.expirationSeconds", seconds, "may not specify a duration less than 10 minutes")
        elif seconds is not None and seconds > 1 << 32:
            yield invalid(f"{at}.expirationSeconds", seconds, "may not specify a duration larger than 2^32 seconds")


def check_driver_update(new: Object, old: Object) -> Iterator[Cause]:
    """What is wrong with a change of a CSIDriver."""
    yield from check_driver(new)
    for at, key in (("attachedRequired", "attachRequired"), ("volumeLifecycleModes", "volumeLifecycleModes")):
        yield from unchanged(get(new, "spec", key), get(old, "spec", key), f"spec.{at}")


def check_csi_node(obj: Object) -> Iterator[Cause]:
    """What is wrong with a CSINode."""
    seen: set[str] = set()
    for index, driver in items(obj, "spec", "drivers"):
        at, name, node = f"spec.drivers[{index}]", driver.get("name") or "", driver.get("nodeID") or ""
        yield from driver_name(name, f"{at}.name")
        yield from needed(node, f"{at}.nodeID")
        if len(node) > _ID_LENGTH:
            yield invalid(f"{at}.nodeID", node, f"must be {_ID_LENGTH} characters or less")
        count = get(driver, "allocatable", "count")
        if count is not None and count < 0:
            yield invalid(f"{at}.allocatable.count", count, NOT_NEGATIVE)
        if name in seen:
            yield duplicate(f"{at}.name", name)
        seen.add(name)
        yield from _topology_keys(driver.get("topologyKeys") or [], at)


def _topology_keys(keys: list[str], at: str) -> Iterator[Cause]:
    for index, key in enumerate(keys):
        if not key:
            yield required(at, key)
        if key in keys[:index]:
            yield duplicate(at, key)
        yield from (invalid(at, key, text) for text in qualified_name(key))


def check_csi_node_update(new: Object, old: Object) -> Iterator[Cause]:
    """What is wrong with a change of a CSINode: a driver that is registered keeps all but its limits."""
    yield from check_csi_node(new)
    for _, was in items(old, "spec", "drivers"):
        for _, driver in items(new, "spec", "drivers"):
            if was.get("name") == driver.get("name") and _driver_as_held(was) != _driver_as_held(driver):
                yield invalid("spec.drivers", _driver_as_held(driver), IMMUTABLE)


def _driver_as_held(driver: Object) -> Struct:
    """A driver as the server holds it, without its limits: Go's names and order."""
    held = {"Name": driver.get("name") or "", "NodeID": driver.get("nodeID") or ""}
    return Struct({**held, "TopologyKeys": driver.get("topologyKeys"), "Allocatable": None})


def check_capacity(obj: Object) -> Iterator[Cause]:
    """What is wrong with a CSIStorageCapacity."""
    yield from check_selector(obj.get("nodeTopology"), "nodeTopology")
    name = obj.get("storageClassName") or ""
    yield from (invalid("storageClassName", name, text) for text in dns_subdomain(name))
    yield from quantity_not_negative(obj.get("capacity"), "capacity")


def check_capacity_update(new: Object, old: Object) -> Iterator[Cause]:
    """What is wrong with a change of a CSIStorageCapacity."""
    yield from check_capacity(new)
    for key in ("nodeTopology", "storageClassName"):
        yield from unchanged(new.get(key), old.get(key), key)


def check_attachment(obj: Object) -> Iterator[Cause]:
    """What is wrong with a VolumeAttachment."""
    spec = obj.get("spec") or {}
    yield from driver_name(spec.get("attacher"), "spec.attacher")
    source = spec.get("source") or {}
    name, inline = source.get("persistentVolumeName"), source.get("inlineVolumeSpec")
    if name is None and inline is None:
        yield required("spec.source", "must specify exactly one of inlineVolumeSpec and persistentVolumeName")
    elif name is not None and inline is not None:
        yield forbidden("spec.source", "must specify exactly one of inlineVolumeSpec and persistentVolumeName")
    elif name == "":
        yield required("spec.source.persistentVolumeName", "must specify non empty persistentVolumeName")
    elif inline is not None:
        yield from check_inline_volume(inline, "spec.source.inlineVolumeSpec")
    node = spec.get("nodeName") or ""
    yield from (invalid("spec.nodeName", node, text) for text in dns_subdomain(node))
    yield from _attachment_status(obj.get("status"))
    if name is not None:
        yield from (invalid("spec.source.persistentVolumeName", name, text) for text in dns_subdomain(name))


def _attachment_status(status: Json) -> Iterator[Cause]:
    metadata = get(status, "attachmentMetadata", default={})
    if sum(len(key) + len(value) for key, value in metadata.items()) > _METADATA_SIZE:
        yield too_long("status.attachmentMetadata", _METADATA_SIZE)
    for key in ("attachError", "detachError"):
        found = get(status, key, default={})
        if len(found.get("message") or "") > _ERROR_SIZE:
            yield too_long(f"status.{key}.message", _METADATA_SIZE)
        code = found.get("errorCode")
        if code is not None and code < 0:
            yield invalid(f"status.{key}.errorCode", code, f"must be between 0 and {2**31 - 1}, inclusive")


def check_attachment_update(new: Object, old: Object) -> Iterator[Cause]:
    """What is wrong with a change of a VolumeAttachment."""
    yield from check_attachment(new)
    spec = new.get("spec") or {}
    if spec != (old.get("spec") or {}):
        source = spec.get("source") or {}
        held = {
            "PersistentVolumeName": source.get("persistentVolumeName"),
            "InlineVolumeSpec": source.get("inlineVolumeSpec"),
        }
        dump = {"Attacher": spec.get("attacher"), "Source": Struct(held), "NodeName": spec.get("nodeName")}
        yield invalid("spec", Struct(dump), IMMUTABLE)
