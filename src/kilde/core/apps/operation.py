"""Operation: what somebody asks an application to do once, as Argo CD's root-level `operation` block."""

from collections.abc import Mapping, Sequence
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


def read_operation(raw: Any, of: Sequence[Source] = (), *, several: bool = False) -> Operation:
    """Parses; what is wrong is in `problem`. `of`, `several`: the application's sources, and whether they are written as a list."""
    at = Reader(raw, "operation")
    sync = at.mapping("sync")
    by = at.mapping("initiatedBy")
    own, listed = read_sources(sync) if sync.raw.get("source") or sync.raw.get("sources") else ((), several)
    resources = tuple(
        Selected(item.text("group"), item.text("kind"), item.text("name"), item.text("namespace"))
        for item in sync.items("resources")
    )
    strategy = sync.mapping("syncStrategy")
    missing = "" if at.has("sync") else "no operation specified"
    info = {item.text("name"): item.text("value") for item in at.items("info")}
    return Operation(
        revisions=_revisions(sync, own or of) if listed else _revision(sync),
        sources=own,
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


def _revision(sync: Reader) -> tuple[str, ...]:
    return (sync.text("revision"),) if sync.text("revision") else ()


def _revisions(sync: Reader, of: Sequence[Source]) -> tuple[str, ...]:
    """Of several sources one for each, where "" is what the source asks for; none where the count is another."""
    found = sync.texts("revisions")
    if len(found) != len(of):
        return ()
    return tuple(one or source.target_revision or "HEAD" for one, source in zip(found, of, strict=True))
