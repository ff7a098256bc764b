"""images: names, tags and digests of container images."""

from collections.abc import Iterable, Mapping
from typing import Any

from kilde.core.basics.errors import RenderFailed
from kilde.core.objects.yaml_scalars import is_null, text_of
from kilde.core.render.kustomize.collection import Collection
from kilde.core.render.kustomize.fields import FieldSpec, Obstacle, Setter, SpecTable, apply
from kilde.core.render.kustomize.resource import as_text

_LISTS = ("containers", "initContainers")
_TAG = "(:[a-zA-Z0-9_.{}-]*)?(@sha256:[a-zA-Z0-9_.{}-]*)?"


def set_image(collection: Collection, image: Mapping[str, Any], specs: Iterable[FieldSpec]) -> None:
    """Rewrites one image: in every list named containers or initContainers, then where the specs say.

    What lies in both is rewritten twice, as kustomize does (a tagSuffix is appended twice).
    """
    setter = _updater(image)
    table = SpecTable(specs)
    for resource in collection:
        if resource.kind == "CustomResourceDefinition":
            continue
        try:
            _walk(resource.body, setter)
        except Obstacle as error:
            raise RenderFailed(f"setting images: {error}", about=str(resource), place=resource.place) from error
        apply(resource, table, setter)


def _walk(value: Any, setter: Setter) -> None:
    if isinstance(value, list):
        for item in value:
            _walk(item, setter)
        return
    if not isinstance(value, dict):
        return
    for key, item in value.items():
        if isinstance(item, (dict, list)):
            _walk(item, setter)
        if key in _LISTS and isinstance(item, list):
            for container in item:
                _set_container(container, setter)


def _set_container(container: Any, setter: Setter) -> None:
    if is_null(container):
        return
    if not isinstance(container, dict):
        raise Obstacle("a container must be a map")
    if "image" in container:
        container["image"] = setter(container["image"])


def _updater(image: Mapping[str, Any]) -> Setter:
    from kilde.core.render.patterns import compile_pattern

    pattern = compile_pattern(f"^{image.get('name') or ''}{_TAG}$")
    known: dict[str, str | None] = {}  # most objects of a build have one of a few images; None: not this one

    def setter(value: Any) -> Any:
        if isinstance(value, (dict, list)):
            raise Obstacle("an image is no scalar")
        text = text_of(value)  # of a null, too
        if text not in known:
            known[text] = changed(text, image) if pattern.search(text) else None
        after = known[text]
        return value if after is None else as_text(value, after)

    return setter


def changed(text: str, image: Mapping[str, Any]) -> str:
    """The image reference with the entry's newName, newTag, digest or tagSuffix."""
    name, tag, digest = split_image(text)
    name = image.get("newName") or name
    new_tag, new_digest, suffix = image.get("newTag"), image.get("digest"), image.get("tagSuffix")
    if new_tag or new_digest:
        tag, digest = new_tag or "", new_digest or ""
    elif suffix:
        tag, digest = tag + suffix, ""
    return name + (f":{tag}" if tag else "") + (f"@{digest}" if digest else "")


def split_image(text: str) -> tuple[str, str, str]:
    """Name, tag and digest. A port in the host part is part of the name."""
    slash = max(text.find("/"), 0)
    at, colon = text.find("@", slash), text.find(":", slash)
    if at >= 0 and (colon < 0 or at < colon):
        return text[:at], "", text[at + 1 :]
    if at >= 0:
        return text[:colon], text[colon + 1 : at], text[at + 1 :]
    if colon >= 0:
        return text[:colon], text[colon + 1 :], ""
    return text, "", ""
