"""Validation of where a volume's data lie: the sources that a PersistentVolume and a pod's volume have in common."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from kilde.core.basics.values import Json, Object
from kilde.kubeapi.resources.causes import Cause, forbidden, invalid, not_supported, required, too_long
from kilde.kubeapi.resources.validation.fields import between, get, named, needed
from kilde.kubeapi.resources.validation.names import dns_label, dns_subdomain

Source = Callable[[Object, str], Iterator[Cause]]

_DRIVER_LENGTH = 63
_HOST_PATH_TYPES = ("", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket")
# The first of several sources counts, in an order that differs between pods and PersistentVolumes only by what only one of them has.
_ORDER = (
    *("emptyDir", "hostPath", "gitRepo", "gcePersistentDisk", "awsElasticBlockStore", "secret"),
    *("nfs", "iscsi", "glusterfs", "flocker", "persistentVolumeClaim", "rbd", "cinder", "cephfs", "quobyte"),
    *("downwardAPI", "fc", "flexVolume", "configMap", "azureFile", "vsphereVolume", "photonPersistentDisk"),
    *("portworxVolume", "azureDisk", "storageos", "projected", "scaleIO", "csi", "ephemeral", "image"),
)
_PERSISTENT_ORDER = (
    *("hostPath", "gcePersistentDisk", "awsElasticBlockStore", "glusterfs", "flocker", "nfs", "rbd", "quobyte"),
    *("cephfs", "iscsi", "cinder", "fc", "flexVolume", "azureFile", "vsphereVolume", "photonPersistentDisk"),
    *("portworxVolume", "azureDisk", "scaleIO", "local", "storageos", "csi"),
)
# Sources of which no more is asked than that these are there.
_NEEDED: Mapping[str, tuple[str, ...]] = {
    "azureFile": ("secretName", "shareName"),
    "cephfs": ("monitors",),
    "glusterfs": ("endpoints", "path"),
    "photonPersistentDisk": ("pdID",),
    "portworxVolume": ("volumeID",),
    "rbd": ("monitors", "image"),
    "scaleIO": ("gateway", "system", "volumeName"),
    "vsphereVolume": ("volumePath",),
}
# How the real server spells a field where it is not its name.
_SPELLED = {"gcePersistentDisk": "persistentDisk"}
_MISSPELLED = {"cephfs": "cephFS", "downwardAPI": "downwarAPI"}
_ISCSI_NAMES = {
    "iqn": re.compile(r"iqn\.\d{4}-\d{2}\.([0-9A-Za-z.-]+)(:[^,;*&$|\s]+)$", re.ASCII),
    "eui": re.compile(r"^eui.[0-9A-Za-z]{16}$", re.ASCII),
    "naa": re.compile(r"^naa.[0-9A-Za-z]{32}$", re.ASCII),
}
_PAIRS = "must be a host:port pair or multiple pairs separated by commas"
_ISCSI_LENGTH = "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified."


def present(volume: Object, order: Sequence[str]) -> list[str]:
    """The sources that are set, in the order in which a real server looks at them."""
    return [key for key in order if volume.get(key) is not None]


def check_sources(volume: Object, at: str, own: Mapping[str, Source], order: Sequence[str] = _ORDER) -> Iterator[Cause]:
    """One source, and nothing wrong with it; `own` are the checks of sources that only this kind of volume has."""
    sources = present(volume, order)
    for position, key in enumerate(sources):
        if position and not (key == "flexVolume" and order is _PERSISTENT_ORDER):
            yield forbidden(f"{at}.{_MISSPELLED.get(key, key)}", "may not specify more than 1 volume type")
            continue
        check = own.get(key) or _SOURCES.get(key)
        if check is not None:
            yield from check(volume[key], f"{at}.{_SPELLED.get(key, key)}")
    if not sources:
        yield required(at, "must specify a volume type")


def check_persistent_sources(spec: Object, at: str, name: str) -> Iterator[Cause]:
    """The source of a PersistentVolume of that name; those that name a Secret name its namespace, too."""
    own: dict[str, Source] = {
        "azureFile": _azure_file,
        "cinder": _cinder_of_cluster,
        "csi": _csi,
        "glusterfs": _glusterfs_of_cluster,
        "iscsi": lambda source, where: iscsi(source, where, name),
        "local": lambda source, where: _local(source, where, spec),
        "storageos": _storageos_of_cluster,
    }
    yield from check_sources(spec, at, own, _PERSISTENT_ORDER)


def _filled(*keys: str) -> Source:
    def check(source: Object, at: str) -> Iterator[Cause]:
        for key in keys:
            yield from needed(source.get(key), f"{at}.{key}")

    return check


def no_backsteps(path: str, at: str) -> Iterator[Cause]:
    """A path never leads up."""
    if ".." in path.split("/"):
        yield invalid(at, path, "must not contain '..'")


def _host_path(source: Object, at: str) -> Iterator[Cause]:
    if not source.get("path"):
        yield required(f"{at}.path")
        return
    yield from no_backsteps(source["path"], f"{at}.path")
    if (source.get("type") or "") not in _HOST_PATH_TYPES:
        yield not_supported(f"{at}.type", source["type"], _HOST_PATH_TYPES)


def _local(source: Object, at: str, spec: Object) -> Iterator[Cause]:
    yield from needed(source.get("path"), f"{at}.path")
    yield from no_backsteps(source.get("path") or "", f"{at}.path")
    if spec.get("nodeAffinity") is None:
        yield required(at.removesuffix("local") + "nodeAffinity", "Local volume requires node affinity")


def _partition(source: Object, at: str) -> Iterator[Cause]:
    number = source.get("partition") or 0
    if not 0 <= number <= 255:
        yield invalid(f"{at}.partition", number, "must be between 1 and 255, inclusive")


def _gce_disk(source: Object, at: str) -> Iterator[Cause]:
    yield from needed(source.get("pdName"), f"{at}.pdName")
    yield from _partition(source, at)


def _aws_disk(source: Object, at: str) -> Iterator[Cause]:
    yield from needed(source.get("volumeID"), f"{at}.volumeID")
    yield from _partition(source, at)


def _nfs(source: Object, at: str) -> Iterator[Cause]:
    path = source.get("path") or ""
    yield from needed(source.get("server"), f"{at}.server")
    yield from needed(path, f"{at}.path")
    if not path.startswith("/"):
        yield invalid(f"{at}.path", path, "must be an absolute path")


def _flocker(source: Object, at: str) -> Iterator[Cause]:
    name, uuid = source.get("datasetName") or "", source.get("datasetUUID") or ""
    if not name and not uuid:
        yield required(at, "one of datasetName and datasetUUID is required")
    if name and uuid:
        yield invalid(at, "resource", "datasetName and datasetUUID can not be specified simultaneously")
    if "/" in name:
        yield invalid(f"{at}.datasetName", name, "must not contain '/'")


def _quobyte(source: Object, at: str) -> Iterator[Cause]:
    registry = source.get("registry") or ""
    if not registry:
        yield required(f"{at}.registry", _PAIRS)
    elif len(source.get("tenant") or "") > 64:
        yield required(f"{at}.tenant", "must be a UUID and may not exceed a length of 64 characters")
    else:
        for pair in registry.split(","):
            if not re.fullmatch(r"(\[[^\[\]]*\]|[^:\[\]]*):[^:\[\]]*", pair):
                yield invalid(f"{at}.registry", registry, _PAIRS)
    yield from needed(source.get("volume"), f"{at}.volume")


def _glusterfs_of_cluster(source: Object, at: str) -> Iterator[Cause]:
    yield from _SOURCES["glusterfs"](source, at)
    namespace = source.get("endpointsNamespace")
    if namespace == "":
        words = "if the endpointnamespace is set, it must be a valid namespace name"
        yield invalid(f"{at}.endpointsNamespace", namespace, words)
    yield from named(namespace, dns_label, f"{at}.endpointsNamespace")


def iscsi(source: Object, at: str, volume: str | None = None) -> Iterator[Cause]:
    """An iSCSI disk; `volume` is the name of the PersistentVolume that it is of, None for one of a pod."""
    portal, name, initiator = source.get("targetPortal") or "", source.get("iqn") or "", source.get("initiatorName")
    odd = "must be valid format" + ("" if volume is not None else " starting with iqn, eui, or naa")
    yield from needed(portal, f"{at}.targetPortal")
    if volume is not None and initiator is not None and len(f"{volume}:{portal}") > 64:
        yield invalid(f"{at}.targetportal", portal, _ISCSI_LENGTH)
    yield from needed(name, f"{at}.iqn")
    if name:
        yield from _iscsi_name(name, f"{at}.iqn", odd)
    yield from between(source.get("lun") or 0, 0, 255, f"{at}.lun")
    secret = source.get("secretRef")
    if (source.get("chapAuthDiscovery") or source.get("chapAuthSession")) and secret is None:
        yield required(f"{at}.secretRef")
    if volume is not None and secret is not None:
        yield from needed(secret.get("name"), f"{at}.secretRef.name")
    if initiator is not None:
        yield from _iscsi_name(initiator, f"{at}.initiatorname", odd)


def _iscsi_name(name: str, at: str, odd: str) -> Iterator[Cause]:
    pattern = _ISCSI_NAMES.get(name[:3])
    if pattern is None:
        yield invalid(at, name, odd)
    elif not pattern.search(name):
        yield invalid(at, name, "must be valid format")


def iscsi_length(volume: Object, at: str) -> Iterator[Cause]:
    """The name of a pod's volume and the portal of its iSCSI disk together are short."""
    name, disk = volume.get("name") or "", volume.get("iscsi")
    if disk and disk.get("initiatorName") is not None and len(f"{name}:{disk.get('targetPortal') or ''}") > 64:
        yield invalid(f"{at}.name", name, _ISCSI_LENGTH)


def _cinder(source: Object, at: str, keys: Sequence[str] = ("name",)) -> Iterator[Cause]:
    yield from needed(source.get("volumeID"), f"{at}.volumeID")
    yield from _secret_has(source, at, keys)


def _cinder_of_cluster(source: Object, at: str) -> Iterator[Cause]:
    yield from _cinder(source, at, ("name", "namespace"))


def _secret_has(source: Object, at: str, keys: Sequence[str]) -> Iterator[Cause]:
    secret = source.get("secretRef")
    if secret is not None:
        for key in keys:
            yield from needed(secret.get(key), f"{at}.secretRef.{key}")


def _storageos(source: Object, at: str, keys: Sequence[str] = ("name",)) -> Iterator[Cause]:
    yield from named(source.get("volumeName"), dns_label, f"{at}.volumeName", needed=True)
    yield from named(source.get("volumeNamespace"), dns_label, f"{at}.volumeNamespace")
    yield from _secret_has(source, at, keys)


def _storageos_of_cluster(source: Object, at: str) -> Iterator[Cause]:
    yield from _storageos(source, at, ("name", "namespace"))


def _fc(source: Object, at: str) -> Iterator[Cause]:
    names, ids, lun = source.get("targetWWNs") or [], source.get("wwids") or [], source.get("lun")
    if not names and not ids:
        yield required(f"{at}.targetWWNs", "must specify either targetWWNs or wwids, but not both")
    if names and ids:
        yield invalid(f"{at}.targetWWNs", names, "targetWWNs and wwids can not be specified simultaneously")
    if names and lun is None:
        yield required(f"{at}.lun", "lun is required if targetWWNs is specified")
    elif names:
        yield from between(lun, 0, 255, f"{at}.lun")


def _flex(source: Object, at: str) -> Iterator[Cause]:
    yield from needed(source.get("driver"), f"{at}.driver")
    for key in source.get("options") or ():
        domain = "." + key.partition("/")[0].lower()
        if domain.endswith((".kubernetes.io", ".k8s.io")):
            yield invalid(f"{at}.options[{key}]", key, "kubernetes.io and k8s.io namespaces are reserved")


def _azure_file(source: Object, at: str) -> Iterator[Cause]:
    yield from _SOURCES["azureFile"](source, at)
    if source.get("secretNamespace") == "":
        yield required(f"{at}.secretNamespace")


def _azure_disk(source: Object, at: str) -> Iterator[Cause]:
    uri, kind = source.get("diskURI") or "", source.get("kind")
    yield from needed(source.get("diskName"), f"{at}.diskName")
    yield from needed(uri, f"{at}.diskURI")
    for key, words in (
        ("cachingMode", ("None", "ReadOnly", "ReadWrite")),
        ("kind", ("Dedicated", "Managed", "Shared")),
    ):
        if source.get(key) is not None and source[key] not in words:
            yield not_supported(f"{at}.{key}", source[key], words)
    if kind == "Managed" and not uri.startswith("/subscriptions/"):
        shape = "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}"
        yield not_supported(f"{at}.diskURI", uri, (shape,))
    elif kind not in (None, "Managed") and not uri.startswith("https://"):
        shape = "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"
        yield not_supported(f"{at}.diskURI", uri, (shape,))


def driver_name(value: Json, at: str) -> Iterator[Cause]:
    """The name of a CSI driver: a subdomain of at most 63 letters, of any case."""
    text = str(value or "")
    if not text:
        yield required(at)
        return
    if len(text) > _DRIVER_LENGTH:
        yield too_long(at, _DRIVER_LENGTH)
    yield from (invalid(at, text, words) for words in dns_subdomain(text.lower()))


def _csi(source: Object, at: str) -> Iterator[Cause]:
    yield from driver_name(source.get("driver"), f"{at}.driver")
    yield from needed(source.get("volumeHandle"), f"{at}.volumeHandle")
    for key in ("controllerPublish", "controllerExpand", "nodePublish", "nodeExpand"):
        secret, where = source.get(f"{key}SecretRef"), f"{at}.{key}SecretRef"
        if secret is not None:
            yield from named(secret.get("name"), dns_subdomain, f"{where}.name", needed=True)
            yield from named(secret.get("namespace"), dns_label, f"{where}.namespace", needed=True)


def recycled_root(spec: Object) -> bool:
    """Whether a PersistentVolume would have the machine's whole disk wiped: Recycle of the path /."""
    path = get(spec, "hostPath", "path", default="")
    depth, absolute = 0, path.startswith("/")
    for step in path.split("/"):
        depth += {"": 0, ".": 0, "..": -1}.get(step, 1)
        depth = max(depth, 0)
    return absolute and depth == 0 and spec.get("persistentVolumeReclaimPolicy") == "Recycle"


_SOURCES: Mapping[str, Source] = {
    **{key: _filled(*keys) for key, keys in _NEEDED.items()},
    "awsElasticBlockStore": _aws_disk,
    "azureDisk": _azure_disk,
    "cinder": _cinder,
    "fc": _fc,
    "flexVolume": _flex,
    "flocker": _flocker,
    "gcePersistentDisk": _gce_disk,
    "hostPath": _host_path,
    "iscsi": iscsi,
    "nfs": _nfs,
    "quobyte": _quobyte,
    "storageos": _storageos,
}
