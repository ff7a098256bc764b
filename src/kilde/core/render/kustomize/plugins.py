"""The built-in generators and transformers: run by fields of a kustomization, or by objects that configure them."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

from kilde.core.basics.errors import KildeError, Place, RenderFailed
from kilde.core.basics.reading import did_you_mean
from kilde.core.objects.yaml_scalars import to_json
from kilde.core.render.kustomize import shapes
from kilde.core.render.kustomize.budget import CHARACTERS, STEP
from kilde.core.render.kustomize.charts import HELM_PLUGIN, inflated
from kilde.core.render.kustomize.collection import Collection
from kilde.core.render.kustomize.config import TransformerConfig, field_specs
from kilde.core.render.kustomize.generators.iam_policy import IAM_POLICY, iam_policy
from kilde.core.render.kustomize.generators.objects import config_map, secret
from kilde.core.render.kustomize.hashing import add_hashes
from kilde.core.render.kustomize.kustomization import Kustomization
from kilde.core.render.kustomize.loader import Loader
from kilde.core.render.kustomize.openapi import Schema
from kilde.core.render.kustomize.resource import Resource
from kilde.core.render.kustomize.shapes import FIELD_SPECS, FLAG, TEXT, TEXT_MAP, TEXTS, Many, Shape
from kilde.core.render.kustomize.transformers.affix import add_affix
from kilde.core.render.kustomize.transformers.images import set_image
from kilde.core.render.kustomize.transformers.labels import label_specs, set_strings
from kilde.core.render.kustomize.transformers.namespace import set_namespace
from kilde.core.render.kustomize.transformers.patches import Patch, apply_json6902, apply_patch, merge_one, parse_patch
from kilde.core.render.kustomize.transformers.replacements import replace_all
from kilde.core.render.kustomize.transformers.replicas import set_replicas
from kilde.core.render.kustomize.transformers.value_add import VALUE_ADD, add_value


class Run(NamedTuple):
    """What a transformer works on."""

    collection: Collection
    config: TransformerConfig
    loader: Loader
    schema: Schema
    kustomization: Kustomization


Step = tuple[str, Callable[[], None]]


def steps_of(run: Run) -> Iterator[Step]:
    """The transformers that the fields of the kustomization ask for, in kustomize's order."""
    found, config = run.kustomization, run.config
    yield from _patch_steps(run)
    namespace, prefix, suffix = found.text("namespace"), found.text("namePrefix"), found.text("nameSuffix")
    if namespace:
        yield "NamespaceTransformer", partial(set_namespace, run.collection, namespace, config.namespace)
    if prefix:
        yield "PrefixTransformer", partial(add_affix, run.collection, prefix=prefix, specs=config.name_prefix)
    if suffix:
        yield "SuffixTransformer", partial(add_affix, run.collection, suffix=suffix, specs=config.name_suffix)
    yield from _label_steps(run)
    for index, raw in enumerate(found.items("patchesJson6902")):
        yield "PatchJson6902Transformer", partial(_json6902_field, run, raw, index)
    for index, raw in enumerate(found.items("replicas")):
        step = partial(set_replicas, run.collection, raw, config.replicas)
        yield "ReplicaCountTransformer", partial(_located, run, step, "replicas", index)
    for index, raw in enumerate(found.items("images")):
        step = partial(set_image, run.collection, raw, config.images)
        yield "ImageTagTransformer", partial(_located, run, step, "images", index)
    if found.items("replacements"):
        yield "ReplacementTransformer", partial(_replacements_field, run)


_WRITERS = frozenset({"Namespace", "Prefix", "Suffix", "Label", "Annotations", "ImageTag", "PrefixSuffix"})


def pay(run: Run, kind: str, step: Any) -> None:
    """Pays for one transformer: it looks at every object, and some write their texts into every one of them."""
    texts = _size(step) if kind.removesuffix("Transformer") in _WRITERS else 0
    run.loader.budget.spend(len(run.collection) * (STEP + texts), "transformations")


def _size(step: Any) -> int:
    """How much is written, in units."""
    if isinstance(step, str):
        return len(step) // CHARACTERS
    if isinstance(step, Mapping):
        return sum(1 + _size(key) + _size(value) for key, value in step.items())
    return sum(map(_size, (*step.args, *step.keywords.values()))) if isinstance(step, partial) else 0


def _patch_steps(run: Run) -> Iterator[Step]:
    entries = run.kustomization.items("patchesStrategicMerge")
    if entries:
        yield "PatchStrategicMergeTransformer", partial(_strategic_merges, run, entries, "patchesStrategicMerge")
    for index, raw in enumerate(run.kustomization.items("patches")):
        yield "PatchTransformer", partial(_patch_field, run, raw, index)


def _label_steps(run: Run) -> Iterator[Step]:
    found, config = run.kustomization, run.config
    for entry in found.items("labels"):
        pairs = entry.get("pairs") or {}
        yield "LabelTransformer", partial(set_strings, run.collection, pairs, label_specs(entry, config))
    if found.items("labels") or found["commonLabels"]:
        # noted among the transformations whenever there are labels, even with nothing to do
        labels = found["commonLabels"] or {}
        yield "LabelTransformer", partial(set_strings, run.collection, labels, config.common_labels)
    annotations = found["commonAnnotations"]
    if annotations:
        specs = config.common_annotations
        yield "AnnotationsTransformer", partial(set_strings, run.collection, annotations, specs)


def _at(run: Run, error: KildeError, *path: str | int) -> KildeError:
    """The error, at the field that caused it where it knows no better place."""
    if error.place is not None:
        return error
    return type(error)(error.what, about=error.about, hint=error.hint, place=run.kustomization.place(*path))


def _located(run: Run, step: Callable[[], None], *path: str | int) -> None:
    try:
        step()
    except KildeError as error:
        raise _at(run, error, *path) from error


def _strategic_merges(run: Run, entries: list[str], field_name: str) -> None:
    for index, entry in enumerate(entries):
        try:
            for merging in _strategic_merge(run, entry):
                merge_one(
                    run.collection,
                    merging,
                    Patch(source=merging.place.file if merging.place else "", settled=True),
                    run.schema,
                )
                run.collection.settle()
        except KildeError as error:
            raise _at(run, error, field_name, index) from error


def _strategic_merge(run: Run, entry: str) -> tuple[Resource, ...]:
    """An entry is the patch itself if it reads as objects, else the path of a file with it."""
    if "\n" in entry or ":" in entry:
        try:
            patch = parse_patch(entry.encode(), run.kustomization.file)
        except RenderFailed:
            patch = Patch()
        if patch.merges:
            return patch.merges
    patch = parse_patch(run.loader.read(entry), run.loader.place(entry))
    if not patch.merges:
        raise RenderFailed("the patch file holds no object", about=entry)
    return patch.merges


def _patch_field(run: Run, raw: Mapping[str, Any], index: int) -> None:
    try:
        apply_patch(run.collection, _read_patch(run, raw), raw.get("target"), run.schema, run.loader.budget)
    except KildeError as error:
        raise _at(run, error, "patches", index) from error


def _read_patch(run: Run, raw: Mapping[str, Any]) -> Patch:
    text, path = (raw.get("patch") or "").strip(), raw.get("path") or ""
    if not text and not path:
        raise RenderFailed("must specify one of patch and path", about="patches")
    if text and path:
        raise RenderFailed("patch and path cannot be set at the same time", about="patches")
    if path:
        return parse_patch(run.loader.read(path), run.loader.place(path), raw.get("options"))
    return parse_patch(text.encode(), run.kustomization.file, raw.get("options"))


def _json6902_field(run: Run, raw: Mapping[str, Any], index: int) -> None:
    try:
        _apply_json6902(run, raw, raw.get("patch") or "")
    except KildeError as error:
        raise _at(run, error, "patchesJson6902", index) from error


def _apply_json6902(run: Run, raw: Mapping[str, Any], text: str) -> None:
    path = raw.get("path") or ""
    if bool(text) == bool(path):
        what = (
            "must specify a json patch or a path to one"
            if not text
            else "must specify a json patch or its path, not both"
        )
        raise RenderFailed(what, about="patchesJson6902")
    content = text.encode() if text else run.loader.read(path)
    patch = parse_patch(content, run.loader.place(path) if path else run.kustomization.file)
    if not patch.operations:
        raise RenderFailed("the patch holds no operations", about=path or "patchesJson6902")
    place = run.kustomization.place("patchesJson6902")
    apply_json6902(run.collection, patch, raw.get("target"), place, run.loader.budget)


def _replacements_field(run: Run) -> None:
    try:
        replace_all(run.collection, run.kustomization.items("replacements"), run.loader)
    except KildeError as error:
        raise _at(run, error, "replacements") from error


# --- plugins that objects configure

_TransformerPlugin = tuple[dict[str, Shape], Callable[[Run, Mapping[str, Any]], None]]


def _annotations_plugin(run: Run, raw: Mapping[str, Any]) -> None:
    set_strings(run.collection, raw.get("annotations") or {}, field_specs(raw.get("fieldSpecs")))


def _labels_plugin(run: Run, raw: Mapping[str, Any]) -> None:
    set_strings(run.collection, raw.get("labels") or {}, field_specs(raw.get("fieldSpecs")))


def _image_plugin(run: Run, raw: Mapping[str, Any]) -> None:
    set_image(run.collection, raw.get("imageTag") or {}, field_specs(raw.get("fieldSpecs")))


def _namespace_plugin(run: Run, raw: Mapping[str, Any]) -> None:
    set_namespace(
        run.collection,
        (raw.get("metadata") or {}).get("namespace") or "",
        field_specs(raw.get("fieldSpecs")),
        unset_only=bool(raw.get("unsetOnly")),
        subjects=raw.get("setRoleBindingSubjects") or "defaultOnly",
    )


def _json_patch_plugin(run: Run, raw: Mapping[str, Any]) -> None:
    _apply_json6902(run, raw, raw.get("jsonOp") or "")


def _merge_plugin(run: Run, raw: Mapping[str, Any]) -> None:
    patches = raw.get("patches") or ""
    if not raw.get("paths") and not patches:
        raise RenderFailed("empty file path and empty patch content", about="PatchStrategicMergeTransformer")
    _strategic_merges(run, raw.get("paths") or [], "transformers")
    if patches:
        for merging in parse_patch(patches.encode(), run.kustomization.file).merges:
            merge_one(run.collection, merging, Patch(source="patches", settled=True), run.schema)


def _patch_plugin(run: Run, raw: Mapping[str, Any]) -> None:
    apply_patch(run.collection, _read_patch(run, raw), raw.get("target"), run.schema, run.loader.budget)


def _prefix_plugin(run: Run, raw: Mapping[str, Any]) -> None:
    add_affix(run.collection, prefix=raw.get("prefix") or "", specs=_demanded_specs(raw))


def _suffix_plugin(run: Run, raw: Mapping[str, Any]) -> None:
    add_affix(run.collection, suffix=raw.get("suffix") or "", specs=_demanded_specs(raw))


def _demanded_specs(raw: Mapping[str, Any]) -> tuple[Any, ...]:
    if "fieldSpecs" not in raw:
        raise RenderFailed("fieldSpecs is not expected to be nil")
    return field_specs(raw["fieldSpecs"])


def _replicas_plugin(run: Run, raw: Mapping[str, Any]) -> None:
    set_replicas(run.collection, raw.get("replica") or {}, field_specs(raw.get("fieldSpecs")))


def _replacement_plugin(run: Run, raw: Mapping[str, Any]) -> None:
    replace_all(run.collection, raw.get("replacements") or [], run.loader)


def _hash_plugin(run: Run, _: Mapping[str, Any]) -> None:
    add_hashes(run.collection)


def _value_plugin(run: Run, raw: Mapping[str, Any]) -> None:
    add_value(run.collection, raw, run.loader)


def _affix_plugin(run: Run, raw: Mapping[str, Any]) -> None:
    """PrefixSuffixTransformer: both at once."""
    _prefix_plugin(run, raw)
    _suffix_plugin(run, raw)


_META: dict[str, Shape] = {"metadata": {"name": TEXT, "namespace": TEXT}}
_TRANSFORMERS: dict[str, _TransformerPlugin] = {
    "AnnotationsTransformer": ({"annotations": TEXT_MAP, "fieldSpecs": FIELD_SPECS}, _annotations_plugin),
    "HashTransformer": ({}, _hash_plugin),
    "ImageTagTransformer": ({"imageTag": shapes.IMAGE, "fieldSpecs": FIELD_SPECS}, _image_plugin),
    "LabelTransformer": ({"labels": TEXT_MAP, "fieldSpecs": FIELD_SPECS}, _labels_plugin),
    "NamespaceTransformer": (
        {**_META, "fieldSpecs": FIELD_SPECS, "unsetOnly": FLAG, "setRoleBindingSubjects": TEXT},
        _namespace_plugin,
    ),
    "PatchJson6902Transformer": ({"target": shapes.SELECTOR, "path": TEXT, "jsonOp": TEXT}, _json_patch_plugin),
    "PatchStrategicMergeTransformer": ({"paths": TEXTS, "patches": TEXT}, _merge_plugin),
    "PatchTransformer": (shapes.PATCH, _patch_plugin),
    "PrefixSuffixTransformer": ({"prefix": TEXT, "suffix": TEXT, "fieldSpecs": FIELD_SPECS}, _affix_plugin),
    "PrefixTransformer": ({"prefix": TEXT, "fieldSpecs": FIELD_SPECS}, _prefix_plugin),
    "ReplacementTransformer": ({"replacements": Many(shapes.REPLACEMENT_FIELD)}, _replacement_plugin),
    "ReplicaCountTransformer": ({"replica": shapes.REPLICA, "fieldSpecs": FIELD_SPECS}, _replicas_plugin),
    "SuffixTransformer": ({"suffix": TEXT, "fieldSpecs": FIELD_SPECS}, _suffix_plugin),
    "ValueAddTransformer": (VALUE_ADD, _value_plugin),
}
_GENERATORS: dict[str, tuple[dict[str, Shape], Callable[[Loader, Mapping[str, Any], Resource], Resource]]] = {
    "ConfigMapGenerator": (
        {**shapes.CONFIG_MAP, **_META},
        lambda loader, raw, config: config_map(loader, _named(raw), None, config.place or _nowhere(loader)),
    ),
    "SecretGenerator": (
        {**shapes.SECRET, **_META},
        lambda loader, raw, config: secret(loader, _named(raw), None, config.place or _nowhere(loader)),
    ),
    "IAMPolicyGenerator": (IAM_POLICY, lambda _, raw, config: iam_policy(raw, config.place)),
}


def _nowhere(loader: Loader) -> Place:
    return Place(loader.root)


def _named(raw: Mapping[str, Any]) -> dict[str, Any]:
    """A generator's own metadata names what it makes."""
    metadata = raw.get("metadata") or {}
    return {"name": metadata.get("name"), "namespace": metadata.get("namespace"), **raw}


def is_builtin(config: Resource) -> bool:
    """Whether a config is of one of kustomize's own plugins."""
    return config.gvk[:2] == ("", "builtin")


def _decoded(config: Resource, table: Mapping[str, tuple[dict[str, Shape], Any]]) -> tuple[Mapping[str, Any], Any]:
    if config.kind not in table:
        raise RenderFailed(
            f"unknown builtin plugin '{config.kind}'{did_you_mean(config.kind, table)}",
            about=str(config),
            place=config.place,
        )
    shape, function = table[config.kind]
    return shapes.decode(to_json(config.body), shape, str(config), _place(config), strict=False), function


def transform(config: Resource, run: Run) -> None:
    """Runs one configured transformer. Raises RenderFailed for an unknown one, and for a program that may not run."""
    if not is_builtin(config):
        from kilde.core.render.kustomize import functions

        functions.transform(config, run.loader, run.collection)
        return
    raw, function = _decoded(config, _TRANSFORMERS)
    try:
        pay(run, config.kind, raw)
        function(run, raw)
    except KildeError as error:
        if error.place is not None:
            raise
        raise type(error)(error.what, about=error.about, hint=error.hint, place=config.place) from error


def generate(config: Resource, loader: Loader) -> Iterator[Resource]:
    """Runs one configured generator."""
    if not is_builtin(config):
        from kilde.core.render.kustomize import functions

        yield from functions.generate(config, loader)
    elif config.kind == "HelmChartInflationGenerator":
        yield from inflated(
            loader, shapes.decode(to_json(config.body), HELM_PLUGIN, str(config), _place(config), strict=False)
        )
    else:
        raw, function = _decoded(config, _GENERATORS)
        yield function(loader, raw, config)


def _place(config: Resource) -> Place:
    assert config.place is not None
    return config.place
