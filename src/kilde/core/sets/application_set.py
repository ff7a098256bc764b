"""ApplicationSet: what a person declared, parsed once; generators and template stay as they were written."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kilde.core.apps.names import instance_name
from kilde.core.basics.moment import parse
from kilde.core.basics.reading import Reader
from kilde.core.basics.values import Object
from kilde.core.objects.pointer import parse_pointer
from kilde.core.plan.ignore import Where
from kilde.core.plan.jq_path import read_jq_path

KIND = "ApplicationSet"
REFRESH_ANNOTATION = "argocd.argoproj.io/application-set-refresh"
ALLOW_EMPTY_ANNOTATION = "kilde.dev/allow-empty"
"""Says "true" on a set whose generators may give nothing: its Applications go then."""
POLICIES = ("sync", "create-only", "create-update", "create-delete")
FINALIZER = "resources-finalizer.argocd.argoproj.io"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a RollingSync: the expressions that all must fit, and `maxUpdate` as written (None: all at once)."""

    expressions: tuple[Mapping[str, Any], ...]
    max_update: int | str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """Fields of the Applications (all, or the one named) that the set leaves to others."""

    name: str
    fields: tuple[Where, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationSet:
    """One set. `problems` are why its spec cannot be used (empty: it can); `status` is as last seen.

    `key` tells it from the sets of all namespaces; `steps` is None unless the strategy is RollingSync.
    """

    key: str
    name: str
    namespace: str
    uid: str
    resource_version: str
    annotations: Mapping[str, str]
    finalizers: tuple[str, ...]
    deleted_at: float | None
    go: bool
    go_options: tuple[str, ...]
    generators: tuple[Mapping[str, Any], ...]
    template: Mapping[str, Any]
    template_patch: str
    policy: str
    preserve_resources: bool
    preserved_annotations: tuple[str, ...]
    preserved_labels: tuple[str, ...]
    ignored: tuple[Ignored, ...]
    steps: tuple[Step, ...] | None
    deletes_in_reverse: bool
    status: Mapping[str, Any]
    spec: Mapping[str, Any]
    problems: tuple[str, ...]

    @property
    def is_guest(self) -> bool:
        """Whether it is outside of the controller's namespace."""
        return self.key != self.name

    @property
    def may_update(self) -> bool:
        return self.policy in ("sync", "create-update")

    @property
    def may_delete(self) -> bool:
        return self.policy in ("sync", "create-delete")

    @property
    def may_be_empty(self) -> bool:
        return self.annotations.get(ALLOW_EMPTY_ANNOTATION) == "true"

    @property
    def rolling(self) -> bool:
        """Whether it drives the syncs of its Applications step by step."""
        return bool(self.steps)

    @property
    def project(self) -> str:
        """The project of its Applications; "" where only the parameters say it."""
        written = (self.template.get("spec") or {}).get("project")
        return written if isinstance(written, str) and "{{" not in written else ""

    @property
    def refresh(self) -> str:
        return self.annotations.get(REFRESH_ANNOTATION, "")


def read_application_set(raw: Object, *, home: str = "") -> ApplicationSet:
    """Parses; never raises: what is wrong is in `problems`. `home`: the controller's namespace ("": the set's own)."""
    meta = raw.get("metadata") or {}
    spec = Reader(raw.get("spec"), "spec")
    policy, preserved = spec.mapping("syncPolicy"), spec.mapping("preservedFields")
    strategy = spec.mapping("strategy")
    rolling = strategy.text("type") == "RollingSync" and strategy.has("rollingSync")
    template = spec.mapping("template")
    deleted = meta.get("deletionTimestamp")
    steps = _steps(strategy.mapping("rollingSync")) if rolling else None
    made: dict[str, Any] = {
        "go": spec.flag("goTemplate"),
        "go_options": spec.texts("goTemplateOptions"),
        "generators": tuple(at.raw for at in spec.items("generators")),
        "template_patch": spec.text("templatePatch"),
        "policy": policy.text("applicationsSync", "sync") or "sync",
        "preserve_resources": policy.flag("preserveResourcesOnDeletion"),
        "preserved_annotations": preserved.texts("annotations"),
        "preserved_labels": preserved.texts("labels"),
        "ignored": _ignored(spec.items("ignoreApplicationDifferences")),
        "deletes_in_reverse": bool(steps) and strategy.text("deletionOrder").lower() == "reverse",
    }
    if made["policy"] not in POLICIES:
        policy.problem(
            "applicationsSync", f"'{made['policy']}' is none of sync, create-only, create-update, create-delete"
        )
    name, namespace = str(meta.get("name", "")), str(meta.get("namespace", ""))
    return ApplicationSet(
        key=instance_name(namespace, name, home),
        name=name,
        namespace=namespace,
        uid=str(meta.get("uid", "")),
        resource_version=str(meta.get("resourceVersion", "")),
        annotations=meta.get("annotations") or {},
        finalizers=tuple(meta.get("finalizers") or ()),
        deleted_at=parse(str(deleted)) if deleted else None,
        template=template.raw,
        steps=steps,
        status=raw.get("status") or {},
        spec=spec.raw,
        problems=tuple(spec.problems),
        **made,
    )


def _steps(at: Reader) -> tuple[Step, ...]:
    return tuple(
        Step(
            expressions=tuple(each.raw for each in step.items("matchExpressions")),
            max_update=step.raw.get("maxUpdate"),
        )
        for step in at.items("steps")
    )


def _ignored(items: list[Reader]) -> tuple[Ignored, ...]:
    found = []
    for at in items:
        found_here: list[Where] = []
        for text in at.texts("jsonPointers"):
            tokens = parse_pointer(text)
            if tokens is None:
                at.problem("jsonPointers", f"'{text}' is not a JSON pointer (write /spec/source/targetRevision)")
            else:
                found_here.append(tokens)
        for text in at.texts("jqPathExpressions"):
            path = read_jq_path(text)
            if isinstance(path, str):
                at.problem("jqPathExpressions", path)
            else:
                found_here.append(path)
        found.append(Ignored(name=at.text("name"), fields=tuple(found_here)))
    return tuple(found)
