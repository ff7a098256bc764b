"""`set image` and `set replicas`: entries of a list by their name."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from kilde.core.basics.errors import InvalidInput
from kilde.core.render.kustomize.edit.fields import Change, Fields, put

KEEP = "*"
_HINT = (
    "write NAME=NEW_NAME[:TAG][@DIGEST], NAME[:TAG][@DIGEST] or NAME=NEW_NAME; '*' in the place of a new name, tag or digest"
    " keeps it"
)
_COUNT = re.compile(r"[+-]?[0-9]+")
_INT64 = 1 << 63


def split_image(image: str) -> tuple[str, str, str]:
    """Name, tag and digest: a registry's port is no tag."""
    slash = max(image.find("/"), 0)
    at = image.find("@", slash)
    colon = image.find(":", slash)
    if at < 0 and colon < 0:
        return image, "", ""
    if at >= 0 and (at < colon or colon < 0):
        return image[:at], "", image[at + 1 :]
    if at >= 0:
        return image[:colon], image[colon + 1 : at], image[at + 1 :]
    return image[:colon], image[colon + 1 :], ""


def parse_image(argument: str) -> dict[str, str]:
    """One argument of `set image` as an entry of `images`, empty fields left out. Raises InvalidInput."""
    key, value = argument.split("=", 1) if "=" in argument else ("", argument)
    name, tag, digest = split_image(value)
    if name == argument:
        raise InvalidInput("invalid format of image", about=argument, hint=_HINT)
    found = {"name": key or name, "newName": name if key else "", "newTag": tag, "digest": digest}
    return {field: text for field, text in found.items() if text}


def with_images(present: list[dict[str, Any]], arguments: Iterable[str]) -> list[dict[str, Any]]:
    """A kustomization's `images` after `set image` with these arguments. Raises InvalidInput for one that is no image."""
    images = [parse_image(argument) for argument in arguments]
    return _merged(present, {image.get("name", ""): image for image in images})


def set_images(arguments: Iterable[str]) -> Change:
    """Replaces the entries of these images, or adds them. Raises InvalidInput for an argument that is no image."""
    wanted = tuple(arguments)
    if not wanted:
        raise InvalidInput("no image specified", hint=_HINT)
    with_images([], wanted)  # what is no image is told before the file is looked at

    def change(fields: Fields) -> list[str]:
        put(fields, "images", with_images(fields.get("images") or [], wanted))
        return []

    return change


def parse_replicas(argument: str) -> tuple[str, int]:
    """`NAME=COUNT`. Raises InvalidInput."""
    name, equals, count = argument.partition("=")
    if not equals or not _COUNT.fullmatch(count) or not -_INT64 <= int(count) < _INT64:
        raise InvalidInput("invalid format of replica", about=argument, hint="write NAME=COUNT, such as web=3")
    return name, int(count)


def with_replicas(present: list[dict[str, Any]], wanted: Mapping[str, int]) -> list[dict[str, Any]]:
    """A kustomization's `replicas` after `set replicas` of these names and counts."""
    entries = {name: {**({"name": name} if name else {}), "count": count} for name, count in wanted.items()}
    return _merged(present, entries)


def set_replicas(arguments: Iterable[str]) -> Change:
    """Replaces the counts of these names, or adds them. Raises InvalidInput for an argument that is no count."""
    wanted = dict(map(parse_replicas, arguments))
    if not wanted:
        raise InvalidInput("no replicas specified", hint="write NAME=COUNT, such as web=3")

    def change(fields: Fields) -> list[str]:
        put(fields, "replicas", with_replicas(fields.get("replicas") or [], wanted))
        return []

    return change


def _merged(present: list[dict[str, Any]], wanted: Mapping[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """The present entries in their order, those that are wanted replaced, further ones of the same name gone.

    New ones come where they sort by name if the list is sorted, as kustomize sorts it; else last, in their order.
    """
    new = {name: dict(entry) for name, entry in wanted.items()}
    found: list[dict[str, Any]] = []
    done: set[str] = set()
    for entry in present:
        name = entry.get("name") or ""
        if name not in new:
            found.append(entry)
            continue
        _keep(new[name], entry)
        if name not in done:
            found.append(new[name])
            done.add(name)
    for entry in new.values():
        _keep(entry, {})
    names = [entry.get("name") or "" for entry in found]
    added = [new[name] for name in sorted(new) if name not in done]
    return sorted([*found, *added], key=_name) if names == sorted(names) else [*found, *added]


def _keep(new: dict[str, Any], old: Mapping[str, Any]) -> None:
    """An asterisk is what the old entry says."""
    for field in ("newName", "newTag", "digest"):
        if new.get(field) == KEEP:
            put(new, field, old.get(field))


def _name(entry: Mapping[str, Any]) -> str:
    return entry.get("name") or ""
