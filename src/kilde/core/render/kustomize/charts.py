"""Charts: helmCharts and HelmChartInflationGenerator, inflated by the helm program with the arguments that kustomize gives it."""

import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Any

from kilde.core.basics.errors import RenderFailed
from kilde.core.objects.yaml_reader import read_documents
from kilde.core.objects.yaml_scalars import Quoted
from kilde.core.objects.yaml_writer import write_document
from kilde.core.render.kustomize import shapes
from kilde.core.render.kustomize.kustomization import Kustomization
from kilde.core.render.kustomize.loader import Loader
from kilde.core.render.kustomize.openapi import BuiltInSchema
from kilde.core.render.kustomize.reading import resources_of
from kilde.core.render.kustomize.resource import Resource
from kilde.core.render.kustomize.shapes import Shape
from kilde.core.render.kustomize.strategic_merge import merge
from kilde.core.render.outside import Charts

HELM_PLUGIN: dict[str, Shape] = {**shapes.HELM_GLOBALS, **shapes.HELM_CHART}
_MERGES = ("merge", "override", "replace")
_VERSION = re.compile(r"(?<!\d)v?\d++(?:\.\d++)+")
_MAJORS = ("3", "4")
_FLAGS = {"includeCRDs": "--include-crds", "skipTests": "--skip-tests", "skipHooks": "--no-hooks", "debug": "--debug"}


def field_charts(kustomization: Kustomization, namespace: str) -> Iterator[dict[str, Any]]:
    """The charts of `helmCharts`, each with what helmGlobals says, and a namespace where it names none."""
    for chart in kustomization.items("helmCharts"):
        fields = {name: value for name, value in chart.items() if value}
        yield {**(kustomization["helmGlobals"] or {}), "namespace": namespace, **fields}


def inflated(loader: Loader, fields: Mapping[str, Any]) -> list[Resource]:
    """The objects of one chart. Raises RenderFailed where helm is not enabled, and for what helm refuses."""
    charts = loader.outside.charts
    if charts is None:
        raise RenderFailed(
            "must specify --enable-helm",
            hint="kilde build inflates charts with it; an Application takes one as source.helm, whatever kustomize.buildOptions says",
        )
    return _Inflation(charts, loader, fields).resources()


class _Inflation:
    def __init__(self, charts: Charts, loader: Loader, fields: Mapping[str, Any]) -> None:
        self.charts = charts
        self.loader, self.folder = loader.on_disk()
        settings = charts.settings
        flags = {"kubeVersion": settings.kube_version, "apiVersions": list(settings.api_versions)}
        self.fields = {**flags, "debug": settings.debug, **fields}
        self.scratch = ""
        self.name, self.repository = self.text("name"), self.text("repo")
        self.home = self.chart_home()

    def text(self, name: str) -> str:
        return self.fields.get(name) or ""

    def chart_home(self) -> str:
        home = posixpath.normpath(posixpath.join(self.folder, self.text("chartHome") or "charts"))
        pulled = self.text("version") and self.repository
        return posixpath.join(home, f"{self.name}-{self.text('version')}") if pulled else home

    def resources(self) -> list[Resource]:
        if not self.name:
            raise RenderFailed("chart name cannot be empty")
        further = [self.further_values(path) for path in self.fields.get("additionalValuesFiles") or []]
        if (self.text("valuesMerge") or "override") not in _MERGES:
            raise RenderFailed(f"valuesMerge must be one of {', '.join(_MERGES)}")
        config = self.text("configHome") or posixpath.join(self.scratch_folder(), "helm")
        self.demand_version(config)
        if not self.charts.is_folder(posixpath.normpath(f"{self.home}/{self.name}")):
            self.pull(config)
        printed = self.charts.run(self.template_arguments(self.values(), further), config)
        file = f"helm template {self.name}"
        made = resources_of(read_documents(printed, file=file, mode="kustomize"), file)
        for resource in made:
            resource.helm_made = True
        return made

    def further_values(self, path: str) -> str:
        self.loader.read(path)  # kustomize, too, reads it only to see whether it may
        return posixpath.normpath(f"{self.folder}/{path}")

    def scratch_folder(self) -> str:
        self.scratch = self.scratch or self.charts.scratch()
        return self.scratch

    def demand_version(self, config: str) -> None:
        said = self.charts.run(["version", "--short"], config).decode("utf-8", "replace")
        match = _VERSION.search(said)
        if match is None:
            raise RenderFailed(f"cannot find a version in what helm says: '{said.strip()[:80]}'")
        version = match.group().removeprefix("v")
        if version.partition(".")[0] not in _MAJORS:
            raise RenderFailed(f"helm 3 or 4 is needed, this is v{version}", hint="name another with --helm-command")

    def pull(self, config: str) -> None:
        if not self.repository:
            raise RenderFailed(f"no repo specified for pull, no chart found at '{self.home}/{self.name}'")
        arguments = ["pull", "--untar", "--untardir", self.home]
        if self.repository.startswith("oci://"):
            arguments.append(f"{self.repository.removesuffix('/')}/{self.name}")
        else:
            arguments += ["--repo", self.repository, self.name]
        if self.text("version"):
            arguments += ["--version", self.text("version")]
        self.charts.run([*arguments, "--devel"] if self.fields.get("devel") else arguments, config)

    def values(self) -> str:
        """The path of the file with the values, which are the chart's own, a file's, and those written inline, merged."""
        default = posixpath.relpath(f"{self.home}/{self.name}/values.yaml", self.folder)
        path = self.text("valuesFile") or default
        inline = self.fields.get("valuesInline") or {}
        if not inline:
            content = self.loader.read(path)
        elif self.text("valuesMerge") == "replace":
            content = write_document(inline).encode()
        else:
            content = self.merged(path, inline)
        written = posixpath.join(self.scratch_folder(), f"{self.name}-kustomize-values.yaml")
        self.charts.write(written, content)
        return written

    def merged(self, path: str, inline: dict[str, Any]) -> bytes:
        documents = read_documents(self.loader.read(path), file=path, mode="kustomize")
        if not documents:
            raise RenderFailed("the values file holds no values", about=path)
        # quotes are taken off first: unlike in an object, a value that takes another's place keeps its own type
        written = read_documents(write_document(inline).encode(), file="valuesInline", mode="kustomize")
        found, given = _unquoted(documents[0].value), _unquoted(written[0].value)
        if not isinstance(found, dict):
            raise RenderFailed("the values file must be a map", about=path)
        target, patch = (given, found) if self.text("valuesMerge") == "merge" else (found, given)
        return write_document(merge(target, patch, BuiltInSchema())).encode()

    def template_arguments(self, values: str, further: list[str]) -> list[str]:
        arguments = [
            "template",
            self.text("releaseName") or "--generate-name",
            posixpath.normpath(f"{self.home}/{self.name}"),
        ]
        for flag, name in (("--namespace", "namespace"), ("--name-template", "nameTemplate")):
            if self.text(name):
                arguments += [flag, self.text(name)]
        for file in (values, *further):
            arguments += ["-f", file]
        for version in self.fields.get("apiVersions") or []:
            arguments += ["--api-versions", version]
        if self.text("kubeVersion"):
            arguments += ["--kube-version", self.text("kubeVersion")]
        arguments += [flag for name, flag in _FLAGS.items() if self.fields.get(name)]
        return [*arguments, "--devel"] if self.fields.get("devel") else arguments


def _unquoted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _unquoted(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_unquoted(item) for item in value]
    return str(value) if isinstance(value, Quoted) else value
