"""Performs the commands of core.apply.operation on a cluster, and sends each answer back.

Here, and in deletion.py, is where an application's objects are written; nowhere else.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

import msgspec

from kilde.core.apply.operation import (
    ApplyAll,
    AwaitHealthy,
    AwaitServed,
    Command,
    CreateNamespace,
    DeleteAll,
    Reply,
    SyncOrder,
    sync,
)
from kilde.core.apply.outcome import ObjectResult, Outcome, Phase, ResultCode, kind_word
from kilde.core.apply.retry import MAX_TRIES, wait_before, worth_another_try
from kilde.core.basics.errors import ClusterError
from kilde.core.basics.values import Object
from kilde.core.objects.images import images_of
from kilde.core.objects.ref import GroupKind, ObjectRef
from kilde.core.plan.change import Action, Change
from kilde.core.plan.masking import redacted
from kilde.core.plan.policy import SyncPolicy, object_options
from kilde.engine.live import LiveView
from kilde.ports.clock import Clock
from kilde.ports.cluster import Applied, Cluster, Propagation, Resource

T = TypeVar("T")


class _Meta(msgspec.Struct, gc=False):
    resourceVersion: str = ""  # noqa: N815  # the wire's own name


class _Head(msgspec.Struct, gc=False):
    metadata: _Meta


_heads = msgspec.json.Decoder(_Head)
_NAMESPACES = Resource("", "v1", "Namespace", "namespaces", False)
_CRD = "CustomResourceDefinition"
_SKIP_MISSING = "SkipDryRunOnMissingResource"
_WRITTEN = (Action.CREATE, Action.UPDATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """What one operation works with. `body` gives an object's manifest; `health` its health and message, now."""

    cluster: Cluster
    live: LiveView
    clock: Clock
    manager: str
    policy: SyncPolicy
    body: Callable[[ObjectRef], Object]
    health: Callable[[ObjectRef], tuple[str, str]]
    wrote: Callable[[ObjectResult], None]
    changed: Callable[[float, str], Awaitable[None]]  # says what is waited for, until a change or so many seconds
    parallel: int
    wave_patience: float
    stopped: Callable[[], bool]


async def carry_out(order: SyncOrder, hands: Hands) -> Outcome:
    """Walks the plan to its end. Never raises for what the cluster refuses: that is in the outcome.

    A kind that the cluster does not serve, and that nothing here defines, stops it before the first write (as Argo CD).
    """
    unknown = await _unknown_kinds(order, hands)
    if unknown:
        text = f"one or more synchronization tasks are not valid: {unknown[0].message}"
        return Outcome(Phase.FAILED, text, unknown)
    walk = sync(order)
    try:
        command = next(walk)
        while True:
            if hands.stopped():
                walk.close()
                return Outcome(Phase.FAILED, "Operation terminated")
            command = walk.send(await _perform(command, hands, dry_run=order.dry_run))
    except StopIteration as end:
        outcome: Outcome = end.value
        return outcome


async def _unknown_kinds(order: SyncOrder, hands: Hands) -> tuple[ObjectResult, ...]:
    coming = {_defined_kind(hands.body(c.ref)) for c in order.changes if c.ref.kind == _CRD and c.action in _WRITTEN}
    found = []
    for change in order.changes:
        if change.action not in _WRITTEN or change.ref.group_kind in coming:
            continue
        try:
            await _resource(hands.cluster, change.ref, change.version)
        except ClusterError as error:
            if error.reason == "UnknownKind" and not _skips_missing(change, hands):
                found.append(_refused(change, error, hands))
    return tuple(found)


def _skips_missing(change: Change, hands: Hands) -> bool:
    own = object_options((hands.body(change.ref).get("metadata") or {}).get("annotations") or {})
    return own.is_on(_SKIP_MISSING) or hands.policy.options.is_on(_SKIP_MISSING)


def _defined_kind(body: Object) -> GroupKind:
    """The kind that a CustomResourceDefinition defines; what is not of its type is the cluster's to refuse."""
    spec = body.get("spec")
    names = spec.get("names") if isinstance(spec, dict) else None
    if not isinstance(spec, dict) or not isinstance(names, dict):
        return GroupKind("", "")
    return GroupKind(str(spec.get("group", "")), str(names.get("kind", "")))


async def _perform(command: Command, hands: Hands, *, dry_run: bool) -> Reply:
    match command:
        case CreateNamespace(name):
            return await _create_namespace(name, hands, dry_run=dry_run)
        case ApplyAll(changes):
            return await _all(changes, hands, lambda change: apply_one(change, hands, dry_run=dry_run))
        case DeleteAll(changes):
            return await _all(changes, hands, lambda change: _delete(change, hands, dry_run=dry_run))
        case AwaitServed(changes):
            return await _await_served(changes, hands)
        case AwaitHealthy(changes):
            return await _await_healthy(changes, hands)


async def _all(
    changes: Iterable[Change], hands: Hands, do: Callable[[Change], Awaitable[ObjectResult]]
) -> tuple[ObjectResult, ...]:
    gate = asyncio.Semaphore(hands.parallel)

    async def one(change: Change) -> ObjectResult:
        async with gate:
            result = await do(change)
        if result.verb != "keep":
            hands.wrote(result)
        return result

    return tuple(await asyncio.gather(*(one(change) for change in changes)))


async def apply_one(change: Change, hands: Hands, *, dry_run: bool = False) -> ObjectResult:
    """One object, written if it differs; tried again while that may help."""
    suffix = " (dry run)" if dry_run else ""
    word = kind_word(change.ref)
    if change.action is Action.KEEP:
        kept = _result(change, f"{word} unchanged{suffix}", verb="keep", dry_run=dry_run)
        return replace(kept, images=images_of([hands.body(change.ref)]))
    try:
        resource = await _resource(hands.cluster, change.ref, change.version)
        body = hands.body(change.ref)
        applied = await persist(
            lambda: hands.cluster.apply(resource, body, manager=hands.manager, dry_run=dry_run), hands.clock
        )
    except ClusterError as error:
        return _refused(change, error, hands)
    if not dry_run:
        hands.live.observe(change.ref, applied.raw)
    verb = "created" if applied.created else "configured"
    done = _result(change, f"{word} {verb}{suffix}", verb=verb, after=_version(applied), dry_run=dry_run)
    return replace(done, images=images_of([body]))


async def _delete(change: Change, hands: Hands, *, dry_run: bool) -> ObjectResult:
    if dry_run:
        return _result(change, "pruned (dry run)", verb="delete", code=ResultCode.PRUNED, dry_run=True)
    wish = hands.policy.options.get("PrunePropagationPolicy").lower()
    ways: dict[str, Propagation] = {"background": "Background", "orphan": "Orphan"}
    try:
        resource = await _resource(hands.cluster, change.ref, change.version)
        await persist(
            lambda: hands.cluster.delete(
                resource, change.ref.namespace, change.ref.name, propagation=ways.get(wish, "Foreground")
            ),
            hands.clock,
        )
    except ClusterError as error:
        return _refused(change, error, hands)
    return _result(change, "pruned", verb="delete", code=ResultCode.PRUNED, dry_run=True)


async def _create_namespace(name: str, hands: Hands, *, dry_run: bool) -> tuple[ObjectResult, ...]:
    """Makes the destination namespace, without tracking: it outlives the application."""
    ref = ObjectRef("", "Namespace", "", name)
    policy = hands.policy
    managed = bool(policy.namespace_labels or policy.namespace_annotations)
    try:
        raw = await persist(lambda: hands.cluster.get(_NAMESPACES, "", name), hands.clock)
        if (raw is not None and not managed) or dry_run:
            return ()
        meta: dict[str, object] = {"name": name}
        if policy.namespace_labels:
            meta["labels"] = dict(policy.namespace_labels)
        if policy.namespace_annotations:
            meta["annotations"] = dict(policy.namespace_annotations)
        body: Object = {"apiVersion": "v1", "kind": "Namespace", "metadata": meta}
        applied = await persist(lambda: hands.cluster.apply(_NAMESPACES, body, manager=hands.manager), hands.clock)
    except ClusterError as error:
        change = Change(ref=ref, action=Action.CREATE, why="CreateNamespace=true", version="v1")
        return (_refused(change, error, hands, phase="PreSync"),)
    result = ObjectResult(
        ref=ref,
        version="v1",
        code=ResultCode.SYNCED,
        message=f"namespace/{name} {'created' if applied.created else 'configured'}",
        verb="created" if applied.created else "configured",
        hook_phase="Succeeded",
        sync_phase="PreSync",
        after=_version(applied),
    )
    hands.wrote(result)
    return (result,)


async def _await_served(changes: Iterable[Change], hands: Hands) -> tuple[ObjectResult, ...]:
    """Waits until the cluster serves the kinds that these definitions define."""
    unserved: list[ObjectResult] = []
    for change in changes:
        defined = _defined_kind(hands.body(change.ref))
        group, kind = defined.group, defined.kind
        deadline = hands.clock.monotonic() + 30.0
        pause = 0.05
        while (await hands.cluster.discovery(refresh=True)).resource(group, kind) is None:
            if hands.clock.monotonic() > deadline:
                text = f"{group}/{kind} is not served 30 s after its definition was applied"
                unserved.append(_result(change, text, verb="wait", code=ResultCode.FAILED))
                break
            await hands.clock.sleep(pause)
            pause = min(pause * 2, 1.0)
    return tuple(unserved)


async def _await_healthy(changes: Iterable[Change], hands: Hands) -> tuple[ObjectResult, ...]:
    """Waits until nothing is progressing; gives those that are degraded, vanished, or still not well when patience ends."""
    changes = tuple(changes)
    deadline = hands.clock.monotonic() + hands.wave_patience
    while True:
        unwell: list[ObjectResult] = []
        waiting: list[Change] = []
        for change in changes:
            status, message = hands.health(change.ref)
            if status == "Degraded":
                unwell.append(_result(change, message, verb="wait", hook_phase="Failed"))
            elif status == "Missing":
                unwell.append(
                    _result(
                        change,
                        f"Resource {_slashed(change.ref)} is missing, it might have been deleted",
                        verb="wait",
                        hook_phase="Error",
                    )
                )
            elif status not in ("Healthy", "Suspended", ""):
                waiting.append(change)
        if unwell or not waiting or hands.stopped():
            return tuple(unwell)
        left = deadline - hands.clock.monotonic()
        if left <= 0:
            return tuple(
                _result(c, hands.health(c.ref)[1] or "not healthy in time", verb="wait", hook_phase="Failed")
                for c in waiting
            )
        await hands.changed(min(left, 5.0), waiting_words([change.ref for change in waiting]))


def waiting_words(refs: list[ObjectRef]) -> str:
    """`waiting for healthy state of apps/Deployment/web and 1 more resources`."""
    first = refs[0]
    more = f" and {len(refs) - 1} more resources" if len(refs) > 1 else ""
    return f"waiting for healthy state of {first.group}/{first.kind}/{first.name}{more}"


async def persist(call: Callable[[], Awaitable[T]], clock: Clock) -> T:
    """The answer of a call that is tried again while that may help. Raises the last ClusterError."""
    tries = 0
    while True:
        tries += 1
        try:
            return await call()
        except ClusterError as error:
            if tries >= MAX_TRIES or not worth_another_try(error):
                raise
            await clock.sleep(wait_before(error, tries, dice=clock.dice()))


async def _resource(cluster: Cluster, ref: ObjectRef, version: str) -> Resource:
    """The kind as the cluster serves it at this version; asks anew once before it is called unknown."""
    for refresh in (False, True):
        discovery = await cluster.discovery(refresh=refresh)
        found = discovery.resource(ref.group, ref.kind, version)
        if found is not None:
            return found
    served = discovery.versions(ref.group, ref.kind)
    kind = f"{ref.group}/{ref.kind}" if ref.group else ref.kind
    place = f"{ref.namespace}/{ref.name}" if ref.namespace else ref.name
    if served:
        raise ClusterError(
            f'The Kubernetes API could not find version "{version}" of {kind} for requested resource {place}. '
            f'Version "{served[0]}" of {kind} is installed on the destination cluster.',
            status=404,
            reason="UnknownKind",
        )
    raise ClusterError(
        f'The Kubernetes API could not find {kind} for requested resource {place}. Make sure the "{ref.kind}" CRD is '
        "installed on the destination cluster.",
        status=404,
        reason="UnknownKind",
    )


def _slashed(ref: ObjectRef) -> str:
    return "/".join(part for part in (ref.group, ref.kind, ref.namespace, ref.name) if part)


def unknown_kind(group_kind: GroupKind) -> str:
    """The sentence about a kind that the cluster does not serve."""
    return f"{group_kind} is not served by the cluster"


def _result(
    change: Change,
    message: str,
    *,
    verb: str,
    code: ResultCode = ResultCode.SYNCED,
    hook_phase: str = "",
    after: str = "",
    dry_run: bool = False,
) -> ObjectResult:
    return ObjectResult(
        ref=change.ref,
        version=change.version,
        code=code,
        message=message,
        verb=verb,
        hook_phase=hook_phase or ("Succeeded" if dry_run else "Running"),
        before=change.live_version,
        after=after,
    )


def _refused(change: Change, error: ClusterError, hands: Hands, *, phase: str = "Sync") -> ObjectResult:
    live = hands.live.get(change.ref) if change.ref.kind == "Secret" else None
    wanted = hands.body(change.ref) if change.ref.kind == "Secret" and change.action in _WRITTEN else None
    return ObjectResult(
        ref=change.ref,
        version=change.version,
        code=ResultCode.FAILED,
        message=redacted(error.what, wanted, live.body() if live else None),
        verb="refused",
        hook_phase="" if error.reason == "UnknownKind" else "Failed",
        sync_phase=phase,
        before=change.live_version,
        unavailable=error.status == 429 or error.status >= 502 or (error.status == 0 and worth_another_try(error)),
    )


def _version(applied: Applied) -> str:
    return _heads.decode(applied.raw).metadata.resourceVersion
