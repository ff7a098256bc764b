"""Field specs: which field of which kinds, and walking to it through maps and lists."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, NamedTuple

from kilde.core.basics.errors import RenderFailed
from kilde.core.objects.yaml_folding import folded
from kilde.core.objects.yaml_scalars import Binary, Folded, Quoted, Raw, is_null, plain_key, tagged, text_of
from kilde.core.objects.yaml_writer import needs_quotes
from kilde.core.render.kustomize import links
from kilde.core.render.kustomize.resource import Bare, Gvk, Resource, untagged

Create = Literal["", "map", "list", "scalar"]
Setter = Callable[[Any], Any]


ANYTHING = Gvk()


class FieldSpec(NamedTuple):
    """A path (`spec/template/metadata/labels`, `a\\/b` for a slash, `x[]` for a list) in the kinds that `gvk` selects."""

    path: str
    gvk: Gvk = ANYTHING
    create: bool = False


def split_path(path: str, delimiter: str = "/") -> list[str]:
    """Cut at the delimiter, where it is not escaped by a backslash."""
    parts = path.split(delimiter)
    if len(parts) > 1 and not parts[0]:
        parts = parts[1:]
    out = [parts[0]]
    for part in parts[1:]:
        if out[-1].endswith("\\"):
            out[-1] = out[-1][:-1] + delimiter + part
        else:
            out.append(part)
    return out


_STEPS: dict[str, tuple[tuple[str, bool], ...]] = {}
_MOST_PATHS = 2_000  # configurations may bring any number


def steps_of(path: str) -> tuple[tuple[str, bool], ...]:
    """The steps of a spec's path: a field's name, and whether it is written as a list (`x[]`)."""
    found = _STEPS.get(path)
    if found is None:
        parts = [(part.removesuffix("[]"), part.endswith("[]")) for part in split_path(path)]
        if len(_STEPS) >= _MOST_PATHS:
            _STEPS.clear()
        found = _STEPS[path] = tuple(parts)
    return found


class SpecTable:
    """Field specs by the kind they select: most objects have few of the fields that exist."""

    def __init__(self, specs: Iterable[FieldSpec]) -> None:
        self._specs = tuple(specs)
        self._of_kind: dict[Gvk, tuple[FieldSpec, ...]] = {}

    def of(self, gvk: Gvk) -> tuple[FieldSpec, ...]:
        """Those that select this kind, in their order."""
        found = self._of_kind.get(gvk)
        if found is None:
            found = self._of_kind[gvk] = tuple(spec for spec in self._specs if spec.gvk.selects(gvk))
        return found


def apply(resource: Resource, specs: SpecTable, setter: Setter, create: Create = "") -> None:
    """Calls `setter` on every field that the specs name and puts what it returns in the field's place.

    `create` is what a missing or null leaf becomes where the spec asks for creation.
    """
    for spec in specs.of(resource.gvk):
        apply_one(resource, spec, setter, create)


def apply_one(resource: Resource, spec: FieldSpec, setter: Setter, create: Create = "") -> None:
    """The same for one spec, whatever the kind. Raises RenderFailed where the path runs into a scalar."""
    if spec.path.startswith("metadata/annotations") and not resource.metadata.get("annotations") and resource.notes:
        resource.own_metadata()["annotations"] = {}  # kustomize's own notes are there
    walk = _Walk(steps_of(spec.path), setter, create if spec.create else "", create)
    try:
        walk.visit(resource.body, 0)
        links.spread(resource.body, walk.changed)
    except Obstacle as error:
        raise RenderFailed(
            f"considering field '{spec.path}': {error}", about=str(resource), place=resource.place
        ) from error


class Obstacle(Exception):
    """The path runs into something that has no fields."""


class _Walk:
    def __init__(self, path: tuple[tuple[str, bool], ...], setter: Setter, create: Create, kind: Create) -> None:
        self.path, self.setter, self.create, self.kind = path, setter, create, kind
        self.changed: links.Changed = {}

    def visit(self, value: Any, at: int) -> Any:
        if at == len(self.path):
            return self.setter(value)
        if isinstance(value, dict):
            self.enter(value, at)
        elif isinstance(value, list):
            for index, item in enumerate(value):
                value[index] = self.visit(item, at)
        elif not is_null(value):
            raise Obstacle("expected a map or a list")
        return value

    def enter(self, value: dict[str, Any], at: int) -> None:
        name, is_list = self.path[at]
        if not name:
            raise Obstacle("a field name is empty")
        if name not in value and (is_list or not self.create):
            return
        last = at + 1 == len(self.path)
        kind: Create = "list" if is_list else "" if not self.create else self.create if last else "map"
        if name not in value or (kind and is_null(value[name])):
            value[name] = _empty(kind)
        before = value[name]
        after = self.visit(before, at + 1)
        if after is before:
            return
        if isinstance(before, dict) and isinstance(after, dict):
            after = {key: links.put(before.get(key), item, self.changed) for key, item in after.items()}
        value[name] = links.put(before, after, self.changed)


def _empty(kind: Create) -> Any:
    return {} if kind == "map" else [] if kind == "list" else ""


def as_string(old: Any, text: str) -> Any:
    """`text` as a string in the place of `old`, which lends its quotes."""
    return Quoted(text) if isinstance(old, Quoted) else str(text)


CREATED = Raw("", None)  # a scalar that was just made: it becomes whatever its text reads as


def retyped(old: Any, text: str) -> Any:
    """`text` in the place of a scalar whose type stays. Raises RenderFailed where they do not fit."""
    if old is CREATED and not text:
        return Quoted("")
    if old is CREATED or isinstance(old, Bare):
        return untagged(text)
    if isinstance(old, str):
        return as_string(old, text)
    kind = _type_of(old)
    try:
        return tagged(f"tag:yaml.org,2002:{kind}", text, kubernetes=False)
    except ValueError as error:
        raise RenderFailed(f"'{text[:40]}' cannot take the place of a value of type {kind}") from error


def _type_of(value: Any) -> str:
    inner = value.value if isinstance(value, Raw) else value
    if is_null(value):
        return "null"
    if isinstance(inner, bool):
        return "bool"
    if isinstance(inner, str):
        return "binary" if isinstance(value, Binary) else "timestamp"
    if isinstance(inner, float):
        return "float"
    return "float" if isinstance(value, Raw) and not value.text.lstrip("+-").replace("_", "").isalnum() else "int"


def restyled(old: Any, value: Any) -> Any:
    """A scalar in the place of another: between quotes it becomes a string, without them a string stays one."""
    if isinstance(value, (dict, list)):
        return value
    if type(old) is Folded or type(value) is Folded:
        return folded(text_of(value)) if type(old) is Folded else as_string(old, text_of(value))
    if isinstance(old, Quoted):
        return value if isinstance(value, Quoted) else Quoted(text_of(value))
    return str(value) if isinstance(value, Quoted) else value


def fresh(value: Any) -> Any:
    """A scalar where nothing was: a string that YAML 1.1 would misread gets quotes."""
    return Quoted(value) if type(value) is str and needs_quotes(value) else value


class Entries:
    """A setter that writes entries of a map of strings (labels, annotations) into one object.

    All fields that it makes for an entry are linked; one that is there already lends its quotes to them.
    """

    def __init__(self, texts: Mapping[str, str]) -> None:
        self.values = {key: fresh(str(text)) for key, text in texts.items()}
        self.links = {key: links.Link() for key in texts}
        self.changed: links.Changed = {}

    def __call__(self, value: Any) -> Any:
        if is_null(value):
            return value
        if not isinstance(value, dict):
            raise Obstacle("cannot set labels or annotations in what is no map")
        for key, link in self.links.items():
            if key in value:
                self.changed[link] = self.values[key] = as_string(value[key], self.values[key])
                value[key] = links.put(value[key], self.values[key], self.changed)
            else:
                value[plain_key(key)] = links.tied(self.values[key], link)
        return value

    def spread(self, resource: Resource) -> None:
        """To be called when all is written."""
        links.spread(
            resource.body,
            {
                link: links.tied(found, link) if isinstance(found, str) else found
                for link, found in self.changed.items()
            },
        )


def scalar_text(value: Any, what: str) -> str:
    """The text of a scalar; an obstacle for maps and lists."""
    if isinstance(value, (dict, list)):
        raise Obstacle(f"{what} is no scalar")
    return "" if is_null(value) else text_of(value)
