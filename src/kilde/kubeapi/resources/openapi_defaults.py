"""What OpenAPI says beside a field that the packed schemas do not: defaults, and which fields belong to which value of another one.

Most defaults follow from how Go writes a field: what is always written and was not set is written as its zero value, and what is no
pointer has one. Only those that a type's author chose (`+default` in k8s.io/api) are listed, and unions, which are few.
"""

from collections.abc import Mapping
from typing import Any

from kilde.core.objects.typed.schema import Types

Schema = dict[str, Any]

_ZERO: Mapping[str, Any] = {"string": "", "integer": 0, "number": 0, "boolean": False}
_ALWAYS = ("0", "v")  # the codes of tools/go_fields.txt for a scalar and a struct that are written whatever they are
_RAW = "io.k8s.apimachinery.pkg.runtime.RawExtension"
_CORE = "io.k8s.api.core.v1."

_CEPH: Mapping[str, Any] = {"keyring": "/etc/ceph/keyring", "pool": "rbd", "user": "admin"}
_NAMELESS: Mapping[str, Any] = {"name": ""}
_SCALE_IO: Mapping[str, Any] = {"fsType": "xfs", "storageMode": "ThinProvisioned"}
_BUILD = (
    "buildDate",
    "compiler",
    "gitCommit",
    "gitTreeState",
    "gitVersion",
    "goVersion",
    "major",
    "minor",
    "platform",
)  # of a type that is no part of an object
_CHOSEN: Mapping[str, Mapping[str, Any]] = {
    "io.k8s.api.autoscaling.v1.ScaleSpec": {"replicas": 0},
    "io.k8s.api.resource.v1.DeviceToleration": {"operator": "Equal"},
    "io.k8s.apimachinery.pkg.version.Info": dict.fromkeys(_BUILD, ""),
    _CORE + "AzureDiskVolumeSource": {
        "cachingMode": "ReadWrite",
        "fsType": "ext4",
        "kind": "Shared",
        "readOnly": False,
    },
    _CORE + "ConfigMapEnvSource": _NAMELESS,
    _CORE + "ConfigMapKeySelector": _NAMELESS,
    _CORE + "ConfigMapProjection": _NAMELESS,
    _CORE + "ConfigMapVolumeSource": _NAMELESS,
    _CORE + "FileKeySelector": {"optional": False},
    _CORE + "GRPCAction": {"service": ""},
    _CORE + "ISCSIPersistentVolumeSource": {"iscsiInterface": "default"},
    _CORE + "ISCSIVolumeSource": {"iscsiInterface": "default"},
    _CORE + "LocalObjectReference": _NAMELESS,
    _CORE + "RBDPersistentVolumeSource": _CEPH,
    _CORE + "RBDVolumeSource": _CEPH,
    _CORE + "ReplicationControllerSpec": {"minReadySeconds": 0, "replicas": 1},
    _CORE + "ScaleIOPersistentVolumeSource": _SCALE_IO,
    _CORE + "ScaleIOVolumeSource": _SCALE_IO,
    _CORE + "SecretEnvSource": _NAMELESS,
    _CORE + "SecretKeySelector": _NAMELESS,
    _CORE + "SecretProjection": _NAMELESS,
}

# Definition → (the field that says which, "" if none does; the fields that it chooses from).
_UNIONS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    _CORE + "AppArmorProfile": ("type", ("localhostProfile",)),
    _CORE + "PodSchedulingGroup": ("", ("podGroupName",)),
    _CORE + "SeccompProfile": ("type", ("localhostProfile",)),
    "io.k8s.api.flowcontrol.v1.LimitResponse": ("type", ("queuing",)),
    "io.k8s.api.flowcontrol.v1.PriorityLevelConfigurationSpec": ("type", ("exempt", "limited")),
    "io.k8s.api.flowcontrol.v1.Subject": ("kind", ("group", "serviceAccount", "user")),
}


def completed(types: Types, name: str, schema: Schema) -> Schema:
    """A definition with its defaults and unions; references in it are bare names."""
    found = dict(schema)
    if name in _UNIONS:
        chooser, fields = _UNIONS[name]
        union: Schema = {"fields-to-discriminateBy": {field: field[0].upper() + field[1:] for field in fields}}
        found["x-kubernetes-unions"] = [union | ({"discriminator": chooser} if chooser else {})]
    if "properties" in found:
        codes, chosen = types.go_fields(name), _CHOSEN.get(name, {})
        found["properties"] = {
            field: _field(types, child, codes.get(field, ""), chosen.get(field))
            for field, child in found["properties"].items()
        }
    return found


def _field(types: Types, schema: Schema, code: str, chosen: Any) -> Schema:
    found = dict(schema)
    for part in ("items", "additionalProperties"):
        if isinstance(found.get(part), dict):
            found[part] = _element(types, found[part])
    value = chosen if chosen is not None else _zero(types, found) if code in _ALWAYS else None
    return found if value is None else {"default": value, **found}


def _element(types: Types, schema: Schema) -> Schema:
    """What is in a list or a map: always there, and so never without a value."""
    found = dict(schema)
    if isinstance(found.get("items"), dict):
        found["items"] = _element(types, found["items"])
    value = _zero(types, found)
    return found if value is None else {"default": value, **found}


def _zero(types: Types, schema: Schema) -> Any:
    """The zero value; None for lists and maps, and for types that write themselves (times, quantities)."""
    if "$ref" in schema:
        name = schema["$ref"]
        plain = name != _RAW and types.definition(name).get("type") == "object"
        return {} if plain else None
    return None if schema.get("format") == "byte" else _ZERO.get(schema.get("type", ""))
