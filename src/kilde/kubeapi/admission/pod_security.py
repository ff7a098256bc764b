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
    if call.subresource:
        return
    if storage == "namespaces":
        _check_labels(call, obj, old)
    elif storage == "pods" and old is None:
        _judge(world, call, obj, obj, enforce=True)
    elif storage in _TEMPLATES:
        template, before = _at(obj, _TEMPLATES[storage]), _at(old or {}, _TEMPLATES[storage])
        if template and template != before:
            _judge(world, call, obj, template, enforce=False)


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
    found = violations(level, spec, meta)
    version = labels.get(f"{_PREFIX}{mode}-version", "latest")
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
