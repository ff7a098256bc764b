"""Judges objects one by one, desired against live, and gathers the judgements into a plan."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from kilde.core.basics.values import Object
from kilde.core.objects.ref import ObjectRef, split_api_version
from kilde.core.objects.typed.node import Node
from kilde.core.plan.change import Action, Change
from kilde.core.plan.compare import compare
from kilde.core.plan.data_loss import taken_along
from kilde.core.plan.desired import Wanted
from kilde.core.plan.hooks import is_hook, is_skipped
from kilde.core.plan.ignore import IgnoreRule, managers_for, pointers_for
from kilde.core.plan.masking import redacted
from kilde.core.plan.order import wave_of
from kilde.core.plan.policy import Options, compare_options, object_options
from kilde.core.plan.tracking import Tracking

RESTORED = "kilde.dev/restored"
"""On an object that `kilde app undo` put back; the next apply from Git takes it away again."""
_BY_ANNOTATION = Tracking()
_NO_OPTIONS = Options()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What would make the cluster what Git says."""

    changes: tuple[Change, ...]

    @property
    def in_sync(self) -> bool:
        return not any(change.differs for change in self.changes)

    def of(self, *actions: Action) -> tuple[Change, ...]:
        return tuple(change for change in self.changes if change.action in actions)

    def only(self, refs: Iterable[ObjectRef]) -> "Plan":
        """The part of the plan about these objects."""
        wanted = frozenset(refs)
        return Plan(changes=tuple(change for change in self.changes if change.ref in wanted))


def judge(
    wanted: Wanted,
    live: Object | None,
    *,
    app: str,
    node: Node | None,
    ignore: Iterable[IgnoreRule] = (),
    tracking: Tracking = _BY_ANNOTATION,
    options: Options = _NO_OPTIONS,
) -> Change:
    """One object that Git wants. An object that carries another application's tracking id differs, whatever its fields.

    `options`: the application's.
    """
    change = Change(
        ref=wanted.ref,
        action=Action.CREATE,
        why="not in the cluster",
        version=wanted.manifest.version,
        wave=wanted.wave,
        asks=asks_first(wanted.options, options),
        aside=is_skipped(wanted.manifest.annotations),
        fault=wanted.fault,
    )
    if live is None:
        return change
    meta: dict[str, Any] = live.get("metadata") or {}
    holder = tracking.owner(meta, wanted.ref)
    own = object_options(meta.get("annotations") or {})
    change = replace(
        change,
        live_version=str(meta.get("resourceVersion", "")),
        live_uid=str(meta.get("uid", "")),
        holder="" if holder == app else holder,
        asks=change.asks or asks_first(own, options),
        hook=is_hook(meta.get("annotations") or {}),
    )
    if not wanted.manifest.version:
        return replace(change, action=Action.UPDATE, why="names no version of its kind")
    ignore = tuple(ignore)
    found = compare(
        wanted.manifest.body,
        live,
        node=node,
        pointers=pointers_for(ignore, wanted.ref),
        managers=managers_for(ignore, wanted.ref),
    )
    if found.in_sync:
        return replace(change, action=Action.KEEP, why="as in Git", rewrites=found.rewrites)
    what = redacted(found.problem, wanted.manifest.body, live) or ", ".join(
        f"{field.path} {field.why}" for field in found.fields[:3]
    )
    more = f" and {len(found.fields) - 3} more" if len(found.fields) > 3 else ""
    return replace(change, action=Action.UPDATE, why=what + more, fields=found.fields)


def judge_extra(ref: ObjectRef, live: Object, *, prune: bool, options: Options) -> Change:
    """One object that carries the application's tracking id and is no longer in Git."""
    meta = live.get("metadata") or {}
    annotations = meta.get("annotations") or {}
    own = object_options(annotations)
    takes, dear = taken_along(ref.group, ref.kind, live)
    wish = own.get("Prune") or options.get("Prune")
    if is_hook(annotations):
        action, why = Action.KEEP, "a hook"
    elif wish == "false":
        action, why = Action.HOLD, "no longer in Git, but kept: Prune=false"
    elif prune:
        action, why = Action.PRUNE, "no longer in Git"
    else:
        action, why = Action.HOLD, "no longer in Git, but pruning is off"
    return Change(
        ref=ref,
        action=action,
        why=why,
        version=split_api_version(str(live.get("apiVersion", "")))[1],
        wave=wave_of(annotations),
        prune_last=own.is_on("PruneLast") or options.is_on("PruneLast"),
        live_version=str(meta.get("resourceVersion", "")),
        live_uid=str(meta.get("uid", "")),
        ignored=compare_options(annotations).has("IgnoreExtraneous"),
        confirm=wish == "confirm",
        asks=asks_first(own, options),
        kept=wish == "false",
        hook=is_hook(annotations),
        takes=takes,
        dear=dear,
        going=bool(meta.get("deletionTimestamp")),
        restored=RESTORED in annotations,
    )


def judge_copy(ref: ObjectRef, live: Object, *, options: Options) -> Change:
    """One object that carries the tracking id of another one: somebody copied it, or it is a hook that got its name from Argo CD."""
    change = judge_extra(ref, live, prune=False, options=options)
    return replace(change, action=Action.KEEP, why="carries another object's tracking id", aside=True)


def asks_first(own: Options, options: Options) -> bool:
    """Whether a person has to confirm that an object is deleted: it says so itself, or else its application does."""
    return any((own.get(name) or options.get(name)) == "confirm" for name in ("Prune", "Delete"))


def shared_warnings(plan: Plan, *, app: str, app_namespace: str) -> tuple[str, ...]:
    """A sentence for each object that another application holds."""
    return tuple(
        f"{change.ref.kind}/{change.ref.name} is part of applications {app_namespace}/{app} and {change.holder}"
        for change in plan.changes
        if change.holder
    )
