"""Fields: what a kustomization says, by the fields' own names, for a change to work on."""

from collections.abc import Callable
from typing import Any

from kilde.core.basics.errors import InvalidInput

Fields = dict[str, Any]
Change = Callable[[Fields], list[str]]
"""Changes the fields in place; gives what a person should know of. Raises InvalidInput where it may not be done."""

ORDER = (
    "apiVersion", "kind", "metadata", "sortOptions", "resources", "bases", "namePrefix", "nameSuffix", "namespace", "crds",
    "commonLabels", "labels", "commonAnnotations", "patchesStrategicMerge", "patchesJson6902", "patches",
    "configMapGenerator", "secretGenerator", "helmCharts", "helmChartInflationGenerator", "helmGlobals",
    "generatorOptions", "vars", "images", "imageTags", "replacements", "replicas", "configurations", "generators", "transformers",
    "validators", "components", "openapi", "buildMetadata",
)  # fmt: skip
"""The order in which kustomize appends fields that a file does not have yet."""


def put(fields: Fields, name: str, value: Any) -> None:
    """Sets a field; one that would be empty goes, as kustomize writes none."""
    if value:
        fields[name] = value
    else:
        fields.pop(name, None)


def refuse_unless(is_right: bool, what: str, *, about: str = "", hint: str = "") -> None:
    """Raises InvalidInput unless it is right."""
    if not is_right:
        raise InvalidInput(what, about=about, hint=hint)


def set_text(name: str, text: str) -> Change:
    """`set namespace`, `nameprefix`, `namesuffix`: an empty text takes the field away."""

    def change(fields: Fields) -> list[str]:
        put(fields, name, text)
        return []

    return change
