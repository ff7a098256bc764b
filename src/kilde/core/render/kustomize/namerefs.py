"""Name references: a field that names another object follows that object's new name.

An object is found by what it was once called. Where several were, the namespace, then the prefixes and suffixes that
both went through, decide.
"""

from collections.abc import Callable
from functools import cached_property
from itertools import islice
from typing import Any

from kilde.core.basics.errors import RenderFailed
from kilde.core.objects.yaml_scalars import is_null, text_of, to_json
from kilde.core.render.kustomize.collection import Collection
from kilde.core.render.kustomize.config import DEFAULTS, References
from kilde.core.render.kustomize.fields import FieldSpec, Obstacle, apply_one, steps_of
from kilde.core.render.kustomize.reference_index import Candidate, Index
from kilde.core.render.kustomize.resource import NO_NAMESPACE, Gvk, Resource, as_text


def fix_references(collection: Collection, references: References) -> None:
    """Runs once, at the end, over all objects. Raises RenderFailed where a reference could mean several of them."""
    reachable = {id(r): _subject_namespaces(r) for r in collection if r.kind == "RoleBinding"}
    index = Index(collection)
    table = _BUILT_IN if references is DEFAULTS.name_reference else _Table(references)
    for resource in collection:
        wanted = table.of(resource.original_id.gvk)
        if wanted:
            referrer = _Referrer(resource, index, reachable.get(id(resource), frozenset()))
            for target, spec in wanted:
                referrer.fix(target, spec)
                if _names_itself(spec.path) and resource.id != referrer.id:
                    index = Index(collection)  # rare: only a configuration of one's own leads here
                    referrer = _Referrer(resource, index, reachable.get(id(resource), frozenset()))
    collection.changed()


class _Table:
    """References by the kind that has them: of two hundred fields a kind has ten."""

    def __init__(self, references: References) -> None:
        self._everything = [(target, spec) for target, specs in references for spec in specs]
        self._of_kind: dict[Gvk, list[tuple[Gvk, FieldSpec]]] = {}

    def of(self, gvk: Gvk) -> list[tuple[Gvk, FieldSpec]]:
        found = self._of_kind.get(gvk)
        if found is None:
            found = [(target, spec) for target, spec in self._everything if spec.gvk.selects(gvk)]
            if len(self._of_kind) < _MOST_KINDS:
                self._of_kind[gvk] = found
        return found


_MOST_KINDS = 1_000  # that the built-in table remembers: kinds are whatever people write
_BUILT_IN = _Table(DEFAULTS.name_reference)


def _names_itself(path: str) -> bool:
    """Whether a reference could change the id of the object that has it."""
    first, _, rest = path.strip("/").partition("/")
    return first in ("", "kind", "apiVersion") or (
        first == "metadata" and rest.partition("/")[0] in ("", "name", "namespace")
    )


class _Referrer:
    """One object whose references are repaired."""

    def __init__(self, resource: Resource, index: Index, reachable: frozenset[str]) -> None:
        self.resource, self.index = resource, index
        self.id = resource.id
        self.scope = self.id.effective_namespace
        self.cluster_scoped = self.id.gvk.cluster_scoped
        self.reachable = reachable

    @cached_property
    def original_namespaces(self) -> set[str]:
        """Where everything that can be meant was at first."""
        return self.index.origins(self.id, self.reachable)

    def fix(self, target: Gvk, spec: FieldSpec) -> None:
        if not _leads_somewhere(self.resource.body, spec.path):
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
        shelves = self.index.shelves(name, target.kind, self.id, self.reachable)
        if not shelves:
            return None
        fits = self.condition(target, holder, path)
        first = list(islice((found for shelf in shelves for found in shelf.everyone if fits(found)), 2))
        if len(first) < 2:
            return first[0].resource if first else None
        near = [found for shelf in shelves for found in shelf.near(self.resource) if fits(found)]
        near.sort(key=lambda found: found.at)
        return self.decide([found.resource for found in near], identity)

    def condition(self, target: Gvk, holder: dict[str, Any] | None, path: str) -> Callable[[Candidate], bool]:
        """Whether something in reach is what the reference asks for."""
        role = self.role_reference(path)
        namespace = text_of(holder["namespace"]) if holder is not None and "namespace" in holder else None
        at_first = namespace in self.original_namespaces if namespace is not None else False

        def fits(found: Candidate) -> bool:
            # those that were in the named namespace at first; if nothing ever was there, those that are now
            if namespace is not None and (found.origin if at_first else found.scope) != namespace:
                return False
            return (
                any(target.selects(former.gvk) for former in found.former)
                and (role is None or any(role.selects(former.gvk) for former in found.former))
                and self.same_namespace(found)
            )

        return fits

    def role_reference(self, path: str) -> Gvk | None:
        if not path.endswith("roleRef/name"):
            return None
        found = self.resource.body.get("roleRef")
        if not isinstance(found, dict) or "apiGroup" not in found or "kind" not in found:
            return None
        return Gvk(text_of(found["apiGroup"]), "", text_of(found["kind"]))

    def same_namespace(self, found: Candidate) -> bool:
        if self.cluster_scoped or found.id.gvk.kind == "ServiceAccount":
            return True
        return found.scope in (self.scope, NO_NAMESPACE)

    def decide(self, candidates: list[Resource], identity: Callable[[Resource], Any]) -> Resource | None:
        """Of several, the one that went through the same prefixes and suffixes."""
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
        if not isinstance(subject, dict):
            raise RenderFailed("a subject must be a map", about=str(resource), place=resource.place)
        if "namespace" not in subject or "kind" not in subject:
            continue
        if not isinstance(to_json(subject["kind"]), str):
            raise RenderFailed("the kind of a subject must be a string", about=str(resource), place=resource.place)
        if subject["kind"] == "ServiceAccount":
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


def _leads_somewhere(value: Any, path: str) -> bool:
    """Whether the object has the field at all: most have few of those that could name something."""
    for name, _ in steps_of(path):
        if not isinstance(value, dict):
            break
        if name not in value:
            return False
        value = value[name]
    return True
