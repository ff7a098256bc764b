"""An object's metadata as Kubernetes' tools read it: what they make of values of a wrong type, and what people are told of them."""

import functools
from collections.abc import Callable
from typing import Any

import msgspec

from kilde.core.basics.errors import InvalidYaml, Place
from kilde.core.basics.values import Object, canonical
from kilde.core.objects.typed.node import MapNode, Node

Locate = Callable[[tuple[str, ...]], Place | None]  # where a field stands

_TEXTS = ("name", "generateName", "namespace")
_MAPS = ("labels", "annotations")
_OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_decode = msgspec.json.Decoder(dict).decode


def text_of(value: Any) -> str:
    """A text; "" for what is none."""
    return value if isinstance(value, str) else ""


def texts_of(value: Any) -> dict[str, str]:
    """Labels or annotations: a null among them is "", and none counts where one is no text."""
    if not isinstance(value, dict) or not all(text is None or isinstance(text, str) for text in value.values()):
        return {}
    return {key: text or "" for key, text in value.items()} if None in value.values() else value


def undecodable(metadata: Any) -> str:
    """Why kubectl cannot decode metadata, in Go's words; "" where it can."""
    if isinstance(metadata, dict) and all(_is_plain(key, value) for key, value in metadata.items()):
        return ""  # nearly all is: no schema is looked at
    from kilde.core.objects.typed.go_decode import WrongType, decode

    try:
        decode(_holder(), _decode(canonical({"metadata": metadata})))
    except WrongType as wrong:
        return wrong.what
    return ""


def _is_plain(key: str, value: Any) -> bool:
    if key in _TEXTS:
        return isinstance(value, str)
    return key in _MAPS and isinstance(value, dict) and all(isinstance(text, str) for text in value.values())


@functools.cache
def _holder() -> Node:
    """The type that kubectl reads the metadata of any object into."""
    from kilde.core.objects.typed.schema import builtin

    return Node(map=MapNode({"metadata": builtin().named(_OBJECT_META)}), definition="metadataOnlyObject")


def mistake(body: Object, locate: Locate) -> InvalidYaml | None:
    """The first thing wrong with what every object has, told to whoever wrote it; None where there is nothing."""
    if not text_of(body.get("apiVersion")):
        return InvalidYaml("Object 'apiVersion' is missing", place=locate(()))
    metadata = body.get("metadata")
    if not isinstance(metadata, dict):
        return InvalidYaml("metadata is missing, or no map", about=text_of(body.get("kind")), place=locate(()))
    for field in _TEXTS:
        found = metadata.get(field)
        if found is not None and not isinstance(found, str):
            return _wrong(("metadata", field), f"must be a string, not {_shown(found)}", locate)
    for field in _MAPS:
        found = metadata.get(field)
        if found is not None and not isinstance(found, dict):
            return InvalidYaml("must be a map of strings", about=f"metadata.{field}", place=locate(("metadata", field)))
        for key, text in (found or {}).items():
            if text is not None and not isinstance(text, str):
                return _wrong(("metadata", field, key), "must be a string", locate)
    return None


def _wrong(path: tuple[str, ...], what: str, locate: Locate) -> InvalidYaml:
    return InvalidYaml(what, about=".".join(path), hint="quote it", place=locate(path))


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
