"""`fix`: deprecated fields become those that took their place."""

from collections.abc import Callable
from typing import Any

from kilde.core.basics.errors import InvalidInput
from kilde.core.render.kustomize.edit.fields import Change, Fields, put

IsFile = Callable[[str], bool]
"""Whether the kustomization's folder has a file at a path."""


PLACES = {
    "bases": "resources",
    "imageTags": "images",
    "patchesJson6902": "patches",
    "patchesStrategicMerge": "patches",
    "commonLabels": "labels",
}
"""Deprecated fields and those that take their entries as they are written."""
_REWRITTEN = {"helmChartInflationGenerator": "helmCharts", "vars": "replacements"}


def fixed(before: Fields, after: Fields) -> list[str]:
    """`old -> new` for each deprecated field that went."""
    return [f"{old} -> {new}" for old, new in {**PLACES, **_REWRITTEN}.items() if old in before and old not in after]


def fix(is_file: IsFile, then: Change = lambda _fields: []) -> Change:
    """Folds patches and labels; `then` is done afterwards. Raises InvalidInput for a label that would be there twice."""

    def change(fields: Fields) -> list[str]:
        fold_patches_and_labels(fields, is_file)
        return then(fields)

    return change


def fold_patches_and_labels(fields: Fields, is_file: IsFile) -> None:
    """What `kustomize edit fix` folds, and a build does not. Raises InvalidInput."""
    merges = [{"path" if is_file(text) else "patch": text} for text in fields.pop("patchesStrategicMerge", None) or []]
    put(fields, "patches", [*(fields.get("patches") or []), *(fields.pop("patchesJson6902", None) or []), *merges])
    pairs: dict[str, Any] | None = fields.pop("commonLabels", None)
    if not pairs:
        return
    labels = fields.get("labels") or []
    for entry in labels:
        for key in entry.get("pairs") or {}:
            if key in pairs:
                raise InvalidInput(
                    f"label name '{key}' exists in both commonLabels and labels", hint="take it out of one of them"
                )
    fields["labels"] = [*labels, {"includeSelectors": True, "pairs": pairs}]
