"""Validation of what a container mounts: volumes as folders and as devices."""

from collections.abc import Iterator

from kilde.core.basics.values import Json, Object
from kilde.kubeapi.resources.causes import Cause, forbidden, invalid, not_found, not_supported, required
from kilde.kubeapi.resources.validation.fields import get, items, needed
from kilde.kubeapi.resources.validation.pod_parts import PodParts
from kilde.kubeapi.resources.validation.volumes import safe_path

_PROPAGATION = ("Bidirectional", "HostToContainer", "None")
_READ_ONLY = ("Disabled", "Enabled", "IfPossible")


def check_mounts(container: Object, parts: PodParts, at: str) -> Iterator[Cause]:
    """What is wrong with the mounts and devices of a container."""
    seen: set[str] = set()
    devices = {one.get("name") or "": one.get("devicePath") or "" for _, one in items(container, "volumeDevices")}
    for index, mount in items(container, "volumeMounts"):
        where, name, path = f"{at}.volumeMounts[{index}]", mount.get("name") or "", mount.get("mountPath") or ""
        if not name:
            yield required(f"{where}.name")
        if name not in parts.volumes:
            yield not_found(f"{where}.name", name)
        if not path:
            yield required(f"{where}.mountPath")
        if path in seen:
            yield invalid(f"{where}.mountPath", path, "must be unique")
        seen.add(path)
        if name in devices:
            yield invalid(f"{where}.name", name, "must not already exist in volumeDevices")
        if path in devices.values():
            yield invalid(f"{where}.mountPath", path, "must not already exist as a path in volumeDevices")
        yield from _sub_paths(mount, where, f"{at}.volumeMounts")
        yield from _propagation(container, mount.get("mountPropagation"), f"{at}.volumeMounts.mountPropagation")
        yield from _read_only(mount, f"{at}.volumeMounts.recursiveReadOnly")
    yield from _devices(container, parts, at)


def _sub_paths(mount: Object, where: str, at: str) -> Iterator[Cause]:
    """The real paths have no index but for what excludes another."""
    if mount.get("subPath"):
        yield from safe_path(mount["subPath"], f"{at}.subPath")
    if mount.get("subPathExpr"):
        if mount.get("subPath"):
            words = "subPathExpr and subPath are mutually exclusive"
            yield invalid(f"{where}.subPathExpr", mount["subPathExpr"], words)
        yield from safe_path(mount["subPathExpr"], f"{at}.subPathExpr")


def _read_only(mount: Object, at: str) -> Iterator[Cause]:
    """Read-only to its depths only what is read-only at all. The real path has no index here."""
    way = mount.get("recursiveReadOnly")
    if way is None or way == "Disabled":
        return
    if way not in _READ_ONLY:
        yield not_supported(at, way, _READ_ONLY)
        return
    if not mount.get("readOnly"):
        yield forbidden(at, "may only be specified when readOnly is true")
    if mount.get("mountPropagation") not in (None, "None"):
        yield forbidden(at, "may only be specified when mountPropagation is None or not specified")


def _propagation(container: Object, propagation: Json, at: str) -> Iterator[Cause]:
    """The real path has no index here."""
    if propagation is None:
        return
    if propagation not in _PROPAGATION:
        yield not_supported(at, propagation, _PROPAGATION)
    if propagation == "Bidirectional" and not get(container, "securityContext", "privileged"):
        yield forbidden(at, "Bidirectional mount propagation is available only to privileged containers")


def _devices(container: Object, parts: PodParts, at: str) -> Iterator[Cause]:
    names: set[str] = set()
    paths: set[str] = set()
    mounts = {
        one.get("name") or "": one.get("mountPath") or "" for _, one in items(container, "volumeMounts")
    }  # the last of a name counts
    for index, device in items(container, "volumeDevices"):
        where, name, path = f"{at}.volumeDevices[{index}]", device.get("name") or "", device.get("devicePath") or ""
        yield from needed(name, f"{where}.name")
        if name in names:
            yield invalid(f"{where}.name", name, "must be unique")
        if name not in parts.volumes:
            yield not_found(f"{where}.name", name)
        elif name not in parts.block:
            words = "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode"
            yield invalid(f"{where}.name", name, words)
        yield from needed(path, f"{where}.devicePath")
        if path in paths:
            yield invalid(f"{where}.devicePath", path, "must be unique")
        if ".." in path.split("/"):
            yield invalid(f"{where}.devicePath", path, "can not contain backsteps ('..')")
        else:
            paths.add(path)
        if name in mounts:
            yield invalid(f"{where}.name", name, "must not already exist in volumeMounts")
        if path in mounts.values():
            yield invalid(f"{where}.devicePath", path, "must not already exist as a path in volumeMounts")
        if name:
            names.add(name)
