"""Validation of a pod's volumes."""

from collections.abc import Iterator, Mapping

from kilde.core.basics.values import Json, Object
from kilde.kubeapi.resources.causes import Cause, duplicate, forbidden, invalid, not_supported, required
from kilde.kubeapi.resources.validation.fields import get, items, named, needed, quantity
from kilde.kubeapi.resources.validation.metadata import check_annotations, check_labels
from kilde.kubeapi.resources.validation.names import dns_label, dns_subdomain
from kilde.kubeapi.resources.validation.references import POD_FIELDS, field_ref, resource_ref
from kilde.kubeapi.resources.validation.storage import check_claim_spec
from kilde.kubeapi.resources.validation.volume_sources import Source, check_sources, driver_name, iscsi_length

_PULL_POLICIES = ("Always", "IfNotPresent", "Never")
_MODE_TEXT = "must be a number between 0 and 0777 (octal), both inclusive"


def check_volumes(volumes: Json, at: str, good: set[str], pod_name: str = "") -> Iterator[Cause]:
    """What is wrong with a pod's volumes. Those with nothing wrong join `good`: only they can be mounted."""
    seen: set[str] = set()
    for index, volume in enumerate(volumes or ()):
        where, name = f"{at}[{index}]", volume.get("name") or ""
        problems = [*check_sources(volume, where, _SOURCES), *iscsi_length(volume, where)]
        if pod_name and name and volume.get("ephemeral") is not None:
            claim = f"{pod_name}-{name}"
            texts = (f'PVC name "{claim}": {text}' for text in dns_subdomain(claim))
            problems.extend(invalid(f"{where}.name", name, text) for text in texts)
        problems.extend(named(name, dns_label, f"{where}.name", needed=True))
        if name and name in seen:
            problems.append(duplicate(f"{where}.name", name))
        if not problems:
            seen.add(name)
            good.add(name)
        yield from problems


def safe_path(path: str, at: str) -> Iterator[Cause]:
    """A path within something: relative, and never up."""
    if path.startswith("/"):
        yield invalid(at, path, "must be a relative path")
    if ".." in path.split("/"):
        yield invalid(at, path, "must not contain '..'")


def _relative(path: str, at: str) -> Iterator[Cause]:
    yield from safe_path(path, at)
    if path.startswith("..") and not path.startswith("../"):
        yield invalid(at, path, "must not start with '..'")


def mode(value: Json, at: str) -> Iterator[Cause]:
    """File permissions."""
    if value is not None and not 0 <= value <= 0o777:
        yield invalid(at, value, _MODE_TEXT)


def _keys(source: Object, at: str) -> Iterator[Cause]:
    """Which keys go to which files."""
    for index, item in items(source, "items"):
        where = f"{at}.items[{index}]"
        yield from needed(item.get("key"), f"{where}.key")
        if not item.get("path"):
            yield required(f"{where}.path")
        else:
            yield from _relative(item["path"], f"{where}.path")
        yield from mode(item.get("mode"), f"{where}.mode")


def _config_map(source: Object, at: str) -> Iterator[Cause]:
    yield from needed(source.get("name"), f"{at}.name")
    yield from mode(source.get("defaultMode"), f"{at}.defaultMode")
    yield from _keys(source, at)


def _secret(source: Object, at: str) -> Iterator[Cause]:
    yield from needed(source.get("secretName"), f"{at}.secretName")
    yield from mode(source.get("defaultMode"), f"{at}.defaultMode")
    yield from _keys(source, at)


def _empty_dir(source: Object, at: str) -> Iterator[Cause]:
    limit = source.get("sizeLimit")
    found = None if limit is None else quantity(limit)
    if found is not None and found.value < 0:
        yield forbidden(f"{at}.sizeLimit", "SizeLimit field must be a valid resource quantity")


def _claim(source: Object, at: str) -> Iterator[Cause]:
    yield from needed(source.get("claimName"), f"{at}.claimName")


def _csi(source: Object, at: str) -> Iterator[Cause]:
    yield from driver_name(source.get("driver"), f"{at}.driver")
    secret = source.get("nodePublishSecretRef")
    if secret is not None:
        name = secret.get("name") or ""
        yield from needed(name, f"{at}.nodePublishSecretRef.name")
        yield from named(name, dns_subdomain, f"{at}.name")  # the real path leaves the reference out


def _git_repo(source: Object, at: str) -> Iterator[Cause]:
    yield from needed(source.get("repository"), f"{at}.repository")
    yield from safe_path(source.get("directory") or "", f"{at}.directory")


def _downward(source: Object, at: str) -> Iterator[Cause]:
    yield from mode(source.get("defaultMode"), f"{at}.defaultMode")
    yield from _downward_files(source, at)


def _downward_files(source: Object, at: str) -> Iterator[Cause]:
    """The real paths have no index here."""
    for _, item in items(source, "items"):
        if not item.get("path"):
            yield required(f"{at}.path")
        else:
            yield from _relative(item["path"], f"{at}.path")
        if item.get("fieldRef") is not None:
            yield from field_ref(item["fieldRef"], POD_FIELDS, f"{at}.fieldRef")
            if item.get("resourceFieldRef") is not None:
                yield invalid(at, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously")
        elif item.get("resourceFieldRef") is not None:
            yield from resource_ref(item["resourceFieldRef"], f"{at}.resourceFieldRef", volume=True)
        else:
            yield required(at, "one of fieldRef and resourceFieldRef is required")
        yield from mode(item.get("mode"), f"{at}.mode")


def _projected(source: Object, at: str) -> Iterator[Cause]:
    yield from mode(source.get("defaultMode"), f"{at}.defaultMode")
    paths: set[str] = set()
    for index, one in items(source, "sources"):
        where = f"{at}.sources[{index}]"
        kinds = [key for key, value in one.items() if value is not None]
        for kind in kinds:
            yield from _projection(kind, one[kind], f"{where}.{kind}", at)
            for _, item in items(one[kind], "items"):
                path = item.get("path")
                if path and path in paths:
                    shown = path if kind == "downwardAPI" else one[kind].get("name") or ""
                    yield invalid(at, shown, "conflicting duplicate paths")
                paths.add(path)
        if len(kinds) > 1:
            yield forbidden(where, "may not specify more than 1 volume type per source")


def _projection(kind: str, source: Object, at: str, volume: str) -> Iterator[Cause]:
    if kind in ("configMap", "secret"):
        yield from needed(source.get("name"), f"{at}.name")
        yield from _keys(source, at)
    elif kind == "downwardAPI":
        yield from _downward_files(source, at)
    elif kind == "serviceAccountToken":
        seconds = source.get("expirationSeconds")
        if seconds is not None and seconds < 600:
            yield invalid(f"{at}.expirationSeconds", seconds, "may not specify a duration less than 10 minutes")
        if seconds is not None and seconds > 1 << 32:
            yield invalid(f"{at}.expirationSeconds", seconds, "may not specify a duration larger than 2^32 seconds")
        if not source.get("path"):
            yield required(f"{volume}.path")  # the real path leaves the source out
        else:
            yield from _relative(source["path"], f"{volume}.path")


def _ephemeral(source: Object, at: str) -> Iterator[Cause]:
    template = get(source, "volumeClaimTemplate")
    if template is None:
        yield required(f"{at}.volumeClaimTemplate")
        return
    meta = template.get("metadata") or {}
    yield from check_labels(meta.get("labels"), f"{at}.volumeClaimTemplate.metadata.labels")
    yield from check_annotations(meta.get("annotations"), f"{at}.volumeClaimTemplate.metadata.annotations")
    yield from check_claim_spec(template.get("spec") or {}, f"{at}.volumeClaimTemplate.spec")


def _image(source: Object, at: str) -> Iterator[Cause]:
    policy = source.get("pullPolicy") or ""
    if not policy:
        yield required(f"{at}.pullPolicy")
    elif policy not in _PULL_POLICIES:
        yield not_supported(f"{at}.pullPolicy", policy, _PULL_POLICIES)


_SOURCES: Mapping[str, Source] = {
    "configMap": _config_map,
    "csi": _csi,
    "downwardAPI": _downward,
    "emptyDir": _empty_dir,
    "ephemeral": _ephemeral,
    "gitRepo": _git_repo,
    "image": _image,
    "persistentVolumeClaim": _claim,
    "projected": _projected,
    "secret": _secret,
}
