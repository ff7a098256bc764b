"""Renderer: one Application, one folder or one ApplicationSet turned into objects, with all that its render looked at."""

import posixpath
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from kilde.core.apps.application import IN_CLUSTER, Application, read_application
from kilde.core.apps.source_overrides import overridden
from kilde.core.apps.sources import Source
from kilde.core.basics.errors import KildeError
from kilde.core.check.here import Revisions
from kilde.core.check.installation import Installation
from kilde.core.check.outside import OnlyHere, nothing_outside
from kilde.core.check.units import Item, SetResult, Unit
from kilde.core.objects.manifest import Manifest
from kilde.core.render import RenderCache, RenderSource, Surroundings, render
from kilde.core.render.outside import NOTHING_OUTSIDE, Outside
from kilde.core.sets.application_set import read_application_set
from kilde.core.sets.generating import generate
from kilde.core.source.repository_url import redact, same_repository
from kilde.core.source.tree import Trace, TracedTree, Tree

ARGO_NAMESPACE = "argocd"
_CLUSTER_UNKNOWN = ("spec.destination: there are no clusters with", "spec.destination: error getting cluster by server")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a rendering rests on. `kube_version` as charts are told it, `apis` as `group/version` and `group/version/Kind`.

    `definitions` are CRDs of a cluster, beside those of the repository; `home` tells which cluster a file is for ("": the only one).
    """

    tree: Tree
    revisions: Revisions
    programs: Outside = NOTHING_OUTSIDE
    kube_version: str = ""
    apis: tuple[str, ...] = ()
    definitions: tuple[Manifest, ...] = ()
    home: Callable[[str], str] = field(default=lambda file: "")
    progress: Callable[[str], None] = field(default=lambda what: None)


@dataclass(frozen=True, slots=True)
class _Outcome:
    seen: frozenset[str]
    manifests: tuple[Manifest, ...] = ()
    unjudged: str = ""
    failure: KildeError | None = None
    plain: bool = False


class Renderer:
    """`own` are the URLs of the repository. What was read by a kustomization or chart, or in vain, is gathered in `built_from`."""

    def __init__(self, plan: Plan, own: Sequence[str], installation: Installation) -> None:
        self._plan, self._own, self._installation = plan, own, installation
        self._cache = RenderCache()
        self.built_from: set[str] = set()

    def application(self, manifest: Manifest, *, parent: str = "") -> Unit:
        """A unit with its objects; nothing is raised."""
        app = read_application(manifest.body)
        home = self._plan.home(manifest.origin.file) if manifest.origin else ""
        unit = Unit(
            name=app.name if app.namespace in ("", ARGO_NAMESPACE) else app.place,
            app=app,
            body=manifest.body,
            parent=parent,
            declared=manifest.origin,
            home=home,
            cluster=cluster_of(app) or home,
        )
        if not app.sources:
            return unit
        trees: list[Tree] = []
        for source in app.sources:
            if not any(same_repository(source.url, own) for own in self._own):
                kind = "a chart repository" if source.chart else "another repository"
                return replace(unit, unjudged=f"its source is {kind}: {redact(source.repo_url)}")
            tree = self._plan.revisions.at(source.target_revision)
            if tree is None:
                return replace(unit, unjudged="its revision is not in this repository")
            trees.append(tree)
        return self._rendered(unit, app, trees)

    def _rendered(self, unit: Unit, app: Application, trees: Sequence[Tree]) -> Unit:
        items: list[Item] = []
        seen: set[str] = set(self._installation.files)
        for source, tree in zip(app.sources, trees, strict=True):
            if not source.renders:
                continue
            looked = TracedTree(tree)
            try:
                source = overridden(looked, source, app.name)
            except KildeError as error:
                return replace(unit, failure=error, seen=frozenset(seen | self._looked_at(tree, looked, {})))
            if source.render.plugin is not None:
                return replace(unit, unjudged="needs a config management plugin, which is not run here")
            refs = {
                other.ref: TracedTree(there)
                for other, there in zip(app.sources, trees, strict=True)
                if other.ref in source.render.refs
            }
            around = replace(_around(self._plan, app, source, refs), kustomize=self._installation.kustomize)
            outcome = self._one(tree, source.render, around)
            seen |= outcome.seen | self._looked_at(tree, looked, {})
            if outcome.unjudged or outcome.failure is not None:
                return replace(unit, unjudged=outcome.unjudged, failure=outcome.failure, seen=frozenset(seen))
            items += (
                Item(one, one.namespace or app.destination.namespace)
                for one in outcome.manifests
                if not self._installation.excludes(app.destination.server or IN_CLUSTER, one)
            )
        return replace(unit, items=tuple(items), seen=frozenset(seen))

    def folder(self, path: str, name: str) -> Unit:
        """A kustomization or chart that no Application points to."""
        around = Surroundings(
            app=posixpath.basename(path) or "release",
            kube_version=self._plan.kube_version,
            api_versions=self._plan.apis,
            kustomize=self._installation.kustomize,
        )
        outcome = self._one(self._plan.tree, RenderSource(path=path), around)
        self.built_from |= outcome.seen
        return Unit(
            name=name,
            home=self._plan.home(f"{path}/"),
            cluster=self._plan.home(f"{path}/"),
            items=tuple(Item(one, one.namespace) for one in outcome.manifests),
            failure=outcome.failure,
            unjudged=outcome.unjudged,
            seen=outcome.seen,
        )

    def _one(self, tree: Tree, source: RenderSource, around: Surroundings) -> _Outcome:
        outside, refusing = nothing_outside(self._plan.programs)
        traced = TracedTree(tree)
        try:
            made = render(traced, source, cache=self._cache, outside=outside, around=around)
        except KildeError as error:
            seen = self._looked_at(tree, traced, around.refs)
            self.built_from |= seen
            return _Outcome(seen, unjudged=refusing.asked, failure=None if refusing.asked else error)
        seen = self._looked_at(tree, traced, around.refs)
        if made.source_type != "Directory":
            self.built_from |= seen
        return _Outcome(seen, made.manifests)

    def _looked_at(self, tree: Tree, traced: TracedTree, refs: Mapping[str, Tree]) -> frozenset[str]:
        """What was looked at in the tree that is judged; another revision does not change with it."""
        traces: list[Trace] = [traced.trace] if tree is self._plan.tree else []
        traces += [
            one.trace for one in refs.values() if isinstance(one, TracedTree) and one.untraced is self._plan.tree
        ]
        return frozenset(path for trace in traces for path in trace.seen)

    def expanded(self, manifest: Manifest) -> tuple[SetResult, tuple[Manifest, ...]]:
        """The Applications that a set makes."""
        meta = manifest.metadata
        namespaced = {**meta, "namespace": meta.get("namespace") or ARGO_NAMESPACE}
        owner = read_application_set({**manifest.body, "metadata": namespaced})
        outside = OnlyHere(self._plan.revisions, self._own)
        made = generate(owner, outside)
        result = SetResult(name=owner.name, declared=manifest.origin, body=manifest.body)
        if not made.error:
            return result, tuple(Manifest(body, manifest.origin) for body in made.applications)
        asked = outside.asked
        return (replace(result, unjudged=asked) if asked else replace(result, error=made.error)), ()


def _around(plan: Plan, app: Application, source: Source, refs: Mapping[str, Tree]) -> Surroundings:
    return Surroundings(
        app=app.name,
        namespace=app.destination.namespace,
        project=app.project,
        revision="0" * 40,  # the commit is not made yet
        repo_url=source.repo_url,
        target_revision=source.target_revision,
        kube_version=plan.kube_version,
        api_versions=plan.apis,
        refs=refs,
    )


def cluster_of(app: Application) -> str:
    """What the cluster of an Application is known by; "" for the one that the controller runs in."""
    destination = app.destination
    if destination.name:
        return "" if destination.name == "in-cluster" else destination.name
    server = destination.server.rstrip("/")
    return "" if server == IN_CLUSTER else server


def problems_of(app: Application) -> tuple[str, ...]:
    """What is wrong with its spec; which clusters are registered, a repository does not tell."""
    return tuple(problem for problem in app.problems if not problem.startswith(_CLUSTER_UNKNOWN))
