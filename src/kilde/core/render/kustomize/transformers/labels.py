"""Labels and annotations: `labels`, `commonLabels`, `commonAnnotations`."""

from collections.abc import Iterable, Mapping
from typing import Any

from kilde.core.render.kustomize import defaults
from kilde.core.render.kustomize.collection import Collection
from kilde.core.render.kustomize.config import TransformerConfig, field_specs, merge_specs
from kilde.core.render.kustomize.fields import Entries, FieldSpec, SpecTable, apply


def set_strings(collection: Collection, texts: Mapping[str, str], specs: Iterable[FieldSpec]) -> None:
    """Writes the pairs into every map that the field specs name."""
    if not texts:
        return
    ordered, table = dict(sorted(texts.items())), SpecTable(specs)
    for resource in collection:
        entries = Entries(ordered)
        apply(resource, table, entries, "map")
        entries.spread(resource)


def label_specs(entry: Mapping[str, Any], config: TransformerConfig) -> tuple[FieldSpec, ...]:
    """The fields that one entry of `labels` writes to. Raises RenderFailed where `fields` contradicts the defaults."""
    specs = merge_specs(field_specs(entry.get("fields")), config.labels)
    if entry.get("includeSelectors"):
        return merge_specs(specs, config.common_labels)
    if entry.get("includeTemplates"):
        specs = merge_specs(specs, config.template_labels)
    return merge_specs(specs, defaults.LABELS)
