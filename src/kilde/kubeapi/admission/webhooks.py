"""Admission webhooks of the configurations that are stored (apiserver's mutating and validating dispatchers)."""

from collections.abc import Callable
from functools import partial

from kilde.core.basics.values import Object
from kilde.core.objects.patches.errors import PatchError
from kilde.core.objects.patches.json_patch import json_patch
from kilde.kubeapi.admission.requests import kind_of, request_of, worked_out
from kilde.kubeapi.call import Call
from kilde.kubeapi.logic import failures
from kilde.kubeapi.resources import policies
from kilde.kubeapi.resources.policies import Request
from kilde.kubeapi.webhooks.clients import locator
from kilde.kubeapi.webhooks.hooks import Hook, of_configurations
from kilde.kubeapi.webhooks.questions import Question, Waits
from kilde.kubeapi.webhooks.verdicts import Verdict, verdict
from kilde.kubeapi.world import World

_GROUP = "admissionregistration.k8s.io"
Between = Callable[[Object], Object]
_MUTATING, _VALIDATING = f"mutatingwebhookconfigurations.{_GROUP}", f"validatingwebhookconfigurations.{_GROUP}"


def mutate(
    world: World, call: Call, obj: Object | None, old: Object | None, between: Between | None = None
) -> Object | None:
    """The object as the mutating webhooks want it, each asked about what the one before made of it. ApiError, Waits.

    `between` is what others make of it before some are asked again.
    """
    hooks = _configured(world, _MUTATING)
    if not hooks:
        return between(obj) if between and obj is not None else obj
    return _asked_in_turn(world, call, hooks, obj, old, between)


def _asked_in_turn(
    world: World, call: Call, hooks: list[Hook], obj: Object | None, old: Object | None, between: Between | None
) -> Object | None:
    asked: list[int] = []
    again: set[int] = set()
    for place, hook in enumerate(hooks):
        request = _concerned(world, call, hook, request_of(world, call, obj, old))
        if request is None:
            continue
        made = _mutated(world, call, hook, request, obj, 0)
        if made != obj:
            again.update(asked)
            obj = made
        if hook.spec.get("reinvocationPolicy") == "IfNeeded":
            asked.append(place)
    made = between(obj) if between and obj is not None else obj
    if made != obj:
        again.update(asked)
        obj = made
    for place in asked:  # what was changed after they had seen it is shown to them once more
        shown = request_of(world, call, obj, old) if place in again else None
        request = _concerned(world, call, hooks[place], shown) if shown else None
        if request is not None:
            made = _mutated(world, call, hooks[place], request, obj, 1)
            again.update(asked if made != obj else ())
            obj = made
    return obj


def judge(world: World, call: Call, obj: Object | None, old: Object | None) -> None:
    """Asks all validating webhooks at once; the first that says no decides. ApiError, Waits."""
    hooks = _configured(world, _VALIDATING)
    if not hooks:
        return
    request = request_of(world, call, obj, old)
    shown = ((hook, _concerned(world, call, hook, request)) for hook in hooks)
    asked = [(hook, hook.question(seen, locator(world.store))) for hook, seen in shown if seen is not None]
    waiting = [question for _, question in asked if question.key not in call.memory.replies]
    if waiting:
        raise Waits(waiting)
    for hook, question in asked:
        _warn(call, verdict(hook, question, call.memory.replies[question.key], mutating=False))


def _concerned(world: World, call: Call, hook: Hook, request: Request) -> Request | None:
    """The request as the webhook is asked about it; None if it is not. ApiError, Waits."""

    def holds(seen: Request) -> tuple[bool, str]:
        about = ("conditions", hook.uid, hook.spec.get("matchConditions"))
        return worked_out(world, call, seen, about, partial(policies.conditions, hook.spec, seen, None))

    return hook.concerns(request, holds)


def _configured(world: World, resource: str) -> list[Hook]:
    """The webhooks that are configured; nothing is read where there are none."""
    if not world.store.count(resource):
        return []
    return of_configurations(record.object() for record in world.store.all(resource))


def _mutated(
    world: World, call: Call, hook: Hook, request: Request, before: Object | None, round_: int
) -> Object | None:
    """What a webhook makes of an object, which the request shows it in the version that its rules name."""
    question: Question = hook.question(request, locator(world.store), round_)
    if question.key not in call.memory.replies:
        raise Waits([question])
    found = verdict(hook, question, call.memory.replies[question.key], mutating=True)
    _warn(call, found)
    obj = request.object
    if not found.patch:
        return before
    if obj is None:
        what = f"admission webhook {failures.quoted(hook.name)} attempted to modify the object"
        raise failures.internal(f"{what}, which is not supported for this operation")
    try:
        made = json_patch(obj, found.patch)
    except PatchError as error:
        raise failures.internal(error.what) from error
    if not isinstance(made, dict):
        raise failures.internal(f"admission webhook {failures.quoted(hook.name)} made something else than an object")
    kind = kind_of(world, request.shown) if request.shown and not request.kind else call.kind
    full = dict(kind.defaulted({**made, "metadata": dict(made.get("metadata") or {})}))
    return full if kind is call.kind else dict(kind.converted(full, call.kind))


def _warn(call: Call, found: Verdict) -> None:
    for text in found.warnings:
        call.warn(text)
