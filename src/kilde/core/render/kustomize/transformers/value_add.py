"""ValueAddTransformer: one text put into a field of many objects, whole or as a part of a path."""

from collections.abc import Mapping
from typing import Any

from kilde.core.basics.errors import RenderFailed
from kilde.core.objects.yaml_reader import read_documents
from kilde.core.objects.yaml_scalars import is_null, text_of
from kilde.core.render.kustomize.collection import Collection
from kilde.core.render.kustomize.fields import SpecTable, split_path
from kilde.core.render.kustomize.loader import Loader, base_name
from kilde.core.render.kustomize.resource import Resource, as_text
from kilde.core.render.kustomize.selector import Matcher, Selector
from kilde.core.render.kustomize.shapes import NUMBER, SELECTOR, TEXT, Many, Shape, decode
from kilde.core.render.kustomize.transformers.namespace import _setter, move

_TARGETS = Many({"selector": SELECTOR, "fieldPath": TEXT, "filePathPosition": NUMBER})
VALUE_ADD: dict[str, Shape] = {"value": TEXT, "targets": _TARGETS, "targetFilePath": TEXT}


def add_value(collection: Collection, raw: Mapping[str, Any], loader: Loader) -> None:
    """Raises RenderFailed without a target or with a field that is no scalar."""
    value = (raw.get("value") or "").strip() or base_name(loader.root)
    targets = [*(raw.get("targets") or []), *_from_file(raw.get("targetFilePath") or "", loader)]
    if not targets:
        raise RenderFailed("must specify at least one target", about="ValueAddTransformer")
    for target in targets:
        _add_to(collection, target, value)
    collection.changed()


def _from_file(path: str, loader: Loader) -> list[Any]:
    if not path:
        return []
    documents = read_documents(loader.read(path), file=loader.place(path), mode="kubernetes", duplicates="last")
    if not documents:
        return []
    found = decode(documents[0].value, {"targets": _TARGETS}, path, documents[0].place(), strict=False)
    return list(found.get("targets") or [])


def _add_to(collection: Collection, target: Mapping[str, Any], value: str) -> None:
    path, position = target.get("fieldPath") or "", int(target.get("filePathPosition") or 0)
    if not path or position < 0:
        raise RenderFailed("a target needs a fieldPath and no negative filePathPosition", about="ValueAddTransformer")
    matcher = Matcher(Selector.of(target["selector"])) if target.get("selector") else None
    for resource in [found for found in collection if matcher is None or matcher.selects(found)]:
        if path == "metadata/namespace":
            move(resource, SpecTable(()), _setter(value, unset_only=False), "")
        else:
            _set(resource, split_path(path), value, position)


def _set(resource: Resource, path: list[str], value: str, position: int) -> None:
    holder: Any = resource.body
    for part in path[:-1]:
        if not isinstance(holder, dict):
            raise RenderFailed(
                f"{'/'.join(path)} leads through what is no map", about=str(resource), place=resource.place
            )
        if is_null(holder.get(part)):
            holder[part] = {}
        holder = holder[part]
    if not isinstance(holder, dict) or isinstance(holder.get(path[-1]), (dict, list)):
        raise RenderFailed(f"{'/'.join(path)} is no scalar", about=str(resource), place=resource.place)
    old = holder.get(path[-1])
    text = "" if is_null(old) else text_of(old)
    holder[path[-1]] = as_text(old, _inserted(text, position - 1, value) if position > 0 else value)


def _inserted(path: str, at: int, part: str) -> str:
    """The path with one more part at a position; behind the last one if there are not as many."""
    absolute = path.startswith("/")
    parts = [found for found in path.split("/") if found]
    parts.insert(min(at, len(parts)), part)
    return ("/" if absolute else "") + "/".join(parts)
