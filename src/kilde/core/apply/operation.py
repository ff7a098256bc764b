"""sync(): walks the tasks of an operation, phase by phase and wave by wave. Says what to do and hears how it went; does nothing itself.

A generator of commands: the engine performs each and sends the reply back. The rules are Argo CD's (gitops-engine, sync_context.go): a step
is done to its end whatever fails in it; an operation of one step without hooks is over when it is written; any other waits for the health
of what it wrote; hooks are waited for always; a failure runs the SyncFail hooks and nothing else. While a sync window is in the way nothing
is looked at and nothing done.
"""

from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, cast

from kilde.core.apply.commands import (
    ApplyAll,
    AskAllowed,
    AskConfirmed,
    AwaitServed,
    Command,
    CreateNamespace,
    DeleteHooks,
    Incomparable,
    Look,
    Pause,
    PruneAll,
    ReleaseHooks,
    Reply,
    Sight,
    Tell,
    Terminated,
    Wait,
)
from kilde.core.apply.outcome import ObjectResult, Outcome, Phase, ResultCode
from kilde.core.apply.tasks import State, Task, arrange, same_kind_runs
from kilde.core.apply.words import BLOCKED, deletion_words, failure_words, waiting_words
from kilde.core.objects.ref import GroupKind, ObjectRef
from kilde.core.plan.change import Action
from kilde.core.plan.hook_policies import Moment
from kilde.core.plan.hooks import SyncPhase

_APPLY_FAILED = "one or more objects failed to apply"
_TRIED_IN_VAIN = f"{_APPLY_FAILED} (dry run)"
_NO_NAMESPACE = "the namespace failed to apply"
_TASKS_FAILED = "one or more synchronization tasks completed unsuccessfully"
_NO_MORE = "successfully synced (no more tasks)"
_ALL_RUN = "successfully synced (all tasks run)"

Walking: TypeAlias = Generator[Command, Reply, None]


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncOrder:
    """What to do, and how.

    `defines` has the kind that each CustomResourceDefinition among the tasks defines. `before` is what is known of tasks from before the
    attempt was cut off: those that are over do not run again.
    """

    tasks: tuple[Task, ...]
    defines: Mapping[ObjectRef, GroupKind] = field(default_factory=dict)
    create_namespace: str = ""  # the namespace to make sure of; "" for none
    dry_run: bool = False
    prune: bool = True  # whether it may; False: what would go is told as waiting for it
    before: Mapping[tuple[ObjectRef, SyncPhase], ObjectResult] = field(default_factory=dict)


def sync(order: SyncOrder) -> Generator[Command, Reply, Outcome]:
    """The walk. Returns the outcome; the results are in the order things were first told of.

    May be ended by throwing Terminated or Incomparable.
    """
    walk = _Walk(order)
    try:
        return (yield from walk.run())
    except Terminated:
        return (yield from walk.terminate())
    except Incomparable as why:
        return walk.give_up(str(why))


class _Walk:
    """The states of the tasks, and the rules that move them."""

    def __init__(self, order: SyncOrder) -> None:
        self._order = order
        self._states = [State(task) for task in arrange(order.tasks, order.defines)]
        self._by_key = {state.task.key: state for state in self._states}
        self._told: dict[tuple[ObjectRef, SyncPhase], State] = {}
        self._extra: list[ObjectResult] = []  # of the namespace
        self._released: set[tuple[ObjectRef, SyncPhase]] = set()
        self._deleting: set[tuple[ObjectRef, SyncPhase]] = set()
        self._end: Outcome | None = None
        for key, known in order.before.items():
            if (state := self._by_key.get(key)) is not None and known.hook_phase:
                self._set(state, Phase(known.hook_phase), known.message, code=known.code)
        steps = {state.task.step for state in self._states}
        self._multi_step = len(steps) > 1

    def run(self) -> Generator[Command, Reply, Outcome]:
        if self._order.create_namespace:
            made = cast("tuple[ObjectResult, ...]", (yield CreateNamespace(self._order.create_namespace)))
            self._extra += made
            failed = [result for result in made if result.code is ResultCode.FAILED]
            if failed:
                return Outcome(Phase.FAILED, failure_words(_NO_NAMESPACE, [failed[0].message]), self._results())
        if self._order.dry_run:
            return (yield from self._dry_run())
        while self._end is None:
            if (yield AskAllowed()):
                yield from self._step()
            else:
                yield Wait(BLOCKED, self._results())
        return self._end

    def _step(self) -> Walking:
        """One look at everything, and the next thing to do: Argo CD's Sync(), once."""
        yield from self._look_at_running()
        waiting = self._still_running()
        if waiting:
            yield Wait(waiting_words(waiting), self._results())
            return
        going = yield from self._going()
        if going:
            yield Wait(deletion_words(going), self._results())
            return
        yield from self._release([s for s in self._states if s.task.hook is not None and s.is_over])
        regular = [s for s in self._states if s.task.phase is not SyncPhase.SYNC_FAIL]
        if any(s.is_bad for s in regular):
            yield from self._fail(_TASKS_FAILED, regular)
            return
        if not (yield from self._make_destination(regular)):
            return
        if faulty := {s.task.key: s for s in self._states if s.task.change.fault and not s.task.is_prune}:
            yield from self._give_back(faulty)
            return
        pending = [s for s in regular if s.phase is None]
        if not pending:
            yield from self._succeed(_NO_MORE)
            return
        step = [s for s in pending if s.task.step == pending[0].task.step]
        later = [s for s in pending if s.task.step != pending[0].task.step]
        yield from self._do(step, later)

    def _make_destination(self, regular: list[State]) -> Generator[Command, Reply, bool]:
        """The destination's namespace, where it is wanted and missing, goes before all waves; without it nothing else is tried."""
        space = {s.task.key: s for s in regular if s.task.makes_destination and s.phase is None}
        if not space:
            return True
        yield from self._apply(tuple(s.task for s in space.values()), space)
        reasons = [s.message for s in space.values() if s.is_bad]
        if reasons:
            self._end = Outcome(Phase.FAILED, failure_words(_NO_NAMESPACE, reasons), self._results())
        return not reasons

    def _give_back(self, faulty: Mapping[tuple[ObjectRef, SyncPhase], State]) -> Walking:
        """What cannot be written, whatever the cluster says, ends it before anything else is written."""
        for group in same_kind_runs(s.task for s in faulty.values()):
            yield from self._apply(group, faulty)
        self._end = Outcome(Phase.FAILED, _TRIED_IN_VAIN, self._results())

    def _do(self, step: list[State], later: list[State]) -> Walking:
        ready = yield from self._run(step)
        failed = [s for s in step if s.code is ResultCode.FAILED]
        if ready and not failed and later and later[0].task.step[:2] != step[0].task.step[:2]:
            yield Pause()
        if failed or any(s.is_bad for s in step):
            if not any(s.is_running for s in step):
                yield from self._fail(_APPLY_FAILED, step)
            elif rescue := [s for s in self._states if s.task.phase is SyncPhase.SYNC_FAIL and s.phase is None]:
                yield from self._run(rescue)  # beside what still runs
        elif ready and not later and not any(s.task.hook for s in step):
            yield from self._succeed(_ALL_RUN)

    def _look_at_running(self) -> Walking:
        running = [s for s in self._states if s.is_running]
        if not running:
            return
        for state, sight in zip(running, (yield from self._sights(running)), strict=True):
            if sight.there:
                self._set(state, sight.phase, sight.message)
            elif self._multi_step or state.task.hook is not None:
                ref = state.task.change.ref
                text = f"Resource {ref.group}/{ref.kind}/{ref.name} is missing, it might have been deleted"
                self._set(state, Phase.ERROR, text, code=ResultCode.FAILED)

    def _still_running(self) -> list[State]:
        return [s for s in self._states if s.is_running and (self._multi_step or s.task.hook is not None)]

    def _going(self) -> Generator[Command, Reply, list[State]]:
        """What was pruned and is held by a finalizer: a later step waits for it."""
        pruned = [s for s in self._states if s.code is ResultCode.PRUNED and s.phase is not None]
        if not pruned:
            return []
        sights = yield from self._sights(pruned)
        return [state for state, sight in zip(pruned, sights, strict=True) if sight.there and sight.going]

    def _run(self, states: list[State]) -> Generator[Command, Reply, bool]:
        """Does what these tasks are. False: something has to be waited for first (it was), or went wrong."""
        there = yield from self._hooks_there(states)
        states = [s for s in states if s.phase is None]
        if not (yield from self._release(there, again=True)):
            return False
        prunes = [s for s in states if s.task.is_prune]
        if not (yield from self._confirmed(prunes)):
            return False
        for state in prunes:
            self._told.setdefault(
                state.task.key, state
            )  # told first, as Argo CD does; done last, and only if all was written
        self._leave([s for s in prunes if s.task.change.action is Action.HOLD])
        stale = [s for s in there if s.task.deleted_at(Moment.BEFORE_CREATION)]
        if stale:
            fresh = [s for s in stale if s.task.key not in self._deleting]
            yield from self._delete(fresh)
            if not any(s.is_bad for s in stale):
                yield Wait(deletion_words(stale), self._results())
            return False
        by_key = {s.task.key: s for s in states if not s.task.is_prune}
        for group in same_kind_runs(s.task for s in by_key.values()):
            yield from self._apply(group, by_key)
        if any(s.is_bad for s in by_key.values()):
            return False
        yield from self._prune(prunes)
        return not any(s.is_bad for s in prunes)

    def _hooks_there(self, states: list[State]) -> Generator[Command, Reply, list[State]]:
        """Hooks of an earlier sync. One that this very attempt made before it was cut off, and did not come to tell of, runs already."""
        hooks = [s for s in states if s.task.hook is not None]
        there = []
        for state, sight in zip(hooks, (yield from self._sights(hooks)) if hooks else (), strict=True):
            if sight.there and sight.ours:
                self._set(state, Phase.RUNNING, f"{state.task.change.ref.name} created")
            elif sight.there:
                there.append(state)
        return there

    def _confirmed(self, prunes: list[State]) -> Generator[Command, Reply, bool]:
        """A person's word is waited for even where nothing may be pruned, and in a dry run, as Argo CD does."""
        asking = [s for s in prunes if s.task.change.confirm]
        if not asking or (yield AskConfirmed()):
            return True
        yield Wait(waiting_words(asking, "pruning confirmation of"), self._results())
        return False

    def _prune(self, prunes: list[State]) -> Walking:
        going = [s for s in prunes if s.task.change.action is Action.PRUNE]
        if going:
            results = cast("tuple[ObjectResult, ...]", (yield PruneAll(tuple(s.task for s in going))))
            for state, result in zip(going, results, strict=True):
                bad = result.code is ResultCode.FAILED
                self._set(state, Phase.FAILED if bad else Phase.SUCCEEDED, result.message, result=result)

    def _leave(self, kept: list[State]) -> None:
        """Says of what is not pruned why that is."""
        for state in kept:
            text = (
                "ignored (no prune)" if state.task.change.kept and self._order.prune else "ignored (requires pruning)"
            )
            text = "ignored (over the deletion budget)" if state.task.change.over else text
            self._set(state, Phase.SUCCEEDED, text, code=ResultCode.PRUNE_SKIPPED)

    def _apply(self, group: tuple[Task, ...], by_key: Mapping[tuple[ObjectRef, SyncPhase], State]) -> Walking:
        results = cast("tuple[ObjectResult, ...]", (yield ApplyAll(group)))
        for task, result in zip(group, results, strict=True):
            bad = result.code is ResultCode.FAILED
            done = Phase.SUCCEEDED if self._order.dry_run else Phase.RUNNING
            self._set(by_key[task.key], Phase.FAILED if bad else done, result.message, result=result)
        made = tuple(t for t in group if t.change.ref in self._order.defines and not by_key[t.key].is_bad)
        if made and not self._order.dry_run:
            unserved = cast("tuple[ObjectResult, ...]", (yield AwaitServed(made)))
            for result in unserved:
                state = next(s for s in by_key.values() if s.task.change.ref == result.ref)
                self._set(state, Phase.FAILED, result.message, code=ResultCode.FAILED)

    def _dry_run(self) -> Generator[Command, Reply, Outcome]:
        prunes = [s for s in self._states if s.task.is_prune]
        while not (yield from self._confirmed(prunes)):
            pass
        yield from self._prune(prunes)
        self._leave([s for s in prunes if s.task.change.action is Action.HOLD])
        by_key = {s.task.key: s for s in self._states if not s.task.is_prune}
        for group in same_kind_runs(s.task for s in by_key.values()):
            yield from self._apply(group, by_key)
        failed = [s for s in self._states if s.code is ResultCode.FAILED]
        if failed:
            return Outcome(Phase.FAILED, _TRIED_IN_VAIN, self._results())
        return Outcome(Phase.SUCCEEDED, _NO_MORE, self._results())

    def _succeed(self, message: str) -> Walking:
        over = [s for s in self._states if s.task.deleted_at(Moment.SYNC_SUCCEEDED) and s.is_over]
        if over:
            yield Tell(message, self._results())  # so that a restart does not miss what goes now
        yield from self._delete(over)
        self._end = Outcome(Phase.SUCCEEDED, message, self._results())

    def _fail(self, message: str, regular: Sequence[State]) -> Walking:
        """Runs the SyncFail hooks first, if there are any that have not run."""
        last = [s for s in self._states if s.task.phase is SyncPhase.SYNC_FAIL]
        pending = [s for s in last if s.phase is None]
        if pending:
            yield from self._run(pending)
            return
        text = failure_words(message, (s.message for s in regular if s.code is ResultCode.FAILED))
        unwell = [s.message for s in last if s.code is ResultCode.FAILED]
        if unwell:
            text += "\n" + failure_words("one or more SyncFail hooks failed", unwell)
        over = [s for s in self._states if s.task.deleted_at(Moment.SYNC_FAILED) and s.is_over]
        if over:
            yield Tell(text, self._results())
        yield from self._delete(over)
        self._end = Outcome(Phase.FAILED, text, self._results())

    def terminate(self) -> Generator[Command, Reply, Outcome]:
        """Ends at once: hooks that run are let go and deleted."""
        yield from self._release([s for s in self._states if s.task.hook is not None and s.is_over])
        running = [s for s in self._states if s.task.hook is not None and s.is_running]
        sights = (yield from self._sights(running)) if running else ()
        yield from self._release(running)
        for state, sight in zip(running, sights, strict=True):
            if not sight.there:
                self._set(state, Phase.SUCCEEDED, "Terminated")
                continue
            if not sight.phase.is_final or state.task.deleted_at(Moment.SYNC_FAILED):
                yield from self._delete([state])
            if sight.phase.is_final:
                self._set(state, sight.phase, sight.message)
            elif not state.is_bad:
                self._set(state, Phase.FAILED, "Terminated")
        return Outcome(Phase.FAILED, "Operation terminated", self._results())

    def give_up(self, why: str) -> Outcome:
        """Ends at once, and leaves everything as it is."""
        return Outcome(Phase.ERROR, why, self._results())

    def _release(self, states: list[State], *, again: bool = False) -> Generator[Command, Reply, bool]:
        """Takes the hook finalizer off; whether all of it went well."""
        some = [s for s in states if again or s.task.key not in self._released]
        if not some:
            return True
        faults = cast("tuple[str, ...]", (yield ReleaseHooks(tuple(s.task for s in some))))
        for state, fault in zip(some, faults, strict=True):
            if not again:
                self._released.add(state.task.key)
            if fault:
                self._set(state, Phase.ERROR, f"failed to remove hook finalizer: {fault}")
        return not any(faults)

    def _delete(self, states: list[State]) -> Walking:
        if not states:
            return
        faults = cast("tuple[str, ...]", (yield DeleteHooks(tuple(s.task for s in states))))
        for state, fault in zip(states, faults, strict=True):
            self._deleting.add(state.task.key)
            if fault:
                self._set(state, Phase.ERROR, f"failed to delete resource: {fault}")

    def _sights(self, states: Iterable[State]) -> Generator[Command, Reply, tuple[Sight, ...]]:
        return cast("tuple[Sight, ...]", (yield Look(tuple(s.task for s in states))))

    def _set(
        self,
        state: State,
        phase: Phase,
        message: str,
        *,
        code: ResultCode | None = None,
        result: ObjectResult | None = None,
    ) -> None:
        state.phase = phase
        state.message = message or state.message
        if result is not None:
            state.result, state.code = result, result.code
        elif code is not None:
            state.code = code
        self._told.setdefault(state.task.key, state)

    def _results(self) -> tuple[ObjectResult, ...]:
        return (*self._extra, *(state.told() for state in self._told.values() if state.phase is not None))
