"""What goes with an object that is deleted: data, objects of other owners, the objects of an application. Said before it happens."""

from typing import Any

from kilde.core.basics.values import Object

_CLAIM, _SPACE, _STATEFUL = ("", "PersistentVolumeClaim"), ("", "Namespace"), ("apps", "StatefulSet")
_DEFINITION, _APPLICATION = ("apiextensions.k8s.io", "CustomResourceDefinition"), ("argoproj.io", "Application")
_CASCADES = "resources-finalizer.argocd.argoproj.io"
PRECIOUS = frozenset({_SPACE, _CLAIM, _DEFINITION, _STATEFUL})
"""Kinds (group, kind) whose deletion takes more than the object: a deletion budget never covers them by count."""


def claimed_volume(claim: Object) -> str:
    """The PersistentVolume behind a PersistentVolumeClaim; "" where none is bound."""
    return str(_map(claim.get("spec")).get("volumeName") or "")


def data_loss(claim: Object, volume: Object | None) -> str:
    """What becomes of the data when a PersistentVolumeClaim is deleted; `volume` None: it could not be looked at."""
    name = claimed_volume(claim)
    if not name:
        return "no volume is bound to it"
    if volume is None:
        return f"its volume {name} could not be looked at: its data may be lost"
    policy = str(_map(volume.get("spec")).get("persistentVolumeReclaimPolicy") or "Retain")
    if policy == "Retain":
        return f"its volume {name} and the data on it stay (reclaim policy Retain)"
    return f"data loss: its volume {name} is deleted with it (reclaim policy {policy})"


def taken_along(group: str, kind: str, live: Object) -> tuple[int, str]:
    """How many objects go with this one, itself included, and why it is over every budget by itself ("" where it is not).

    An Application whose finalizer deletes its objects counts as all that its status lists.
    """
    name = (group, kind)
    if name == _SPACE:
        return 1, "everything in the namespace goes with it"
    if name == _CLAIM:
        return 1, "a claim is what holds data"
    if name == _DEFINITION:
        return 1, "every object of the kind that it defines goes with it"
    if name == _STATEFUL:
        return 1, _stateful(live)
    if name == _APPLICATION and any(str(one).startswith(_CASCADES) for one in _finalizers(live)):
        inside = [one for one in _map(live.get("status")).get("resources") or () if isinstance(one, dict)]
        dear = [one for one in inside if (str(one.get("group") or ""), str(one.get("kind"))) in PRECIOUS]
        why = f"its {dear[0].get('kind')} {dear[0].get('name')} goes with it" if dear else ""
        return 1 + len(inside), why
    return 1, ""


def _stateful(live: Object) -> str:
    policy = _map(_map(live.get("spec")).get("persistentVolumeClaimRetentionPolicy")).get("whenDeleted")
    return "its claims are deleted with it (whenDeleted: Delete)" if policy == "Delete" else "its pods hold state"


def _finalizers(live: Object) -> list[Any]:
    found = _map(live.get("metadata")).get("finalizers")
    return found if isinstance(found, list) else []


def _map(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
