"""What Go's decoder makes of JSON for a built-in type: unknown fields fall away, nulls are zero values, wrong types are refused.

The rules are those of sigs.k8s.io/json with the types of k8s.io/api: null leaves a field out, becomes "" in a map of strings and an
empty value in a list.
"""

import binascii
import re
from typing import NamedTuple

from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.values import Json, Object
from kilde.core.objects.null_bytes import NullBytes
from kilde.core.objects.typed.go_types import go_field
from kilde.core.objects.typed.node import MapNode, Node, Scalar
from kilde.core.objects.unchanged import Unchanged

_QUANTITY = re.compile(r"([+-]?[0-9.]++)([eEinumkKMGTP]*+[-+]?[0-9]*+)")
_QUANTITY_WORDS = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d([.,]\d+)?(Z|[+-]\d\d:\d\d)")
_DECODE_THEMSELVES = frozenset(("quantity", "int-or-string", "date-time"))
_STRING = Scalar.STRING
_INT32, _INT64 = 1 << 31, 1 << 63
_NUMBER = Node(scalar=Scalar.NUMERIC)


class Decoded(NamedTuple):
    """The object as a typed decoder keeps it, and the paths of the fields it does not know."""

    object: Object
    unknown: tuple[str, ...] = ()


class WrongType(InvalidInput):
    """A value does not fit its Go type; the words are Go's. `restored` are those of the converter that strategic patches go through.

    `where` is the field as people write it ("" where that is not known).
    """

    code = "wrong-type"

    def __init__(self, what: str, restored: str = "", where: str = "") -> None:
        super().__init__(what)
        self.restored, self.where = restored or what, where


def decode(node: Node, obj: Object) -> Decoded:
    """Raises WrongType. The object itself is answered if nothing has to be changed."""
    if _fits(node, obj):
        return Decoded(obj)
    walk = _Walk()
    found = walk.map(node, obj, _At())
    if walk.wrong is not None:
        raise walk.wrong
    return Decoded(found, tuple(walk.unknown))


def decode_unversioned(node: Node, obj: Object) -> Decoded:
    """The same for a document without an apiVersion, which Go reads into the type that has no version.

    That one has the fields of metadata as its own, and names for the others that nobody writes.
    """
    meta, walk = node.child("metadata"), _Walk()
    if meta is None or meta.map is None:
        return decode(node, obj)
    own = {key: below for key in ("apiVersion", "kind") if (below := node.child(key)) is not None}
    flat = Node(map=MapNode({**meta.map.fields, **own}), definition=node.definition)
    found = walk.map(flat, obj, _At(path="ObjectMeta"))
    if walk.wrong is not None:
        raise walk.wrong
    return Decoded({"metadata": {key: value for key, value in found.items() if key not in own}}, tuple(walk.unknown))


# What a schema's field may be besides a schema; these types decode themselves.
_OR_BOOL, _OR_ARRAY = "JSONSchemaPropsOrBool", "JSONSchemaPropsOrArray"


def _fits(node: Node, value: Json) -> bool:
    """Whether a value is of its type as it stands: the fast way through what nearly every request holds."""
    kind = type(value)
    if node.scalar is Scalar.UNTYPED and node.definition:
        if node.definition.endswith(_OR_BOOL):
            return kind in (bool, dict)
        if node.definition.endswith(_OR_ARRAY):
            return kind is not list or all(type(item) is dict for item in value)
    if kind is str:
        form = node.format
        return _special(node, value) if form else node.scalar is _STRING or node.scalar is Scalar.UNTYPED
    if kind is dict:
        return node.map is not None and not node.format and _fits_map(node, node.map, value)
    if kind is list:
        if node.list is None or node.format:
            return False
        items = node.list.items
        return node.scalar is Scalar.UNTYPED or all(_fits(items, item) for item in value)
    if kind is bool:
        return node.scalar is Scalar.BOOLEAN or _free(node)
    if kind is Unchanged:
        return True
    return _fits_number(node, value)


def _fits_map(node: Node, spec: MapNode, value: Object) -> bool:
    fields, others = spec.fields, spec.others
    if not fields and others is not None and node.scalar is Scalar.UNTYPED:
        return True
    for key, item in value.items():
        below = fields.get(key) or others
        if below is None:
            return False
        if type(item) is str and below.scalar is _STRING and not below.format:  # most are, and calls cost
            continue
        if not _fits(below, item):
            return False
    return True


def _fits_number(node: Node, value: Json) -> bool:
    if type(value) is int:
        return _whole(node, value)
    return type(value) is float and (
        node.format == "quantity"
        or (node.scalar is Scalar.NUMERIC and node.format in ("double", "float", ""))
        or _free(node)
    )


def _free(node: Node) -> bool:
    return node.scalar is Scalar.UNTYPED and not node.format


def _whole(node: Node, value: int) -> bool:
    if node.scalar is Scalar.NUMERIC:
        if node.format == "int32":
            return -_INT32 <= value < _INT32
        return -_INT64 <= value < _INT64 or node.format == "double"
    if node.format == "int-or-string":
        return -_INT32 <= value < _INT32
    return node.format == "quantity" or _free(node)


def _special(node: Node, value: str) -> bool:
    form = node.format
    if form == "date-time":
        return _RFC3339.fullmatch(value) is not None
    if form == "quantity":
        return _QUANTITY.fullmatch(value) is not None
    if form == "byte":
        return _base64_problem(value) is None
    return node.scalar in (Scalar.STRING, Scalar.UNTYPED)


def _base64_problem(text: str) -> int | None:
    """The byte at which Go's decoder gives up; None if it does not."""
    clean = text.replace("\n", "").replace("\r", "")
    for place, letter in enumerate(text):
        if letter in "\r\n":
            continue
        if not (letter.isascii() and (letter.isalnum() or letter in "+/=")):
            return place
    try:
        binascii.a2b_base64(clean, strict_mode=True)
    except binascii.Error:
        return max(len(text) - len(text) % 4, 0) if len(clean) % 4 else len(text) - 1
    return None


class _At(NamedTuple):
    """Where a walk is: the struct that has the field, Go's path to it and its named type, and the path as people write it."""

    struct: str = ""
    path: str = ""
    type: str = ""
    where: str = ""

    def field(self, definition: str, key: str) -> "_At":
        """At a field of a struct. Embedded structs are part of Go's path, though not of the JSON."""
        told = go_field(definition, key)
        path = ".".join(part for part in (self.path, told.structs, key) if part)
        return _At(_short(definition), path, told.type, f"{self.where}.{key}" if self.where else key)

    def entry(self, key: str) -> "_At":
        """At a value of a map: Go's path stays the map's."""
        return self._replace(type="", where=f"{self.where}.{key}" if self.where else key)

    def item(self, index: int) -> "_At":
        """At an item of a list."""
        return self._replace(type=self.type[2:] if self.type.startswith("[]") else "", where=f"{self.where}[{index}]")


class _Walk:
    """The slow way: says what is wrong, drops what is unknown or null."""

    def __init__(self) -> None:
        self.unknown: list[str] = []
        self.wrong: WrongType | None = None

    def map(self, node: Node, value: Object, at: _At) -> Object:
        spec = node.map
        if type(value) is Unchanged or spec is None or (not spec.fields and node.scalar is Scalar.UNTYPED):
            return value
        out: Object = {}
        for key, item in value.items():
            below = spec.fields.get(key) or spec.others
            spot = at.field(node.definition, key) if spec.fields else at.entry(key)
            if below is None:
                self.unknown.append(spot.where)
                continue
            if item is None:
                if key in spec.fields:
                    continue
                out[key] = _zero(below)
                continue
            out[key] = self.value(below, item, spot)
        of_bytes = spec.others is not None and spec.others.format == "byte"
        return NullBytes(out) if of_bytes and None in value.values() else out

    def value(self, node: Node, value: Json, at: _At) -> Json:
        if isinstance(value, dict) and node.map is not None and not node.format:
            return self.map(node, value, at)
        if isinstance(value, list) and node.list is not None and not node.format:
            if node.scalar is Scalar.UNTYPED:
                if not _fits(node, value):
                    self._refuse(node, value, at)
                return value
            items = node.list.items
            return [
                _zero(items) if item is None else self.value(items, item, at.item(index))
                for index, item in enumerate(value)
            ]
        if isinstance(value, list) and node.format == "byte" and all(_is_octet(one) for one in value):
            return binascii.b2a_base64(bytes(one or 0 for one in value), newline=False).decode()
        if not _fits(node, value):
            self._refuse(node, value, at)
        return value

    def _refuse(self, node: Node, value: Json, at: _At) -> None:
        """Go goes on after a value of a wrong type and tells the first of them, but a type that decodes itself ends it at once."""
        if node.definition.endswith(_OR_BOOL):
            raise WrongType("boolean or JSON schema expected", "", at.where)
        wrong = WrongType(_complaint(node, value, at), _restored(node, value, at.type), at.where)
        if node.format in _DECODE_THEMSELVES:
            if self.wrong is not None:
                wrong.restored = self.wrong.restored
            raise wrong
        self.wrong = self.wrong or wrong


def _is_octet(item: Json) -> bool:
    """Whether an item of a list can be a byte: Go takes a list of small numbers for bytes."""
    return item is None or (type(item) is int and 0 <= item < 256)


def _zero(node: Node) -> Json:
    if node.map is not None:
        return {}
    if node.scalar is Scalar.STRING or node.format == "byte":
        return ""
    return {Scalar.NUMERIC: 0, Scalar.BOOLEAN: False}.get(node.scalar) if node.scalar else None


def _complaint(node: Node, value: Json, at: _At) -> str:
    if node.definition.endswith(_OR_ARRAY):
        wrong = next(item for item in value if type(item) is not dict)
        spot = f"Go struct field {at.struct}.{at.path}"
        return f"json: cannot unmarshal {_json_kind(node, wrong)} into {spot} of type v1.JSONSchemaProps"
    if node.format == "quantity":
        return _QUANTITY_WORDS
    if isinstance(value, str) and node.format == "byte" and node.scalar is Scalar.STRING:
        return f"illegal base64 data at input byte {_base64_problem(value) or 0}"
    if isinstance(value, str) and node.format == "date-time":
        whole = _RFC3339.match(value)
        if whole is not None:
            return f'parsing time "{value}": extra text: "{value[whole.end() :]}"'
        return f'parsing time "{value}" as "2006-01-02T15:04:05Z07:00": cannot parse "{value}" as "2006"'
    spot = f"Go struct field {at.struct}.{at.path}"
    if isinstance(value, list) and node.format == "byte":
        item = next(one for one in value if not _is_octet(one))
        return f"json: cannot unmarshal {_json_kind(_NUMBER, item)} into {spot} of type uint8"
    return f"json: cannot unmarshal {_json_kind(node, value)} into {spot} of type {at.type or _go_type(node)}"


def _restored(node: Node, value: Json, named: str = "") -> str:
    """What runtime.DefaultUnstructuredConverter says; "" where it says the same. `named` is the Go type, if it has a name."""
    kind = (
        "slice"
        if isinstance(value, list)
        else "map"
        if isinstance(value, dict)
        else type(value).__name__.replace("str", "string")
    )
    kind = {"int": "int64", "float": "float64"}.get(kind, kind)
    if node.map is not None and node.map.fields:
        return f"cannot restore struct from: {kind}"
    if node.map is not None and not node.format:
        return f"cannot restore map from {kind}"
    if isinstance(value, str) and node.format == "byte":
        return f"error decoding from json: illegal base64 data at input byte {_base64_problem(value) or 0}"
    if isinstance(value, list) and node.format == "byte":
        return "unrecognized type: uint8"  # of an item: a list of small numbers is taken for bytes
    if (node.list is not None and not node.format) or node.format == "byte":
        return f"cannot restore slice from {kind}"
    return _unconverted(kind, node, named, _json_kind(node, value))


def _unconverted(kind: str, node: Node, named: str, told: str) -> str:
    """Of two basic kinds that Go converts into each other the converter says one thing, of others another."""
    if node.format == "int-or-string":
        return f"json: cannot unmarshal {told} into Go value of type int32"
    if node.format == "quantity" or node.scalar is Scalar.UNTYPED:
        return ""
    wanted = _go_type(node) if node.scalar is Scalar.NUMERIC else "string" if node.scalar is Scalar.STRING else "bool"
    if (kind, wanted) in (("int64", "string"), ("float64", "int32"), ("float64", "int64")):
        return f"cannot convert {kind} to {named or wanted}"
    return f"unrecognized type: {wanted}"


def _json_kind(node: Node, value: Json) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, (int, float)):
        return f"number {value}" if node.scalar is Scalar.NUMERIC or node.format == "int-or-string" else "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


def _short(definition: str) -> str:
    return definition.rpartition(".")[2]


def _go_type(node: Node) -> str:
    if node.format == "date-time":
        return "string"
    if node.format == "int-or-string":
        return "int32"
    if node.definition:
        *_, version, name = ("", *node.definition.split("."))
        return f"{version}.{name}"
    if node.list is not None:
        return f"[]{_go_type(node.list.items)}"
    if node.map is not None:
        return f"map[string]{_go_type(node.map.others)}" if node.map.others else "struct"
    if node.scalar is Scalar.NUMERIC:
        return node.format if node.format in ("int32", "int64") else "float64" if node.format else "int64"
    if node.format == "byte":
        return "[]uint8"
    return "bool" if node.scalar is Scalar.BOOLEAN else "string"
