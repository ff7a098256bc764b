"""Kustomization: one kustomization file, checked, with the deprecated fields folded into the present ones."""

from collections.abc import Mapping
from typing import Any

from kilde.core.basics.errors import InvalidYaml, Place, RenderFailed
from kilde.core.objects.yaml_reader import Document, read_documents
from kilde.core.render.kustomize.reading import demand_readable
from kilde.core.render.kustomize.shapes import KUSTOMIZATION, Misfit, fit

FILE_NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
VERSIONS = {"Kustomization": "kustomize.config.k8s.io/v1beta1", "Component": "kustomize.config.k8s.io/v1alpha1"}
_DEPRECATED = {
    "bases": "resources",
    "commonLabels": "labels",
    "imageTags": "images",
    "patchesJson6902": "patches",
    "patchesStrategicMerge": "patches",
    "vars": "replacements",
}
_HELM_HOMES = {"helmHome": "configHome", "chartHome": "chartHome"}
# all else kustomize writes as YAML and reads once more
_NOT_REWRITTEN = ("resources", "components", "crds", "configurations", "generatorOptions")
_FIX = "Run 'kustomize edit fix' to update your Kustomization automatically."


class Kustomization:
    """`fields` by their canonical names; `file` is its path in the tree, `folder` the folder it lies in."""

    __slots__ = ("document", "fields", "file", "warnings")

    def __init__(
        self, file: str, fields: Mapping[str, Any], warnings: tuple[str, ...] = (), document: Document | None = None
    ) -> None:
        self.file, self.fields, self.warnings, self.document = file, fields, warnings, document

    def __getitem__(self, name: str) -> Any:
        return self.fields.get(name)

    def items(self, name: str) -> list[Any]:
        return self.fields.get(name) or []

    def text(self, name: str) -> str:
        return self.fields.get(name) or ""

    @property
    def is_component(self) -> bool:
        return self.fields.get("kind") == "Component"

    def place(self, *path: str | int) -> Place:
        return self.document.place(path) if self.document else Place(self.file)


def parse_kustomization(content: bytes, file: str) -> Kustomization:
    """Reads a kustomization file. Raises InvalidYaml and RenderFailed with the line of the field that is wrong."""
    found, document = read_fields(content, file)
    warnings = _warnings(found)
    fold_fields(found)
    try:
        demand_readable({name: value for name, value in found.items() if name not in _NOT_REWRITTEN})
    except InvalidYaml as error:
        raise InvalidYaml(error.what, place=document.place() if document else None) from error
    kustomization = Kustomization(file, found, warnings, document)
    _check(kustomization)
    return kustomization


def read_fields(content: bytes, file: str) -> tuple[dict[str, Any], Document | None]:
    """The fields as the file has them, deprecated ones too; the document is None where the file says nothing.

    Raises InvalidYaml and RenderFailed.
    """
    documents = read_documents(content, file=file, mode="kubernetes", duplicates="last")
    document = documents[0] if documents else None
    raw = document.value if document else {}
    if document is not None and not isinstance(raw, dict):
        raise InvalidYaml("a kustomization must be a map", place=document.place())
    try:
        return fit(raw, KUSTOMIZATION, ()), document
    except Misfit as error:
        assert document is not None
        raise RenderFailed(error.what, about=error.field, place=document.place(error.path)) from error


def _check(kustomization: Kustomization) -> None:
    fields = kustomization.fields
    if not any(value != "" for name, value in fields.items() if name not in ("apiVersion", "kind")):
        raise RenderFailed("the kustomization is empty", place=kustomization.place())
    kind = fields.get("kind") or "Kustomization"
    if kind not in VERSIONS:
        raise RenderFailed("kind should be Kustomization or Component", about="kind", place=kustomization.place("kind"))
    version = fields.get("apiVersion") or VERSIONS[kind]
    if version != VERSIONS[kind]:
        raise RenderFailed(
            f"apiVersion for {kind} should be {VERSIONS[kind]}",
            about="apiVersion",
            place=kustomization.place("apiVersion"),
        )


def _warnings(found: Mapping[str, Any]) -> tuple[str, ...]:
    """kustomize's own words, because people grep for them; also where the field is empty."""
    return tuple(
        f"# Warning: '{old}' is deprecated. Please use '{new}' instead. {'[EXPERIMENTAL] ' if old == 'vars' else ''}{_FIX}"
        for old, new in _DEPRECATED.items()
        if old in found
    )


def fold_fields(found: dict[str, Any]) -> None:
    """Moves what deprecated fields say to those that took their place, as kustomize does before a build and an edit."""
    for old, new in (("bases", "resources"), ("imageTags", "images")):
        if found.get(old):
            found[new] = [*(found.get(new) or []), *found.pop(old)]
    for generator in ("configMapGenerator", "secretGenerator"):
        for item in found.get(generator) or []:
            if item.get("env"):
                item["envs"] = [*(item.get("envs") or []), item.pop("env")]
    old_charts = found.pop("helmChartInflationGenerator", None) or []
    for chart in old_charts:
        found.setdefault("helmCharts", []).append(_helm_chart(chart))
    homes = {new: chart[old] for chart in old_charts for old, new in _HELM_HOMES.items() if chart.get(old)}
    if homes and not found.get("helmGlobals"):
        found["helmGlobals"] = homes  # of several, the last one counts


def _helm_chart(old: Mapping[str, Any]) -> dict[str, Any]:
    names = {
        "chartName": "name", "chartVersion": "version", "chartRepoUrl": "repo", "releaseName": "releaseName",
        "values": "valuesFile", "valuesLocal": "valuesInline", "valuesMerge": "valuesMerge",
    }  # fmt: skip
    return {new: old[key] for key, new in names.items() if old.get(key)}
