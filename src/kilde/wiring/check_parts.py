"""The parts behind `kilde check` that belong to a technology: revisions of a local repository, schemas of the embedded API."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import msgspec

from kilde.adapters.git.local import LocalRepository
from kilde.core.basics.errors import InvalidInput, KildeError, RevisionNotFound
from kilde.core.basics.values import Object
from kilde.core.check.schemas import Fit, Misfit
from kilde.core.objects.manifest import Manifest
from kilde.core.objects.typed.schema import builtin
from kilde.core.source.refspec import Refs, is_commit_id, resolve
from kilde.core.source.tree import Tree
from kilde.crds import definitions
from kilde.kubeapi.judging import ObjectJudge
from kilde.kubeapi.resources import custom
from kilde.ports.cluster import Resource

_DEFINITIONS = Resource("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", False)


class LocalRevisions:
    """Keeps the promises of core's Revisions. A branch stands for what is judged: that is about to become part of one."""

    def __init__(self, repository: LocalRepository, tree: Tree, branch: str) -> None:
        self._repository, self._tree, self._branch = repository, tree, branch
        self._found: dict[str, Tree | None] = {}

    @cached_property
    def urls(self) -> tuple[str, ...]:
        own = [str(path) for path in (self._repository.top, self._repository.folder) if path is not None]
        return (*self._repository.urls(), *own, *(f"file://{path}" for path in own))

    @cached_property
    def complete(self) -> bool:
        return not self._repository.is_shallow()

    @cached_property
    def _refs(self) -> Refs:
        return self._repository.refs()

    def at(self, revision: str) -> Tree | None:
        if revision not in self._found:
            self._found[revision] = self._at(revision)
        return self._found[revision]

    def _at(self, revision: str) -> Tree | None:
        """In the order of `resolve`: a range of versions goes before a branch."""
        if revision in ("", "HEAD"):
            return self._tree
        name = revision.removeprefix("refs/heads/")
        commit = resolve(revision, self._refs)
        is_branch = bool(self._refs.branch(name)) and commit in ("", self._refs.branch(name))
        if name == self._branch or (is_branch and not self._branch):
            return self._tree
        if not commit and is_commit_id(revision):
            try:
                commit = self._repository.commit(revision)
            except RevisionNotFound:
                return None
        return self._repository.tree(self._repository.tree_id(commit)) if commit else None


@dataclass(frozen=True, slots=True)
class ClusterFacts:
    """What is asked of a cluster: its version, as "1.36" ("" where none is asked), and its CRDs."""

    version: str = ""
    definitions: tuple[Manifest, ...] = ()


async def facts_of(kubeconfig: Path | None, context: str) -> ClusterFacts:
    """Two requests, which change nothing. Raises ClusterError."""
    from kilde.wiring.cluster import open_cluster

    cluster = open_cluster(kubeconfig, context=context)
    try:
        version = await cluster.version()
        found = [msgspec.json.decode(raw) for raw in await cluster.list(_DEFINITIONS)]
    finally:
        await cluster.close()
    return ClusterFacts(version, tuple(Manifest(body) for body in found))


class JudgedSchemas:
    """Keeps the promises of core's Schemas, by the embedded API's own types and rules; Kilde's CRDs where the repository has none."""

    def __init__(self, version: str, written: Iterable[Manifest]) -> None:
        self._judge = ObjectJudge(version, [*(one.body for one in written), *definitions()])
        self._known: dict[int, tuple[Object, Fit | None]] = {}

    @property
    def version(self) -> str:
        return self._judge.version

    def judge(self, body: Object) -> Fit | None:
        held = self._known.get(id(body))
        if held is None:
            held = self._known[id(body)] = (body, self._fit(body))  # held, so that its id stays its own
        return held[1]

    def _fit(self, body: Object) -> Fit | None:
        try:
            found = self._judge.judge(body)
        except (InvalidInput, RecursionError):
            return Fit((Misfit("", "is nested deeper than anything honest"),))
        if found is None:
            return None
        return Fit(tuple(Misfit(cause.field, cause.message) for cause in found.causes), found.warnings)


def served(version: str, crds: Iterable[Object]) -> tuple[str, ...]:
    """All that a cluster of this version with these CRDs serves, as charts ask for it: `group/version` and `group/version/Kind`."""
    found: set[str] = set()
    for kind in builtin(version).kinds:
        if kind.kind.endswith(("Options", "WatchEvent", "List")):
            continue
        api = f"{kind.group}/{kind.version}" if kind.group else kind.version
        found |= {api, f"{api}/{kind.kind}"}
    for crd in crds:
        try:
            definition = custom.Definition.of(custom.with_defaults(crd))
        except (KildeError, KeyError, TypeError, AttributeError):
            continue
        for resource in definition.resources:
            found |= {resource.api_version, f"{resource.api_version}/{resource.kind}"}
    return tuple(sorted(found))
