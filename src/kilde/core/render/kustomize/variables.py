"""vars: `$(NAME)` in certain fields stands for a field of another object, with its final name."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from kilde.core.basics.errors import Place, RenderFailed
from kilde.core.objects.yaml_scalars import Raw, is_null, text_of, to_json
from kilde.core.render.kustomize.budget import Budget
from kilde.core.render.kustomize.collection import Collection
from kilde.core.render.kustomize.config import Specs
from kilde.core.render.kustomize.fields import Obstacle, SpecTable, apply
from kilde.core.render.kustomize.paths import look_up, smart_path, with_indices
from kilde.core.render.kustomize.resource import Gvk, ResId, Resource, split_group

_DEFAULT_PATH = "metadata.name"


class Variable(NamedTuple):
    """One entry of `vars`."""

    name: str
    target: ResId
    path: str
    place: Place = Place("")

    @classmethod
    def of(cls, raw: Mapping[str, Any], place: Place) -> "Variable":
        """Raises RenderFailed where the name or the object reference is missing."""
        reference = raw.get("objref") or {}
        if not raw.get("name"):
            raise RenderFailed("a var needs a name", about="vars", place=place)
        if not reference.get("kind") and not reference.get("name"):
            raise RenderFailed("a var needs an objref", about=f"vars: {raw['name']}", place=place)
        group, version = split_group(reference.get("apiVersion") or "")
        gvk = Gvk(reference.get("group") or group, reference.get("version") or version, reference.get("kind") or "")
        target = ResId(gvk, reference.get("name") or "", reference.get("namespace") or "")
        return cls(raw["name"], target, (raw.get("fieldref") or {}).get("fieldPath") or _DEFAULT_PATH, place)


class Variables:
    """The variables of a build so far, and which object each one reads."""

    __slots__ = ("bound", "known")

    def __init__(self, known: Mapping[str, Variable] | None = None, bound: Iterable[tuple[str, Resource]] = ()) -> None:
        self.known: dict[str, Variable] = dict(known or {})
        self.bound = list(bound)

    def copy(self, copies: Mapping[int, Resource]) -> "Variables":
        """The same for copies of the objects, by the `id` of what they were made of."""
        return Variables(self.known, [(name, copies.get(id(found), found)) for name, found in self.bound])

    def merge(self, other: "Variables") -> None:
        for variable in other.known.values():
            self._register(variable)
        self.bound.extend(other.bound)

    def add(self, variables: Iterable[Variable], collection: Collection) -> None:
        """Binds each variable to the one object it means now. Raises RenderFailed where that could be several."""
        for variable in variables:
            target = variable.target
            found = collection.matching_any_id(lambda i, t=target: _is_meant(i, t))  # type: ignore[misc]
            if len(found) > 1:
                raise RenderFailed(
                    f"found {len(found)} resId matches (unable to disambiguate)",
                    about=f"var {variable.name}",
                    place=variable.place,
                )
            if found:
                self.bound.append((variable.name, found[0]))
            self._register(variable)

    def _register(self, variable: Variable) -> None:
        if variable.name in self.known:
            raise RenderFailed("already encountered", about=f"var {variable.name}", place=variable.place)
        self.known[variable.name] = variable


def _is_meant(found: ResId, target: ResId) -> bool:
    """A reference with a namespace never means an object without one, like a ClusterRole; one without means any."""
    if found.gvk != target.gvk or found.name != target.name:
        return False
    return not target.namespace or found.effective_namespace == target.namespace


def resolve_variables(collection: Collection, variables: Variables, specs: Specs, budget: Budget) -> list[str]:
    """Substitutes, last of all; gives the names that nothing used, sorted.

    Raises RenderFailed for a variable whose object or field is not there.
    """
    if not variables.known:
        return []
    used: set[str] = set()
    values = {name: _value(variable, variables, collection) for name, variable in variables.known.items()}

    def replaced(value: Any) -> Any:
        """A string with its variables put in; alone in its field a variable keeps its type."""
        found = expand(value, values, used) if isinstance(value, str) else value
        if found is not value:
            budget.spend_copy(found, "uses of variables")
        return found

    def setter(value: Any) -> Any:
        if is_null(value):
            return value
        if isinstance(value, dict):
            return {key: replaced(item) for key, item in value.items()}
        if isinstance(value, list):
            if not all(isinstance(item, str) for item in value):
                raise Obstacle("invalid value type, expected a string")
            return [replaced(item) for item in value]
        return replaced(value)

    table = SpecTable(specs)
    for resource in collection:
        apply(resource, table, setter)
    collection.changed()
    return sorted(values.keys() - used)


def _value(variable: Variable, variables: Variables, collection: Collection) -> Any:
    bound = [resource for name, resource in variables.bound if name == variable.name]
    for resource in collection:
        if any(resource is found for found in bound):
            found = look_up(resource.body, with_indices(smart_path(variable.path)))
            if found is None:
                raise RenderFailed(
                    f"field {variable.path} not found in {resource}", about=f"var {variable.name}", place=variable.place
                )
            return found[0]
    raise RenderFailed(
        "cannot be mapped to a field in the set of known resources", about=f"var {variable.name}", place=variable.place
    )


def expand(text: str, values: Mapping[str, Any], used: set[str]) -> Any:
    """The text with `$(NAME)` replaced; the value itself, with its type, where the text is nothing else. `$$` is a dollar.

    The names that were replaced are added to `used`.
    """
    out: list[str] = []
    at = 0
    while at < len(text):
        dollar = text.find("$", at)
        if dollar < 0 or dollar + 1 >= len(text):
            break
        out.append(text[at:dollar])
        follower = text[dollar + 1]
        close = text.find(")", dollar) if follower == "(" else -1
        if close >= 0:
            name = text[dollar + 2 : close]
            value = values.get(name, f"$({name})")
            if isinstance(value, (dict, list)) or is_null(value):
                value = f"$({name})"
            elif name in values:
                used.add(name)
            if text == f"$({name})":
                return str(value) if isinstance(value, str) else value
            out.append(_formatted(value))
            at = close + 1
            continue
        out.append("$" if follower == "$" else "$" + follower)
        at = dollar + 2
    return "".join(out) + text[at:]


def _formatted(value: Any) -> str:
    if isinstance(value, Raw):
        return text_of(to_json(value))
    return text_of(value)
