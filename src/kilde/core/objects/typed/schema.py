"""Types of built-in kinds and of custom resources: OpenAPI schemas become nodes.

The rules are kube-openapi's conversion to structured-merge-diff types, as a real API server applies them.
"""

import binascii
import functools
import zlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from kilde.core.basics.errors import InvalidInput
from kilde.core.objects.typed import _packed
from kilde.core.objects.typed.node import DEDUCED, UNTYPED_ATOMIC, ListNode, MapNode, Node, Scalar

DEFAULT_VERSION = _packed.BASE_VERSION
VERSIONS = tuple(_packed.DELTAS)

Definition = dict[str, Any]

_OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
_INT_OR_STRING = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"
_RAW = "io.k8s.apimachinery.pkg.runtime.RawExtension"
_ZERO: Mapping[str, Any] = {"string": "", "integer": 0, "number": 0, "boolean": False}
_UNNAMED = ".LocalObjectReference"  # its name is "" by default, which the packed schemas do not say
_SCALARS: Mapping[str, Scalar] = {"integer": Scalar.NUMERIC, "number": Scalar.NUMERIC, "boolean": Scalar.BOOLEAN}
_DEPTH = 100  # a CRD's schema deeper than this is refused; the real server's decoder ends far above anything honest


class Kind(NamedTuple):
    """Group ("" is the core group), version and kind."""

    group: str
    version: str
    kind: str


class Types:
    """The types of one Kubernetes version. Nodes are made when first asked for, and kept."""

    def __init__(self, definitions: dict[str, Definition], go_fields: Mapping[str, dict[str, str]]) -> None:
        self._definitions = definitions
        self._go_fields = go_fields
        self._nodes: dict[str, Node] = {}

    @functools.cached_property
    def kinds(self) -> Mapping[Kind, str]:
        """Every kind and its definition's name. Kinds in all groups (ListOptions, DeleteOptions, …) are in it too."""
        found: dict[Kind, str] = {}
        for name, definition in self._definitions.items():
            for gvk in definition.get("x-kubernetes-group-version-kind", ()):
                found.setdefault(Kind(gvk["group"], gvk["version"], gvk["kind"]), name)
        return found

    def definition(self, name: str) -> Definition:
        """A definition as Kubernetes publishes it, without descriptions; `$ref` is a bare name. KeyError if unknown."""
        return self._definitions[name]

    def go_fields(self, name: str) -> Mapping[str, str]:
        """How Go writes the fields of a definition that it does not write as usual (the codes are told in tools/gofields/main.go)."""
        return self._go_fields.get(name, {})

    def names(self) -> Iterator[str]:
        """The names of all definitions, sorted."""
        return iter(self._definitions)

    def node(self, group: str, version: str, kind: str) -> Node | None:
        """The type of a built-in kind; None if this Kubernetes version has no such kind."""
        name = self.kinds.get(Kind(group, version, kind))
        return None if name is None else self.named(name)

    def named(self, name: str) -> Node:
        """The type of a definition. KeyError if unknown."""
        found = self._nodes.get(name)
        if found is None:
            found = self._nodes[name] = Node(definition=name)
            _Reader(self).fill(found, self._definitions[name], name)
            if found.map is not None and name in self._go_fields:
                found.map.go = self._go_fields[name]
        return found


@functools.lru_cache(maxsize=len(VERSIONS))
def builtin(version: str = DEFAULT_VERSION) -> Types:
    """The types of a Kubernetes version ("1.36", "v1.36.3"): the nearest that is known, the newest for a later one."""
    return _load(nearest(version))


def nearest(version: str) -> str:
    """The known version that is not newer than this one; the oldest known for an older one. InvalidInput if unreadable."""
    asked = _ordinal(version)
    older = [known for known in VERSIONS if _ordinal(known) <= asked]
    return older[-1] if older else VERSIONS[0]


def _ordinal(version: str) -> tuple[int, int]:
    parts = version.removeprefix("v").split(".")
    digits = [part.rstrip("+") for part in parts[:2]]
    if len(digits) < 2 or not all(part.isdecimal() for part in digits):
        raise InvalidInput(f"not a Kubernetes version: {version!r}", hint="write it as 1.36")
    return int(digits[0]), int(digits[1])


@functools.lru_cache(maxsize=len(VERSIONS))
def _load(version: str) -> Types:
    text = zlib.decompress(binascii.a2b_base64(_packed.BASE), -15)
    definitions: dict[str, Definition] = msgspec.json.decode(text)
    if version != _packed.BASE_VERSION:
        reader = zlib.decompressobj(-15, zdict=text[-32768:])
        delta = msgspec.json.decode(reader.decompress(binascii.a2b_base64(_packed.DELTAS[version])))
        for name in delta["removed"]:
            del definitions[name]
        definitions.update(delta["changed"])
        definitions = dict(sorted(definitions.items()))
    go_fields = msgspec.json.decode(zlib.decompress(binascii.a2b_base64(_packed.GO_FIELDS), -15))
    return Types(definitions, go_fields)


def from_openapi(schema: Definition | None, *, types: Types | None = None) -> Node:
    """The type of a custom resource, from its CRD version's `openAPIV3Schema` (None: no schema, all is deduced).

    The server adds apiVersion, kind and metadata to what the CRD declares; so does this. InvalidInput for a schema
    nested deeper than 100 levels.
    """
    if not schema:
        return DEDUCED
    known = types or builtin()
    node = _Reader(known).read(schema, inherited=False, depth=0)
    _embed(node, known)
    return node


def _embed(node: Node, types: Types) -> None:
    """Adds what every object has: apiVersion, kind, metadata."""
    if node.map is None:
        node.map = MapNode()
    string = Node(scalar=Scalar.STRING)
    node.map.fields = {
        **node.map.fields,
        "apiVersion": string,
        "kind": string,
        "metadata": types.named(_OBJECT_META),
    }


class _Reader:
    """Makes nodes of schemas; `types` resolves references."""

    def __init__(self, types: Types) -> None:
        self._types = types

    def read(self, schema: Definition, *, inherited: bool, depth: int) -> Node:
        """`inherited`: an enclosing inline schema preserves unknown fields."""
        if depth > _DEPTH:
            raise InvalidInput("the schema is nested too deeply", hint=f"at most {_DEPTH} levels")
        reference = schema.get("$ref")
        if reference is not None:
            return self._referenced(schema, reference)
        node = Node()
        self.fill(node, schema, "", inherited=inherited, depth=depth)
        return node

    def _referenced(self, schema: Definition, reference: str) -> Node:
        """A reference; map-type and patch keys written beside it are this place's own."""
        target = self._types.named(reference)
        relation, strategy = schema.get("x-kubernetes-map-type"), schema.get("x-kubernetes-patch-strategy")
        if relation is None and strategy is None:
            return target
        node = Node(
            target.scalar, target.list, target.map, target.format, target.definition, patch_strategy=_strategy(schema)
        )
        if relation is not None and target.map is not None:
            node.map = MapNode(target.map.fields, target.map.others, relation == "atomic", target.map.go)
        return node

    def fill(self, node: Node, schema: Definition, name: str, *, inherited: bool = False, depth: int = 0) -> None:
        """Writes what the schema says into an empty node."""
        node.patch_strategy, node.patch_key = _strategy(schema), schema.get("x-kubernetes-patch-merge-key", "")
        node.format = schema.get("format", "")
        if name == _RAW:
            node.list, node.map, node.scalar = UNTYPED_ATOMIC.list, UNTYPED_ATOMIC.map, Scalar.UNTYPED
            return
        if name in (_QUANTITY, _INT_OR_STRING):
            node.scalar, node.format = Scalar.UNTYPED, "quantity" if name == _QUANTITY else "int-or-string"
            if name != _QUANTITY:  # only its decoder, which is asked later, knows what it takes
                node.list, node.map = UNTYPED_ATOMIC.list, UNTYPED_ATOMIC.map
            return
        kind = schema.get("type")
        preserve = inherited or bool(schema.get("x-kubernetes-preserve-unknown-fields"))
        if kind in ("object", None):
            node.map = self._map(schema, preserve=preserve, depth=depth)
        if kind in ("array", None):
            node.list = self._list(schema, preserve=preserve, depth=depth)
        if kind is None:  # anything goes, x-kubernetes-int-or-string too: the value says which shape it takes
            node.scalar = Scalar.UNTYPED
            if schema.get("x-kubernetes-int-or-string"):
                node.format = "int-or-string"
        elif kind not in ("object", "array"):
            node.scalar = _scalar(kind, node.format)

    def _map(self, schema: Definition, *, preserve: bool, depth: int) -> MapNode:
        fields = {
            name: self.read(child, inherited=preserve, depth=depth + 1)
            for name, child in (schema.get("properties") or {}).items()
        }
        atomic = schema.get("x-kubernetes-map-type") == "atomic"
        extra = schema.get("additionalProperties")
        others: Node | None = None
        if isinstance(extra, dict):
            others = self.read(extra, inherited=preserve, depth=depth + 1)
        elif extra or (extra is None and (preserve or not fields)):
            others = DEDUCED
        found = MapNode(fields, others, atomic)
        if schema.get("x-kubernetes-embedded-resource"):
            holder = Node(map=found)
            _embed(holder, self._types)
        return found

    def _list(self, schema: Definition, *, preserve: bool, depth: int) -> ListNode:
        raw = schema.get("items")
        items = self.read(raw, inherited=preserve, depth=depth + 1) if isinstance(raw, dict) else UNTYPED_ATOMIC
        relation = schema.get("x-kubernetes-list-type")
        keys = tuple(schema.get("x-kubernetes-list-map-keys") or ()) if relation == "map" else ()
        if relation is None and "merge" in _strategy(schema):
            key = schema.get("x-kubernetes-patch-merge-key")
            relation, keys = ("map", (key,)) if key else ("set", ())
        atomic = relation not in ("map", "set")
        return ListNode(items, atomic, keys, self._key_defaults(raw, keys))

    def _key_defaults(self, raw: Any, keys: tuple[str, ...]) -> dict[str, Any]:
        """What a key field is where an item leaves it out: its default; for a built-in's required field, Go's zero value."""
        if not keys or not isinstance(raw, dict):
            return {}
        builtin_item = "$ref" in raw
        item = self._types.definition(raw["$ref"]) if builtin_item else raw
        properties, required = item.get("properties") or {}, item.get("required") or ()
        found: dict[str, Any] = {}
        for key in keys:
            field = properties.get(key) or {}
            if "default" in field:
                found[key] = field["default"]
            elif builtin_item and raw["$ref"].endswith(_UNNAMED):
                found[key] = ""
            elif builtin_item and key in required and field.get("type") in _ZERO:
                found[key] = _ZERO[field["type"]]
        return found


def _strategy(schema: Definition) -> tuple[str, ...]:
    return tuple(part for part in schema.get("x-kubernetes-patch-strategy", "").split(",") if part)


def _scalar(kind: str, form: str) -> Scalar:
    if kind == "string":
        return Scalar.STRING if form in ("", "byte") else Scalar.UNTYPED
    return _SCALARS.get(kind, Scalar.UNTYPED)
