"""PodSecurity: the levels that a namespace's labels enforce, warn of and audit."""

import re
from typing import Any

from kilde.core.basics.values import Object
from kilde.kubeapi.call import Call
from kilde.kubeapi.logic import failures
from kilde.kubeapi.logic.pod_security import LEVELS, violations
from kilde.kubeapi.resources.causes import Cause
from kilde.kubeapi.storage.records import Key
from kilde.kubeapi.world import World

_PREFIX = "pod-security.kubernetes.io/"
_VERSION = re.compile(r"latest|v1\.(0|[1-9][0-9]*)")
_CONTAINERS = ("initContainers", "containers", "ephemeralContainers")
_TEMPLATES: dict[str, tuple[str, ...]] = {
    "deployments.apps": ("spec", "template"),
    "replicasets.apps": ("spec", "template"),
    "statefulsets.apps": ("spec", "template"),
    "daemonsets.apps": ("spec", "template"),
    "jobs.batch": ("spec", "template"),
    "cronjobs.batch": ("spec", "jobTemplate", "spec", "template"),
    "replicationcontrollers": ("spec", "template"),
    "podtemplates": ("template",),
}


def admit(world: World, call: Call, obj: Object, old: Object | None) -> None:
    """Refuses a new pod, or warns of a pod or of what makes pods; 422 for labels that name no level."""
    storage = call.kind.storage
    if storage == "pods" and call.subresource in ("", "ephemeralcontainers") and _matters(obj, old):
        _judge(world, call, obj, obj, enforce=True)
    elif call.subresource:
        return
    elif storage == "namespaces":
        _check_labels(call, obj, old)
        if old is not None:
            _look_at_pods(world, call, obj, old)
    elif storage in _TEMPLATES:
        template, before = _at(obj, _TEMPLATES[storage]), _at(old or {}, _TEMPLATES[storage])
        if template and template != before:
            _judge(world, call, obj, template, enforce=False)


def _matters(pod: Object, old: Object | None) -> bool:
    """Whether a write of a pod is one to judge: it is new, or its containers are others or have other images."""
    return old is None or any(_images(pod, field) != _images(old, field) for field in _CONTAINERS)


def _images(pod: Object, field: str) -> list[tuple[Any, Any]]:
    return [(one.get("name"), one.get("image")) for one in (pod.get("spec") or {}).get(field) or ()]


def _level(labels: dict[str, str]) -> tuple[str, str]:
    """What a namespace enforces: (level, version)."""
    level = labels.get(f"{_PREFIX}enforce", "")
    return level if level in LEVELS else "privileged", labels.get(f"{_PREFIX}enforce-version", "latest")


def _look_at_pods(world: World, call: Call, obj: Object, old: Object) -> None:
    """Warns of pods that a stricter level finds in the namespace."""
    level, version = _level(obj["metadata"].get("labels") or {})
    before, version_before = _level(old["metadata"].get("labels") or {})
    relaxed = version == version_before and LEVELS.index(level) <= LEVELS.index(before)
    if level == "privileged" or relaxed:
        return
    names: dict[str, list[str]] = {}
    for record in world.store.all("pods", str(obj["metadata"]["name"])):
        pod = record.object()
        found = violations(level, version, pod.get("spec") or {}, pod["metadata"])
        if found:
            names.setdefault(", ".join(one.partition(" (")[0] for one in found), []).append(pod["metadata"]["name"])
    if names:
        name = failures.quoted(obj["metadata"]["name"])
        call.warn(f'existing pods in namespace {name} violate the new PodSecurity enforce level "{level}:{version}"')
    for text in sorted(f"{min(pods)}{_and_others(len(pods) - 1)}: {why}" for why, pods in names.items()):
        call.warn(text)


def _and_others(count: int) -> str:
    return f" (and {count} other pod{'s' if count > 1 else ''})" if count else ""


def _judge(world: World, call: Call, obj: Object, pod: Object, *, enforce: bool) -> None:
    record = world.store.get(Key("namespaces", "", call.namespace))
    labels = (record.labels if record else None) or {}
    spec, meta = pod.get("spec") or {}, pod.get("metadata") or {}
    if enforce:
        text = _complaint(labels, "enforce", spec, meta)
        if text:
            raise failures.forbidden(call.kind.about(str(obj["metadata"].get("name") or "")), f"violates {text}")
    text = _complaint(labels, "warn", spec, meta)
    if text:
        call.warn(f"would violate {text}")


def _complaint(labels: dict[str, str], mode: str, spec: Object, meta: Object) -> str:
    level = labels.get(_PREFIX + mode, "")
    if level not in LEVELS:
        return ""
    version = labels.get(f"{_PREFIX}{mode}-version", "latest")
    found = violations(level, version, spec, meta)
    return f'PodSecurity "{level}:{version}": {", ".join(found)}' if found else ""


def _check_labels(call: Call, obj: Object, old: Object | None) -> None:
    labels = obj["metadata"].get("labels") or {}
    if old is not None and labels == (old["metadata"].get("labels") or {}):
        return
    causes: list[Cause] = []
    for mode in ("enforce", "audit", "warn"):
        level, version = labels.get(_PREFIX + mode), labels.get(f"{_PREFIX}{mode}-version")
        if level is not None and level not in LEVELS:
            causes.append(_cause(_PREFIX + mode, level, f"must be one of {', '.join(LEVELS)}"))
        if version is not None and not _VERSION.fullmatch(version):
            causes.append(_cause(f"{_PREFIX}{mode}-version", version, 'must be "latest" or "v1.x"'))
    if causes:
        raise failures.invalid(call.kind.about_kind(obj["metadata"]["name"]), causes)


def _cause(label: str, value: str, why: str) -> Cause:
    return failures.cause(
        "FieldValueInvalid", f"Invalid value: {failures.quoted(value)}: {why}", f"metadata.labels[{label}]"
    )


def _at(obj: Object, path: tuple[str, ...]) -> Any:
    value: Any = obj
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value
