"""TransformerConfig: the field specs in force, the built-in ones and those that `configurations` and `crds` add."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from kilde.core.basics.errors import Place, RenderFailed
from kilde.core.render.kustomize import defaults
from kilde.core.render.kustomize.fields import FieldSpec
from kilde.core.render.kustomize.order import order_of_gvk
from kilde.core.render.kustomize.resource import Gvk
from kilde.core.render.kustomize.shapes import CONFIGURATION, decode

Specs = tuple[FieldSpec, ...]
References = tuple[tuple[Gvk, Specs], ...]


class TransformerConfig(NamedTuple):
    """One tuple of field specs for each transformer."""

    name_prefix: Specs = ()
    name_suffix: Specs = ()
    namespace: Specs = ()
    common_labels: Specs = ()
    labels: Specs = ()
    template_labels: Specs = ()
    common_annotations: Specs = ()
    var_reference: Specs = ()
    images: Specs = ()
    replicas: Specs = ()
    name_reference: References = ()

    def merged(self, other: "TransformerConfig") -> "TransformerConfig":
        """Both together, sorted. Raises RenderFailed where they disagree whether a field is created."""
        if other is self or (self is NOTHING and other is DEFAULTS):
            return other
        changes: dict[str, Any] = {}
        for field in _SPEC_FIELDS:
            mine, theirs = getattr(self, field), getattr(other, field)
            if theirs and theirs != mine:
                changes[field] = _sorted(merge_specs(mine, theirs))
        if other.name_reference and other.name_reference != self.name_reference:
            merged = _merge_references(self.name_reference, other.name_reference)
            changes["name_reference"] = tuple(sorted(merged, key=lambda found: order_of_gvk(found[0])))
        return self._replace(**changes) if changes else self


def _sorted(specs: Specs) -> Specs:
    """In kustomize's order; it shows where a spec for one kind and a spec for all meet (`merge_specs`)."""
    return tuple(sorted(specs, key=lambda spec: order_of_gvk(spec.gvk)))


NOTHING = TransformerConfig()
DEFAULTS = TransformerConfig(
    name_prefix=_sorted(defaults.NAME),
    name_suffix=_sorted(defaults.NAME),
    namespace=_sorted(defaults.NAMESPACE),
    common_labels=_sorted(defaults.COMMON_LABELS),
    template_labels=_sorted(defaults.TEMPLATE_LABELS),
    common_annotations=_sorted(defaults.COMMON_ANNOTATIONS),
    var_reference=_sorted(defaults.VARIABLES),
    images=_sorted(defaults.IMAGES),
    replicas=_sorted(defaults.REPLICAS),
    name_reference=tuple(sorted(defaults.NAME_REFERENCES, key=lambda found: order_of_gvk(found[0]))),
)
_SPEC_FIELDS = tuple(name for name in TransformerConfig._fields if name != "name_reference")
_FIELD_OF = {
    "namePrefix": "name_prefix",
    "nameSuffix": "name_suffix",
    "namespace": "namespace",
    "commonLabels": "common_labels",
    "labels": "labels",
    "templateLabels": "template_labels",
    "commonAnnotations": "common_annotations",
    "varReference": "var_reference",
    "images": "images",
    "replicas": "replicas",
}


def merge_specs(mine: Specs, theirs: Specs) -> Specs:
    """Union. A spec adds nothing where one for the same path has its kind: `metadata/name` of one kind stands in the way
    of `metadata/name` of all. Raises RenderFailed where the two differ in `create`.
    """
    by_path: dict[str, list[FieldSpec]] = {}
    for spec in mine:
        by_path.setdefault(spec.path, []).append(spec)
    added = []
    for spec in theirs:
        known = by_path.setdefault(spec.path, [])
        old = next((found for found in known if spec.gvk.selects(found.gvk)), None)
        if old is None:
            known.append(spec)
            added.append(spec)
        elif old.create != spec.create:
            raise RenderFailed(f"conflicting fieldspecs: 'create' differs for path '{spec.path}' of {spec.gvk}")
    return (*mine, *added)


def _merge_references(mine: References, theirs: References) -> References:
    merged = dict(mine)
    for gvk, specs in theirs:
        merged[gvk] = merge_specs(merged.get(gvk, ()), specs)
    return tuple(merged.items())


def field_spec(raw: Mapping[str, Any]) -> FieldSpec:
    """A field spec as it is written in YAML."""
    gvk = Gvk(raw.get("group") or "", raw.get("version") or "", raw.get("kind") or "")
    return FieldSpec(raw.get("path") or "", gvk, bool(raw.get("create")))


def field_specs(raw: Any) -> Specs:
    """A list of field specs as it is written in YAML; nothing for null."""
    return tuple(field_spec(item) for item in raw or ())


def parse_configuration(raw: Any, place: Place) -> TransformerConfig:
    """One `configurations` file. Raises RenderFailed for unknown keys and wrong types."""
    found = decode(raw or {}, CONFIGURATION, "", place)
    values: dict[str, Any] = {_FIELD_OF[key]: field_specs(value) for key, value in found.items() if key in _FIELD_OF}
    values["name_reference"] = tuple(
        (
            Gvk(item.get("group") or "", item.get("version") or "", item.get("kind") or ""),
            field_specs(item.get("fieldSpecs")),
        )
        for item in found.get("nameReference") or ()
    )
    return TransformerConfig(**values)
