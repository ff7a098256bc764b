"""Flux objects read carefully: whatever a field holds, a dict, a list or a text comes out."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from kilde.core.basics.values import Object
from kilde.core.objects.ref import ObjectRef

_WAITS = "ProgressingWithRetry"
_DEFINITION = "CustomResourceDefinition"


class Place(NamedTuple):
    """Which object."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


def place(body: Object) -> Place:
    meta = mapping(body, "metadata")
    return Place(text(body, "kind"), text(meta, "namespace"), text(meta, "name"))


def referred(spec: Mapping[str, Any], key: str, namespace: str, kind: str = "") -> Place:
    """The object that a reference means; without a namespace one of its own."""
    ref = mapping(spec, key)
    return Place(text(ref, "kind") or kind, text(ref, "namespace") or namespace, text(ref, "name"))


def inventory(body: Object) -> list[ObjectRef]:
    """The objects that its status lists."""
    entries = inventory_entries(body)
    return [ObjectRef(one["group"], one["kind"], one["namespace"], one["name"]) for one in entries]


def inventory_entries(body: Object) -> list[dict[str, str]]:
    """The same with their versions, as an Application's status lists objects. Flux writes `namespace_name_group_kind`.

    Without the definitions in a chart's folder `crds` where these are left alone: they are listed all the same, after all others.
    """
    found: list[dict[str, str]] = []
    for one in items(mapping(mapping(body, "status"), "inventory"), "entries"):
        namespace, _, rest = text(one, "id").partition("_")
        name, _, kind = rest.rpartition("_")
        name, _, group = name.rpartition("_")
        name = name.replace("__", ":")  # as Flux writes the names of roles
        if name and kind:
            where = {"group": group, "version": text(one, "v"), "kind": kind}
            found.append({**where, "namespace": namespace, "name": name})
    while found and found[-1]["kind"] == _DEFINITION and skips_definitions(body):
        found.pop()
    return found


def skips_definitions(body: Object) -> bool:
    """Whether a HelmRelease leaves alone what is in its chart's folder `crds`."""
    install = mapping(mapping(body, "spec"), "install")
    return text(body, "kind") == "HelmRelease" and (text(install, "crds") == "Skip" or install.get("skipCRDs") is True)


def is_busy(body: Object) -> bool:
    """Whether it is being reconciled: not where that has failed and is waiting for another try."""
    conditions = items(mapping(body, "status"), "conditions")
    return any(
        one.get("type") == "Reconciling" and one.get("status") == "True" and one.get("reason") != _WAITS
        for one in conditions
    )


def is_suspended(body: Object) -> bool:
    return mapping(body, "spec").get("suspend") is True


def mapping(body: Mapping[str, Any], key: str) -> dict[str, Any]:
    found = body.get(key)
    return found if isinstance(found, dict) else {}


def items(body: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    found = body.get(key)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def texts(body: Mapping[str, Any], key: str) -> list[str]:
    found = body.get(key)
    return [str(one) for one in found] if isinstance(found, list) else []


def text(body: Mapping[str, Any], key: str) -> str:
    found = body.get(key)
    return "" if found is None or isinstance(found, dict | list) else str(found)
