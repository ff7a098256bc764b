"""Objects that are put whole or made anew: `Replace=true`, `Force=true`, and what cannot be changed in place."""

from dataclasses import replace

from kilde.core.apply.outcome import ObjectResult, kind_word
from kilde.core.basics.errors import ClusterError
from kilde.core.basics.values import Object
from kilde.core.objects.images import images_of
from kilde.core.objects.ref import GroupKind, ObjectRef
from kilde.core.plan.change import Change
from kilde.engine.operation.pen import Pen, Way
from kilde.engine.operation.results import result_of, version_of
from kilde.engine.requests import persist
from kilde.ports.cluster import Applied, Resource

_KEPT_KINDS = (GroupKind("", "Namespace"), GroupKind("apiextensions.k8s.io", "CustomResourceDefinition"))
_GONE_PATIENCE = 60.0  # seconds that an object may take to go before it is made again


async def replaced(change: Change, resource: Resource, body: Object, way: Way, pen: Pen) -> ObjectResult:
    """`Replace=true`: the whole object is put, so that keys of others go; with `Force=true` it is deleted and made again."""
    word = kind_word(change.ref)
    kept = change.ref.group_kind in _KEPT_KINDS
    if way.force and not kept:
        await make_room(change.ref, resource, pen)
        applied = await persist(lambda: pen.cluster.create(resource, body, manager=pen.manager), pen.clock)
        kind, _, name = word.partition("/")
        where = f" from {change.ref.namespace} namespace" if change.ref.namespace else ""
        text = f'{kind} "{name}" deleted{where}\n{word} replaced'
    else:
        applied = await persist(lambda: _put(change.ref, resource, body, pen), pen.clock)
        text = f"{change.ref.kind}/{change.ref.name} updated" if kept else f"{word} replaced"
    pen.live.observe(change.ref, applied.raw)
    done = result_of(change, text, verb="configured", after=version_of(applied.raw))
    return replace(done, images=images_of([body]))


async def _put(ref: ObjectRef, resource: Resource, body: Object, pen: Pen) -> Applied:
    raw = await pen.cluster.get(resource, ref.namespace, ref.name)
    if raw is None:
        return await pen.cluster.create(resource, body, manager=pen.manager)
    meta = {**body["metadata"], "resourceVersion": version_of(raw)}
    return await pen.cluster.replace(resource, {**body, "metadata": meta}, manager=pen.manager)


async def make_room(ref: ObjectRef, resource: Resource, pen: Pen) -> None:
    """Deletes an object and waits until it is gone. Raises ClusterError when it does not go."""
    await persist(lambda: pen.cluster.delete(resource, ref.namespace, ref.name, propagation="Background"), pen.clock)
    deadline = pen.clock.monotonic() + _GONE_PATIENCE
    while await persist(lambda: pen.cluster.get(resource, ref.namespace, ref.name), pen.clock) is not None:
        if pen.clock.monotonic() > deadline:
            raise ClusterError(f"is still there {_GONE_PATIENCE:.0f} s after it was deleted", about=str(ref))
        await pen.clock.sleep(0.1)
