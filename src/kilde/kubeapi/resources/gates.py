"""Gates: fields that a release has in its types and does not keep, since the feature gate behind them is closed by default.

A real server takes them away in silence before it validates, unless the object had them before.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from kilde.core.basics.values import Json, Object

NEVER = 1000
_CONTAINERS = ("containers", "initContainers", "ephemeralContainers")
Path = tuple[str, ...]


class Gate(NamedTuple):
    """A field, and the first minor of 1.x that keeps it. `*` stands for each item of a list; `whole`: what is left empty goes, too."""

    path: Path
    since: int = NEVER
    whole: bool = False


def _each_container(path: str, since: int = NEVER, *, whole: bool = False) -> tuple[Gate, ...]:
    return tuple(Gate((kind, "*", *path.split(".")), since, whole) for kind in _CONTAINERS)


_OF_PODS: tuple[Gate, ...] = (
    Gate(("resources",), 34),
    Gate(("resourceClaims",), 34),
    *_each_container("resources.claims", 34),
    Gate(("hostnameOverride",), 35),
    Gate(("schedulingGroup",)),
    *_each_container("lifecycle.stopSignal", whole=True),
    *_each_container("restartPolicyRules", 35),
    *_each_container("env.*.valueFrom.fileKeyRef", 35),
    Gate(("volumes", "*", "projected", "sources", "*", "podCertificate")),
    Gate(("volumes", "*", "projected", "sources", "*", "clusterTrustBundle")),
)
_IMAGE_VOLUMES, _CONTAINERS_RESTART = 35, 35
_RULES_KNOWN = 34  # before, a container's restartPolicy is refused
_TEMPLATES: Mapping[str, Path] = {
    "pods": ("spec",),
    "podtemplates": ("template", "spec"),
    "cronjobs.batch": ("spec", "jobTemplate", "spec", "template", "spec"),
    **dict.fromkeys(
        (
            "deployments.apps",
            "replicasets.apps",
            "statefulsets.apps",
            "daemonsets.apps",
            "jobs.batch",
            "replicationcontrollers",
        ),
        ("spec", "template", "spec"),
    ),
}
_OF_OTHERS: Mapping[str, tuple[Gate, ...]] = {
    "csidrivers.storage.k8s.io": (Gate(("spec", "nodeAllocatableUpdatePeriodSeconds"), 35),),
    "endpointslices.discovery.k8s.io": (Gate(("endpoints", "*", "hints", "forNodes"), 34),),
    "horizontalpodautoscalers.autoscaling": tuple(
        Gate(("spec", "behavior", way, "tolerance"), 35) for way in ("scaleUp", "scaleDown")
    ),
    "persistentvolumeclaims": (Gate(("spec", "volumeAttributesClassName"), 34),),
    "persistentvolumes": (Gate(("spec", "volumeAttributesClassName"), 34),),
    "statefulsets.apps": (Gate(("spec", "updateStrategy", "rollingUpdate", "maxUnavailable")),),
}


def close(minor: int, storage: str, obj: Object, old: Object | None) -> None:
    """Takes away what release 1.`minor` does not keep; `obj` itself changes, and nothing that it shares with others."""
    made: Json = obj
    for gate in _OF_OTHERS.get(storage, ()):
        if minor < gate.since and not _there(old, gate.path):
            made = _without(made, gate.path, whole=gate.whole)
    if storage == "persistentvolumeclaims":
        made = _without_far_source(made, old)
    path = _TEMPLATES.get(storage)
    spec = _at(made, path) if path else None
    if path and isinstance(spec, dict):
        closed = _pod(minor, spec, _at(old, path) if old else None)
        made = made if closed is spec else _with(made, path, closed)
    if made is not obj and isinstance(made, dict):
        obj.update(made)


def _pod(minor: int, spec: Object, old: Json) -> Object:
    made: Json = spec
    for gate in _OF_PODS:
        if minor < gate.since and gate.path[0] in spec and not _there(old, gate.path):
            made = _without(made, gate.path, whole=gate.whole)
    if _RULES_KNOWN <= minor < _CONTAINERS_RESTART and not _there(old, ("containers", "*", "restartPolicy")):
        made = _without(made, ("containers", "*", "restartPolicy"))
    if minor < _IMAGE_VOLUMES and not _there(old, ("volumes", "*", "image")):
        made = _without_images(made)
    return made if isinstance(made, dict) else spec


def _without_images(spec: Json) -> Json:
    """Image volumes go as a whole, and with them where they are mounted."""
    volumes = spec.get("volumes") if isinstance(spec, dict) else None
    names = {one.get("name") for one in volumes or () if isinstance(one, dict) and one.get("image") is not None}
    if not names or not isinstance(spec, dict):
        return spec
    made = {**spec, "volumes": [one for one in volumes or () if one.get("name") not in names]}
    for kind in _CONTAINERS:
        if made.get(kind):
            made[kind] = [_unmounted(container, names) for container in made[kind]]
    return {key: value for key, value in made.items() if key != "volumes" or value}


def _unmounted(container: Object, names: set[Json]) -> Object:
    kept = [one for one in container.get("volumeMounts") or () if one.get("name") not in names]
    rest = {key: value for key, value in container.items() if key != "volumeMounts"}
    return {**rest, "volumeMounts": kept} if kept else rest


def _without_far_source(claim: Json, old: Object | None) -> Json:
    """A claim's data come from its own namespace."""
    path = ("spec", "dataSourceRef")
    source = _at(claim, path)
    far = isinstance(source, dict) and source.get("namespace")
    return _without(claim, path) if far and not _there(old, path) else claim


def _at(value: Json, path: Path) -> Json:
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _with(value: Json, path: Path, made: Json) -> Json:
    if not path:
        return made
    return {**value, path[0]: _with(value[path[0]], path[1:], made)} if isinstance(value, dict) else value


def _there(value: Json, path: Path) -> bool:
    return any(True for _ in _found(value, path))


def _found(value: Json, path: Path) -> Iterator[Json]:
    if not path:
        if value is not None:
            yield value
    elif path[0] == "*":
        for one in value if isinstance(value, list) else ():
            yield from _found(one, path[1:])
    elif isinstance(value, dict) and path[0] in value:
        yield from _found(value[path[0]], path[1:])


def _without(value: Json, path: Path, *, whole: bool = False) -> Json:
    """The value without what is at a path; the same value where nothing is."""
    if path[0] == "*":
        if not isinstance(value, list):
            return value
        items = [_without(one, path[1:], whole=whole) for one in value]
        return value if all(map(_same, items, value)) else items
    if not isinstance(value, dict) or path[0] not in value:
        return value
    if len(path) == 1:
        return {key: one for key, one in value.items() if key != path[0]}
    child = value[path[0]]
    made = _without(child, path[1:], whole=whole)
    if made is child:
        return value
    if whole and not made:
        return {key: one for key, one in value.items() if key != path[0]}
    return {**value, path[0]: made}


def _same(left: Json, right: Json) -> bool:
    return left is right
