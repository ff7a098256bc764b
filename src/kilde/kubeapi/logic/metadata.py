"""metadata of objects: what a server sets, keeps and refuses (apimachinery's rest.BeforeCreate and BeforeUpdate)."""

from typing import Any

from kilde.core.basics.values import Object
from kilde.kubeapi.logic.failures import bad_request

NAME_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_GENERATED_BASE = 58
_META_ORDER = (
    "name",
    "generateName",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "labels",
    "annotations",
    "ownerReferences",
    "finalizers",
    "managedFields",
)
_ORDER = ("apiVersion", "kind", "metadata")


def meta(obj: Object) -> dict[str, Any]:
    """The metadata of an object, which is made if it is missing."""
    found = obj.get("metadata")
    if not isinstance(found, dict):
        found = obj["metadata"] = {}
    return found


def generated_name(base: str, suffix: str) -> str:
    """generateName and five characters; the base is cut so that the name stays within 63."""
    return base[:_GENERATED_BASE] + suffix


def ordered(obj: Object) -> Object:
    """The object in the order of Go's structs, apiVersion and kind first: lists of built-in kinds cut those off."""
    meta = obj["metadata"]
    made = {**{key: obj[key] for key in _ORDER if key in obj}, **obj}
    made["metadata"] = {**{key: meta[key] for key in _META_ORDER if key in meta}, **meta}
    return made


def check_name(obj: Object, name: str, namespace: str, *, namespaced: bool) -> None:
    """Puts the URL's namespace into the object; 400 where its name or namespace contradicts the URL."""
    found = meta(obj)
    check_namespace(obj, namespace, namespaced=namespaced)
    if not found.get("name"):
        raise bad_request(f"the name of the object ({name} based on URL) was undeterminable: name must be provided")
    if found["name"] != name:
        raise bad_request(f"the name of the object ({found['name']}) does not match the name on the URL ({name})")


def check_namespace(obj: Object, namespace: str, *, namespaced: bool) -> None:
    """Puts the URL's namespace into the object; 400 where they differ. A cluster-scoped object loses its namespace.

    So does one whose URL names none, which is then refused for that.
    """
    found = meta(obj)
    if not namespaced or not namespace:
        found.pop("namespace", None)
        return
    if not found.get("namespace"):
        found["namespace"] = namespace
    elif found["namespace"] != namespace:
        raise bad_request("the namespace of the provided object does not match the namespace sent on the request")


def unborn(obj: Object) -> None:
    """Takes from an object that is to be created what a client cannot give it."""
    found = meta(obj)
    for key in _NEVER_GIVEN:
        found.pop(key, None)


_NEVER_GIVEN = ("deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "resourceVersion")


def born(obj: Object, *, now: str, uid: str, generation: bool, suffix: str) -> None:
    """What every new object gets."""
    found = meta(obj)
    for key in _NEVER_GIVEN:
        found.pop(key, None)
    if not found.get("name") and found.get("generateName"):
        found["name"] = generated_name(str(found["generateName"]), suffix)
    found["uid"], found["creationTimestamp"] = uid, now
    if generation:
        found["generation"] = 1


_KEPT = ("creationTimestamp", "uid", "deletionTimestamp", "deletionGracePeriodSeconds", "generation")


def carried_over(new: Object, old: Object) -> None:
    """An update keeps what only the server sets. A uid or deletionTimestamp that contradicts is left for validation."""
    after, before = meta(new), meta(old)
    for key in _KEPT:
        value = before.get(key)
        given = after.get(key)
        if key in ("uid", "deletionTimestamp", "deletionGracePeriodSeconds") and given:
            continue
        if value is None:
            after.pop(key, None)
        else:
            after[key] = value
    after.pop("selfLink", None)


def tidy(obj: Object) -> None:
    """Drops what Go's omitempty would not print from metadata."""
    found = meta(obj)
    for key in [
        key for key, value in found.items() if value in (None, "", {}, []) or (key == "generation" and value == 0)
    ]:
        if key != "creationTimestamp":
            del found[key]
