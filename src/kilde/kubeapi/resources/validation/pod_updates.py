"""What may change in a pod that is there."""

import copy
from collections.abc import Iterator

from kilde.core.basics.values import Json, Object
from kilde.kubeapi.resources.causes import Cause, forbidden, invalid, required
from kilde.kubeapi.resources.go_structs import changed
from kilde.kubeapi.resources.validation.containers import check_ephemeral_containers
from kilde.kubeapi.resources.validation.fields import items
from kilde.kubeapi.resources.validation.pod_annotations import check_annotations_stay, check_pod_annotations
from kilde.kubeapi.resources.validation.pods import check_only_of_pods, check_pod_spec, parts_of
from kilde.kubeapi.resources.validation.scheduling import check_tolerations

_FIXED = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,"
    "`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was"
    " previously negative)"
)
_ADDED_ONLY = "only additions are allowed (no mutations or deletions)"
_DEADLINE, _LARGEST = "spec.activeDeadlineSeconds", 2**31 - 1
_TERMS = "requiredDuringSchedulingIgnoredDuringExecution"


def check_pod_update(new: Object, old: Object) -> Iterator[Cause]:
    """A pod's spec is fixed, but for images, the deadline, further tolerations and gates that are lifted.

    While gates hold it back, its choice of nodes may be narrowed too.
    """
    annotations = (new.get("metadata") or {}).get("annotations")
    yield from check_pod_annotations(annotations, new.get("spec") or {}, "metadata.annotations")
    yield from check_pod_spec(new.get("spec") or {}, "spec")
    yield from check_only_of_pods(new.get("spec") or {})
    yield from check_annotations_stay(new, old)
    spec, before = copy.deepcopy(new.get("spec") or {}), old.get("spec") or {}
    for key in ("containers", "initContainers"):
        for one, was in zip(spec.get(key) or (), before.get(key) or (), strict=False):
            one["image"] = was.get("image")
        if len(spec.get(key) or ()) != len(before.get(key) or ()):
            yield forbidden(f"spec.{key}", "pod updates may not add or remove containers")
            return
        yield from _images(new.get("spec") or {}, key)
    late = _deadline(spec.get("activeDeadlineSeconds"), before.get("activeDeadlineSeconds"))
    yield from late
    if late and spec.get("activeDeadlineSeconds") is not None:
        return  # nothing else is looked at
    if not _only_added(spec.get("tolerations") or [], before.get("tolerations") or []):
        yield forbidden("spec.tolerations", "existing toleration can not be modified except its tolerationSeconds")
    else:
        yield from check_tolerations(spec.get("tolerations"), "spec.tolerations")
    yield from _gates(spec, before)
    kept = {key: before.get(key) for key in ("activeDeadlineSeconds", "tolerations", "schedulingGates")}
    if spec.get("terminationGracePeriodSeconds") == 1 and (before.get("terminationGracePeriodSeconds") or 0) < 0:
        kept["terminationGracePeriodSeconds"] = before["terminationGracePeriodSeconds"]
    if before.get("schedulingGates"):
        yield from _narrower_selector(spec, before)
        yield from _narrower_affinity(_node_affinity(spec), _node_affinity(before))
        kept["nodeSelector"] = before.get("nodeSelector")
        kept["affinity"] = before.get("affinity")
        if _other_affinity(spec) != _other_affinity(before):
            kept["affinity"] = spec.get("affinity")
    munged = {key: value for key, value in (spec | kept).items() if value is not None}
    if munged != {key: value for key, value in before.items() if value is not None}:
        yield forbidden("spec", changed(_FIXED, "PodSpec", before, munged))


def _images(spec: Object, key: str) -> Iterator[Cause]:
    """What is wrong with the images that a pod changes to."""
    for index, container in items(spec, key):
        image, at = container.get("image") or "", f"spec.{key}[{index}].image"
        if not image:
            yield required(at)
        elif image.strip() != image:
            yield invalid(at, image, "must not have leading or trailing whitespace")


def _gates(spec: Object, before: Object) -> Iterator[Cause]:
    known = {one.get("name") for one in before.get("schedulingGates") or ()}
    for index, gate in items(spec, "schedulingGates"):
        if gate.get("name") not in known:
            text = f"only deletion is allowed, but found new scheduling gate '{gate.get('name')}'"
            yield forbidden(f"spec.schedulingGates[{index}].name", text)


def _narrower_selector(spec: Object, before: Object) -> Iterator[Cause]:
    now, was = spec.get("nodeSelector") or {}, before.get("nodeSelector") or {}
    if not was.items() <= now.items():
        text = "only additions to spec.nodeSelector are allowed (no mutations or deletions)"
        yield invalid("spec.nodeSelector", now, text)


def _narrower_affinity(now: Object, was: Object) -> Iterator[Cause]:
    at = f"spec.affinity.nodeAffinity.{_TERMS}.nodeSelectorTerms"
    terms = (now.get(_TERMS) or {}).get("nodeSelectorTerms") or []
    before = (was.get(_TERMS) or {}).get("nodeSelectorTerms") or []
    if before and len(terms) != len(before):
        yield invalid(at, terms, "no additions/deletions to non-empty NodeSelectorTerms list are allowed")
        return
    for index, (term, old) in enumerate(zip(terms, before, strict=False)):
        if not _adds_only(term, old):
            yield invalid(f"{at}[{index}]", term, _ADDED_ONLY)


def _adds_only(term: Object, old: Object) -> bool:
    """An empty term chooses no node, so it may not be filled; any other may only be given more to ask for."""
    lists = [(term.get(key) or [], old.get(key) or []) for key in ("matchExpressions", "matchFields")]
    if not any(was for _, was in lists):
        return not any(now for now, _ in lists)
    return all(now[: len(was)] == was for now, was in lists)


def _node_affinity(spec: Object) -> Object:
    return (spec.get("affinity") or {}).get("nodeAffinity") or {}


def _other_affinity(spec: Object) -> Json:
    return {key: value for key, value in (spec.get("affinity") or {}).items() if key != "nodeAffinity" and value}


def check_ephemeral_update(new: Object, old: Object) -> Iterator[Cause]:
    """What is wrong with a write to a pod's ephemeral containers: they may only become more."""
    spec, before = new.get("spec") or {}, old.get("spec") or {}
    parts = parts_of(spec, [str(one.get("name")) for one in spec.get("volumes") or ()])
    yield from check_ephemeral_containers(spec, parts, "spec.ephemeralContainers")
    now = {one.get("name"): one for one in spec.get("ephemeralContainers") or ()}
    for was in before.get("ephemeralContainers") or ():
        name = was.get("name")
        if name not in now:
            yield forbidden("spec.ephemeralContainers", f'existing ephemeral containers "{name}" may not be removed\n')
        elif now[name] != was:
            words = f'existing ephemeral containers "{name}" may not be changed'
            yield forbidden("spec.ephemeralContainers", changed(words, "EphemeralContainer", was, now[name]))


def _deadline(new: int | None, old: int | None) -> list[Cause]:
    """Why a deadline may not take the place of another."""
    if new is None:
        words = "must not update from a positive integer to nil value"
        return [] if old is None else [invalid(_DEADLINE, new, words)]
    if not 0 <= new <= _LARGEST:
        return [invalid(_DEADLINE, new, f"must be between 0 and {_LARGEST}, inclusive")]
    return (
        [invalid(_DEADLINE, new, "must be less than or equal to previous value")]
        if old is not None and old < new
        else []
    )


def _only_added(new: list[Object], old: list[Object]) -> bool:
    def identity(one: Object) -> Object:
        return {key: value for key, value in one.items() if key != "tolerationSeconds"}

    known = [identity(one) for one in new]
    return all(identity(one) in known for one in old)
