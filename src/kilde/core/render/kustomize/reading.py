"""From documents to resources: what counts as an object, and unpacking lists of them."""

from collections.abc import Iterable, Iterator
from typing import Any

from kilde.core.basics.errors import InvalidYaml, Place
from kilde.core.objects.yaml_reader import Document
from kilde.core.objects.yaml_scalars import is_null, text_of
from kilde.core.render.kustomize.resource import Resource


def resources_of(documents: Iterable[Document], file: str) -> list[Resource]:
    """The objects of a file; items of lists come behind all others, as in kustomize.

    Raises InvalidYaml for a document without kind, or without a name.
    """
    found: list[Resource] = []
    queue = [(document.value, Place(file, document.line), document) for document in documents]
    while queue:
        later: list[tuple[Any, Place, Document]] = []
        for value, place, document in queue:
            kind = _kind(value, place)
            items = value.get("items") if kind.endswith("List") else None
            if isinstance(items, list):
                later.extend(_items(items, document, file, place))
            else:
                found.append(_checked(value, kind, place))
        queue = later
    return found


def _items(items: list[Any], document: Document, file: str, place: Place) -> Iterator[tuple[Any, Place, Document]]:
    lines = document.item_lines("items") if place.line == document.line else []
    for index, item in enumerate(items):
        line = lines[index] if index < len(lines) else place.line
        yield item, Place(file, line), document


def _kind(value: Any, place: Place) -> str:
    if not isinstance(value, dict):
        raise InvalidYaml("an object must be a map", place=place)
    kind = value.get("kind")
    if is_null(kind) or isinstance(kind, (dict, list)) or not text_of(kind):
        raise InvalidYaml("missing Resource metadata: it has no kind", place=place)
    return text_of(kind)


def _checked(value: dict[str, Any], kind: str, place: Place) -> Resource:
    metadata = value.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    if not kind.endswith("List") and (is_null(name) or isinstance(name, (dict, list)) or not text_of(name)):
        raise InvalidYaml("missing metadata.name in object", about=kind, place=place)
    return Resource(value, place)
