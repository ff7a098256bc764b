"""`set`, `add` and `remove` of labels and annotations."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from kilde.core.basics.errors import InvalidInput
from kilde.core.render.kustomize.edit.fields import Change, Fields, put

_ANNOTATION_KEY = re.compile(
    r"([a-zA-Z]([-a-zA-Z0-9.]{0,251}[a-zA-Z0-9])?/)?[a-zA-Z0-9]([-a-zA-Z0-9_.]{0,61}[a-zA-Z0-9])?"
)


def parse_pairs(noun: str, arguments: Sequence[str]) -> dict[str, str]:
    """`KEY:VALUE`, the value perhaps in double quotes; a key alone has an empty value. Raises InvalidInput."""
    if not arguments:
        raise InvalidInput(f"must specify {noun}", hint="write KEY:VALUE")
    found: dict[str, str] = {}
    for argument in arguments:
        key, _, value = argument.partition(":")
        if not key and argument:
            raise InvalidInput(f"invalid {noun}: '{argument}'", hint="write KEY:VALUE, where VALUE may be quoted")
        if len(value) >= 2 and value[0] == value[-1] == '"':
            value = value[1:-1]
        found[key] = value
    return found


def check_annotation_keys(pairs: Mapping[str, str]) -> None:
    """Raises InvalidInput for a key that Kubernetes takes for no annotation's."""
    for key in pairs:
        if not _ANNOTATION_KEY.fullmatch(key):
            raise InvalidInput(
                "invalid annotation key", about=key, hint="[PREFIX/]NAME: letters, digits, '-', '_' and '.', at most 63"
            )


def set_pairs(field: str, pairs: Mapping[str, str]) -> Change:
    """`set label|annotation`: adds or overwrites."""

    def change(fields: Fields) -> list[str]:
        put(fields, field, {**(fields.get(field) or {}), **pairs})
        return []

    return change


def add_pairs(field: str, noun: str, pairs: Mapping[str, str], *, force: bool) -> Change:
    """`add label|annotation`: one that is there is an error unless forced."""

    def change(fields: Fields) -> list[str]:
        put(fields, field, _with(fields.get(field) or {}, noun, pairs, force=force))
        return []

    return change


def add_plain_labels(pairs: Mapping[str, str], *, templates: bool, force: bool) -> Change:
    """`add label --without-selector`: into the first entry of `labels` with the same settings, or a new one."""

    def change(fields: Fields) -> list[str]:
        labels = list(fields.get("labels") or [])
        for at, entry in enumerate(labels):
            if not entry.get("includeSelectors") and bool(entry.get("includeTemplates")) is templates:
                labels[at] = {**entry, "pairs": _with(entry.get("pairs") or {}, "label", pairs, force=force)}
                break
        else:
            labels.append({**({"includeTemplates": True} if templates else {}), "pairs": dict(pairs)})
        fields["labels"] = labels
        return []

    return change


def remove_keys(field: str, noun: str, argument: str, *, ignore: bool) -> Change:
    """`remove label|annotation`: comma-separated keys. Raises InvalidInput for an empty one."""
    keys = argument.split(",")
    if "" in keys:
        raise InvalidInput(f"invalid {noun}: '' (name is empty)", hint=f"separate {noun}s by commas, without blanks")

    def change(fields: Fields) -> list[str]:
        present = dict(fields.get(field) or {})
        if fields.get(field) is None and not ignore:
            raise InvalidInput(f"{field} is not defined in kustomization file")
        for key in keys:
            if key not in present and not ignore:
                raise InvalidInput(f"{noun} {key} is not defined in kustomization file")
            present.pop(key, None)
        put(fields, field, present)
        return []

    return change


def _with(present: Mapping[str, Any], noun: str, pairs: Mapping[str, str], *, force: bool) -> dict[str, Any]:
    for key in pairs:
        if key in present and not force:
            raise InvalidInput(f"{noun} {key} already in kustomization file", hint="use --force to overwrite it")
    return {**present, **pairs}
