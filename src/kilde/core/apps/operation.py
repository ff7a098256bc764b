"""Operation: what somebody asks an application to do once, as Argo CD's root-level `operation` block."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from kilde.core.apps.sources import Source, read_sources
from kilde.core.basics.reading import Reader
from kilde.core.plan.policy import Options, Retry, read_options, read_retry

PLAN, PLAN_BASIS = "kilde.dev/plan", "kilde.dev/plan-basis"  # names in `operation.info`
DEPENDS, IGNORED = "kilde.dev/depends-on", "ignored"  # the same, and its value
_REVISIONS = ("revision", "revisions")


@dataclass(frozen=True, slots=True)
class Selected:
    """One object that a partial sync names; an empty namespace means any."""

    group: str
    kind: str
    name: str
    namespace: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A sync that was asked for. `raw` is the block as the status repeats it, `asked` as the Application has it from start to end."""

    revisions: tuple[str, ...] = ()  # one for each source; none: what the application asks for
    sources: tuple[Source, ...] = ()  # instead of the application's, as a rollback has them
    manifests: tuple[str, ...] = ()  # objects in YAML or JSON, synced instead of what the sources have
    prune: bool = False
    dry_run: bool = False
    resources: tuple[Selected, ...] = ()
    without_hooks: bool = False  # syncStrategy.apply
    force: bool = False
    options: Options = field(default_factory=Options)
    automated: bool = False
    username: str = ""
    plan: str = ""  # the digest of the saved plan that it carries out, and of what that rests on
    plan_basis: str = ""
    undelayed: bool = False  # it does not wait for what the application depends on
    retry: Retry = field(default_factory=Retry)
    raw: Mapping[str, Any] = field(default_factory=dict, compare=False)
    asked: Mapping[str, Any] = field(default_factory=dict, compare=False)
    problem: str = ""

    def at_latest(self) -> "Operation":
        """The same, at whatever the branch says by now (`retry.refresh`)."""
        sync = {key: value for key, value in (self.raw.get("sync") or {}).items() if key not in _REVISIONS}
        return replace(self, revisions=(), raw={**self.raw, "sync": sync})

    @property
    def asked_by(self) -> str:
        """Who or what asked: a user name, "automated", or "unknown"."""
        return "automated" if self.automated else (self.username or "unknown")


def read_operation(raw: Any) -> Operation:
    """Parses; what is wrong is in `problem`."""
    at = Reader(raw, "operation")
    sync = at.mapping("sync")
    by = at.mapping("initiatedBy")
    several = sync.texts("revisions")
    resources = tuple(
        Selected(item.text("group"), item.text("kind"), item.text("name"), item.text("namespace"))
        for item in sync.items("resources")
    )
    strategy = sync.mapping("syncStrategy")
    missing = "" if at.has("sync") else "no operation specified"
    info = {item.text("name"): item.text("value") for item in at.items("info")}
    return Operation(
        revisions=several or ((sync.text("revision"),) if sync.text("revision") else ()),
        sources=read_sources(sync)[0] if sync.raw.get("source") or sync.raw.get("sources") else (),
        manifests=sync.texts("manifests"),
        prune=sync.flag("prune"),
        dry_run=sync.flag("dryRun"),
        resources=resources,
        without_hooks=strategy.has("apply"),
        force=strategy.mapping("apply").flag("force") or strategy.mapping("hook").flag("force"),
        options=read_options(sync.texts("syncOptions")),
        automated=by.flag("automated"),
        username=by.text("username"),
        plan=info.get(PLAN, ""),
        plan_basis=info.get(PLAN_BASIS, ""),
        undelayed=info.get(DEPENDS) == IGNORED,
        retry=read_retry(at.mapping("retry")),
        raw=raw if isinstance(raw, dict) else {},
        asked=raw if isinstance(raw, dict) else {},
        problem=missing or "; ".join(at.problems),
    )
