"""Manifests for tests: of files, folders, kustomizations, text and objects, in the order in which they can be applied."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from kilde.adapters.folder import manifests_of
from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.values import Object
from kilde.core.objects.kinds import apply_order
from kilde.core.objects.ref import split_api_version
from kilde.core.objects.yaml_reader import read_documents

_DEFINITION = "CustomResourceDefinition"


def objects_of(what: str | Path | Mapping[str, Any], *, beside: Path) -> list[Object]:
    """The objects that are meant. Text is YAML if it has more than one line. Raises InvalidInput, PathNotFound."""
    if isinstance(what, Mapping):
        return [dict(what)]
    if isinstance(what, str) and "\n" in what:
        return [one for document in read_documents(what.encode(), file="<text>") for one in _unpacked(document.value)]
    place = Path(what)
    if not place.exists() and not place.is_absolute() and (beside / place).exists():
        place = beside / place
    return [manifest.body for manifest in manifests_of(place)]


def _unpacked(value: Any) -> Iterable[Object]:
    if not isinstance(value, dict):
        raise InvalidInput("is no object", about="<text>")
    if str(value.get("kind", "")).endswith("List") and isinstance(value.get("items"), list):
        return list(value["items"])
    return [value]


def with_namespaces(bodies: Iterable[Object]) -> list[Object]:
    """The objects in order, namespaces that they name and that are not among them before all others."""
    every = list(bodies)
    there = {body["metadata"]["name"] for body in every if body.get("kind") == "Namespace"}
    named = {str(body.get("metadata", {}).get("namespace") or "") for body in every} - there - {""}
    spaces = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in sorted(named)]
    return [*spaces, *sorted(every, key=_order)]


def _order(body: Object) -> tuple[bool, int]:
    group, _ = split_api_version(str(body.get("apiVersion") or ""))
    kind = str(body.get("kind") or "")
    return kind != _DEFINITION, apply_order(group, kind)
