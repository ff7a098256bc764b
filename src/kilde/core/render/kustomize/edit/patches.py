"""`add patch` and `remove patch`."""

from collections.abc import Mapping
from typing import Any

from kilde.core.basics.errors import InvalidInput
from kilde.core.render.kustomize.edit.fields import Change, Fields, put


def patch_entry(path: str, patch: str, target: Mapping[str, str]) -> dict[str, Any]:
    """An entry of `patches`, empty fields left out. Raises InvalidInput where both path and patch are given."""
    if path and patch:
        raise InvalidInput("patch and path can't be set at the same time", hint="give --path or --patch")
    chosen = {name: text for name, text in target.items() if text}
    found = {"path": path, "patch": patch, "target": chosen}
    return {name: value for name, value in found.items() if value}


def add_patch(entry: Mapping[str, Any]) -> Change:
    """Appends a patch; one that is there is told of and left."""

    def change(fields: Fields) -> list[str]:
        patches = list(fields.get("patches") or [])
        if any(_told(patch) == entry for patch in patches):
            return ["patch already in kustomization file"]
        put(fields, "patches", [*patches, dict(entry)])
        return []

    return change


def remove_patch(entry: Mapping[str, Any]) -> Change:
    """Takes away the patches that are exactly this; none is told of."""

    def change(fields: Fields) -> list[str]:
        patches = fields.get("patches") or []
        left = [patch for patch in patches if _told(patch) != entry]
        if len(left) == len(patches):
            return ["patch doesn't exist in kustomization file"]
        put(fields, "patches", left)
        return []

    return change


def _told(patch: Mapping[str, Any]) -> dict[str, Any]:
    """A patch without what is empty; an empty target or empty options are something, as they are to kustomize."""
    found = {name: value for name, value in patch.items() if value or name in ("target", "options")}
    for name in ("target", "options"):
        if name in found:
            found[name] = {key: value for key, value in found[name].items() if value}
    return found
