"""namespace: every namespaced object, the Namespace itself, and the subjects of role bindings."""

from collections.abc import Iterable
from typing import Any

from kilde.core.basics.errors import RenderFailed
from kilde.core.objects.yaml_scalars import is_null, text_of
from kilde.core.render.kustomize.collection import Collection
from kilde.core.render.kustomize.fields import FieldSpec, Obstacle, Setter, SpecTable, apply_one, as_string
from kilde.core.render.kustomize.resource import Resource

_METADATA_NAMESPACE = FieldSpec("metadata/namespace", create=True)
_BINDINGS = ("RoleBinding", "ClusterRoleBinding")
SUBJECT_MODES = ("", "defaultOnly", "allServiceAccounts", "none")


def set_namespace(
    collection: Collection,
    namespace: str,
    specs: Iterable[FieldSpec],
    *,
    unset_only: bool = False,
    subjects: str = "defaultOnly",
) -> None:
    """Moves all objects to `namespace`. Raises RenderFailed if two of them become one."""
    if not namespace:
        return
    if subjects not in SUBJECT_MODES:
        raise RenderFailed(f"invalid value '{subjects}' for setRoleBindingSubjects", hint=f"one of {SUBJECT_MODES[1:]}")
    table = SpecTable(specs)
    setter = _setter(namespace, unset_only=unset_only)
    for resource in collection:
        if resource.body and not resource.helm_made:
            resource.remember_id()
            move(resource, table, setter, subjects)
    collection.changed()
    collection.demand_distinct("produced by the namespace transformation")


def _setter(namespace: str, *, unset_only: bool) -> Setter:
    def setter(value: Any) -> Any:
        if isinstance(value, (dict, list)):
            raise Obstacle("namespace field specs must target scalar nodes")
        if unset_only and not is_null(value) and text_of(value):
            return value
        return as_string(value, namespace)

    return setter


def move(resource: Resource, specs: SpecTable, setter: Setter, subjects: str) -> None:
    """Moves one object."""
    gvk = resource.gvk
    if not gvk.cluster_scoped:
        apply_one(resource, _METADATA_NAMESPACE, setter, "scalar")
    if gvk.kind in _BINDINGS:
        _move_subjects(resource, setter, subjects)
    for spec in specs.of(resource.gvk):
        if _concerns(spec, gvk.api_version, gvk.kind):
            apply_one(resource, spec, setter, "scalar")


def _concerns(spec: FieldSpec, api_version: str, kind: str) -> bool:
    if spec.path == "metadata/namespace" or (spec.path == "metadata/name" and api_version != "v1"):
        return False
    return not (kind in _BINDINGS and spec.gvk.kind in _BINDINGS and spec.path == "subjects/namespace")


def _move_subjects(resource: Resource, setter: Setter, mode: str) -> None:
    found = resource.body.get("subjects")
    if mode == "none" or not isinstance(found, list):
        return
    field, wanted = ("kind", "ServiceAccount") if mode == "allServiceAccounts" else ("name", "default")
    for subject in found:
        if isinstance(subject, dict) and subject.get(field) == wanted:
            subject["namespace"] = setter(subject.get("namespace", ""))
