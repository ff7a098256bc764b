"""Writes of single objects: applied or pruned, each tried again while that may help.

Every object is written by server-side apply unless its options say otherwise; the words of the results are those of the way that Argo CD
would have taken (`configured`, `serverside-applied`, `replaced`), since people and scripts read them.
"""

from collections.abc import Awaitable
from dataclasses import replace

from kilde.core.apply.outcome import ObjectResult, ResultCode, kind_word
from kilde.core.apply.reconciled import is_reconciled, is_remade, reconciled_words
from kilde.core.basics.errors import ClusterError
from kilde.core.basics.values import Object
from kilde.core.objects.images import images_of
from kilde.core.objects.typed.node import DEDUCED
from kilde.core.objects.typed.unknown import declared_only
from kilde.core.plan.change import Action, Change
from kilde.core.plan.options import Writing, owned_before, written
from kilde.core.plan.policy import Options
from kilde.engine.operation.amending import forget, hand_over
from kilde.engine.operation.pen import Pen, Way
from kilde.engine.operation.replacing import make_room, replaced
from kilde.engine.operation.results import refused, result_of, version_of
from kilde.engine.requests import persist, resource_of
from kilde.ports.cluster import Applied, Propagation, Resource

_NOT_TYPED = "failed to create typed patch object"  # what a server answers with 500 to an apply
_OTHER_ROLE = "cannot change roleRef"  # then a binding is made anew


async def apply_one(change: Change, pen: Pen, *, dry_run: bool = False) -> ObjectResult:
    """One object, written if it differs; tried again while that may help."""
    body = pen.body(change.ref)
    if change.fault:
        return refused(change, ClusterError(change.fault, reason="Invalid"), pen, wanted=body)
    way = pen.way(body, _live(change, pen))
    if not dry_run:
        try:
            way.check()
        except ClusterError as error:
            return refused(change, error, pen, wanted=body)
    at = _writing(change, body, way, pen)
    body = written(at) if at is not None else body
    rewritten = way.replace and not dry_run
    owned = owned_before(at) if at is not None and not dry_run and not way.replace else None
    respects = pen.policy.options.is_on("RespectIgnoreDifferences")
    if change.action is Action.KEEP and not rewritten and owned is None and (respects or not change.rewrites):
        patched = change.ref.kind == "Secret" and body.get("stringData") and (dry_run or not way.server_side)
        word = "configured" if patched else "unchanged"  # kubectl sends texts of Secrets each time
        done = result_of(change, _words(change, body, at.live if at else None, way, word, dry_run=dry_run), verb="keep")
        return replace(done, images=images_of([body]))
    try:
        resource = await resource_of(pen.cluster, change.ref, change.version)
        if rewritten and change.live_version:
            return await replaced(change, resource, body, way, pen)
        if owned is not None and at is not None:
            await hand_over(change, resource, at, pen)
        return await _applied(change, resource, body, way, pen, dry_run=dry_run)
    except ClusterError as error:
        return refused(change, error, pen, wanted=body)


def _writing(change: Change, body: Object, way: Way, pen: Pen) -> Writing | None:
    """What the sync options are told of an object that is there."""
    live = _live(change, pen)
    if live is None:
        return None
    return Writing(
        ref=change.ref,
        wanted=body,
        live=live,
        node=pen.node(change.ref, change.version) or DEDUCED,
        manager=pen.manager,
        policy=pen.policy,
        ignore=pen.ignore,
        whole=way.replace,
    )


async def _applied(
    change: Change, resource: Resource, body: Object, way: Way, pen: Pen, *, dry_run: bool
) -> ObjectResult:
    live = _live(change, pen) if is_reconciled(change.ref) else None
    if change.live_version and not dry_run:
        await forget(change, resource, body, pen)
    try:
        applied = await _apply(change, resource, body, pen, dry_run=dry_run, exact=way.server_side and not dry_run)
    except ClusterError as error:
        remade = way.force or (_OTHER_ROLE in error.what and is_remade(live) and not way.server_side)
        if not remade or error.status != 422 or not change.live_version or dry_run:
            raise
        await make_room(change.ref, resource, pen)
        applied = await _apply(change, resource, body, pen, dry_run=False)
    if not dry_run:
        pen.live.observe(change.ref, applied.raw)
    created = applied.created and not change.live_version
    verb = "created" if created else "configured"
    text = _words(change, body, live, way, verb, dry_run=dry_run)
    return replace(result_of(change, text, verb=verb, after=version_of(applied.raw)), images=images_of([body]))


def _live(change: Change, pen: Pen) -> Object | None:
    """The object as it was when it was judged, if it was there."""
    held = pen.live.get(change.ref) if change.live_version else None
    return held.body() if held is not None else None


def _words(change: Change, body: Object, live: Object | None, way: Way, verb: str, *, dry_run: bool) -> str:
    if is_reconciled(change.ref) and not way.replace and (dry_run or not way.server_side):
        return reconciled_words(change.ref, body, live, verb, dry_run=dry_run)
    if way.replace and dry_run and verb != "created":
        verb = "replaced"
    elif way.server_side and not dry_run:
        verb = "serverside-applied"
    return f"{kind_word(change.ref)} {verb}{' (dry run)' if dry_run else ''}"


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
    return ways.get(options.get("PrunePropagationPolicy"), "Foreground")
