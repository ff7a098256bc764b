"""Inference: the types of an expression's parts, and what is wrong with them, as cel-go's checker finds both (checker/checker.go)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from kilde.core.objects.cel.declarations import TYPES, Declared, functions
from kilde.core.objects.cel.tree import Node
from kilde.core.objects.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DYN,
    ERROR,
    INT,
    NULL,
    STRING,
    UINT,
    Type,
    list_of,
    map_of,
    optional,
    struct,
    type_of,
)
from kilde.core.objects.cel.unification import Meanings, is_wider, unwrapped

_CONSTANTS = {
    "null": NULL,
    "bool": BOOL,
    "int": INT,
    "uint": UINT,
    "double": DOUBLE,
    "string": STRING,
    "bytes": BYTES,
}
_PATCH = {"op": STRING, "path": STRING, "from": STRING, "value": DYN}
_NO_TYPE = Type("unspecified", "")  # of a field that a patch does not have


@dataclass(frozen=True)
class Scope:
    """What an expression can name. `structs` are the fields of the types of kind struct, by the types' names.

    `patches`: it may make objects and JSON patches (`Object{…}`, `JSONPatch{…}`), whose fields are not checked.
    """

    variables: Mapping[str, Type]
    structs: Mapping[str, Mapping[str, Type]] = field(default_factory=dict)
    patches: bool = False

    def fields(self, name: str) -> Mapping[str, Type] | None:
        """The fields of a type; None where there is no such type."""
        if self.makes(name):
            return _AnyField(_PATCH) if name == "JSONPatch" else _AnyField()
        return self.structs.get(name)

    def makes(self, name: str) -> bool:
        """Whether an expression may make a value of this type."""
        return self.patches and (name in ("JSONPatch", "Object") or name.startswith("Object."))


class _AnyField(dict[str, Type]):
    """All fields: those that it names, or else of any type."""

    def __missing__(self, name: str) -> Type:
        return _NO_TYPE if self else DYN

    def __contains__(self, name: object) -> bool:
        return True


@dataclass
class Inference:
    """One expression's. `errors` are (id of the part, what is wrong with it)."""

    scope: Scope
    types: dict[int, Type] = field(default_factory=dict)
    overloads: dict[int, tuple[str, ...]] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    errors: list[tuple[int, str]] = field(default_factory=list)
    _meanings: Meanings = field(default_factory=Meanings)
    _locals: list[tuple[str, Type]] = field(default_factory=list)

    def whole(self, root: Node) -> Node:
        """Checks an expression; gives it with the functions' and variables' whole names. What is found is in the other fields."""
        checked = self._check(root)
        self.types = {at: self._meanings.resolved(one, closed=True) for at, one in self.types.items()}
        return checked

    def _check(self, node: Node) -> Node:
        checked: Node = getattr(self, f"_check_{node.kind}")(node)
        return checked

    def _wrong(self, at: int, what: str) -> None:
        self.errors.append((at, what))

    def _mismatch(self, at: int, wanted: Type, found: Type) -> None:
        self._wrong(at, f"expected type '{wanted.shown}' but found '{found.shown}'")

    def _undeclared(self, node: Node, name: str) -> None:
        self.types[node.id] = ERROR
        self._wrong(node.id, f"undeclared reference to '{name}' (in container '')")

    def _check_const(self, node: Node) -> Node:
        self.types[node.id] = _CONSTANTS[node.type]
        return node

    def _known(self, name: str) -> Type | None:
        """The type of what a name stands for."""
        name = name.removeprefix(".")
        for local, one in reversed(self._locals):
            if local == name:
                return one
        found = self.scope.variables.get(name) or TYPES.get(name)
        if found is None and self.scope.makes(name):
            return type_of(struct(name))
        return found

    def _check_ident(self, node: Node) -> Node:
        found = self._known(node.name)
        if found is None:
            self._undeclared(node, node.name)
            return node
        self.types[node.id] = found
        self.names[node.id] = node.name.removeprefix(".")
        return replace(node, name=node.name.removeprefix("."))

    def _check_select(self, node: Node) -> Node:
        name = None if node.tests else qualified(node)
        found = self._known(name) if name is not None else None
        if name is not None and found is not None:
            self.types[node.id] = found
            self.names[node.id] = name.removeprefix(".")
            return Node(node.id, "ident", name.removeprefix("."))
        operand = self._check(node.parts[0])
        gives, field_name = self._field(node, node.parts[0], node.name)
        self.types[node.id] = BOOL if node.tests else self._meanings.resolved(gives)
        return replace(node, parts=(operand,), name=field_name)

    def _field(self, node: Node, operand: Node, name: str, *, may_lack: bool = False) -> tuple[Type, str]:
        """The type of a field of what an expression gives, and what it is called there."""
        target, wrapped = unwrapped(self._meanings.resolved(self.types[operand.id]))
        gives = DYN
        if target.kind == "map":
            gives = target.params[1]
        elif target.kind == "struct":
            gives, name = self._declared_field(node.id, target.name, name)
        elif target.kind == "param":
            self._meanings.fits(DYN, target)
        elif not target.is_open:
            self._wrong(node.id, f"type '{target.shown}' does not support field selection")
        return optional(gives) if wrapped or may_lack else gives, name

    def _declared_field(self, at: int, owner: str, name: str) -> tuple[Type, str]:
        """The type of a field, and its name: a reserved word may be written as it is, too."""
        fields = self.scope.fields(owner)
        for known in (name, f"__{name}__"):
            if fields is not None and known in fields:
                return fields[known], known
        unknown = f"unexpected failed resolution of '{owner}'"
        self._wrong(at, unknown if fields is None else f"undefined field '{name}'")
        return ERROR, name

    def _check_call(self, node: Node) -> Node:
        if node.name == "_?._" and node.target is None:
            return self._optional_field(node)
        parts = tuple(map(self._check, node.parts))
        known = functions(patches=self.scope.patches)
        if node.target is None:
            return self._resolved(node, known.get(node.name.removeprefix(".")), None, parts)
        prefix = qualified(node.target)
        whole = "" if prefix is None else f"{prefix}.{node.name}".removeprefix(".")
        if whole in known:
            return self._resolved(replace(node, name=whole, target=None), known[whole], None, parts)
        target = self._check(node.target)
        return self._resolved(node, known.get(node.name), target, parts)

    def _resolved(
        self, node: Node, found: Sequence[Declared] | None, target: Node | None, parts: tuple[Node, ...]
    ) -> Node:
        node = replace(node, target=target, parts=parts)
        if found is None:
            self._undeclared(node, node.name)
            return node
        operands = (*([target] if target is not None else ()), *parts)
        gives = self._gives(node, found, operands, member=target is not None)
        self.types[node.id] = ERROR if gives is None else gives
        return node

    def _gives(self, node: Node, found: Sequence[Declared], operands: Sequence[Node], *, member: bool) -> Type | None:
        """What a call gives; None where nothing fits its operands, which is told."""
        types = [self.types[one.id] for one in operands]
        if node.name in ("_&&_", "_||_"):
            return self._logical(node, found[0], operands)
        gives: Type | None = None
        fitting: list[str] = []
        for one in found:
            if one.member is not member:
                continue
            made = {name: self._meanings.new() for name in one.params}
            if self._meanings.all_fit(types, [_instance(each, made) for each in one.takes]):
                fitting.append(one.id)
                result = self._meanings.resolved(_instance(one.gives, made))
                if gives is None:
                    gives = result
                elif gives.kind not in ("dyn", "any") and result != gives:
                    gives = DYN
        if gives is None:
            shown = [self._meanings.resolved(one, closed=True).shown for one in types]
            begins = f"{shown.pop(0)}." if member else ""
            applied = f"{begins}({', '.join(shown)})"
            self._wrong(node.id, f"found no matching overload for '{node.name}' applied to '{applied}'")
        self.overloads[node.id] = tuple(fitting)
        return gives

    def _logical(self, node: Node, one: Declared, operands: Sequence[Node]) -> Type | None:
        wrong = [part for part in operands if not self._meanings.fits(self.types[part.id], BOOL)]
        for part in wrong:
            self._mismatch(part.id, BOOL, self.types[part.id])
        self.overloads[node.id] = (one.id,)
        return None if wrong else BOOL

    def _optional_field(self, node: Node) -> Node:
        operand, name = node.parts
        checked = self._check(operand)
        self.types[name.id] = STRING
        gives, known = self._field(node, operand, str(name.value), may_lack=True)
        self.types[node.id] = self._meanings.resolved(gives)
        self.overloads[node.id] = ("select_optional_field",)
        return replace(node, parts=(checked, replace(name, value=known)))

    def _check_list(self, node: Node) -> Node:
        parts, item = [], None
        for place, part in enumerate(node.parts):
            parts.append(self._check(part))
            one = self.types[part.id]
            item = self._joined(item, self._present(part, one) if place in node.optional else one)
        self.types[node.id] = list_of(self._meanings.new() if item is None else item)
        return replace(node, parts=tuple(parts))

    def _check_map(self, node: Node) -> Node:
        parts, key, value = [], None, None
        for place in range(0, len(node.parts), 2):
            at, child = node.parts[place : place + 2]
            parts.append(self._check(at))
            key = self._joined(key, self.types[at.id])
            parts.append(self._check(child))
            one = self.types[child.id]
            value = self._joined(value, self._present(child, one) if place // 2 in node.optional else one)
        self.types[node.id] = map_of(key or self._meanings.new(), value or self._meanings.new())
        return replace(node, parts=tuple(parts))

    def _present(self, part: Node, one: Type) -> Type:
        """What an optional element holds."""
        inner, wrapped = unwrapped(one)
        if not wrapped and one.kind not in ("dyn", "any"):
            self._mismatch(part.id, optional(one), one)
        return inner

    def _joined(self, one: Type | None, other: Type) -> Type:
        if one is None:
            return other
        if not self._meanings.fits(one, other):
            return DYN
        return one if is_wider(one, other) else other

    def _check_struct(self, node: Node) -> Node:
        if not self.scope.makes(node.name):
            self._undeclared(node, node.name)
            return node
        self.types[node.id] = struct(node.name)
        parts = []
        for place, (name, part) in enumerate(zip(node.fields, node.parts, strict=True)):
            parts.append(self._check(part))
            wanted, _ = self._declared_field(node.entries[place], node.name, name)
            found = self.types[part.id]
            if place in node.optional:
                found = self._present(part, found)
            if not self._meanings.fits(wanted, found):
                words = f"expected type of field '{name}' is '{wanted.shown}' but provided type is '{found.shown}'"
                self._wrong(node.entries[place], words)
        return replace(node, parts=tuple(parts))

    def _check_loop(self, node: Node) -> Node:
        loop = dict(node.loop)
        for part in ("range", "start"):
            loop[part] = self._check(loop[part])
        first, second = self._item_types(node.loop["range"])
        begun = self.types[loop["start"].id]
        outside = len(self._locals)
        self._locals.append((loop["sum"], begun))
        two = bool(loop["second"])
        if two and self._reach(node).kind == "list":
            first, second = INT, first
        self._locals.append((loop["item"], first))
        if two:
            self._locals.append((loop["second"], second))
        for part, wanted in (("condition", BOOL), ("step", begun)):
            loop[part] = self._check(loop[part])
            if not self._meanings.fits(wanted, self.types[loop[part].id]):
                self._mismatch(loop[part].id, wanted, self.types[loop[part].id])
        del self._locals[outside + 1 :]
        loop["result"] = self._check(loop["result"])
        del self._locals[outside:]
        self.types[node.id] = self._meanings.resolved(self.types[loop["result"].id])
        return replace(node, loop=loop)

    def _reach(self, node: Node) -> Type:
        return self._meanings.resolved(self.types[node.loop["range"].id])

    def _item_types(self, reach: Node) -> tuple[Type, Type]:
        """Of a list its items' type, of a map its keys' and values'."""
        one = self._meanings.resolved(self.types[reach.id])
        if one.kind == "list":
            return one.params[0], DYN
        if one.kind == "map":
            return one.params[0], one.params[1]
        if one.kind in ("dyn", "error", "param"):
            self._meanings.fits(DYN, one)
            return DYN, DYN
        words = f"expression of type '{one.shown}' cannot be range of a comprehension (must be list, map, or dynamic)"
        self._wrong(reach.id, words)
        return ERROR, ERROR


def _instance(one: Type, made: Mapping[str, Type]) -> Type:
    if one.kind == "param":
        return made[one.name]
    return one._replace(params=tuple(_instance(each, made) for each in one.params)) if one.params else one


def qualified(node: Node) -> str | None:
    """`a.b.c` where an expression is no more than names."""
    if node.kind == "ident":
        return node.name
    if node.kind == "select" and not node.tests:
        before = qualified(node.parts[0])
        return None if before is None else f"{before}.{node.name}"
    return None
