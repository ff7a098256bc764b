"""The shapes of kustomize's files, and decoding a value into one: types checked, names case-insensitive, unknown ones refused."""

from typing import Any, NamedTuple

from kilde.core.basics.errors import Place, RenderFailed
from kilde.core.basics.reading import did_you_mean
from kilde.core.objects.yaml_writer import go_float

_INT64 = 1 << 63


class Scalar(NamedTuple):
    """`text`, `flag`, `number` or `any`."""

    kind: str


class Many(NamedTuple):
    """A list of one shape."""

    of: "Shape"


class Mapped(NamedTuple):
    """A map from any key to one shape."""

    of: "Shape"


Shape = Scalar | Many | Mapped | dict[str, Any]

TEXT, FLAG, NUMBER, ANY = Scalar("text"), Scalar("flag"), Scalar("number"), Scalar("any")
TEXTS, TEXT_MAP = Many(TEXT), Mapped(TEXT)

_GVK: dict[str, Shape] = {"group": TEXT, "version": TEXT, "kind": TEXT}
_FIELD_SPEC: dict[str, Shape] = {**_GVK, "path": TEXT, "create": FLAG}
FIELD_SPECS = Many(_FIELD_SPEC)
SELECTOR: dict[str, Shape] = {
    **_GVK, "name": TEXT, "namespace": TEXT, "labelSelector": TEXT, "annotationSelector": TEXT,
}  # fmt: skip
_META: dict[str, Shape] = {"name": TEXT, "namespace": TEXT, "labels": TEXT_MAP, "annotations": TEXT_MAP}
GENERATOR_OPTIONS: dict[str, Shape] = {
    "labels": TEXT_MAP, "annotations": TEXT_MAP, "disableNameSuffixHash": FLAG, "immutable": FLAG,
}  # fmt: skip
CONFIG_MAP: dict[str, Shape] = {
    "name": TEXT, "namespace": TEXT, "behavior": TEXT, "literals": TEXTS, "files": TEXTS, "envs": TEXTS, "env": TEXT,
    "options": GENERATOR_OPTIONS,
}  # fmt: skip
SECRET: dict[str, Shape] = {**CONFIG_MAP, "type": TEXT}
_PATCH_OPTIONS: dict[str, Shape] = {"allowNameChange": FLAG, "allowKindChange": FLAG}
PATCH: dict[str, Shape] = {"path": TEXT, "patch": TEXT, "target": SELECTOR, "options": _PATCH_OPTIONS}
IMAGE: dict[str, Shape] = {"name": TEXT, "newName": TEXT, "newTag": TEXT, "tagSuffix": TEXT, "digest": TEXT}
REPLICA: dict[str, Shape] = {"name": TEXT, "count": NUMBER}
LABEL: dict[str, Shape] = {"pairs": TEXT_MAP, "includeSelectors": FLAG, "includeTemplates": FLAG, "fields": FIELD_SPECS}
_FIELD_OPTIONS: dict[str, Shape] = {"delimiter": TEXT, "index": NUMBER, "create": FLAG, "encoding": TEXT}
REPLACEMENT: dict[str, Shape] = {
    "source": {**_GVK, "name": TEXT, "namespace": TEXT, "fieldPath": TEXT, "options": _FIELD_OPTIONS},
    "sourceValue": TEXT,
    "targets": Many({"select": SELECTOR, "reject": Many(SELECTOR), "fieldPaths": TEXTS, "options": _FIELD_OPTIONS}),
}
REPLACEMENT_FIELD: dict[str, Shape] = {**REPLACEMENT, "path": TEXT}
VARIABLE: dict[str, Shape] = {
    "name": TEXT,
    "objref": {**_GVK, "apiVersion": TEXT, "name": TEXT, "namespace": TEXT},
    "fieldref": {"fieldPath": TEXT},
}
HELM_CHART: dict[str, Shape] = {
    "name": TEXT, "version": TEXT, "repo": TEXT, "releaseName": TEXT, "namespace": TEXT, "valuesFile": TEXT,
    "additionalValuesFiles": TEXTS, "valuesInline": ANY, "valuesMerge": TEXT, "includeCRDs": FLAG, "skipHooks": FLAG,
    "skipTests": FLAG, "apiVersions": TEXTS, "kubeVersion": TEXT, "nameTemplate": TEXT, "debug": FLAG, "devel": FLAG,
}  # fmt: skip
HELM_GLOBALS: dict[str, Shape] = {"chartHome": TEXT, "configHome": TEXT}
_OLD_HELM: dict[str, Shape] = {
    "chartName": TEXT, "chartVersion": TEXT, "chartRepoUrl": TEXT, "chartHome": TEXT, "chartRepoName": TEXT,
    "values": TEXT, "valuesLocal": ANY, "valuesMerge": TEXT, "releaseName": TEXT, "releaseNamespace": TEXT,
    "extraArgs": TEXTS, "helmBin": TEXT, "helmHome": TEXT,
}  # fmt: skip

KUSTOMIZATION: dict[str, Shape] = {
    "apiVersion": TEXT, "kind": TEXT, "metadata": _META, "openapi": TEXT_MAP,
    "namePrefix": TEXT, "nameSuffix": TEXT, "namespace": TEXT,
    "commonLabels": TEXT_MAP, "labels": Many(LABEL), "commonAnnotations": TEXT_MAP,
    "patchesStrategicMerge": TEXTS, "patchesJson6902": Many(PATCH), "patches": Many(PATCH),
    "images": Many(IMAGE), "imageTags": Many(IMAGE), "replacements": Many(REPLACEMENT_FIELD), "replicas": Many(REPLICA),
    "vars": Many(VARIABLE), "sortOptions": {
        "order": TEXT, "legacySortOptions": {"orderFirst": TEXTS, "orderLast": TEXTS},
    },
    "resources": TEXTS, "components": TEXTS, "crds": TEXTS, "bases": TEXTS,
    "configMapGenerator": Many(CONFIG_MAP), "secretGenerator": Many(SECRET),
    "helmGlobals": HELM_GLOBALS, "helmCharts": Many(HELM_CHART),
    "helmChartInflationGenerator": Many(_OLD_HELM), "generatorOptions": GENERATOR_OPTIONS,
    "configurations": TEXTS, "generators": TEXTS, "transformers": TEXTS, "validators": TEXTS,
    "buildMetadata": TEXTS,
}  # fmt: skip

_CONFIGURED = (
    "namePrefix", "nameSuffix", "namespace", "commonLabels", "labels", "templateLabels", "commonAnnotations",
    "varReference", "images", "replicas",
)  # fmt: skip
CONFIGURATION: dict[str, Shape] = {
    **dict.fromkeys(_CONFIGURED, FIELD_SPECS),
    "nameReference": Many({**_GVK, "fieldSpecs": FIELD_SPECS}),
}


class Misfit(Exception):
    """A value that does not have its shape: `path` of the field, `what` is wrong."""

    def __init__(self, path: tuple[str | int, ...], what: str) -> None:
        super().__init__(what)
        self.path, self.what = path, what

    @property
    def field(self) -> str:
        text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.path)
        return text.removeprefix(".")


def decode(value: Any, shape: Shape, about: str, place: Place, *, strict: bool = True) -> Any:
    """`fit`, with a misfit told as RenderFailed at `place`. Where it is not strict, numbers and flags are texts, too."""
    try:
        return fit(value, shape, (), strict=strict)
    except Misfit as error:
        raise RenderFailed(
            f"{error.field}: {error.what}" if error.path else error.what, about=about, place=place
        ) from error


def fit(value: Any, shape: Shape, path: tuple[str | int, ...], *, strict: bool = True) -> Any:
    """The value with field names as the shape spells them and nulls left out. Raises Misfit."""
    if isinstance(shape, dict):
        return _fit_fields(value, shape, path, strict=strict)
    if isinstance(shape, Many):
        if not isinstance(value, list):
            raise Misfit(path, f"must be a list, not {_name(value)}")
        return [_fit_item(item, shape.of, (*path, index), strict=strict) for index, item in enumerate(value)]
    if isinstance(shape, Mapped):
        if not isinstance(value, dict):
            raise Misfit(path, f"must be a map, not {_name(value)}")
        return {
            key: "" if item is None and shape.of == TEXT else fit(item, shape.of, (*path, key), strict=strict)
            for key, item in value.items()
            if item is not None or shape.of == TEXT
        }
    return _fit_scalar(value, shape, path, strict=strict)


def _fit_item(item: Any, shape: Shape, path: tuple[str | int, ...], *, strict: bool) -> Any:
    """An element of a list; null is what Go makes of it: nothing, of the right type."""
    if item is not None:
        return fit(item, shape, path, strict=strict)
    return {} if isinstance(shape, dict) else "" if shape == TEXT else None


def _fit_scalar(value: Any, shape: Scalar, path: tuple[str | int, ...], *, strict: bool) -> Any:
    if shape.kind == "text" and not strict and isinstance(value, (bool, int, float)):
        return str(value).lower() if isinstance(value, bool) else go_float(value)
    if shape.kind == "text" and not isinstance(value, str):
        raise Misfit(path, f"must be a string, not {_name(value)}; quote it")
    if shape.kind == "flag" and not isinstance(value, bool):
        raise Misfit(path, f"must be true or false, not {_name(value)}")
    if shape.kind == "number" and (
        not isinstance(value, int) or isinstance(value, bool) or not -_INT64 <= value < _INT64
    ):
        raise Misfit(path, f"must be a whole number, not {_name(value)}")
    return value


def _fit_fields(value: Any, shape: dict[str, Any], path: tuple[str | int, ...], *, strict: bool) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Misfit(path, f"must be a map, not {_name(value)}")
    found: dict[str, Any] = {}
    lower = {name.lower(): name for name in shape}
    for key, item in sorted(value.items()):  # of names that differ in case only the last one counts
        name = key if key in shape else lower.get(key.lower())
        if name is None:
            if strict:
                raise Misfit((*path, key), f"unknown field{did_you_mean(key, shape)}")
            continue
        if item is not None:
            found[name] = fit(item, shape[name], (*path, key), strict=strict)
    return found


def _name(value: Any) -> str:
    if isinstance(value, bool):
        return f"the boolean {str(value).lower()}"
    if isinstance(value, (int, float)):
        return f"the number {value}"
    if isinstance(value, str):
        return "a string"
    return "a list" if isinstance(value, list) else "null" if value is None else "a map"
