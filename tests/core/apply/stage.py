"""A stage for the walk: a pretend cluster of a few words, and everything that was said to it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from kilde.core.apply.commands import (
    ApplyAll,
    AskAllowed,
    AskConfirmed,
    AwaitServed,
    Command,
    CreateNamespace,
    DeleteHooks,
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
from kilde.core.apply.operation import SyncOrder, sync
from kilde.core.apply.outcome import ObjectResult, Outcome, Phase, ResultCode
from kilde.core.apply.tasks import Task
from kilde.core.objects.ref import ObjectRef
from kilde.core.plan.change import Action, Change
from kilde.core.plan.hook_policies import POLICIES
from kilde.core.plan.hooks import HookSpec, SyncPhase

_GROUPS = {"CustomResourceDefinition": "apiextensions.k8s.io", "Deployment": "apps", "Job": "batch"}


def change(name: str, kind: str = "ConfigMap", *, action: Action = Action.CREATE, **more: object) -> Change:
    ref = ObjectRef(_GROUPS.get(kind, ""), kind, "" if kind == "Namespace" else "shop", name)
    return Change(ref=ref, action=action, why="", version="v1", **more)  # type: ignore[arg-type]


def task(name: str, kind: str = "ConfigMap", *, wave: int = 0, action: Action = Action.CREATE, **more: object) -> Task:
    return Task(change=change(name, kind, action=action, **more), wave=wave)


def hook(name: str, phase: str, *, wave: int = 0, policies: Iterable[str] = ("BeforeHookCreation",)) -> Task:
    spec = HookSpec((SyncPhase(phase),), frozenset(policy for policy in POLICIES if policy.name in policies))
    return Task(change=change(name, "Job"), phase=SyncPhase(phase), wave=wave, hook=spec)


@dataclass(slots=True)
class Stage:
    """What becomes of names: `failing` cannot be written, `ends` says how a written object looks at each look (the last one stays).

    `there` are hooks of an earlier sync; `confirmed_after` so many questions. `lines` is what was said, but for Looks and windows.
    """

    failing: frozenset[str] = frozenset()
    ends: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    there: set[str] = field(default_factory=set)
    held: set[str] = field(default_factory=set)  # pruned, and held by a finalizer for one wait
    vanishing: frozenset[str] = frozenset()
    confirmed_after: int = 0
    closed_at: frozenset[int] = frozenset()  # the questions at which a sync window is in the way
    stop_at: str = ""
    ours: frozenset[str] = frozenset()
    lines: list[str] = field(default_factory=list)
    _looks: dict[str, int] = field(default_factory=dict)
    _asked: int = 0

    def play(self, order: SyncOrder) -> Outcome:
        walk = sync(order)
        try:
            command = next(walk)
            while True:
                said = self._say(command)
                if self.stop_at and said == self.stop_at:
                    self.stop_at = ""
                    command = walk.throw(Terminated())
                    continue
                command = walk.send(self._answer(command))
        except StopIteration as end:
            outcome: Outcome = end.value
            return outcome

    def _say(self, command: Command) -> str:
        match command:
            case CreateNamespace(name):
                line = f"namespace {name}"
            case Wait(message, _):
                line = message
            case Tell(message, _):
                line = f"tell {message}"
            case AskConfirmed():
                line = "confirmed?"
            case Pause():
                line = "pause"
            case Look(_) | AskAllowed():
                return "look"
            case _:
                line = f"{_WORDS[type(command)]} {','.join(t.change.ref.name for t in command.tasks)}"
        self.lines.append(line)
        assert len(self.lines) < 200, "the walk never ends"
        return line

    def _answer(self, command: Command) -> Reply:
        match command:
            case ApplyAll(tasks):
                self.there |= {t.change.ref.name for t in tasks}
                return tuple(self._result(t, ResultCode.SYNCED) for t in tasks)
            case PruneAll(tasks):
                return tuple(self._result(t, ResultCode.PRUNED) for t in tasks)
            case Look(tasks):
                return tuple(self._sight(t) for t in tasks)
            case DeleteHooks(tasks):
                self.there -= {t.change.ref.name for t in tasks}
                return tuple("" for _ in tasks)
            case ReleaseHooks(tasks):
                return tuple("" for _ in tasks)
            case AskConfirmed():
                self.confirmed_after -= 1
                return self.confirmed_after < 0
            case AskAllowed():
                self._asked += 1
                return self._asked not in self.closed_at
            case Wait(_, _):
                self.held.clear()
                return None
            case CreateNamespace(_) | AwaitServed(_):
                return ()
            case _:
                return None

    def _sight(self, task: Task) -> Sight:
        name = task.change.ref.name
        if task.is_prune:
            return Sight(there=name in self.held, going=name in self.held)
        if name not in self.there or name in self.vanishing:
            return Sight(there=False)
        ends = self.ends.get(name, ("Succeeded",))
        at = min(self._looks.get(name, 0), len(ends) - 1)
        self._looks[name] = at + 1
        return Sight(phase=Phase(ends[at]), message="", ours=name in self.ours)

    def _result(self, task: Task, code: ResultCode) -> ObjectResult:
        name = task.change.ref.name
        bad = name in self.failing
        return ObjectResult(
            ref=task.change.ref,
            version="v1",
            code=ResultCode.FAILED if bad else code,
            message=f"{name} refused" if bad else f"{name} done",
            verb="x",
        )


_WORDS = {
    ApplyAll: "apply",
    AwaitServed: "served",
    PruneAll: "prune",
    DeleteHooks: "delete",
    ReleaseHooks: "release",
}


def told(outcome: Outcome) -> list[str]:
    """The outcome as a few lines of text."""
    lines = [f"{r.ref.name} {r.sync_phase} {r.code} {r.hook_phase}: {r.message}" for r in outcome.results]
    return [f"{outcome.phase}: {outcome.message}", *lines]
