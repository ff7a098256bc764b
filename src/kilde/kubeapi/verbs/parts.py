"""What a write to a sub-resource can change; everything else stays as it was. PARTS is the registry."""

from collections.abc import Callable, Mapping

from kilde.core.basics.values import Object

_HEAD = ("apiVersion", "kind", "metadata")
# What of metadata a write to the status of these kinds cannot change; of others it can all of it.
_KEPT_OF_STATUS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("apps/v1", "Deployment"): ("labels",),
    **dict.fromkeys(
        (
            ("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy"),
            ("flowcontrol.apiserver.k8s.io/v1", "FlowSchema"),
            ("flowcontrol.apiserver.k8s.io/v1", "PriorityLevelConfiguration"),
            ("networking.k8s.io/v1", "ServiceCIDR"),
            ("resource.k8s.io/v1", "ResourceClaim"),
            ("storage.k8s.io/v1", "VolumeAttachment"),
        ),
        ("labels", "annotations", "finalizers", "ownerReferences"),
    ),
    ("v1", "Pod"): ("ownerReferences",),
}


def _status(obj: Object, old: Object) -> None:
    keep(obj, old, ("status",))
    for key in _KEPT_OF_STATUS.get((str(obj.get("apiVersion")), str(obj.get("kind"))), ()):
        if key in old["metadata"]:
            obj["metadata"][key] = old["metadata"][key]
        else:
            obj["metadata"].pop(key, None)


def _ephemeral(obj: Object, old: Object) -> None:
    containers = (obj.get("spec") or {}).get("ephemeralContainers")
    keep(obj, old, ())
    spec = {key: value for key, value in (old.get("spec") or {}).items() if key != "ephemeralContainers"}
    obj["spec"] = {**spec, "ephemeralContainers": containers} if containers else spec


def _resize(obj: Object, old: Object) -> None:
    wanted = obj.get("spec") or {}
    keep(obj, old, ())
    spec = dict(old.get("spec") or {})
    for kind in ("containers", "initContainers"):
        given = {each.get("name"): each for each in wanted.get(kind) or ()}
        sized = [_sized(each, given.get(each.get("name"))) for each in spec.get(kind) or ()]
        if sized:
            spec[kind] = sized
    obj["spec"] = spec


def _sized(container: Object, wanted: Object | None) -> Object:
    if wanted is None:
        return container
    fields = ("resources", "resizePolicy")
    return {
        **{key: value for key, value in container.items() if key not in fields},
        **{key: wanted[key] for key in fields if key in wanted},
    }


def _approval(obj: Object, old: Object) -> None:
    conditions = (obj.get("status") or {}).get("conditions")
    keep(obj, old, ())
    status = dict(old.get("status") or {})
    if conditions:
        status["conditions"] = conditions
    obj["status"] = status


def _finalize(obj: Object, old: Object) -> None:
    """A namespace's own strategy takes spec.finalizers from the request."""


def keep(obj: Object, old: Object, changed: tuple[str, ...]) -> None:
    """Puts back every field of the object that is not among those that may change."""
    kept = {
        key: value for key, value in old.items() if key not in (*_HEAD, *changed)
    }  # first: the object may be `old` itself
    for key in [key for key in obj if key not in (*_HEAD, *changed)]:
        del obj[key]
    obj.update(kept)


PARTS: Mapping[str, Callable[[Object, Object], None]] = {
    "approval": _approval,
    "ephemeralcontainers": _ephemeral,
    "finalize": _finalize,
    "resize": _resize,
    "status": _status,
}
