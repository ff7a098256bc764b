"""Surveys an application: every wanted and every tracked object is judged against what the live view holds, without a request."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from kilde.core.apps.application import Application
from kilde.core.apps.conditions import health_error
from kilde.core.apps.customizations import Customizations
from kilde.core.apps.status import ResourceState
from kilde.core.apps.summary import external_urls, images
from kilde.core.basics.values import Object
from kilde.core.health.assess import assess, counts
from kilde.core.health.health import Health, HealthStatus, aggregate
from kilde.core.objects.ref import GroupKind, ObjectRef
from kilde.core.plan.change import Action, Change
from kilde.core.plan.masking import redacted
from kilde.core.plan.planner import Plan, judge, judge_copy, judge_extra
from kilde.engine.fleet.projects import Projects
from kilde.engine.runtime import Judged, Packed, Runtime
from kilde.engine.view.live import Held, LiveView
from kilde.engine.view.schemas import Schemas

_APPLICATION = GroupKind("argoproj.io", "Application")


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What an application looks like right now."""

    plan: Plan
    health: str
    healths: dict[ObjectRef, tuple[str, str]] = field(default_factory=dict)
    extras: frozenset[ObjectRef] = frozenset()
    sync_hooks: frozenset[ObjectRef] = frozenset()  # of Git, those of syncs
    images: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()
    unjudged: tuple[ObjectRef, str] | None = None  # the first object whose check failed, and why

    @property
    def conditions(self) -> list[tuple[str, str]]:
        """What is to be told of the look itself."""
        return [health_error(*self.unjudged)] if self.unjudged else []

    @property
    def resources(self) -> tuple[ResourceState, ...]:
        return tuple(
            _resource(change, extra := change.ref in self.extras, waved=not extra or change.ref in self.sync_hooks)
            for change in self.plan.changes
        )


class Surveyor:
    """Judges objects, and remembers each judgement while neither side has changed."""

    def __init__(self, live: LiveView, schemas: Schemas, projects: Projects) -> None:
        self._live, self._schemas, self._projects = live, schemas, projects
        self.customizations = Customizations()  # the controller brings what argocd-cm says
        self.comparisons = 0

    def survey(
        self, app: Application, rt: Runtime, *, prune: bool, wanted: Iterable[ObjectRef] | None = None
    ) -> Survey:
        """`wanted` None: what the runtime's wish holds. With an empty one, everything tracked is an extra."""
        self._by_rules_of(app, rt)
        wish = rt.wish.objects if rt.wish is not None and wanted is None else {}
        changes: list[Change] = []
        healths: dict[ObjectRef, tuple[str, str]] = {}
        alive: list[tuple[ObjectRef, Health | None]] = []
        for ref, packed in wish.items():
            found = self.judge(app, rt, ref, packed)
            changes.append(found.change)
            healths[ref] = (found.health, found.health_message)
            if found.change.action is not Action.CREATE and not (found.change.aside or found.change.hook):
                alive.append((ref, found.verdict if found.counts else None))
        tracked = self._live.tracked_by(app.name) - wish.keys()
        extras = {ref for ref in tracked if not self._projects.excludes(app, ref)}
        for ref in sorted(extras):
            held = self._live.get(ref)
            if held is not None:
                extra = self._extra(app, rt, ref, held, prune=prune)
                if extra.change.forbidden:
                    extras.discard(ref)  # its project does not permit it: it is not the application's
                    continue
                changes.append(extra.change)
                healths[ref] = (extra.health, extra.health_message)
                if not extra.change.hook:
                    alive.append((ref, extra.verdict if extra.counts else None))
        for ref in sorted(self._live.copies_of(app.name) - wish.keys()):
            held = self._live.get(ref)
            if held is not None:
                changes.append(judge_copy(ref, held.body(), options=app.policy.options))
        for ref in [ref for ref in rt.judged if ref not in healths]:
            del rt.judged[ref]
        seen = rt.judged.values()
        missing = sum(1 for change in changes if change.action is Action.CREATE and not change.aside)
        return Survey(
            plan=Plan(changes=tuple(changes)),
            health=str(aggregate([_heard(ref, verdict) for ref, verdict in alive], missing=missing)),
            healths=healths,
            extras=frozenset(extras),
            sync_hooks=rt.wish.sync_hooks if rt.wish is not None else frozenset(),
            images=tuple(sorted({image for judged in seen for image in judged.images})),
            urls=tuple(sorted({url for judged in seen for url in judged.urls})),
            unjudged=next(((ref, verdict.message) for ref, verdict in alive if verdict and verdict.failed), None),
        )

    def judge(self, app: Application, rt: Runtime, ref: ObjectRef, packed: Packed) -> Judged:
        """One wanted object against what is held of it now."""
        self._by_rules_of(app, rt)
        held = self._live.get(ref)
        version = held.version if held else ""
        known = rt.judged.get(ref)
        if known is not None and known.wanted is packed and known.live_version == version:
            return known
        body = held.body() if held else None
        self.comparisons += 1
        change = judge(
            packed.unpack(ref),
            body,
            app=app.name,
            node=self._schemas.node(ref.group, packed.version, ref.kind),
            ignore=(*self.customizations.ignore, *app.ignore),
            tracking=self._live.tracking,
            options=app.policy.options,
        )
        change = self._permitted(app, change)
        if body is None:
            found = Judged(packed, version, change, None, there=False, counts=True)
        else:
            found = self._judged(packed, version, change, body, counts=counts(body))
        rt.judged[ref] = found
        return found

    def _by_rules_of(self, app: Application, rt: Runtime) -> None:
        """Forgets what was judged by other rules than the application has now: both stay the same objects while its spec does."""
        rules = rt.judged_by
        if not (isinstance(rules, tuple) and rules[0] is app.ignore and rules[1] is app.policy.options):
            rt.judged.clear()
            rt.judged_by = app.ignore, app.policy.options

    def _permitted(self, app: Application, change: Change) -> Change:
        ref = change.ref
        denied = self._projects.forbids(app, ref, namespaced=bool(ref.namespace))
        if not denied or change.hook:
            return change
        unfit = not self._projects.permits_kind(app, ref, namespaced=bool(ref.namespace))
        return replace(change, forbidden=True, unfit=unfit, why=denied)

    def _extra(self, app: Application, rt: Runtime, ref: ObjectRef, held: Held, *, prune: bool) -> Judged:
        known = rt.judged.get(ref)
        same = known is not None and known.wanted is None and known.live_version == held.version
        if known is not None and same and (known.change.action is Action.PRUNE) == prune:
            return known
        body = held.body()
        change = self._permitted(app, judge_extra(ref, body, prune=prune, options=app.policy.options))
        found = self._judged(None, held.version, change, body, counts=counts(body))
        rt.judged[ref] = found
        return found

    def assess(self, body: Object) -> Health | None:
        """The health of an object, by the checks that are configured, and by ours."""
        found = assess(body, self.customizations.judge)
        return replace(found, message=redacted(found.message, body)) if found and found.failed else found

    def _judged(self, packed: Packed | None, version: str, change: Change, body: Object, *, counts: bool) -> Judged:
        kind = change.ref.group_kind
        return Judged(
            packed,
            version,
            change,
            self.assess(body),
            there=True,
            counts=counts,
            images=images(kind, body),
            urls=external_urls(kind, body),
        )


def _heard(ref: ObjectRef, verdict: Health | None) -> Health | None:
    """What an object's health means to the application's: of another Application that is Unknown or Missing, nothing."""
    unsaid = verdict is not None and verdict.status in (HealthStatus.UNKNOWN, HealthStatus.MISSING)
    return None if unsaid and ref.group_kind == _APPLICATION else verdict


def _sync_word(change: Change) -> str:
    if change.unfit and not change.hook:
        return "Unknown"
    if change.hook or change.aside:
        return ""
    return "OutOfSync" if change.differs or (change.ignored and change.action is not Action.KEEP) else "Synced"


def _resource(change: Change, extra: bool, *, waved: bool) -> ResourceState:
    """`waved`: Git has it, so that its wave is told."""
    return ResourceState(
        ref=change.ref,
        version=change.version,
        sync=_sync_word(change),
        wave=change.wave if waved else 0,
        requires_pruning=extra,
        hook=change.hook,
        confirmation=change.asks,
    )
