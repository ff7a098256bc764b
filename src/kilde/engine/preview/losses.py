"""What goes for good with a pruned object: the data behind claims, by the reclaim policy of their volumes, and what is deleted along."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import msgspec

from kilde.core.apps.application import Application, read_application
from kilde.core.basics.errors import ClusterError
from kilde.core.basics.values import Object
from kilde.core.objects.ref import GroupKind, ObjectRef
from kilde.core.plan.data_loss import claimed_volume, data_loss
from kilde.core.preview.model import Finding
from kilde.engine.beside.comparing import Comparer
from kilde.engine.sources.wishes import owned_refs
from kilde.ports.cluster import Resource

_CLAIMS = Resource("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", True)
_CLAIM = GroupKind("", "PersistentVolumeClaim")
_MOST = 50  # claims that are named one by one
_decode = msgspec.json.Decoder(dict).decode


async def losses(by: Comparer, ref: ObjectRef, live: Object) -> list[Finding]:
    """What the prune of this object takes along."""
    found = [finding async for finding in _taken(by, ref, live)]
    if len(found) > _MOST:
        more = Finding(kind="data-loss", object=str(ref), text=f"and {len(found) - _MOST} more", grave=True)
        found = [*found[:_MOST], more]
    return found


async def _taken(by: Comparer, ref: ObjectRef, live: Object) -> AsyncIterator[Finding]:
    kind = ref.group_kind
    if kind == _CLAIM:
        yield await _claim(by, ref, live)
    elif kind == GroupKind("", "Namespace"):
        yield Finding(
            kind="cascade", object=str(ref), text="everything in the namespace is deleted with it", grave=True
        )
        async for finding in _claims(by, ref, ref.name, prefixes=("",)):
            yield finding
    elif kind == GroupKind("apps", "StatefulSet") and _deletes_claims(live):
        templates = _list(_map(live.get("spec")).get("volumeClaimTemplates"))
        names = tuple(f"{_map(one.get('metadata')).get('name')}-{ref.name}-" for one in templates)
        async for finding in _claims(by, ref, ref.namespace, prefixes=names):
            yield finding
    elif kind == GroupKind("apiextensions.k8s.io", "CustomResourceDefinition"):
        yield await _custom_objects(by, ref, live)
    elif kind == GroupKind("argoproj.io", "Application"):
        yield _application(by, ref, read_application(live))


async def _claim(by: Comparer, ref: ObjectRef, live: Object, *, through: str = "") -> Finding:
    name, volume = claimed_volume(live), None
    if name:
        try:
            volume = await by.live(ObjectRef("", "PersistentVolume", "", name))
        except ClusterError as error:
            if error.status not in (401, 403):
                raise
    kept = not name or _map((volume or {}).get("spec")).get("persistentVolumeReclaimPolicy") == "Retain"
    text = data_loss(live, volume) + (f" (deleted with {through})" if through else "")
    return Finding(kind="data-loss", object=str(ref), text=text, grave=not kept)


async def _claims(by: Comparer, through: ObjectRef, space: str, *, prefixes: tuple[str, ...]) -> AsyncIterator[Finding]:
    try:
        raw = await by.cluster.list(_CLAIMS, space)
    except ClusterError as error:
        text = f"the claims of namespace {space} cannot be read ({error.what}): count their data as lost"
        yield Finding(kind="data-loss", object=str(through), text=text, grave=True)
        return
    for each in raw:
        body: Mapping[str, Any] = _decode(each)
        name = str((body.get("metadata") or {}).get("name") or "")
        if name.startswith(prefixes):
            ref = ObjectRef("", "PersistentVolumeClaim", space, name)
            yield await _claim(by, ref, dict(body), through=str(through))


async def _custom_objects(by: Comparer, ref: ObjectRef, live: Object) -> Finding:
    spec = _map(live.get("spec"))
    kind = str(_map(spec.get("names")).get("kind") or "")
    resource = (await by.cluster.discovery()).resource(str(spec.get("group") or ""), kind)
    try:
        number = len(await by.cluster.list(resource)) if resource is not None else 0
        text = f"every {kind} of the cluster is deleted with it: {number} at this moment"
        return Finding(kind="cascade", object=str(ref), text=text, grave=number > 0)
    except ClusterError as error:
        text = f"every {kind} of the cluster is deleted with it; how many cannot be read ({error.what})"
        return Finding(kind="cascade", object=str(ref), text=text, grave=True)


def _application(by: Comparer, ref: ObjectRef, app: Application) -> Finding:
    """Its objects of excluded kinds stay, as its deletion has nothing to do with them."""
    if not app.cascade:
        return Finding(kind="cascade", object=str(ref), text="its objects stay, and are nobody's from then on")
    server = app.destination.cluster.server
    owned = sorted(one for one in owned_refs(app) if not by.kinds.excludes(server, one.group, one.kind))
    claims = [one.name for one in owned if one.group_kind == _CLAIM]
    told = f", with the claims {', '.join(claims[:_MOST])}" if claims else ""
    text = f"its {len(owned)} objects are deleted with it (it has the finalizer that says so){told}"
    return Finding(kind="cascade", object=str(ref), text=text, grave=bool(owned))


def _deletes_claims(live: Object) -> bool:
    spec = _map(live.get("spec"))
    return _map(spec.get("persistentVolumeClaimRetentionPolicy")).get("whenDeleted") == "Delete"


def _map(value: Any) -> Object:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Object]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
