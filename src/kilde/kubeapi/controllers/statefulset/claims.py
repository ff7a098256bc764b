"""Claims: the volumes of a StatefulSet's members, and who owns them by its retention policy (KEP-1847)."""

from typing import Any

from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.metadata import controller_of, deleting, name_of, namespace_of, owner_reference, uid_of
from kilde.kubeapi.controllers.steps import Patch, View

CLAIMS = "persistentvolumeclaims"


def templates_of(owner: Object) -> list[Object]:
    return owner["spec"].get("volumeClaimTemplates") or []


def claims_of(owner: Object, number: int) -> list[Object]:
    """The claims of one member, as they are to be created."""
    return [_claim(owner, template, number) for template in templates_of(owner)]


def missing_claims(owner: Object, number: int, view: View) -> list[Object]:
    """Those of them that are not there."""
    wanted = claims_of(owner, number)
    return [one for one in wanted if view.get(CLAIMS, namespace_of(owner), name_of(one)) is None]


def _claim(owner: Object, template: Object, number: int) -> Object:
    meta = template["metadata"]
    labels = {**(meta.get("labels") or {}), **((owner["spec"].get("selector") or {}).get("matchLabels") or {})}
    made: dict[str, Any] = {
        "name": f"{meta['name']}-{name_of(owner)}-{number}",
        "namespace": namespace_of(owner),
        "labels": labels,
    }
    if meta.get("annotations"):
        made["annotations"] = meta["annotations"]
    if _retention(owner)[0] == "Delete":
        made["ownerReferences"] = [owner_reference(owner)]
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": made, "spec": template["spec"]}


def _retention(owner: Object) -> tuple[str, str]:
    policy = owner["spec"].get("persistentVolumeClaimRetentionPolicy") or {}
    return policy.get("whenDeleted", "Retain"), policy.get("whenScaled", "Retain")


def handed_over(owner: Object, number: int, pod: Object, view: View, *, condemned: bool) -> list[Patch]:
    """The writes that make the right one own a member's claims: the set, or the pod with which they are to go, or nobody."""
    when_deleted, when_scaled = _retention(owner)
    by_pod = when_scaled == "Delete" and condemned
    by_set = when_deleted == "Delete" and not by_pod
    right = [_reference("v1", "Pod", pod)] if by_pod else [owner_reference(owner)] if by_set else []
    writes = []
    for wanted in claims_of(owner, number):
        claim = view.get(CLAIMS, namespace_of(owner), name_of(wanted))
        if claim is None or deleting(claim) or _is_held_by_others(claim, owner, pod):
            continue
        have = list(claim["metadata"].get("ownerReferences") or ())
        kept = [one for one in have if one.get("uid") not in (uid_of(owner), uid_of(pod))]
        if have != [*kept, *right]:
            change = {"metadata": {"uid": uid_of(claim), "ownerReferences": [*kept, *right] or None}}
            writes.append(Patch(CLAIMS, namespace_of(claim), name_of(claim), change))
    return writes


def _is_held_by_others(claim: Object, owner: Object, pod: Object) -> bool:
    holder = controller_of(claim)
    return holder is not None and holder.get("uid") not in (uid_of(owner), uid_of(pod))


def _reference(version: str, kind: str, obj: Object) -> dict[str, Any]:
    return owner_reference({"apiVersion": version, "kind": kind, "metadata": obj["metadata"]})
