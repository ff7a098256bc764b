"""Tasks: what an operation has to do, each in its phase and wave, in Argo CD's order.

The order (gitops-engine, sync_tasks.go): phase, wave, kind, name; a Namespace or a CustomResourceDefinition that comes after something
that needs it moves right before that. What is pruned goes in reverse: its waves are swapped end for end; PruneLast goes after everything.
Ours is `rank`: within a wave, an object comes after those that it depends on.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from kilde.core.apply.outcome import ObjectResult, Phase, ResultCode
from kilde.core.objects.kinds import apply_order
from kilde.core.objects.ref import GroupKind, ObjectRef
from kilde.core.plan.change import Action, Change
from kilde.core.plan.hook_policies import Moment
from kilde.core.plan.hooks import HookSpec, SyncPhase

_PHASES = {SyncPhase.PRE_SYNC: -1, SyncPhase.SYNC: 0, SyncPhase.POST_SYNC: 1, SyncPhase.SYNC_FAIL: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One object in one phase. `rank` orders within a wave; `namespace` is what the result names for an object that has none."""

    change: Change
    phase: SyncPhase = SyncPhase.SYNC
    wave: int = 0
    rank: int = 0
    hook: HookSpec | None = None
    namespace: str = ""

    @property
    def step(self) -> tuple[SyncPhase, int, int]:
        """What is done at once; the next step waits for its health."""
        return self.phase, self.wave, self.rank

    @property
    def key(self) -> tuple[ObjectRef, SyncPhase]:
        return self.change.ref, self.phase

    @property
    def is_prune(self) -> bool:
        return self.change.action in (Action.PRUNE, Action.HOLD)

    @property
    def makes_destination(self) -> bool:
        """Whether it makes the namespace that the application deploys into."""
        ref = self.change.ref
        is_space = (ref.group, ref.kind, ref.name) == ("", "Namespace", self.namespace)
        return is_space and self.change.action is Action.CREATE

    def deleted_at(self, moment: Moment) -> bool:
        return self.hook is not None and self.hook.deleted_at(moment)


@dataclass(slots=True)
class State:
    """What became of a task so far. `phase` None: it has yet to run."""

    task: Task
    code: ResultCode = ResultCode.SYNCED
    phase: Phase | None = None
    message: str = ""
    result: ObjectResult | None = None  # of the write, for versions and verbs

    @property
    def is_running(self) -> bool:
        return self.phase is Phase.RUNNING

    @property
    def is_over(self) -> bool:
        return self.phase is not None and self.phase.is_final

    @property
    def is_bad(self) -> bool:
        return self.is_over and self.phase is not Phase.SUCCEEDED

    def told(self) -> ObjectResult:
        """As the status lists it."""
        task = self.task
        made = self.result or ObjectResult(
            ref=task.change.ref, version=task.change.version, code=self.code, message=self.message, verb="wait"
        )
        return replace(
            made,
            code=self.code,
            message=self.message,
            hook_phase=str(self.phase or ""),
            sync_phase=str(task.phase),
            hook_type=str(task.phase) if task.hook is not None else "",
            reported_namespace=task.namespace,
        )


def arrange(tasks: Iterable[Task], defines: Mapping[ObjectRef, GroupKind]) -> list[Task]:
    """All tasks in the order in which they run. `defines` has the kind that each CustomResourceDefinition among them defines."""
    ordered = sorted(_last_pruned(_reversed(list(tasks))), key=_order)
    ordered = _before_dependents(ordered, _namespace_made, _namespace_needed)
    return _before_dependents(
        ordered,
        lambda task: str(defines[task.change.ref]) if task.change.ref in defines else "",
        lambda task: str(task.change.ref.group_kind),
    )


def _order(task: Task) -> tuple[int, int, int, int, str, ObjectRef]:
    ref = task.change.ref
    return _PHASES[task.phase], task.wave, task.rank, apply_order(ref.group, ref.kind), ref.name, ref


def _reversed(tasks: list[Task]) -> list[Task]:
    """What is pruned goes wave by wave backwards, all of it in the place of its first wave: Argo CD swaps waves anew at each step.

    The waves of what goes last are swapped, too, before that goes to its place.
    """
    waves = sorted({task.wave for task in tasks if task.is_prune}, reverse=True)
    turns = {wave: turn for turn, wave in enumerate(waves)}
    return [
        replace(task, wave=waves[-1], rank=turns[task.wave]) if task.is_prune and not task.change.prune_last else task
        for task in tasks
    ]


def _last_pruned(tasks: list[Task]) -> list[Task]:
    last = max((task.wave for task in tasks if task.phase is SyncPhase.SYNC), default=0)
    after = max(last, 0) + 1
    return [replace(task, wave=after) if task.is_prune and task.change.prune_last else task for task in tasks]


def _namespace_made(task: Task) -> str:
    ref = task.change.ref
    return ref.name if (ref.group, ref.kind) == ("", "Namespace") else ""


def _namespace_needed(task: Task) -> str:
    return task.change.ref.namespace or task.namespace


def _before_dependents(tasks: Sequence[Task], made: Callable[[Task], str], needed: Callable[[Task], str]) -> list[Task]:
    """Moves what makes something before the first that needs it, into that one's step."""
    out: list[Task] = []
    first: dict[str, int] = {}
    for task in tasks:
        thing = "" if task.is_prune else made(task)
        if thing and thing in first:
            at = first[thing]
            out.insert(at, replace(task, phase=out[at].phase, wave=out[at].wave, rank=out[at].rank))
            first = {name: index + 1 if index >= at else index for name, index in first.items()}
            continue
        out.append(task)
        if not thing and not task.is_prune and needed(task):
            first.setdefault(needed(task), len(out) - 1)
    return out


def same_kind_runs(tasks: Iterable[Task]) -> list[tuple[Task, ...]]:
    """Neighbours of one kind, which are written at once; kinds one after the other."""
    groups: list[list[Task]] = []
    for task in tasks:
        if groups and groups[-1][0].change.ref.kind == task.change.ref.kind:
            groups[-1].append(task)
        else:
            groups.append([task])
    return [tuple(group) for group in groups]
