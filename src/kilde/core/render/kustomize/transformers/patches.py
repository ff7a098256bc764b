"""patches, patchesStrategicMerge and patchesJson6902: which objects a patch means, and what becomes of their ids."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from kilde.core.basics.errors import InvalidInput, KildeError, Place, RenderFailed
from kilde.core.objects.yaml_reader import read_documents
from kilde.core.objects.yaml_scalars import EMPTY, copy_tree, is_null
from kilde.core.render.kustomize import json_patch
from kilde.core.render.kustomize.budget import Budget
from kilde.core.render.kustomize.collection import Collection
from kilde.core.render.kustomize.comments import Comments
from kilde.core.render.kustomize.openapi import Schema
from kilde.core.render.kustomize.reading import resources_of
from kilde.core.render.kustomize.resource import Resource, as_text
from kilde.core.render.kustomize.selector import Matcher, Selector
from kilde.core.render.kustomize.strategic_merge import merge

_ABOVE_ANNOTATIONS = ((), ("metadata",), ("metadata", "annotations"))


class Patch(NamedTuple):
    """Either objects to merge or JSON 6902 operations; neither where the text says nothing.

    `settled`: labels and annotations of the patch are made strings first, as `patchesStrategicMerge` does.
    """

    merges: tuple[Resource, ...] = ()
    operations: tuple[json_patch.Operation, ...] = ()
    source: str = ""
    name_change: bool = False
    kind_change: bool = False
    settled: bool = False


def parse_patch(text: bytes, file: str, options: Mapping[str, Any] | None = None) -> Patch:
    """Reads a patch. Raises RenderFailed where it is neither an object nor a list of operations."""
    merges: tuple[Resource, ...] = ()
    try:
        documents = read_documents(text, file=file, mode="kustomize", duplicates="first")
        if not any(isinstance(document.value, list) for document in documents):
            merges = tuple(resources_of(documents, file))
            options = options or {}
            return Patch(
                merges,
                source=file,
                name_change=bool(options.get("allowNameChange")),
                kind_change=bool(options.get("allowKindChange")),
            )
    except KildeError as error:
        try:
            return Patch(operations=json_patch.parse(text, file), source=file)
        except KildeError:
            raise RenderFailed(f"no strategic merge patch, nor a JSON patch: {error}", about="patch") from error
    return Patch(operations=json_patch.parse(text, file), source=file)


def apply_patch(
    collection: Collection, patch: Patch, target: Mapping[str, Any] | None, schema: Schema, budget: Budget
) -> None:
    """One entry of `patches`."""
    if patch.operations:
        if target is None:
            raise RenderFailed("a JSON patch needs a target", about=patch.source)
        _apply_operations(collection, patch, target, budget, remember=True)
    elif target is not None and patch.merges:
        if len(patch.merges) > 1:
            raise RenderFailed("several patches in one entry cannot have a target", about=patch.source)
        _merge_into_selected(collection, patch, target, schema, budget)
        if patch.name_change or patch.kind_change:
            collection.settle()
            collection.demand_distinct(f"made by the patch in {patch.source}")
    else:
        for merging in patch.merges:
            merge_one(collection, merging, patch, schema)
    collection.settle()


def merge_one(collection: Collection, merging: Resource, patch: Patch, schema: Schema) -> None:
    """Merges into the one object with the patch's id. Raises RenderFailed if there is none, or more than one."""
    found = collection.with_any_id(merging.id)
    if len(found) != 1:
        what = "no resource matches this strategic merge patch" if not found else "several resources match this patch"
        raise RenderFailed(
            what, about=str(merging), place=merging.place, hint=_near(collection, merging) if not found else ""
        )
    body = copy_tree(merging.body)
    if patch.settled:
        _settle_strings(body, "labels", "annotations")
        _merge_as_kind(found[0], body, patch, schema, merging.comments)
        return
    if patch.name_change or patch.kind_change:
        _settle_strings(body, "annotations")
    _merge(found[0], body, patch, schema, merging.comments)


def _near(collection: Collection, merging: Resource) -> str:
    """What is there under the same name or the same kind."""
    near = [r for r in collection if r.name == merging.name] or [r for r in collection if r.kind == merging.kind]
    return f"there is {near[0]}" if near else ""


def _merge_into_selected(
    collection: Collection, patch: Patch, target: Mapping[str, Any], schema: Schema, budget: Budget
) -> None:
    matcher = Matcher(Selector.of(target))
    selected = {resource.id for resource in collection if matcher.selects(resource)}
    source = patch.merges[0]
    for resource in collection:
        if resource.id in selected:
            budget.spend_copy(source.body, "copies of a patch")
            body = copy_tree(source.body)
            _settle_strings(body, "labels", "annotations")
            _merge_as_kind(resource, body, patch, schema, source.comments)


def _merge_as_kind(
    resource: Resource, body: dict[str, Any], patch: Patch, schema: Schema, comments: Comments | None
) -> None:
    """Merges with the apiVersion that the object has; where it has none, kustomize sets it to nothing."""
    body["apiVersion"] = resource.body.get("apiVersion")
    _merge(resource, body, patch, schema, comments)
    if resource.body and "apiVersion" not in resource.body:
        resource.body["apiVersion"] = EMPTY


def _settle_strings(body: dict[str, Any], *fields: str) -> None:
    """kustomize rewrites labels and annotations of such a patch as strings: a null becomes text, or nothing, and removes nothing."""
    metadata = body.get("metadata")
    for field in fields:
        if isinstance(metadata, dict) and field in metadata:
            Resource(body).set_strings(field, Resource(body).strings(field))


def _merge(resource: Resource, body: dict[str, Any], patch: Patch, schema: Schema, comments: Comments | None) -> None:
    name, namespace, kind = resource.name, resource.namespace, resource.kind
    if body.get("$patch") != "replace" and _replaces_annotations(body):
        resource.forget()
    if patch.name_change or patch.kind_change:
        resource.remember_id()
    try:
        resource.comments = resource.comments.over(comments) if resource.comments else comments
        resource.body = merge(resource.body, body, schema, resource.comments)
    except InvalidInput as error:
        raise RenderFailed(
            f"{error.what}, by the patch in {patch.source}", about=str(resource), place=resource.place
        ) from error
    if not resource.body:
        return
    if not patch.kind_change:
        resource.body["kind"] = as_text(resource.body.get("kind"), kind)
    if not patch.name_change:
        resource.set_metadata("name", name)
    resource.set_metadata("namespace", namespace)


def _replaces_annotations(body: Mapping[str, Any]) -> bool:
    """Whether a patch takes away all annotations, and with them what kustomize noted there."""
    metadata = body.get("metadata")
    if not isinstance(metadata, dict) or "annotations" not in metadata:
        return isinstance(metadata, dict) and metadata.get("$patch") in ("replace", "delete")
    found = metadata["annotations"]
    return is_null(found) or (isinstance(found, dict) and found.get("$patch") in ("replace", "delete"))


def _apply_operations(
    collection: Collection, patch: Patch, target: Mapping[str, Any], budget: Budget, *, remember: bool
) -> None:
    matcher = Matcher(Selector.of(target))
    for resource in [found for found in collection if matcher.selects(found)]:
        if remember:
            resource.remember_id()
        apply_operations(resource, patch.operations, patch.source, budget)


def apply_operations(
    resource: Resource, operations: tuple[json_patch.Operation, ...], source: str, budget: Budget
) -> None:
    """Raises RenderFailed with the operation that does not fit."""
    notes = resource.notes
    try:
        changed = json_patch.apply(_with_notes(resource.body, notes), operations, budget)
    except InvalidInput as error:
        raise RenderFailed(
            f"{error}, by the JSON patch in {source}", about=str(resource), place=resource.place
        ) from error
    if not isinstance(changed, dict):
        raise RenderFailed("the JSON patch leaves no object", about=str(resource), place=resource.place)
    resource.body, resource.comments = changed, None
    annotations = resource.strings("annotations")
    if annotations or "annotations" in resource.metadata:
        resource.set_strings("annotations", {key: text for key, text in annotations.items() if key not in notes})
    if any(operation.op != "test" and operation.path in _ABOVE_ANNOTATIONS for operation in operations):
        # kustomize keeps these two among the annotations, so they go with them
        resource.origin, resource.transformations = None, []


def _with_notes(body: dict[str, Any], notes: Mapping[str, str]) -> dict[str, Any]:
    """The object as kustomize's patches see it: its own notes are among the annotations."""
    metadata = body.get("metadata")
    if not notes or not isinstance(metadata, dict):
        return body
    annotations = metadata.get("annotations")
    known = annotations if isinstance(annotations, dict) else {}
    return {**body, "metadata": {**metadata, "annotations": {**known, **notes}}}


def apply_json6902(
    collection: Collection, patch: Patch, target: Mapping[str, Any] | None, place: Place, budget: Budget
) -> None:
    """One entry of `patchesJson6902`: the target's name is a must."""
    if not target or is_null(target.get("name")) or not target.get("name"):
        raise RenderFailed("must specify the target's name", about="patchesJson6902", place=place)
    _apply_operations(collection, patch, target, budget, remember=False)
    collection.settle()
