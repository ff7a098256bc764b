"""Warnings: what the server accepts and yet advises against."""

from collections.abc import Iterator, Mapping
from typing import Any

from kilde.core.basics.values import Json, Object
from kilde.kubeapi.logic.failures import quoted
from kilde.kubeapi.logic.warnings.kinds import KINDS
from kilde.kubeapi.logic.warnings.pods import pod_warnings
from kilde.kubeapi.resources.validation.metadata import STANDARD_FINALIZERS
from kilde.kubeapi.resources.validation.names import dns_label

_TEMPLATES: Mapping[str, tuple[str, ...]] = {
    "deployments.apps": ("spec", "template"),
    "replicasets.apps": ("spec", "template"),
    "statefulsets.apps": ("spec", "template"),
    "daemonsets.apps": ("spec", "template"),
    "jobs.batch": ("spec", "template"),
    "replicationcontrollers": ("spec", "template"),
    "podtemplates": ("template",),
    "cronjobs.batch": ("spec", "jobTemplate", "spec", "template"),
}
_SURPRISING = "which can result in surprising behavior; a DNS label is recommended:"
_IN_POD_NAMES = (
    "deployments.apps",
    "replicasets.apps",
    "jobs.batch",
    "cronjobs.batch",
    "replicationcontrollers",
)


def warnings(storage: str, obj: Object, old: Object | None) -> Iterator[str]:
    """What to warn of when this object is written over `old` (None: created). `storage` names the resource."""
    if old is None:
        yield from _names(storage, obj)
    if storage == "pods" and old is None:  # people seldom change pods; controllers do, often
        yield from pod_warnings(obj, "")
    elif storage in _TEMPLATES:
        path = _TEMPLATES[storage]
        if old is None or _counted(storage, obj, path) != _counted(storage, old, path):
            judged = (
                old if storage == "replicationcontrollers" and old is not None else obj
            )  # as there, where the two are mixed up
            yield from pod_warnings(_at(judged, path) or {}, ".".join(path) + ".")
    if storage in KINDS:
        yield from KINDS[storage](obj, old)


def _counted(storage: str, obj: Object, path: tuple[str, ...]) -> Json:
    """What must have changed for a template to be warned of again: the generation, of a DaemonSet that of its template."""
    return _at(obj, path) if storage == "daemonsets.apps" else (obj.get("metadata") or {}).get("generation")


def of_custom(obj: Object, old: Object | None) -> Iterator[str]:
    """What to warn of when a custom resource is written: finalizers without a domain, if they are new."""
    before = (old or {}).get("metadata", {}).get("finalizers") or ()
    for name in sorted({*(obj["metadata"].get("finalizers") or ())} - {*before}):
        if "/" not in name and name not in STANDARD_FINALIZERS:
            path = " including a path (/)" if "." in name else ""
            words = f"prefer a domain-qualified finalizer name{path} to avoid accidental conflicts with other finalizer writers"
            yield f"metadata.finalizers: {quoted(name)}: {words}"


def _at(obj: Object, path: tuple[str, ...]) -> Any:
    value: Any = obj
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _names(storage: str, obj: Object) -> Iterator[str]:
    word = "the Pod's hostname" if storage == "pods" else "Pod names and hostnames"
    if storage != "pods" and storage not in _IN_POD_NAMES:
        return
    problems = dns_label(str(obj["metadata"].get("name") or ""))
    if problems:
        yield f"metadata.name: this is used in {word}, {_SURPRISING} [{' '.join(problems)}]"
