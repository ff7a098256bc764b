"""make_plan(): desired, live and owned objects become a plan; the stage on one screen."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from kilde.core.basics.values import Object
from kilde.core.objects.ref import ObjectRef, split_api_version
from kilde.core.plan import tracking
from kilde.core.plan.change import Action, Change
from kilde.core.plan.compare import Comparison
from kilde.core.plan.desired import Desired, Wanted
from kilde.core.plan.policy import Options, object_options
from kilde.core.plan.order import wave_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What would make the cluster what Git says. `shared` are sentences about objects that another application holds."""

    changes: tuple[Change, ...]
    shared: tuple[str, ...] = ()

    @property
    def in_sync(self) -> bool:
        return not any(change.differs for change in self.changes)

    def of(self, *actions: Action) -> tuple[Change, ...]:
        return tuple(change for change in self.changes if change.action in actions)


def make_plan(
    desired: Desired,
    live: Mapping[ObjectRef, Object],
    *,
    app: str,
    app_namespace: str,
    prune: bool,
    options: Options,
    compare: Callable[[Wanted, Object], Comparison],
) -> Plan:
    """`live` holds what is there of the desired objects, and everything else that carries the application's tracking id."""
    changes: list[Change] = []
    shared: list[str] = []
    for wanted in desired.objects:
        there = live.get(wanted.ref)
        if there is not None:
            holder = tracking.owner((there.get("metadata") or {}).get("annotations"), wanted.ref)
            if holder and holder != app:
                shared.append(
                    f"{wanted.ref.kind}/{wanted.ref.name} is part of applications {app_namespace}/{app} and {holder}"
                )
        changes.append(_towards(wanted, there, compare))
    wanted_refs = desired.refs
    for ref, there in sorted(live.items()):
        if ref not in wanted_refs:
            changes.append(_away(ref, there, prune=prune, options=options))
    return Plan(changes=tuple(changes), shared=tuple(shared))


def _towards(wanted: Wanted, there: Object | None, compare: Callable[[Wanted, Object], Comparison]) -> Change:
    common = {"ref": wanted.ref, "version": wanted.manifest.version, "wave": wanted.wave, "manifest": wanted.manifest}
    if there is None:
        return Change(action=Action.CREATE, why="not in the cluster", **common)  # type: ignore[arg-type]  # one dict, many types
    found = compare(wanted, there)
    if found.in_sync:
        return Change(action=Action.KEEP, why="as in Git", live=there, **common)  # type: ignore[arg-type]  # as above
    what = found.problem or ", ".join(f"{field.path} {field.why}" for field in found.fields[:3])
    more = f" and {len(found.fields) - 3} more" if len(found.fields) > 3 else ""
    return Change(action=Action.UPDATE, why=what + more, live=there, fields=found.fields, **common)  # type: ignore[arg-type]  # as above


def _away(ref: ObjectRef, there: Object, *, prune: bool, options: Options) -> Change:
    meta = there.get("metadata") or {}
    annotations = meta.get("annotations") or {}
    own = object_options(annotations)
    setting = own.get("Prune") or options.get("Prune")
    if setting == "false":
        action, why = Action.HOLD, "no longer in Git, but kept: Prune=false"
    elif prune:
        action, why = Action.PRUNE, "no longer in Git"
    else:
        action, why = Action.HOLD, "no longer in Git, but pruning is off"
    return Change(
        ref=ref,
        action=action,
        why=why,
        version=split_api_version(str(there.get("apiVersion", "")))[1],
        wave=wave_of(annotations),
        live=there,
        prune_last=own.is_on("PruneLast") or options.is_on("PruneLast"),
    )


def would_wipe_out(desired: Desired, live: Iterable[ObjectRef]) -> bool:
    """Whether everything would go because Git gave nothing."""
    return not desired.objects and any(True for _ in live)
