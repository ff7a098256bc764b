"""Generating: what the generators of one kustomization make, in kustomize's order: ConfigMaps, Secrets, charts, plugins."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kilde.core.basics.errors import KildeError
from kilde.core.render.kustomize import plugins
from kilde.core.render.kustomize.charts import field_charts, inflated
from kilde.core.render.kustomize.generators.objects import config_map, secret
from kilde.core.render.kustomize.origin import Origin
from kilde.core.render.kustomize.resource import Resource

if TYPE_CHECKING:
    from kilde.core.render.kustomize.accumulate import Target

_Made = tuple[Resource, Origin | None]


def generated(target: "Target") -> Iterator[_Made]:
    """Each object with the origin that buildMetadata would note for it. Raises KildeError at the field that is wrong."""
    yield from _objects(target)
    yield from _charts(target)
    for config in target.plugin_configs("generators"):
        origin = target.origin.of_plugin(config) if target.origin is not None else None
        target.build.asked_outside += not plugins.is_builtin(config) or config.kind == "HelmChartInflationGenerator"
        for made in plugins.generate(config, target.loader):
            yield made, origin


def _objects(target: "Target") -> Iterator[_Made]:
    kustomization, options = target.kustomization, target.kustomization["generatorOptions"]
    for field_name, kind, make in (
        ("configMapGenerator", "ConfigMapGenerator", config_map),
        ("secretGenerator", "SecretGenerator", secret),
    ):
        for index, args in enumerate(kustomization.items(field_name)):
            try:
                made = make(target.loader, args, options, kustomization.place(field_name, index))
            except KildeError as error:
                raise target.located(error, field_name, index, args.get("name") or "") from error
            yield made, _builtin(target, kind)


def _charts(target: "Target") -> Iterator[_Made]:
    for index, fields in enumerate(field_charts(target.kustomization, target.chart_namespace)):
        target.build.asked_outside += 1
        try:
            made = inflated(target.loader, fields)
        except KildeError as error:
            raise target.located(error, "helmCharts", index, fields.get("name") or "") from error
        for resource in made:
            yield resource, _builtin(target, "HelmChartInflationGenerator")


def _builtin(target: "Target", kind: str) -> Origin | None:
    return target.origin.of_builtin(kind, target.kustomization.file) if target.origin is not None else None
