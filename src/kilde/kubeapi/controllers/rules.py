"""Rules: which steps a pretended thing follows: those of SimulationRules that match it, then its annotations, then rules that override.

A rule matches by kind (a pod's own, or that of an owner of it), names and images (globs), namespace (of what is in one), labels and
container.
"""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from kilde.core.basics.values import Object
from kilde.kubeapi.controllers.metadata import controller_of, labels_of, name_of, namespace_of
from kilde.kubeapi.controllers.rule_steps import flattened
from kilde.kubeapi.controllers.script import CONTAINER, FAST, LOG, POD, PodScript, Profile, script_from, steps_of
from kilde.kubeapi.controllers.selecting import selects
from kilde.kubeapi.controllers.steps import Objects

RULES = "simulationrules.sim.kilde.dev"
_OWNERS = {
    "Deployment": "deployments.apps",
    "ReplicaSet": "replicasets.apps",
    "StatefulSet": "statefulsets.apps",
    "DaemonSet": "daemonsets.apps",
    "ReplicationController": "replicationcontrollers",
    "Job": "jobs.batch",
    "CronJob": "cronjobs.batch",
}
_DEEP = 4  # pod, ReplicaSet, Deployment; pod, Job, CronJob
Spec = Mapping[str, Any]


def pod_script(pod: Object, view: Objects, profile: Profile = FAST, container: Spec | None = None) -> PodScript:
    """What a pod does, or one of its containers (its spec): annotations of its owner, its own, its container's, and the rules."""
    return script_from(pod_steps(pod, view, container), profile)


def pod_steps(pod: Object, view: Objects, container: Spec | None = None) -> dict[str, str]:
    """The steps of the same."""
    owner = next(iter(_owners(pod, view)), None)
    said = {**(_annotated(owner) if owner is not None else {}), **_annotated(pod)}
    if container is not None:
        said |= steps_of(pod, CONTAINER + container["name"])
    return _with_rules(pod, said, view, container)


def steps_for(obj: Object, annotation: str, view: Objects) -> dict[str, str]:
    """The steps of a thing that is no pod: a claim, a Service, an Ingress, a node."""
    return _with_rules(obj, steps_of(obj, annotation), view, None)


def _annotated(obj: Object) -> dict[str, str]:
    log = (obj["metadata"].get("annotations") or {}).get(LOG)
    return {**steps_of(obj, POD), **({"log": log} if log else {})}


def _with_rules(obj: Object, said: dict[str, str], view: Objects, container: Spec | None) -> dict[str, str]:
    weak: dict[str, str] = {}
    strong: dict[str, str] = {}
    for rule in sorted(view.every(RULES), key=name_of):
        spec = rule.get("spec") or {}
        if _matches(spec.get("match") or {}, obj, view, container):
            (strong if spec.get("override") else weak).update(flattened(spec.get("script") or ()))
    return {**weak, **said, **strong}


def _matches(match: Spec, obj: Object, view: Objects, container: Spec | None) -> bool:
    if namespace_of(obj) and not fnmatchcase(namespace_of(obj), match.get("namespace") or "*"):
        return False
    if not any(_is_meant(match, one) for one in (obj, *_owners(obj, view))):
        return False
    wanted_image, wanted_name = match.get("image") or "*", match.get("container") or "*"
    if wanted_image == wanted_name == "*":
        return True
    spec = obj.get("spec") or {}
    every = [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]
    return any(
        fnmatchcase(one.get("image", ""), wanted_image) and fnmatchcase(one.get("name", ""), wanted_name)
        for one in ([container] if container is not None else every)
    )


def _is_meant(match: Spec, obj: Object) -> bool:
    """Whether kind, name and labels of a rule fit an object, or an owner of it."""
    if match.get("kind") and match["kind"] != obj.get("kind"):
        return False
    if not fnmatchcase(name_of(obj), match.get("name") or "*"):
        return False
    selector = match.get("labelSelector")
    if selector is None:
        return True
    if not selector.keys() & {"matchLabels", "matchExpressions"}:
        selector = {"matchLabels": selector}  # the short form: nothing but labels
    return selects(selector, labels_of(obj))


def _owners(obj: Object, view: Objects) -> Iterator[Object]:
    """Who controls it, and who controls that; of a kind that is not watched only kind and name are known."""
    for _ in range(_DEEP):
        owner = controller_of(obj)
        if owner is None:
            return
        resource = _OWNERS.get(owner.get("kind", ""))
        found = view.get(resource, namespace_of(obj), owner["name"]) if resource else None
        if found is None:
            yield {"kind": owner.get("kind"), "metadata": {"name": owner["name"]}}
            return
        yield found
        obj = found
