"""Writes of single objects: applied, replaced, recreated or deleted, each tried again while that may help.

Every object is written by server-side apply unless its options say otherwise; the words of the results are those of the way that Argo CD
would have taken (`configured`, `serverside-applied`, `replaced`), since people and scripts read them.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import msgspec

from kilde.core.apply.outcome import ObjectResult, ResultCode, kind_word
from kilde.core.apply.retry import MAX_TRIES, wait_before, worth_another_try
from kilde.core.apply.tasks import Task
from kilde.core.basics.errors import ClusterError
from kilde.core.basics.values import Object
from kilde.core.health.assess import assess
from kilde.core.health.health import Health
from kilde.core.objects.images import images_of
from kilde.core.objects.patches.merge_patch import patch_between
from kilde.core.objects.ref import GroupKind, ObjectRef
from kilde.core.objects.typed.last_applied import ANNOTATION, forgotten
from kilde.core.objects.typed.node import DEDUCED, Node
from kilde.core.objects.typed.unknown import declared_only
from kilde.core.plan.change import Action, Change
from kilde.core.plan.ignore import IgnoreRule
from kilde.core.plan.masking import redacted
from kilde.core.plan.options import Writing, owned_before, written
from kilde.core.plan.policy import Options, SyncPolicy
from kilde.engine.view.live import Held, LiveView
from kilde.ports.clock import Clock
from kilde.ports.cluster import Applied, Cluster, Propagation, Resource

T = TypeVar("T")


class _Meta(msgspec.Struct, gc=False):
    resourceVersion: str = ""  # noqa: N815  # the wire's own name


class _Head(msgspec.Struct, gc=False):
    metadata: _Meta


_heads = msgspec.json.Decoder(_Head)
_KEPT_KINDS = (GroupKind("", "Namespace"), GroupKind("apiextensions.k8s.io", "CustomResourceDefinition"))
_NOT_TYPED = "failed to create typed patch object"  # what a server answers with 500 to an apply
_OTHER_ROLE = "cannot change roleRef"  # then a binding is made anew
_GONE_PATIENCE = 60.0  # seconds that an object may take to go before it is made again


@dataclass(frozen=True, slots=True, kw_only=True)
class Pen:
    """What single writes need.

    `body` gives an object's manifest as it is written, `node` the schema of its kind; `force`: the operation itself asks for it.
    """

    cluster: Cluster
    live: LiveView
    clock: Clock
    manager: str
    policy: SyncPolicy
    body: Callable[[ObjectRef], Object]
    node: Callable[[ObjectRef, str], Node | None]
    force: bool = False
    ignore: Sequence[IgnoreRule] = ()
    assess: Callable[[Object], Health | None] = assess


@dataclass(frozen=True, slots=True)
class _Way:
    """How one object is written."""

    replace: bool
    force: bool
    server_side: bool


async def apply_one(change: Change, pen: Pen, *, dry_run: bool = False) -> ObjectResult:
    """One object, written if it differs; tried again while that may help."""
    body = pen.body(change.ref)
    way = _way(body, pen)
    at = _writing(change, body, way, pen)
    body = written(at) if at is not None else body
    rewritten = way.replace and not dry_run
    owned = owned_before(at) if at is not None and not dry_run and not way.replace else None
    respects = pen.policy.options.is_on("RespectIgnoreDifferences")
    if change.action is Action.KEEP and not rewritten and owned is None and (respects or not change.rewrites):
        done = result_of(change, f"{kind_word(change.ref)} {_word(way, 'unchanged', dry_run=dry_run)}", verb="keep")
        return replace(done, images=images_of([body]))
    try:
        resource = await resource_of(pen.cluster, change.ref, change.version)
        if rewritten and change.live_version:
            return await _replaced(change, resource, body, way, pen)
        if owned is not None and at is not None:
            await _hand_over(change, resource, at, pen)
        return await _applied(change, resource, body, way, pen, dry_run=dry_run)
    except ClusterError as error:
        return refused(change, error, pen, wanted=body)


def _writing(change: Change, body: Object, way: _Way, pen: Pen) -> Writing | None:
    """What the sync options are told of an object that is there."""
    held = pen.live.get(change.ref) if change.live_version else None
    if held is None:
        return None
    return Writing(
        ref=change.ref,
        wanted=body,
        live=held.body(),
        node=pen.node(change.ref, change.version) or DEDUCED,
        manager=pen.manager,
        policy=pen.policy,
        ignore=pen.ignore,
        whole=way.replace,
    )


def _way(body: Object, pen: Pen) -> _Way:
    asks = pen.policy.asks
    return _Way(
        replace=asks("Replace", body),
        force=pen.force or asks("Force", body),
        server_side=asks("ServerSideApply", body),
    )


async def _applied(
    change: Change, resource: Resource, body: Object, way: _Way, pen: Pen, *, dry_run: bool
) -> ObjectResult:
    if change.live_version and not dry_run:
        await _forget(change, resource, body, pen)
    try:
        applied = await _apply(change, resource, body, pen, dry_run=dry_run, exact=way.server_side and not dry_run)
    except ClusterError as error:
        remade = way.force or _OTHER_ROLE in error.what
        if not remade or error.status != 422 or not change.live_version or dry_run:
            raise
        await _make_room(change.ref, resource, pen)
        applied = await _apply(change, resource, body, pen, dry_run=False)
    if not dry_run:
        pen.live.observe(change.ref, applied.raw)
    created = applied.created and not change.live_version
    verb = "created" if created else "configured"
    text = f"{kind_word(change.ref)} {_word(way, verb, dry_run=dry_run)}"
    return replace(result_of(change, text, verb=verb, after=_version(applied.raw)), images=images_of([body]))


def _word(way: _Way, verb: str, *, dry_run: bool) -> str:
    if way.replace and dry_run and verb != "created":
        verb = "replaced"
    elif way.server_side and not dry_run:
        verb = "serverside-applied"
    return f"{verb} (dry run)" if dry_run else verb


async def _forget(change: Change, resource: Resource, body: Object, pen: Pen) -> None:
    """Takes away what a client-side apply once set and Git no longer has: nobody's ownership would tell."""

    def find(held: Held) -> Object | None:
        if ANNOTATION.encode() not in held.raw:
            return None
        live = held.body()
        rest = forgotten(pen.node(change.ref, change.version) or DEDUCED, live, body)
        return None if rest is None else patch_between(live, rest)

    await _amend(change.ref, resource, find, pen)


async def _hand_over(change: Change, resource: Resource, at: Writing, pen: Pen) -> None:
    """Gives the object the managedFields that its options ask for before it is applied."""

    def find(held: Held) -> Object | None:
        owned = owned_before(replace(at, live=held.body()))
        return None if owned is None else {"metadata": {"managedFields": owned}}

    await _amend(change.ref, resource, find, pen)


async def _amend(ref: ObjectRef, resource: Resource, find: Callable[[Held], Object | None], pen: Pen) -> None:
    """Patches an object as it is at that moment; `find` gives the merge patch, or None where there is nothing to do."""
    for tries in range(1, MAX_TRIES + 1):
        held = pen.live.get(ref)
        patch = find(held) if held is not None else None
        if held is None or patch is None:
            return
        patch["metadata"] = {**(patch.get("metadata") or {}), "resourceVersion": held.version}
        send = partial(pen.cluster.patch, resource, ref.namespace, ref.name, patch, manager=pen.manager)
        try:
            pen.live.observe(ref, await persist(send, pen.clock, versioned=True))
            return
        except ClusterError as error:
            if error.status != 409 or tries == MAX_TRIES:
                raise
        newest = await persist(lambda: pen.cluster.get(resource, ref.namespace, ref.name), pen.clock)
        if newest is not None:
            pen.live.observe(ref, newest)


async def _apply(
    change: Change, resource: Resource, body: Object, pen: Pen, *, dry_run: bool, exact: bool = False
) -> Applied:
    """One apply; fields that the schema does not know are left out, unless they are the cluster's to refuse (`exact`)."""

    def send(what: Object) -> Awaitable[Applied]:
        return persist(lambda: pen.cluster.apply(resource, what, manager=pen.manager, dry_run=dry_run), pen.clock)

    try:
        return await send(body)
    except ClusterError as error:
        if _NOT_TYPED not in error.what or exact:
            raise
        node = pen.node(change.ref, change.version)
        known = body if node is None else declared_only(body, node)
        if known is body:
            await _explain(resource, body, pen)
            raise
    return await send(known)


async def _explain(resource: Resource, body: Object, pen: Pen) -> None:
    """Raises the server's own words about an object that does not fit its type: those of a create name the field and both types."""
    try:
        await pen.cluster.create(resource, body, manager=pen.manager, dry_run=True)
    except ClusterError as error:
        if error.status in (400, 422):
            raise


async def _replaced(change: Change, resource: Resource, body: Object, way: _Way, pen: Pen) -> ObjectResult:
    """`Replace=true`: the whole object is put, so that keys of others go; with `Force=true` it is deleted and made again."""
    word = kind_word(change.ref)
    kept = change.ref.group_kind in _KEPT_KINDS
    if way.force and not kept:
        await _make_room(change.ref, resource, pen)
        applied = await persist(lambda: pen.cluster.create(resource, body, manager=pen.manager), pen.clock)
        kind, _, name = word.partition("/")
        where = f" from {change.ref.namespace} namespace" if change.ref.namespace else ""
        text = f'{kind} "{name}" deleted{where}\n{word} replaced'
    else:
        applied = await persist(lambda: _put(change.ref, resource, body, pen), pen.clock)
        text = f"{change.ref.kind}/{change.ref.name} updated" if kept else f"{word} replaced"
    pen.live.observe(change.ref, applied.raw)
    done = result_of(change, text, verb="configured", after=_version(applied.raw))
    return replace(done, images=images_of([body]))


async def _put(ref: ObjectRef, resource: Resource, body: Object, pen: Pen) -> Applied:
    raw = await pen.cluster.get(resource, ref.namespace, ref.name)
    if raw is None:
        return await pen.cluster.create(resource, body, manager=pen.manager)
    meta = {**body["metadata"], "resourceVersion": _version(raw)}
    return await pen.cluster.replace(resource, {**body, "metadata": meta}, manager=pen.manager)


async def _make_room(ref: ObjectRef, resource: Resource, pen: Pen) -> None:
    """Deletes an object and waits until it is gone. Raises ClusterError when it does not go."""
    await persist(lambda: pen.cluster.delete(resource, ref.namespace, ref.name, propagation="Background"), pen.clock)
    deadline = pen.clock.monotonic() + _GONE_PATIENCE
    while await persist(lambda: pen.cluster.get(resource, ref.namespace, ref.name), pen.clock) is not None:
        if pen.clock.monotonic() > deadline:
            raise ClusterError(f"is still there {_GONE_PATIENCE:.0f} s after it was deleted", about=str(ref))
        await pen.clock.sleep(0.1)


async def prune_one(change: Change, pen: Pen, *, dry_run: bool = False) -> ObjectResult:
    """One object that is no longer in Git, deleted; not again when it is on its way out already."""
    images: tuple[str, ...] = ()
    held = pen.live.get(change.ref)
    if held is not None:
        body = held.body()
        images = images_of([body])
        if (body.get("metadata") or {}).get("deletionTimestamp"):
            return result_of(change, "pruned", verb="delete", code=ResultCode.PRUNED, images=images)
    if dry_run:
        return result_of(change, "pruned (dry run)", verb="delete", code=ResultCode.PRUNED, images=images)
    try:
        resource = await resource_of(pen.cluster, change.ref, change.version)
        way = propagation(pen.policy.options)
        await persist(
            lambda: pen.cluster.delete(resource, change.ref.namespace, change.ref.name, propagation=way), pen.clock
        )
    except ClusterError as error:
        return refused(change, error, pen)
    return result_of(change, "pruned", verb="delete", code=ResultCode.PRUNED, images=images)


def propagation(options: Options) -> Propagation:
    """`PrunePropagationPolicy`, foreground where nothing is said."""
    ways: dict[str, Propagation] = {"background": "Background", "orphan": "Orphan"}
    return ways.get(options.get("PrunePropagationPolicy").lower(), "Foreground")


async def all_of(
    tasks: tuple[Task, ...], do: Callable[[Task], Awaitable[ObjectResult]], parallel: int
) -> tuple[ObjectResult, ...]:
    """Does so many at once; the results are in the order of the tasks."""
    gate = asyncio.Semaphore(parallel)

    async def one(task: Task) -> ObjectResult:
        async with gate:
            return await do(task)

    return tuple(await asyncio.gather(*(one(task) for task in tasks)))


async def persist(call: Callable[[], Awaitable[T]], clock: Clock, *, versioned: bool = False) -> T:
    """The answer of a call that is tried again while that may help. Raises the last ClusterError.

    `versioned`: the call names the version that it changes; once that is outdated the same call can only fail again.
    """
    tries = 0
    while True:
        tries += 1
        try:
            return await call()
        except ClusterError as error:
            outdated = versioned and error.status == 409
            lost = tries >= MAX_TRIES or error.reason == "Interrupted"
            if outdated or lost or not worth_another_try(error):
                raise
            await clock.sleep(wait_before(error, tries, dice=clock.dice()))


async def resource_of(cluster: Cluster, ref: ObjectRef, version: str, namespace: str = "") -> Resource:
    """The kind as the cluster serves it at this version; asks anew once before it is called unknown.

    `namespace` is named with an object of an unknown kind that names none.
    """
    for refresh in (False, True):
        discovery = await cluster.discovery(refresh=refresh)
        found = discovery.resource(ref.group, ref.kind, version)
        if found is not None:
            return found
    served = discovery.versions(ref.group, ref.kind)
    kind = str(ref.group_kind)
    place = "/".join(part for part in (ref.namespace or namespace, ref.name) if part)
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


def result_of(
    change: Change,
    message: str,
    *,
    verb: str,
    code: ResultCode = ResultCode.SYNCED,
    after: str = "",
    images: tuple[str, ...] = (),
) -> ObjectResult:
    """A result in the making: the walk fills in how far the task is."""
    return ObjectResult(
        ref=change.ref,
        version=change.version,
        code=code,
        message=message,
        verb=verb,
        before=change.live_version,
        after=after,
        images=images,
    )


def refused(
    change: Change, error: ClusterError, pen: Pen, *, wanted: Object | None = None, phase: str = "Sync"
) -> ObjectResult:
    """What the cluster would not take; no value of a Secret is in its words. `wanted`: what was to be written, if anything."""
    secret = change.ref.kind == "Secret"
    live = pen.live.get(change.ref) if secret else None
    return ObjectResult(
        ref=change.ref,
        version=change.version,
        code=ResultCode.FAILED,
        message=redacted(error.what, wanted if secret else None, live.body() if live else None),
        verb="refused",
        hook_phase="" if error.reason in ("UnknownKind", "NotPermitted") else "Failed",
        sync_phase=phase,
        before=change.live_version,
        images=images_of([wanted]) if wanted is not None else (),
        unavailable=error.status == 429 or error.status >= 502 or (error.status == 0 and worth_another_try(error)),
    )


def _version(raw: bytes) -> str:
    return _heads.decode(raw).metadata.resourceVersion
