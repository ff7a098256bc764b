"""A HelmRelease as an Application: its chart is rendered, and what it renders is applied; there is no release any more."""

from collections.abc import Mapping
from typing import Any

from kilde.core.basics.values import Object
from kilde.core.migrate.flux.making import NameOf, application, depends, ignored, policy, shared_notes, truth
from kilde.core.migrate.flux.reading import Place, items, mapping, place, referred, skips_definitions, text, texts
from kilde.core.migrate.flux.sources import Origin, as_chart
from kilde.core.migrate.model import Note

_UNMAPPED = {
    "valuesFrom": "values of ConfigMaps and Secrets are not read: put them into Git, secret ones as SealedSecrets that the chart refers to",
    "commonMetadata": "labels and annotations are not put on what a chart renders: give them as its values",
    "healthCheckExprs": "health by CEL: write a check into argocd-cm (resource.customizations.health)",
    "postRenderers": "what a chart renders is not patched: make a kustomization with helmCharts of it",
}


def source_of(body: Object) -> Place:
    """The source that its chart comes from."""
    at, spec = place(body), mapping(body, "spec")
    if spec.get("chartRef"):
        return referred(spec, "chartRef", at.namespace)
    return referred(mapping(mapping(spec, "chart"), "spec"), "sourceRef", at.namespace)


def as_application(
    body: Object, found: Origin, *, name: str, namespace: str, project: str, name_of: NameOf
) -> tuple[Object, list[Note]]:
    """The manifest, and what it cannot say."""
    at, spec = place(body), mapping(body, "spec")
    notes = [*shared_notes(at, spec, _UNMAPPED), *_lifecycle(at, spec)]
    annotations, waits = depends(at, spec, name_of)
    source, chart_notes = _source(at, spec, found)
    space = text(spec, "targetNamespace") or at.namespace
    source["helm"] = _helm(spec, name_of_release(at, spec), mapping(mapping(spec, "chart"), "spec"))
    if skips_definitions(body):
        source["helm"]["skipCrds"] = True
    made = application(
        name,
        namespace,
        project,
        source,
        space,
        annotations=annotations,
        policy=_policy(spec),
        prune=True,
    )
    rules, unruled = ignored(at, items(mapping(spec, "driftDetection"), "ignore"))
    if rules:
        made["spec"]["ignoreDifferences"] = rules
    return made, [*notes, *chart_notes, *waits, *unruled]


def _lifecycle(at: Place, spec: Mapping[str, Any]) -> list[Note]:
    """What Helm does in the life of a release, and no Application."""
    notes = []
    off = [part for part in ("install", "upgrade") if truth(spec, part, "disableHooks")]
    if off:
        told = (
            f"{' and '.join(off)} without hooks: an Application runs them; take them out of the chart, or annotate them"
        )
        notes.append(Note(kind="person", about=str(at), text=told))
    if any(mapping(mapping(spec, part), "remediation") for part in ("install", "upgrade")):
        told = (
            "remediation: nothing is rolled back or uninstalled; a commit that fails or does harm goes into quarantine"
        )
        notes.append(Note(kind="differs", about=str(at), text=told, keep="kilde up --on-degraded"))
    return notes


def name_of_release(at: Place, spec: Mapping[str, Any]) -> str:
    """As helm-controller makes it."""
    space = text(spec, "targetNamespace")
    return text(spec, "releaseName") or (f"{space}-{at.name}" if space else at.name)


def _source(at: Place, spec: Mapping[str, Any], found: Origin) -> tuple[Object, list[Note]]:
    chart = mapping(mapping(spec, "chart"), "spec")
    where = source_of({"metadata": {"namespace": at.namespace, "name": at.name}, "spec": dict(spec)})
    if where.kind == "OCIRepository":
        apart = as_chart(found)
        return {"repoURL": apart.url, "chart": apart.chart, "targetRevision": apart.revision}, []
    if where.kind == "GitRepository":
        path = text(chart, "chart").removeprefix("./").strip("/") or "."
        told = "a chart in Git is deployed at each commit of it, not at each of its versions (reconcileStrategy)"
        unlike = text(chart, "reconcileStrategy") != "Revision"
        differs = [Note(kind="differs", about=str(at), text=told, keep="a tag in targetRevision")] if unlike else []
        return {"repoURL": found.url, "path": path, "targetRevision": found.revision}, differs
    version = text(chart, "version") or "*"
    notes = []
    if mapping(chart, "verify"):
        notes.append(Note(kind="person", about=str(at), text="chart.spec.verify: signatures of charts are not checked"))
    return {"repoURL": found.url, "chart": text(chart, "chart"), "targetRevision": version}, notes


def _helm(spec: Mapping[str, Any], release: str, chart: Mapping[str, Any]) -> Object:
    out: Object = {"releaseName": release}
    if files := texts(chart, "valuesFiles"):
        out["valueFiles"] = files
    if chart.get("ignoreMissingValuesFiles") is True:
        out["ignoreMissingValueFiles"] = True
    if values := mapping(spec, "values"):
        out["valuesObject"] = values
    if not truth(spec, "test", "enable"):
        out["skipTests"] = True
    return out


def _policy(spec: Mapping[str, Any]) -> Object:
    out = policy(spec, prune=True)
    if truth(spec, "install", "createNamespace"):
        out["syncOptions"] = ["CreateNamespace=true"]
    return out
