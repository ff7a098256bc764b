"""PersistentVolumes and their claims: protected while they are in use, and the default storage class."""

from fractions import Fraction

from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.values import Object
from kilde.core.objects import quantity
from kilde.kubeapi.call import Call
from kilde.kubeapi.logic import failures
from kilde.kubeapi.storage.records import Key
from kilde.kubeapi.strategies.strategy import Strategy
from kilde.kubeapi.world import World

_SOURCES = (("", "PersistentVolumeClaim"), ("snapshot.storage.k8s.io", "VolumeSnapshot"))
_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"


def _protect(obj: Object, finalizer: str) -> None:
    meta = obj["metadata"]
    found = list(meta.get("finalizers") or [])
    if finalizer not in found:
        meta["finalizers"] = [*found, finalizer]


class Claims(Strategy):
    """A claim gets its finalizer, and the default class if it names none."""

    def admit_new(self, world: World, call: Call, obj: Object) -> None:
        _protect(obj, "kubernetes.io/pvc-protection")
        spec = obj.get("spec")
        if isinstance(spec, dict):
            _drop_odd_source(spec)
        if isinstance(spec, dict) and spec.get("storageClassName") is None:
            name = default_class(world)
            if name:
                spec["storageClassName"] = name

    def prepare_new(self, world: World, call: Call, obj: Object) -> None:
        _same_data_source(obj)

    def prepare_change(self, world: World, call: Call, new: Object, old: Object) -> None:
        if not call.subresource:
            if isinstance(new.get("spec"), dict) and not (old.get("spec") or {}).get("dataSource"):
                _drop_odd_source(new["spec"])
            _same_data_source(new)

    def admit(self, world: World, call: Call, obj: Object, old: Object | None) -> None:
        if old is None or call.subresource or _asked(obj) <= _asked(old):
            return
        name = (old.get("spec") or {}).get("storageClassName")
        found = world.store.get(Key("storageclasses.storage.k8s.io", "", str(name))) if name else None
        if found is None or not found.object().get("allowVolumeExpansion"):
            why = "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize"
            raise failures.forbidden(call.kind.about(call.name), why)


def _same_data_source(value: Object) -> None:
    """A claim's old and new field for where its data comes from say the same."""
    spec = value.get("spec")
    if not isinstance(spec, dict):
        return
    source, reference = spec.get("dataSource"), spec.get("dataSourceRef")
    if source and reference is None:
        spec["dataSourceRef"] = dict(source)
    elif reference and source is None and not reference.get("namespace"):
        spec["dataSource"] = {key: reference[key] for key in ("apiGroup", "kind", "name") if key in reference}


def _drop_odd_source(spec: Object) -> None:
    """A dataSource is a claim or a snapshot; anything else is left out, and so is the reference that was made of it."""
    source = spec.get("dataSource")
    if source is None or (source.get("apiGroup") or "", source.get("kind")) in _SOURCES:
        return
    del spec["dataSource"]
    if spec.get("dataSourceRef") == source:
        del spec["dataSourceRef"]


def _asked(claim: Object) -> Fraction:
    """The storage a claim asks for; 0 where that cannot be read, which validation tells."""
    amount = (((claim.get("spec") or {}).get("resources") or {}).get("requests") or {}).get("storage")
    try:
        return quantity.parse(amount).value if amount is not None else Fraction(0)
    except InvalidInput:
        return Fraction(0)


class Volumes(Strategy):
    """A volume gets its finalizer."""

    def admit_new(self, world: World, call: Call, obj: Object) -> None:
        _protect(obj, "kubernetes.io/pv-protection")

    def prepare_new(self, world: World, call: Call, obj: Object) -> None:
        status = obj["status"] = dict(obj.get("status") or {})
        status["phase"] = "Pending"
        status["lastPhaseTransitionTime"] = world.now()


class AttributesClasses(Strategy):
    """A class of attributes gets its finalizer."""

    def admit_new(self, world: World, call: Call, obj: Object) -> None:
        _protect(obj, "kubernetes.io/vac-protection")


def default_class(world: World) -> str:
    """The newest StorageClass that is marked as default; "" if there is none."""
    marked = []
    for record in world.store.all("storageclasses.storage.k8s.io"):
        meta = record.object()["metadata"]
        if (meta.get("annotations") or {}).get(_DEFAULT_CLASS) == "true":
            marked.append((meta["creationTimestamp"], meta["name"]))
    if not marked:
        return ""
    newest = max(time for time, _ in marked)
    return str(min(name for time, name in marked if time == newest))
