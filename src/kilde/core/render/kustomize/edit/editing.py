"""edit_kustomization: a change to the fields of a kustomization becomes a change to its text."""

from copy import deepcopy
from typing import Any, NamedTuple

from kilde.core.basics.errors import InvalidYaml, KildeError, Place
from kilde.core.objects.yaml_edit import in_lines, rewrite
from kilde.core.render.kustomize.edit.fields import ORDER, Change, Fields
from kilde.core.render.kustomize.edit.fix import PLACES, IsFile, fold_patches_and_labels
from kilde.core.render.kustomize.kustomization import VERSIONS, fold_fields, read_fields
from kilde.core.render.kustomize.shapes import KUSTOMIZATION, Many, Mapped

TWINS = {"bases": "resources", "imageTags": "images", "helmChartInflationGenerator": "helmCharts"}
"""Deprecated fields that every edit of kustomize folds into those that took their place."""


class Edited(NamedTuple):
    """The new content of the file, and what a person should know of."""

    content: bytes
    notes: tuple[str, ...] = ()


def edit_kustomization(
    content: bytes, file: str, change: Change, *, fix: bool = False, is_file: IsFile = lambda _path: False
) -> Edited:
    """The file's content with a change made to what it says; all else, comments too, stays as it is.

    A deprecated field is folded into the one that took its place where the change touches that, and always to `fix`.
    Raises InvalidInput, with file and line where the file is wrong; then nothing has happened.
    """
    fields, _ = read_fields(content, file)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidYaml("is not UTF-8 text", place=Place(file)) from error
    folded = deepcopy(fields)
    fold_fields(folded)
    wanted = deepcopy(folded)
    notes = change(wanted)
    new = wanted if fix else _only_touched(fields, folded, wanted)
    if fix or (new and not fields):
        new = with_header(new)
    new = in_order(new)
    for name in PLACES if fix else TWINS:
        if fields.get(name) and name not in new:
            text = _moved(text, file, name, is_file)
    try:
        edited = rewrite(text, new, read=lambda text: _read(text, file), spelling=spelling)
    except KildeError as error:
        if error.place is None:
            raise type(error)(error.what, about=error.about, hint=error.hint, place=Place(file)) from error
        raise
    return Edited(edited.encode("utf-8"), tuple(notes))


def with_header(fields: Fields) -> Fields:
    """The fields with kind and apiVersion, as kustomize adds them where they are missing."""
    kind = fields.get("kind") or "Kustomization"
    version = VERSIONS["Component" if kind == "Component" else "Kustomization"]
    return {**fields, "apiVersion": fields.get("apiVersion") or version, "kind": kind}


def in_order(fields: Fields) -> Fields:
    """The fields in the order in which kustomize appends them."""
    return {name: fields[name] for name in sorted(fields, key=ORDER.index)}


def _only_touched(fields: Fields, folded: Fields, wanted: Fields) -> Fields:
    """What is wanted of the fields that the change touched, and of the others what the file says now."""
    touched = {name for name in {*folded, *wanted} if folded.get(name) != wanted.get(name)}
    kept = {name: value for name, value in fields.items() if TWINS.get(name, name) not in touched}
    return kept | {name: wanted[name] for name in touched if name in wanted}


def _moved(text: str, file: str, name: str, is_file: IsFile) -> str:
    """The text with a deprecated field's entries, and their comments, under the field that took its place.

    The text as it is where that would not say exactly as much: then the entries are written anew there.
    """
    from kilde.core.render.kustomize.edit.moves import move_field  # few files have any

    before = _read(text, file)
    plain, put_back = in_lines(text)
    try:
        moved = move_field(plain, name, before, spelling, is_file)
        after = _read(moved, file) if moved is not None else {}
        is_same = name not in after and _all_folded(before, is_file) == _all_folded(after, is_file)
    except KildeError:
        return text
    return put_back(moved) if moved is not None and is_same else text


def _all_folded(fields: Fields, is_file: IsFile) -> Fields:
    found = deepcopy(fields)
    fold_fields(found)
    fold_patches_and_labels(found, is_file)
    return found


def _read(text: str, file: str) -> Fields:
    return read_fields(text.encode("utf-8"), file)[0]


def spelling(path: tuple[str | int, ...], key: str) -> str:
    """A field's own name, however its letters are cased; the keys of maps as they are."""
    shape: Any = KUSTOMIZATION
    for step in path:
        is_list_or_map = isinstance(shape, (Many, Mapped))
        shape = shape.of if is_list_or_map else shape.get(step) if isinstance(shape, dict) else None
    if not isinstance(shape, dict) or key in shape:
        return key
    return next((name for name in shape if name.lower() == key.lower()), key)
