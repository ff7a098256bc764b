"""Sources of an application: where its manifests are, one block or several, and how statuses repeat them.

An application with `spec.sources` has lists where one with `spec.source` has one value, and a `source` without a repository
beside them (Argo CD as watched).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kilde.core.apps.source_blocks import read_directory, read_helm, read_kustomize, read_plugin_options
from kilde.core.basics.reading import Reader
from kilde.core.render import RenderSource
from kilde.core.source.chart_place import OCI, ChartPlace, is_chart_name

_REQUIRED = "spec.source.repoURL and either spec.source.path or spec.source.chart are required"
_REF = re.compile(r"[A-Za-z0-9_-]+")
_NO_VERSION = "spec.source.targetRevision is required if the manifest source is a helm chart"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where manifests are. `raw` is the block as written: the status repeats it. `ref`: the name that other sources call it by."""

    repo_url: str
    path: str
    target_revision: str
    render: RenderSource
    chart: str = ""
    tag_prefix: str = ""  # of the tags among which a range is resolved
    ref: str = ""
    name: str = ""
    raw: Mapping[str, Any] = field(compare=False)

    @property
    def url(self) -> str:
        """What the ports know it by."""
        if self.chart or self.repo_url.startswith(OCI):
            passes = self.render.helm is not None and self.render.helm.pass_credentials
            return ChartPlace(repository=self.repo_url, chart=self.chart, pass_credentials=passes).key
        return self.repo_url

    @property
    def renders(self) -> bool:
        """Whether it gives objects; one that has only a `ref` is there for the others to read from."""
        return bool(self.path or self.chart)


def read_sources(spec: Reader) -> tuple[tuple[Source, ...], bool]:
    """The sources, and whether they are written as a list. Problems go to the reader; then there are none."""
    if spec.raw.get("sources"):
        known = len(spec.problems)
        found = [read_source(at, several=True) for at in spec.items("sources")]
        names = [one.ref for one in found if one is not None and one.ref]
        if len(set(names)) < len(names):
            spec.problem("sources", "invalid sources: multiple sources had the same `ref` key")
        good = tuple(one for one in found if one is not None)
        return (good if len(spec.problems) == known else ()), True
    at = spec.mapping("source")
    if spec.is_wrong or at.is_wrong:
        return (), False
    if not at.raw:
        spec.problem("source", _REQUIRED)
        return (), False
    found_one = read_source(at, several=False)
    return ((found_one,) if found_one is not None else ()), False


def _each_required(at: Reader) -> str:
    """Argo CD's words, which end with the source as Go prints it; blocks are not shown."""
    first, last = ("repoURL", "path", "targetRevision"), ("chart", "ref", "name", "tagPrefix")
    shown = " ".join([*(at.text(key) for key in first), "nil nil nil nil", *(at.text(key) for key in last)])
    return (
        f"spec.source.repoURL and either source.path, source.chart, or source.ref are required for source {{{shown}}}"
    )


def read_source(at: Reader, *, several: bool) -> Source | None:
    """One source block; problems go to the reader."""
    known = len(at.problems)
    url, path, chart, ref = at.text("repoURL"), at.text("path"), at.text("chart"), at.text("ref")
    if len(at.problems) > known:
        return None
    if not url or not (path or chart or (ref and several)):
        at.problem("", _each_required(at) if several else _REQUIRED)
        return None
    if chart and not at.text("targetRevision"):
        at.problem("", _NO_VERSION)
        return None
    if chart and not is_chart_name(chart):
        at.problem("chart", "is no name of a chart")
        return None
    if ref and not _REF.fullmatch(ref):
        at.problem("ref", "has characters other than letters, digits, - and _")
        return None
    directory = read_directory(at.mapping("directory")) if at.has("directory") else None
    kustomize = read_kustomize(at.mapping("kustomize")) if at.has("kustomize") else None
    helm = read_helm(at.mapping("helm")) if at.has("helm") else None
    plugin = read_plugin_options(at.mapping("plugin")) if at.has("plugin") else None
    return Source(
        repo_url=url,
        path="" if chart else path,
        chart=chart,
        tag_prefix=at.text("tagPrefix"),
        target_revision=at.text("targetRevision"),
        render=RenderSource(
            path="" if chart else path, helm=helm, directory=directory, kustomize=kustomize, plugin=plugin
        ),
        ref=ref,
        name=at.text("name"),
        raw=_as_told(at.raw, {"directory": directory, "kustomize": kustomize, "helm": helm}),
    )


def _as_told(raw: Mapping[str, Any], blocks: Mapping[str, object | None]) -> dict[str, Any]:
    """The source as statuses repeat it: without blocks that decide nothing, and in the others without what is false or empty."""
    out: dict[str, Any] = {}
    for key, value in raw.items():
        if key not in blocks:
            out[key] = value
        elif blocks[key] is not None:
            out[key] = {name: item for name, item in value.items() if item and not _is_empty_jsonnet(name, item)}
    return out


def _is_empty_jsonnet(name: str, item: object) -> bool:
    return name == "jsonnet" and isinstance(item, Mapping) and not any(item.values())


def told_sources(sources: Iterable[Source], *, several: bool) -> dict[str, Any]:
    """The sources as a status has them."""
    raws = [dict(source.raw) for source in sources]
    if several:
        return {"source": {"repoURL": ""}, "sources": raws}
    return {"source": raws[0] if raws else {}}


def told_revisions(revisions: Sequence[str], *, several: bool) -> dict[str, Any]:
    """The revisions as a status has them; of several sources none at all where they are unknown."""
    if several:
        return {"revisions": list(revisions)} if revisions else {}
    return {"revision": revisions[0] if revisions else ""}


def joined(revisions: Iterable[str]) -> str:
    """What several commits are called in one word: in events, and to compare them."""
    return ",".join(revisions)


def told_list(told: Mapping[str, Any]) -> tuple[str, ...]:
    """The revisions in a block of a status or an operation; () where it has none."""
    several, one = told.get("revisions"), told.get("revision")
    if isinstance(several, list) and several:
        return tuple(map(str, several))
    return (str(one),) if one else ()


def read_joined(told: Mapping[str, Any]) -> str:
    """The same in one word."""
    return joined(told_list(told))
