"""crds: field specs read from OpenAPI definitions that mark annotations, selectors and references in their fields."""

from collections.abc import Mapping
from typing import Any

from kilde.core.basics.errors import RenderFailed
from kilde.core.render.kustomize.config import References, TransformerConfig, merge_specs
from kilde.core.render.kustomize.fields import FieldSpec
from kilde.core.render.kustomize.resource import Gvk

_MAX_DEPTH = 50


def configuration_of_crds(document: Any) -> TransformerConfig:
    """What one `crds` file adds: a map of type names to {Schema: …}."""
    types: dict[str, Any] = document if isinstance(document, dict) else {}
    found = _Found()
    for name, raw in types.items():
        if raw is not None and not isinstance(raw, dict):
            raise RenderFailed("must be a map of type names to definitions", about=f"crds: {name}")
        schema = raw.get("Schema") or raw.get("schema") if isinstance(raw, dict) else None
        properties = schema.get("properties") if isinstance(schema, dict) else None
        if isinstance(properties, dict) and {"apiVersion", "kind", "metadata"} <= set(properties):
            found.walk(types, name, Gvk(kind=name.rpartition(".")[2]), (), frozenset())
    return TransformerConfig(
        common_annotations=tuple(found.annotations),
        common_labels=tuple(found.labels),
        name_prefix=tuple(found.names),
        name_reference=_grouped(found.references),
    )


def _grouped(references: list[tuple[Gvk, FieldSpec]]) -> References:
    grouped: dict[Gvk, tuple[FieldSpec, ...]] = {}
    for gvk, spec in references:
        grouped[gvk] = merge_specs(grouped.get(gvk, ()), (spec,))
    return tuple(grouped.items())


class _Found:
    def __init__(self) -> None:
        self.annotations: list[FieldSpec] = []
        self.labels: list[FieldSpec] = []
        self.names: list[FieldSpec] = []
        self.references: list[tuple[Gvk, FieldSpec]] = []

    def walk(self, types: Mapping[str, Any], name: str, gvk: Gvk, path: tuple[str, ...], above: frozenset[str]) -> None:
        if name in above or len(path) > _MAX_DEPTH or not isinstance(types.get(name), dict):
            return
        schema = types[name].get("Schema") or types[name].get("schema") or {}
        for field, raw in (schema.get("properties") or {}).items():
            if not isinstance(raw, dict):
                continue
            here = (*path, field)
            self.note(raw, gvk, here)
            reference = raw.get("$ref")
            if isinstance(reference, str):
                self.walk(types, reference, gvk, here, above | {name})

    def note(self, raw: Mapping[str, Any], gvk: Gvk, path: tuple[str, ...]) -> None:
        text = "/".join(path)
        if "x-kubernetes-annotation" in raw:
            self.annotations.append(FieldSpec(text, gvk))
        if "x-kubernetes-label-selector" in raw:
            self.labels.append(FieldSpec(text, gvk))
        if "x-kubernetes-identity" in raw:
            self.names.append(FieldSpec(text, gvk))
        version, kind = raw.get("x-kubernetes-object-ref-api-version"), raw.get("x-kubernetes-object-ref-kind")
        if isinstance(version, str) and isinstance(kind, str):
            key = raw.get("x-kubernetes-object-ref-name-key")
            name = "/".join((*path, key)) if isinstance(key, str) else "/".join((*path, "name"))
            group, _, bare = version.rpartition("/")
            self.references.append((Gvk(group, bare, kind), FieldSpec(name, gvk)))
