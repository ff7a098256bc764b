"""Name references: a field that names another object follows that object's new name.

An object is found by what it was once called. Where several were, the namespace, then the prefixes and suffixes that
both went through, decide.
"""

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any

from kilde.core.basics.errors import RenderFailed
from kilde.core.objects.yaml_scalars import is_null, text_of
from kilde.core.render.kustomize.collection import Collection
from kilde.core.render.kustomize.config import References
from kilde.core.render.kustomize.fields import FieldSpec, Obstacle, apply_one, as_text, split_path
from kilde.core.render.kustomize.resource import NO_NAMESPACE, Gvk, Resource

Candidates = list[Resource]


def fix_references(collection: Collection, references: References) -> None:
    """Runs once, at the end, over all objects. Raises RenderFailed where a reference could mean several of them."""
    reachable = {id(r): _subject_namespaces(r) for r in collection if r.kind == "RoleBinding"}
    index = _Index(collection)
    by_kind: dict[Gvk, list[tuple[Gvk, FieldSpec]]] = {}
    everything = [(target, spec) for target, specs in references for spec in specs]
    for resource in collection:
        gvk = resource.original_id.gvk
        wanted = by_kind.get(gvk)
        if wanted is None:
            wanted = by_kind[gvk] = [(target, spec) for target, spec in everything if spec.gvk.selects(gvk)]
        if wanted:
            referrer = _Referrer(resource, index, reachable.get(id(resource), frozenset()))
            for target, spec in wanted:
                referrer.fix(target, spec)
    collection.changed()


class _Index:
    """The objects that had another id once, by every name they had."""

    def __init__(self, collection: Collection) -> None:
        self.everyone = collection.items
        self.by_name: dict[str, Candidates] = {}
        for resource in collection:
            for name in dict.fromkeys(name for _, name, _ in resource.former):
                self.by_name.setdefault(name, []).append(resource)


class _Referrer:
    """One object whose references are repaired."""

    def __init__(self, resource: Resource, index: _Index, reachable: frozenset[str]) -> None:
        self.resource, self.index = resource, index
        self.id = resource.id
        self.cluster_scoped = self.id.gvk.cluster_scoped
        self.reachable = reachable

    @cached_property
    def original_namespaces(self) -> frozenset[str]:
        """Where everything that can be meant was at first."""
        found = {r.original_id.effective_namespace for r in self.index.everyone if self.can_reach(r)}
        return frozenset(found - {NO_NAMESPACE})

    def fix(self, target: Gvk, spec: FieldSpec) -> None:
        if not _leads_somewhere(self.resource.body, split_path(spec.path), 0):
            return
        found = FieldSpec(spec.path, self.resource.gvk, create=False)
        apply_one(self.resource, found, lambda value: self.set(value, target, spec.path))

    def set(self, value: Any, target: Gvk, path: str) -> Any:
        if is_null(value):
            return value
        if isinstance(value, dict):
            return self.set_map(value, target, path)
        if isinstance(value, list):
            return [self.set(item, target, path) for item in value]
        return self.set_scalar(value, target, path)

    def set_scalar(self, value: Any, target: Gvk, path: str) -> Any:
        name = text_of(value)
        found = self.select(name, None, target, path, lambda resource: (resource.name,))
        return value if found is None or found.name == name else as_text(value, found.name)

    def set_map(self, value: dict[str, Any], target: Gvk, path: str) -> dict[str, Any]:
        if "name" not in value:
            raise Obstacle("path config error; no 'name' field in node")
        name = text_of(value["name"])
        found = self.select(name, value, target, path, lambda resource: (resource.name, resource.namespace))
        if found is None:
            return value
        if found.name != name or found.namespace:
            value["name"] = as_text(value["name"], found.name)
            if found.namespace:
                value["namespace"] = as_text(value.get("namespace"), found.namespace)
        return value

    def select(
        self, name: str, holder: dict[str, Any] | None, target: Gvk, path: str, identity: Callable[[Resource], Any]
    ) -> Resource | None:
        candidates: Iterable[Resource] = self.index.by_name.get(name, ())
        if not candidates:
            return None
        candidates = [resource for resource in candidates if self.can_reach(resource)]
        if holder is not None and "namespace" in holder:
            candidates = self.in_namespace(candidates, text_of(holder["namespace"]))
        role = self.role_reference(path)
        candidates = [
            resource
            for resource in candidates
            if any(target.selects(former.gvk) for former in resource.former_ids)
            and (role is None or any(role.selects(former.gvk) for former in resource.former_ids))
            and self.same_namespace(resource)
        ]
        return self.decide(candidates, identity)

    def can_reach(self, resource: Resource) -> bool:
        """Objects elsewhere cannot be meant, except by cluster-scoped ones and by a RoleBinding's subjects."""
        if self.cluster_scoped:
            return True
        found = resource.id
        return (
            found.gvk.cluster_scoped
            or found.effective_namespace == self.id.effective_namespace
            or resource.namespace in self.reachable
        )

    def in_namespace(self, candidates: Candidates, namespace: str) -> Candidates:
        """Those that were in this namespace at first; if nothing ever was there, those that are now."""
        if namespace in self.original_namespaces:
            return [r for r in candidates if r.original_id.effective_namespace == namespace]
        return [r for r in candidates if r.id.effective_namespace == namespace]

    def role_reference(self, path: str) -> Gvk | None:
        if not path.endswith("roleRef/name"):
            return None
        found = self.resource.body.get("roleRef")
        if not isinstance(found, dict) or "apiGroup" not in found or "kind" not in found:
            return None
        return Gvk(text_of(found["apiGroup"]), "", text_of(found["kind"]))

    def same_namespace(self, resource: Resource) -> bool:
        if self.cluster_scoped or resource.kind == "ServiceAccount":
            return True
        found = resource.id
        return found.gvk.cluster_scoped or found.effective_namespace == self.id.effective_namespace

    def decide(self, candidates: Candidates, identity: Callable[[Resource], Any]) -> Resource | None:
        if len(candidates) == 1:
            return candidates[0]
        candidates = [r for r in candidates if _same_context(r, self.resource, allow_empty=True)]
        if len(candidates) > 1:
            candidates = [r for r in candidates if _same_context(r, self.resource, allow_empty=False)]
        if not candidates:
            return None
        if len({identity(resource) for resource in candidates}) > 1:
            names = ", ".join(str(resource) for resource in candidates)
            raise Obstacle(f"found multiple possible referrals: {names}")
        return candidates[0]


def _subject_namespaces(resource: Resource) -> frozenset[str]:
    """The namespaces of a RoleBinding's service accounts."""
    subjects = resource.body.get("subjects")
    if resource.kind != "RoleBinding" or not isinstance(subjects, list):
        return frozenset()
    found = set()
    for subject in subjects:
        if isinstance(subject, dict) and subject.get("kind") == "ServiceAccount" and "namespace" in subject:
            if not isinstance(subject["namespace"], str):
                raise RenderFailed("the namespace of a subject is blank", about=str(resource), place=resource.place)
            found.add(str(subject["namespace"]))
    return frozenset(found)


def _same_context(candidate: Resource, referrer: Resource, *, allow_empty: bool) -> bool:
    return all(
        (allow_empty and (not mine or not theirs)) or _same_ending(mine, theirs)
        for mine, theirs in ((candidate.prefixes, referrer.prefixes), (candidate.suffixes, referrer.suffixes))
    )


def _same_ending(first: list[str], second: list[str]) -> bool:
    """Whether the shorter list is the end of the longer one; an empty list ends only an empty one."""
    shorter = min(len(first), len(second))
    if not shorter:
        return len(first) == len(second)
    return first[len(first) - shorter :] == second[len(second) - shorter :]


def _leads_somewhere(value: Any, path: list[str], at: int) -> bool:
    """Whether the object has the field at all: most have few of those that could name something."""
    while at < len(path) and isinstance(value, dict):
        name = path[at].removesuffix("[]")
        if name not in value:
            return False
        value, at = value[name], at + 1
    return True
