"""From documents to resources: what counts as an object, and unpacking lists of them."""

import re
from collections.abc import Iterable
from typing import Any

from kilde.core.basics.errors import InvalidYaml, Place
from kilde.core.objects.yaml_reader import Document
from kilde.core.objects.yaml_scalars import Folded, Quoted, Raw, is_null, text_of, to_json
from kilde.core.render.kustomize.comments import read_comments
from kilde.core.render.kustomize.resource import INTERNAL, Resource

_NOTES = (
    "previousKinds", "previousNames", "prefixes", "suffixes", "previousNamespaces", "refBy", "generatorBehavior",
    "needsHashSuffix", "allowNameChange", "allowKindChange", "helm-generated", "path", "index", "seqindent", "id",
    "annotations-migration-resource-id",
)  # fmt: skip
BUILD_ANNOTATIONS = frozenset(INTERNAL + name for name in _NOTES) | {
    "config.kubernetes.io/index",
    "config.kubernetes.io/path",
    "config.k8s.io/id",
}  # what kustomize notes on objects while it works, and takes away at the end
_FORBIDDEN = re.compile("[\x7f-\x84\x86-\x9f\ufffe\uffff]")
_BARE_LISTS = ("List", "ResourceList")
_Found = tuple[Any, Place]


def resources_of(documents: Iterable[Document], file: str) -> list[Resource]:
    """The objects of a file; items of lists come behind all others, as in kustomize.

    Raises InvalidYaml for a document without kind, or without a name.
    """
    documents = list(documents)
    queue: list[_Found] = [(document.value, Place(file, document.line)) for document in documents]
    if len(documents) == 1 and documents[0].alone:
        value = documents[0].value
        if isinstance(value, dict) and value.get("kind") in _BARE_LISTS and isinstance(value.get("items"), list):
            queue = _items(value["items"], documents[0], file)
    found: list[Resource] = []
    lines = {document.line: document for document in documents}
    while queue:
        later: list[_Found] = []
        for value, place in queue:
            if value == {}:
                continue
            kind = _kind(value, place)
            if not (kind.endswith("List") and "items" in value):
                found.append(_checked(value, place))
                if place.line in lines and lines[place.line].value is value:
                    found[-1].comments = read_comments(lines[place.line].text)
                continue
            items = value["items"]
            if is_null(items):
                continue
            if not isinstance(items, list):
                raise InvalidYaml("expected the items to be a list", about=kind, place=place)
            # items of typed lists pass through JSON, and all strings come out of it in quotes
            demand_readable(items)
            later.extend(
                _items([_requoted(to_json(_unfolded(item))) for item in items], lines.get(place.line), file, place)
            )
        queue = later
    return found


def _items(items: list[Any], document: Document | None, file: str, place: Place | None = None) -> list[_Found]:
    lines = document.item_lines("items") if document else []
    fallback = place.line if place else 0
    return [
        (item, Place(file, lines[index] if index < len(lines) else fallback))
        for index, item in enumerate(items)
        if not is_null(item) and item != {}
    ]


def _unfolded(value: Any) -> Any:
    """The same with what folded blocks say, not what they will be printed as."""
    if isinstance(value, dict):
        return {key: _unfolded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_unfolded(item) for item in value]
    return Quoted(value.raw) if isinstance(value, Folded) else value


def _requoted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _requoted(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_requoted(item) for item in value]
    if isinstance(value, float):
        return Raw(repr(value).replace("e-0", "e-"), value)  # as Go writes it in JSON
    return Quoted(value) if isinstance(value, str) else value


def _kind(value: Any, place: Place) -> str:
    if not isinstance(value, dict):
        raise InvalidYaml("an object must be a map", place=place)
    kind = value.get("kind")
    if is_null(kind) or isinstance(kind, (dict, list)) or not text_of(kind):
        raise InvalidYaml("missing Resource metadata: it has no kind", place=place)
    return text_of(kind)


def demand_identity(resource: Resource) -> None:
    """Raises InvalidYaml for an object without kind or, unless it is a list, without a name."""
    if not resource.kind:
        raise InvalidYaml("missing kind in object", about=resource.name, place=resource.place)
    if not resource.kind.endswith("List") and not resource.name:
        raise InvalidYaml("missing metadata.name in object", about=resource.kind, place=resource.place)


def _checked(value: dict[str, Any], place: Place) -> Resource:
    resource = Resource(value, place)
    demand_identity(resource)
    annotations = resource.metadata.get("annotations")
    if isinstance(annotations, dict) and not BUILD_ANNOTATIONS.isdisjoint(annotations):
        _adopt(resource, annotations)
    return resource


def _adopt(resource: Resource, annotations: dict[str, Any]) -> None:
    """Takes in what another run of kustomize noted about an object's former ids."""
    noted = {key: text_of(annotations.pop(key)).split(",") for key in BUILD_ANNOTATIONS & set(annotations)}

    def all_of(name: str) -> list[str]:
        return noted.get(INTERNAL + name, [])

    former = zip(all_of("previousNamespaces"), all_of("previousNames"), all_of("previousKinds"), strict=False)
    resource.former = list(former)
    resource.prefixes, resource.suffixes = all_of("prefixes"), all_of("suffixes")
    resource.needs_hash = all_of("needsHashSuffix") == ["enabled"]
    resource.helm_made = all_of("helm-generated") == ["true"]


def with_notes(resource: Resource) -> dict[str, Any]:
    """The object with what kustomize would have noted on it by now, for programs that it is handed to, and back."""
    noted, copy = resource.notes, resource.copy()
    if noted:
        copy.set_strings("annotations", {**copy.strings("annotations"), **noted})
    return copy.body


def demand_readable(value: Any) -> None:
    """kustomize reads its own JSON as YAML, which forbids a few characters that JSON does not escape."""
    if isinstance(value, str):
        if _FORBIDDEN.search(value):
            raise InvalidYaml(f"control characters are not allowed: {value[:40]!r}")
    elif isinstance(value, dict):
        for key, item in value.items():
            demand_readable(key)
            demand_readable(item)
    elif isinstance(value, list):
        for item in value:
            demand_readable(item)
