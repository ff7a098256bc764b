"""Volumes: claims bound to volumes that fit, volumes made for claims, and both kept while they are used."""

from functools import partial
from typing import Any

from kilde.core.basics.moment import rfc3339
from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.metadata import (
    annotations_of,
    deleting,
    labels_of,
    name_of,
    namespace_of,
    uid_of,
    with_metadata,
    with_status,
)
from kilde.kubeapi.controllers.placing import amount
from kilde.kubeapi.controllers.pods import TERMINAL, phase, spec_of
from kilde.kubeapi.controllers.rules import RULES, steps_for
from kilde.kubeapi.controllers.script import CLAIM, NEVER, Profile, seconds
from kilde.kubeapi.controllers.selecting import selects
from kilde.kubeapi.controllers.steps import (
    NOTHING,
    Controller,
    Create,
    Delete,
    Emit,
    Key,
    Moment,
    Patch,
    Refusals,
    Step,
    Trigger,
    Update,
    View,
    Write,
    itself,
)

CLAIMS, VOLUMES, CLASSES = "persistentvolumeclaims", "persistentvolumes", "storageclasses.storage.k8s.io"
COMPONENT = "persistentvolume-controller"
BOUND_BY_US, BIND_COMPLETED = "pv.kubernetes.io/bound-by-controller", "pv.kubernetes.io/bind-completed"
PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
PVC_PROTECTION, PV_PROTECTION = "kubernetes.io/pvc-protection", "kubernetes.io/pv-protection"
SIMULATED = "sim.kilde.dev/provisioner"
NO_PROVISIONER = "kubernetes.io/no-provisioner"
_IN_TREE = "kubernetes.io/"
# Provisioners that were in the tree once; their claims are left to a CSI driver.
_MIGRATED = frozenset(
    f"kubernetes.io/{name}"
    for name in ("aws-ebs", "azure-disk", "azure-file", "cinder", "gce-pd", "portworx-volume", "vsphere-volume")
)


def controllers(profile: Profile | None) -> tuple[Controller, ...]:
    """The binder of claims and of volumes. With a profile claims without a volume are given one; None: only what is there."""
    bind: dict[str, Trigger] = {
        CLAIMS: itself,
        VOLUMES: _claims_for,
        CLASSES: _unbound,
        "pods": _claims_of,
        RULES: _unbound,
    }
    return (
        Controller(COMPONENT, partial(_claim, profile), bind, workers=1),
        Controller("persistentvolume-phase", _volume, {VOLUMES: itself, CLAIMS: _volume_of}, workers=1),
    )


def _claims_for(volume: Object, view: View) -> list[Key]:
    reference = (volume.get("spec") or {}).get("claimRef")
    if reference:
        return [Key(reference.get("namespace", ""), reference["name"])]
    return _unbound(volume, view)


def _unbound(_: Object, view: View) -> list[Key]:
    waiting = (claim for claim in view.every(CLAIMS) if not claim["spec"].get("volumeName"))
    return [Key(namespace_of(claim), name_of(claim)) for claim in waiting]


def _claims_of(pod: Object, view: View) -> list[Key]:
    sources = (volume.get("persistentVolumeClaim") for volume in spec_of(pod).get("volumes") or ())
    return [Key(namespace_of(pod), source["claimName"]) for source in sources if source]


def _volume_of(claim: Object, view: View) -> list[Key]:
    name = claim["spec"].get("volumeName")
    return [Key("", name)] if name else []


def _claim(profile: Profile | None, key: Key, view: View, moment: Moment) -> Step:
    claim = view.get(CLAIMS, *key)
    if claim is None:
        return NOTHING
    if deleting(claim):
        return _let_go(claim, view)
    if claim["spec"].get("volumeName"):
        return _bound(claim, view)
    volume = _fitting(claim, view, reserved=_waits(claim, view))
    if volume is not None:
        return Step(tuple(_bind(claim, volume)), then=partial(_again, profile, key))
    return _without_volume(profile, claim, view, moment)


def _again(profile: Profile | None, key: Key, view: View, moment: Moment, refusals: Refusals) -> Step:
    return NOTHING if refusals else _claim(profile, key, view, moment)


def _let_go(claim: Object, view: View) -> Step:
    """A deleted claim keeps its finalizer while a pod uses it."""
    finalizers = claim["metadata"].get("finalizers") or []
    if PVC_PROTECTION not in finalizers or any(
        phase(pod) not in TERMINAL and Key(namespace_of(claim), name_of(claim)) in _claims_of(pod, view)
        for pod in view.every("pods", namespace_of(claim))
    ):
        return NOTHING
    return Step((_finalizers(CLAIMS, claim, [one for one in finalizers if one != PVC_PROTECTION]),))


def _finalizers(resource: str, obj: Object, rest: list[str]) -> Patch:
    meta = {"resourceVersion": obj["metadata"].get("resourceVersion"), "finalizers": rest or None}
    return Patch(resource, namespace_of(obj), name_of(obj), {"metadata": meta})


def _bound(claim: Object, view: View) -> Step:
    """A claim that names its volume: Bound when the volume is its own, Lost when it is gone."""
    volume = view.get(VOLUMES, "", claim["spec"]["volumeName"])
    status = claim.get("status") or {}
    if volume is None:
        if annotations_of(claim).get(BIND_COMPLETED) and status.get("phase") != "Lost":
            text = "Bound claim has lost its PersistentVolume. Data on the volume is lost!"
            lost = Update(CLAIMS, with_status(claim, {**status, "phase": "Lost"}), "status")
            return Step((lost, Emit(claim, "ClaimLost", text, COMPONENT, "Warning")))
        return NOTHING
    reference = volume["spec"].get("claimRef")
    if reference is None:
        return Step(tuple(_bind(claim, volume)))
    if (reference.get("namespace"), reference.get("name")) != (namespace_of(claim), name_of(claim)):
        return NOTHING
    if not reference.get("uid"):
        return Step(tuple(_bind(claim, volume)))
    if reference["uid"] != uid_of(claim):
        return NOTHING
    if BIND_COMPLETED not in annotations_of(claim):
        return Step((_completed(claim),))
    wanted = {
        **status,
        "phase": "Bound",
        "accessModes": volume["spec"].get("accessModes"),
        "capacity": volume["spec"].get("capacity"),
    }
    return Step((Update(CLAIMS, with_status(claim, wanted), "status"),)) if wanted != status else NOTHING


def _completed(claim: Object, volume: str = "") -> Update:
    marks = {**annotations_of(claim), BIND_COMPLETED: "yes"}
    if volume:
        marks[BOUND_BY_US] = "yes"
    changed = with_metadata(claim, annotations=marks)
    return Update(CLAIMS, {**changed, "spec": {**claim["spec"], **({"volumeName": volume} if volume else {})}})


def _bind(claim: Object, volume: Object) -> list[Write]:
    """Both sides of a binding: the volume first, as upstream, so that no other claim can take it."""
    reference = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "name": name_of(claim),
        "namespace": namespace_of(claim),
        "uid": uid_of(claim),
        "resourceVersion": claim["metadata"].get("resourceVersion"),
    }
    writes: list[Write] = []
    held = volume["spec"].get("claimRef") or {}
    if held.get("uid") != uid_of(claim):
        marks = annotations_of(volume) if held else {**annotations_of(volume), BOUND_BY_US: "yes"}
        changed = with_metadata(volume, annotations=marks or None)
        writes.append(Update(VOLUMES, {**changed, "spec": {**volume["spec"], "claimRef": reference}}))
    named = claim["spec"].get("volumeName")
    writes.append(_completed(claim, "" if named else name_of(volume)))
    return writes


def _class_of(claim: Object, view: View) -> Object | None:
    name = claim["spec"].get("storageClassName")
    return view.get(CLASSES, "", name) if name else None


def _waits(claim: Object, view: View) -> bool:
    """Whether the claim is not to be bound before a pod that uses it has a node."""
    found = _class_of(claim, view)
    if found is None or found.get("volumeBindingMode") != "WaitForFirstConsumer":
        return False
    return not _users(claim, view)


def _fitting(claim: Object, view: View, *, reserved: bool) -> Object | None:
    """The smallest free volume with the claim's class, modes, size and labels; one reserved for it comes first, or alone."""
    spec = claim["spec"]
    asked = amount(((spec.get("resources") or {}).get("requests") or {}).get("storage", "0"))
    found = []
    for volume in view.every(VOLUMES):
        have = volume["spec"]
        held = have.get("claimRef")
        if held:
            same = (held.get("namespace"), held.get("name")) == (namespace_of(claim), name_of(claim))
            if same and held.get("uid") in (None, "", uid_of(claim)):
                return volume
            continue
        if reserved:
            continue
        size = amount((have.get("capacity") or {}).get("storage", "0"))
        if (
            not deleting(volume)
            and size >= asked
            and (have.get("storageClassName") or "") == (spec.get("storageClassName") or "")
            and set(spec.get("accessModes") or ()) <= set(have.get("accessModes") or ())
            and have.get("volumeMode", "Filesystem") == spec.get("volumeMode", "Filesystem")
            and (spec.get("selector") is None or selects(spec["selector"], labels_of(volume)))
        ):
            found.append((size, name_of(volume), volume))
    return min(found, key=lambda one: one[:2])[2] if found else None


def _without_volume(profile: Profile | None, claim: Object, view: View, moment: Moment) -> Step:
    """No volume fits: provision one, wait for the first pod, or say that there is nothing to be had."""
    name, found = claim["spec"].get("storageClassName"), _class_of(claim, view)
    if _waits(claim, view):
        return _told(
            claim, "WaitForFirstConsumer", "waiting for first consumer to be created before binding", "Normal", moment
        )
    simulated = profile is not None and (
        name is None or (found is not None and found.get("provisioner") != NO_PROVISIONER)
    )
    steps = steps_for(claim, CLAIM, view) if simulated else {}
    wait = seconds(steps, "pending", NEVER) if "pending" in steps else profile.claim if profile is not None else NEVER
    if simulated and wait < NEVER:
        return _provision(wait, claim, found, moment)
    if steps.get("message"):
        return _told(claim, "ProvisioningFailed", steps["message"], "Warning", moment)
    if name and found is None:
        text = f'storageclass.storage.k8s.io "{name}" not found'
        return _told(claim, "ProvisioningFailed", text, "Warning", moment)
    if name:
        provisioner = str((found or {}).get("provisioner"))
        if provisioner.startswith(_IN_TREE) and provisioner not in _MIGRATED:
            return _told(
                claim, "ProvisioningFailed", f"no volume plugin matched name: {provisioner}", "Warning", moment
            )
        text = (
            f"Waiting for a volume to be created either by the external provisioner '{provisioner}' or manually by the system"
            " administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered."
        )
        return _told(claim, "ExternalProvisioning", text, "Normal", moment)
    text = "no persistent volumes available for this claim and no storage class is set"
    return _told(claim, "FailedBinding", text, "Normal", moment)


def _told(claim: Object, reason: str, message: str, kind: str, moment: Moment) -> Step:
    """Says it once; the memo knows that it has been said."""
    said = (Emit(claim, reason, message, COMPONENT, kind),) if moment.memo != message else ()
    return Step(said, memo=message)


def _users(claim: Object, view: View) -> list[Object]:
    """The pods that mount the claim."""
    key = Key(namespace_of(claim), name_of(claim))
    return [pod for pod in view.every("pods", namespace_of(claim)) if key in _claims_of(pod, view)]


def _provision(wait: float, claim: Object, storage_class: Object | None, moment: Moment) -> Step:
    due = moment.memo if isinstance(moment.memo, float) else moment.now + wait
    if moment.now < due:
        return Step(wake=due, memo=due)
    name = f"pvc-{uid_of(claim)}"
    provisioner = (storage_class or {}).get("provisioner", SIMULATED)
    spec: dict[str, Any] = {
        "accessModes": claim["spec"].get("accessModes"),
        "capacity": {"storage": ((claim["spec"].get("resources") or {}).get("requests") or {}).get("storage", "1Gi")},
        "claimRef": {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "name": name_of(claim),
            "namespace": namespace_of(claim),
            "uid": uid_of(claim),
        },
        "hostPath": {"path": f"/var/lib/kilde/{name}"},
        "persistentVolumeReclaimPolicy": (storage_class or {}).get("reclaimPolicy", "Delete"),
        "volumeMode": claim["spec"].get("volumeMode", "Filesystem"),
    }
    if storage_class is not None:
        spec["storageClassName"] = name_of(storage_class)
    meta = {"name": name, "annotations": {PROVISIONED_BY: provisioner}}
    body = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": meta, "spec": spec}
    said = Emit(claim, "ProvisioningSucceeded", f"Successfully provisioned volume {name}", COMPONENT)
    return Step((Create(VOLUMES, body, said),))


def _volume(key: Key, view: View, moment: Moment) -> Step:
    """A volume's phase follows its claim; a released one that was provisioned for it goes with it."""
    volume = view.get(VOLUMES, "", key.name)
    if volume is None:
        return NOTHING
    reference = volume["spec"].get("claimRef")
    claim = view.get(CLAIMS, reference.get("namespace", ""), reference["name"]) if reference else None
    held = claim is not None and reference is not None and reference.get("uid") in (None, "", uid_of(claim))
    if reference is None or not reference.get("uid"):
        found = "Available"
    elif held and claim is not None and claim["spec"].get("volumeName") in (None, "", key.name):
        found = "Bound"
    else:
        found = "Released"
    if deleting(volume):
        finalizers = volume["metadata"].get("finalizers") or []
        if found == "Bound" or PV_PROTECTION not in finalizers:
            return NOTHING
        return Step((_finalizers(VOLUMES, volume, [one for one in finalizers if one != PV_PROTECTION]),))
    writes: list[Write] = []
    status = volume.get("status") or {}
    if status.get("phase") != found:
        new = {**status, "phase": found, "lastPhaseTransitionTime": rfc3339(moment.now)}
        writes.append(Update(VOLUMES, with_status(volume, new), "status"))
    policy = volume["spec"].get("persistentVolumeReclaimPolicy")
    if found == "Released" and policy == "Delete" and PROVISIONED_BY in annotations_of(volume):
        writes.append(Delete(VOLUMES, "", key.name, uid_of(volume)))
    return Step(tuple(writes))
