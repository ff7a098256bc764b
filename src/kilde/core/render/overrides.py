"""Argo CD's kustomize settings, put into a kustomization the way `kustomize edit` would."""

from collections.abc import Mapping
from typing import Any

from kilde.core.basics.errors import RenderFailed
from kilde.core.render.kustomize.edit.images import with_images, with_replicas
from kilde.core.render.kustomize.kustomization import Kustomization
from kilde.core.render.kustomize.shapes import PATCH, Many, decode
from kilde.core.render.source import KustomizeOptions

PATCHES = Many(PATCH)


def overridden(kustomization: Kustomization, options: KustomizeOptions, *, missing: frozenset[str]) -> Kustomization:
    """The kustomization with the settings. `missing`: components that are not there and may be left out.

    Raises InvalidInput for an image that is none, and RenderFailed for a label that is there already, unless forced, and for labels in
    templates that are to be in selectors, too.
    """
    fields = dict(kustomization.fields)
    named = {"namePrefix": options.name_prefix, "nameSuffix": options.name_suffix, "namespace": options.namespace}
    fields |= {name: value for name, value in named.items() if value}
    if options.images:
        fields["images"] = with_images(fields.get("images") or [], options.images)
    if options.replicas:
        fields["replicas"] = with_replicas(fields.get("replicas") or [], dict(options.replicas))
    _add_labels(fields, options)
    if options.common_annotations:
        fields["commonAnnotations"] = _merged(
            fields.get("commonAnnotations") or {},
            options.common_annotations,
            "annotation",
            force=options.force_common_annotations,
        )
    if options.patches:
        place = kustomization.place()
        added = decode(list(map(dict, options.patches)), PATCHES, "source.kustomize.patches", place)
        fields["patches"] = [*(fields.get("patches") or []), *added]
    if components := [path for path in options.components if path not in missing]:
        fields["components"] = list(dict.fromkeys([*(fields.get("components") or []), *components]))
    return Kustomization(kustomization.file, fields, kustomization.warnings, kustomization.document)


def _add_labels(fields: dict[str, Any], options: KustomizeOptions) -> None:
    if not options.common_labels:
        return
    if not options.label_without_selector:
        if options.label_include_templates:
            raise RenderFailed("labelIncludeTemplates asks for labelWithoutSelector")
        fields["commonLabels"] = _merged(
            fields.get("commonLabels") or {}, options.common_labels, "label", force=options.force_common_labels
        )
        return
    entries = list(fields.get("labels") or [])
    like = {"includeSelectors": False, "includeTemplates": options.label_include_templates}
    alike = (i for i, old in enumerate(entries) if all(bool(old.get(key)) is value for key, value in like.items()))
    place = next(alike, len(entries))  # they join the first entry of their kind, or begin one
    entry: dict[str, Any] = (
        dict(entries[place]) if place < len(entries) else {key: it for key, it in like.items() if it}
    )
    pairs = _merged(entry.get("pairs") or {}, options.common_labels, "label", force=options.force_common_labels)
    entries[place : place + 1] = [{**entry, "pairs": pairs}]
    fields["labels"] = entries


def _merged(old: Mapping[str, str], new: Mapping[str, str], what: str, *, force: bool) -> dict[str, str]:
    for key in new:
        if key in old and not force:
            raise RenderFailed(f"{what} {key} already in kustomization file", hint="set the force option to replace it")
    return {**old, **{key: _unquoted(value) for key, value in new.items()}}


def _unquoted(value: str) -> str:
    """Without the quotes around it, which `kustomize edit add` takes for its own."""
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value
