"""What an object loses or is given before it is applied: leftovers of client-side applies, and its managedFields."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from kilde.core.apply.retry import MAX_TRIES
from kilde.core.basics.errors import ClusterError
from kilde.core.basics.values import Object
from kilde.core.objects.patches.merge_patch import patch_between
from kilde.core.objects.ref import ObjectRef
from kilde.core.objects.typed.last_applied import ANNOTATION, forgotten
from kilde.core.objects.typed.node import DEDUCED
from kilde.core.plan.change import Change
from kilde.core.plan.options import Writing, owned_before
from kilde.engine.operation.pen import Pen
from kilde.engine.requests import persist
from kilde.engine.view.live import Held
from kilde.ports.cluster import Resource


async def forget(change: Change, resource: Resource, body: Object, pen: Pen) -> None:
    """Takes away what a client-side apply once set and Git no longer has: nobody's ownership would tell."""

    def find(held: Held) -> Object | None:
        if ANNOTATION.encode() not in held.raw:
            return None
        live = held.body()
        rest = forgotten(pen.node(change.ref, change.version) or DEDUCED, live, body)
        return None if rest is None else patch_between(live, rest)

    await _amend(change.ref, resource, find, pen)


async def hand_over(change: Change, resource: Resource, at: Writing, pen: Pen) -> None:
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
