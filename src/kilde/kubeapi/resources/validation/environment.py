"""Validation of a container's environment: single variables and those of whole ConfigMaps and Secrets."""

from collections.abc import Iterator

from kilde.core.basics.values import Object
from kilde.kubeapi.resources.causes import Cause, invalid, not_found
from kilde.kubeapi.resources.validation.fields import items, named, needed
from kilde.kubeapi.resources.validation.names import config_key, dns_label, dns_subdomain, env_name
from kilde.kubeapi.resources.validation.references import field_ref, resource_ref

_FIELDS = (
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
)
_NONE = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
_SOURCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")


def check_environment(container: Object, at: str) -> Iterator[Cause]:
    """What is wrong with the environment of a container."""
    for index, one in items(container, "env"):
        where = f"{at}.env[{index}]"
        yield from named(one.get("name"), env_name, f"{where}.name", needed=True)
        if one.get("valueFrom") is not None:
            yield from _source(one["valueFrom"], f"{where}.valueFrom", has_value=bool(one.get("value")))
    yield from _whole_sources(container, f"{at}.envFrom")


def _source(source: Object, at: str, *, has_value: bool) -> Iterator[Cause]:
    kinds = [kind for kind in _SOURCES if source.get(kind) is not None]
    for kind in kinds:
        yield from _of_kind(kind, source[kind], f"{at}.{kind}")
    if not kinds:
        yield invalid(at, "", _NONE)
    elif has_value:
        yield invalid(at, "", "may not be specified when `value` is not empty")
    elif len(kinds) > 1:
        yield invalid(at, "", "may not have more than one field specified at a time")


def _of_kind(kind: str, one: Object, at: str) -> Iterator[Cause]:
    if kind == "fieldRef":
        yield from field_ref(one, _FIELDS, at)
    elif kind == "resourceFieldRef":
        yield from resource_ref(one, at)
    elif kind == "fileKeyRef":
        yield from named(one.get("key"), env_name, f"{at}.key", needed=True)
        yield from named(one.get("volumeName"), dns_label, f"{at}.volumeName", needed=True)
        path = one.get("path") or ""
        yield from needed(path, f"{at}.path")
        if ".." in path.split("/"):
            yield invalid(f"{at}.path", path, "must not contain '..'")
    else:
        name = one.get("name") or ""
        yield from (invalid(f"{at}.name", name, text) for text in dns_subdomain(name))
        yield from named(one.get("key"), config_key, f"{at}.key", needed=True)


def _whole_sources(container: Object, at: str) -> Iterator[Cause]:
    for index, one in items(container, "envFrom"):
        where = f"{at}[{index}]"
        if one.get("prefix"):
            yield from (invalid(f"{where}.prefix", one["prefix"], text) for text in env_name(one["prefix"]))
        kinds = [key for key in ("configMapRef", "secretRef") if one.get(key) is not None]
        for kind in kinds:
            yield from named(one[kind].get("name"), dns_subdomain, f"{where}.{kind}.name", needed=True)
        if not kinds:
            yield invalid(at, "", "must specify one of: `configMapRef` or `secretRef`")
        elif len(kinds) > 1:
            yield invalid(at, "", "may not have more than one field specified at a time")


def check_file_keys(spec: Object, at: str) -> Iterator[Cause]:
    """Variables from files of a volume: the pod must have that volume, and it must be an emptyDir."""
    volumes = {volume.get("name") or "": volume for _, volume in items(spec, "volumes")}
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        for index, container in items(spec, kind):
            for number, one in items(container, "env"):
                source = (one.get("valueFrom") or {}).get("fileKeyRef")
                if source is None:
                    continue
                where = f"{at}.{kind}[{index}].env[{number}].valueFrom.fileKeyRef.volumeName"
                name = source.get("volumeName") or ""
                if name not in volumes:
                    yield not_found(where, name)
                elif volumes[name].get("emptyDir") is None:
                    yield invalid(where, name, "referenced volume must be of type emptyDir")
