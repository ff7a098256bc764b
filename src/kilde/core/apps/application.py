"""Application: what a person declared, parsed once from an `argoproj.io/v1alpha1` manifest.

Fields and defaults are Argo CD's (its user guide, application-specification). Every problem is told at once, with its path.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from kilde.core.apps.clusters import HOME, IN_CLUSTER, NOWHERE, ONLY_HOME, Clusters, KnownCluster
from kilde.core.apps.names import instance_name
from kilde.core.apps.operation import Operation, read_operation
from kilde.core.apps.sources import Source, read_sources, told_revisions, told_sources
from kilde.core.basics.moment import parse
from kilde.core.basics.reading import Problems, Reader
from kilde.core.basics.values import Object
from kilde.core.plan.ignore import IgnoreRule, read_rules
from kilde.core.plan.policy import KUBECTL, MIGRATES_ANNOTATION, Automated, SyncPolicy, read_options, read_retry

GROUP, VERSION, KIND = "argoproj.io", "v1alpha1", "Application"
FINALIZER = "resources-finalizer.argocd.argoproj.io"
REFRESH_ANNOTATION = "argocd.argoproj.io/refresh"
APPROVED_ANNOTATION = "argocd.argoproj.io/deletion-approved"
SKIP_ANNOTATION = "argocd.argoproj.io/skip-reconcile"
__all__ = ["IN_CLUSTER", "Application", "Destination", "read_application", "renewed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Which cluster, as it was written and as it was found; and the namespace of objects that name none."""

    server: str
    name: str
    namespace: str
    raw: Mapping[str, Any] = field(compare=False)
    cluster: KnownCluster = HOME


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """One application. `problems` are why its spec cannot be used (empty: it can); `status` is as last seen.

    `name` tells it from all others: of one outside of the controller's namespace (`home`) it is `namespace_name`, as in tracking ids.
    """

    name: str
    own_name: str  # as its manifest has it
    namespace: str
    home: str
    uid: str
    generation: int
    resource_version: str
    project: str
    sources: tuple[Source, ...]
    written: Mapping[str, Any]  # `source` and `sources` as they stand in the manifest
    several: bool  # written as `spec.sources`: its status has lists where others have one value
    destination: Destination
    policy: SyncPolicy
    ignore: tuple[IgnoreRule, ...]
    ignore_raw: tuple[Mapping[str, Any], ...]
    history_limit: int
    operation: Operation | None
    annotations: Mapping[str, str]
    finalizers: tuple[str, ...]
    deleted_at: float | None
    status: Mapping[str, Any]
    problems: tuple[str, ...]
    mistyped: tuple[str, ...]  # those of them that are values of a wrong type, which no API server lets in

    @property
    def uncomparable(self) -> str:
        """Why nothing can be said of its objects beside Git; "" where it can."""
        unread = [text for rule in self.ignore for text in rule.unread]
        return (
            f"Failed to compare desired state to live state: failed to create diff normalizer: {'; '.join(unread)}"
            if unread
            else ""
        )

    @property
    def cascade(self) -> str:
        """How its objects go when it is deleted: "Foreground", "Background", or "" (they stay)."""
        if FINALIZER in self.finalizers or f"{FINALIZER}/foreground" in self.finalizers:
            return "Foreground"
        return "Background" if f"{FINALIZER}/background" in self.finalizers else ""

    @property
    def source(self) -> Source | None:
        """The only source, or the first of several; None where none can be used."""
        return self.sources[0] if self.sources else None

    @property
    def words(self) -> tuple[str, ...]:
        """The revision of each source as it was asked for."""
        return tuple(source.target_revision or "HEAD" for source in self.sources)

    @property
    def unresolved(self) -> tuple[str, ...]:
        """The revisions that a status tells where none could be resolved: of one source its word, of several nothing."""
        return () if self.several else self.words

    def asked(self, revisions: tuple[str, ...]) -> dict[str, Any]:
        """Its sources at these revisions, as an automated operation names them."""
        told = told_sources(self.sources, several=self.several)
        if self.several:
            del told["source"]
        return {**told_revisions(revisions, several=self.several), **told}

    def under(self, operation: Operation) -> "Application":
        """As that operation has it: its sync options are those that it names. Whoever writes an operation copies the application's."""
        if operation.options == self.policy.options:
            return self
        return replace(self, policy=replace(self.policy, options=operation.options))

    @property
    def renames_space(self) -> bool:
        """Whether its namespace is to have other labels or annotations than the last sync gave it."""
        result = (self.status.get("operationState") or {}).get("syncResult")
        wanted = self.policy.namespace_metadata
        return bool(wanted and isinstance(result, dict) and result.get("managedNamespaceMetadata") != wanted)

    @property
    def deleting(self) -> bool:
        return self.deleted_at is not None

    @property
    def refresh(self) -> str:
        """ "normal", "hard", or "" where nobody asked."""
        return self.annotations.get(REFRESH_ANNOTATION, "")

    def approved_since(self, moment: float) -> bool:
        """Whether a person has confirmed deletions at that moment (seconds since the epoch) or later."""
        given = parse(self.annotations.get(APPROVED_ANNOTATION, ""))
        return given is not None and given >= int(moment)

    @property
    def skipped(self) -> bool:
        return self.annotations.get(SKIP_ANNOTATION) == "true"

    @property
    def place(self) -> str:
        """`namespace/name`, as its manifest has both."""
        return f"{self.namespace}/{self.own_name}"

    @property
    def is_guest(self) -> bool:
        """Whether it is outside of the controller's namespace."""
        return self.namespace != self.home

    def __str__(self) -> str:
        return f"Application {self.place}"


def read_application(raw: Object, clusters: Clusters = ONLY_HOME, *, home: str = "") -> Application:
    """Parses; never raises: what is wrong is in `problems`. `clusters`: those that it may deploy to; `home`: the controller's namespace."""
    meta = raw.get("metadata") or {}
    name, namespace = str(meta.get("name", "")), str(meta.get("namespace", ""))
    top = Reader(raw, "")
    spec = Reader(raw.get("spec"), "spec", top.problems)
    destination = _destination(spec.mapping("destination"), clusters)
    sources, several = read_sources(spec)
    ignore_raw = spec.raw.get("ignoreDifferences") or ()
    problems = top.problems
    operation = None
    if raw.get("operation") is not None:
        operation = read_operation(raw["operation"], sources, several=several)
    return Application(
        name=instance_name(namespace, name, home),
        own_name=name,
        namespace=namespace,
        home=home or namespace,
        uid=str(meta.get("uid", "")),
        generation=int(meta.get("generation") or 0),
        resource_version=str(meta.get("resourceVersion", "")),
        project=spec.text("project", "default") or "default",
        sources=sources,
        written={key: spec.raw[key] for key in ("source", "sources") if spec.raw.get(key)},
        several=several,
        destination=destination,
        policy=_migrating(_policy(spec.mapping("syncPolicy")), meta),
        ignore=read_rules(spec.items("ignoreDifferences")),
        ignore_raw=tuple(one for one in ignore_raw if isinstance(one, dict)) if isinstance(ignore_raw, list) else (),
        history_limit=spec.number("revisionHistoryLimit", 10),
        operation=operation,
        annotations=meta.get("annotations") or {},
        finalizers=tuple(meta.get("finalizers") or ()),
        deleted_at=_deletion(meta),
        status=raw.get("status") or {},
        problems=tuple(dict.fromkeys(problems)),
        mistyped=tuple(dict.fromkeys(problems.mistyped)) if isinstance(problems, Problems) else (),
    )


def _deletion(meta: Mapping[str, Any]) -> float | None:
    text = meta.get("deletionTimestamp")
    return (parse(str(text)) or 0.0) if text else None


def renewed(before: Application, raw: Object) -> Application:
    """The newer version of an application whose spec is the same: cheaper than reading all of it again."""
    meta = raw.get("metadata") or {}
    return replace(
        before,
        policy=_migrating(before.policy, meta),
        uid=str(meta.get("uid", "")),
        generation=int(meta.get("generation") or 0),
        resource_version=str(meta.get("resourceVersion", "")),
        operation=read_operation(raw["operation"], before.sources, several=before.several)
        if raw.get("operation") is not None
        else None,
        annotations=meta.get("annotations") or {},
        finalizers=tuple(meta.get("finalizers") or ()),
        deleted_at=_deletion(meta),
        status=raw.get("status") or {},
    )


def _destination(at: Reader, clusters: Clusters) -> Destination:
    known = len(at.problems)
    server, name = at.text("server"), at.text("name")
    cluster, missing = NOWHERE, ""
    if not at.is_wrong and len(at.problems) == known:
        cluster, missing = clusters.find(server, name)
    if missing:
        at.problem("", missing)
    return Destination(server=server, name=name, namespace=at.text("namespace"), raw=dict(at.raw), cluster=cluster)


def _migrating(policy: SyncPolicy, meta: Mapping[str, Any]) -> SyncPolicy:
    named = (meta.get("annotations") or {}).get(MIGRATES_ANNOTATION) or KUBECTL
    return policy if policy.migrates == named else replace(policy, migrates=str(named))


def _policy(at: Reader) -> SyncPolicy:
    automated = None
    if at.has("automated"):
        auto = at.mapping("automated")
        if auto.maybe_flag("enabled") is not False:
            automated = Automated(
                prune=auto.flag("prune"), self_heal=auto.flag("selfHeal"), allow_empty=auto.flag("allowEmpty")
            )
    managed = at.mapping("managedNamespaceMetadata")
    return SyncPolicy(
        automated=automated,
        retry=read_retry(at.mapping("retry")) if at.has("retry") else None,
        retry_raw=at.mapping("retry").raw,
        options=read_options(at.texts("syncOptions")),
        namespace_labels=managed.text_map("labels"),
        namespace_annotations=managed.text_map("annotations"),
    )
