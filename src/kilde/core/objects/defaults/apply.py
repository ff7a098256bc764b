"""One walk over an object: encodes it as Go does and lets each type's defaults act, the innermost first."""

from typing import Any

from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.values import Json, Object
from kilde.core.objects import quantity
from kilde.core.objects.defaults.registry import DEFAULTS, ON_OBJECTS
from kilde.core.objects.ref import split_api_version
from kilde.core.objects.typed.go_values import zero_value
from kilde.core.objects.typed.node import ListNode, MapNode, Node
from kilde.core.objects.typed.schema import DEFAULT_VERSION, builtin

_NOTHING = object()
_UNROUNDED = ("io.k8s.api.node.", "io.k8s.api.resource.")  # groups that do not round their resource lists


def apply_defaults(obj: Object, *, version: str = DEFAULT_VERSION) -> Object:
    """The object as a server of this Kubernetes version would store it. A kind that is not built in is answered as it is.

    What does not fit its type is left alone; a server would refuse it. Idempotent.
    """
    group, api_version = split_api_version(str(obj.get("apiVersion") or ""))
    node = builtin(version).node(group, api_version, str(obj.get("kind") or ""))
    if node is None or node.map is None:
        return obj
    try:
        made = _struct(node, node.map, obj)
    except RecursionError:
        return obj
    finish = ON_OBJECTS.get(node.definition)
    if finish is not None:
        finish(made)
    return made


def kept_in_protobuf(obj: Object, *, version: str = DEFAULT_VERSION) -> Object:
    """The object as it comes back from storage: a list that Go always writes is null if it was empty. The same if nothing is so."""
    group, api_version = split_api_version(str(obj.get("apiVersion") or ""))
    node = builtin(version).node(group, api_version, str(obj.get("kind") or ""))
    if node is None:
        return obj
    return {key: child if key == "metadata" else _kept(node.child(key), child) for key, child in obj.items()} | {
        key: None for key, child in obj.items() if child == [] and _always(node, key)
    }


def _always(node: Node, key: str) -> bool:
    return node.map is not None and node.map.go.get(key) == "a"


_WATCHED: dict[int, tuple[Node, bool]] = {}  # by the node's id: whether a list that Go always writes is anywhere in it


def _watched(node: Node) -> bool:
    found = _WATCHED.get(id(node))
    if found is None:
        _WATCHED[id(node)] = (node, False)  # a type that holds itself
        below = [*node.map.fields.values(), node.map.others] if node.map is not None else []
        below += [node.list.items] if node.list is not None else []
        always = node.map is not None and any(
            node.map.fields[key].list is not None
            for key, code in node.map.go.items()
            if code == "a" and key in node.map.fields
        )
        found = _WATCHED[id(node)] = (node, always or any(_watched(each) for each in below if each is not None))
    return found[1]


def _kept(node: Node | None, value: Json) -> Json:
    if node is None or not _watched(node):
        return value
    if isinstance(value, dict) and node.map is not None:
        return {
            key: None
            if child == [] and _always(node, key)
            else _kept(node.child(key), child)
            if isinstance(child, (dict, list))
            else child
            for key, child in value.items()
        }
    if isinstance(value, list) and node.list is not None and value and isinstance(value[0], dict):
        return [_kept(node.list.items, item) for item in value]
    return value


def _struct(node: Node, fields: MapNode, value: Object) -> Object:
    out: Object = {}
    codes, milli = fields.go, not node.definition.startswith(_UNROUNDED)
    for key, child in value.items():
        below = fields.fields.get(key)
        if below is None or child is None:
            continue
        code = codes.get(key, "")
        kept = _field(below, child, code, milli=milli)
        if kept is not _NOTHING:
            out[key] = kept
    for key, code in codes.items():
        if key not in out and code in "v0an":
            out[key] = _zero(fields.fields.get(key), code)
    act = DEFAULTS.get(node.definition)
    if act is not None:
        act(out)
    return out


def _zero(node: Node | None, code: str) -> Json:
    """What Go writes for a field that nobody set; a struct's own defaults act in it too."""
    if node is None or code in "an":
        return None
    if code == "v" and node.map is not None and node.scalar is None and zero_value(node) is not None:
        return _struct(node, node.map, {})
    return zero_value(node)


def _field(node: Node, value: Any, code: str, *, milli: bool) -> Any:
    """A struct's field as Go writes it; _NOTHING if Go leaves it out. `milli`: resource lists in it are rounded up."""
    made = _value(node, value, milli=milli)
    if isinstance(made, (dict, list)):
        kept = made or code in ("a", "v") or (node.definition and code in ("", "n"))
        return made if kept else _NOTHING
    if code in ("", "z") and (not node.definition or code == "z") and not made:
        return _NOTHING
    return made


def _value(node: Node, value: Any, *, milli: bool = True) -> Any:
    if isinstance(value, dict) and node.map is not None and node.scalar is None:
        return _map(node, node.map, value, milli=milli)
    if isinstance(value, list) and node.list is not None and node.scalar is None:
        return [_item(node.list, item) for item in value]
    if node.format == "quantity":
        return _quantity(value, milli=False)
    if node.format == "byte" and isinstance(value, str):
        return value.replace("\n", "").replace("\r", "")
    return value


def _map(node: Node, fields: MapNode, value: Object, *, milli: bool = True) -> Object:
    others = fields.others
    if others is None:
        return _struct(node, fields, value)
    if fields.fields:  # only custom resources mix the two
        return value
    if others.format == "quantity":
        return {key: "0" if child is None else _quantity(child, milli=milli) for key, child in value.items()}
    return {key: _zero_item(others) if child is None else _value(others, child) for key, child in value.items()}


def _item(node: ListNode, item: Any) -> Any:
    return _zero_item(node.items) if item is None else _value(node.items, item)


def _zero_item(node: Node) -> Json:
    """What null is in a list or map: an empty value, not null."""
    if node.map is not None and node.scalar is None:
        return _map(node, node.map, {})
    if node.list is not None and node.scalar is None:
        return []
    return None if node.format == "byte" else zero_value(node)  # bytes are a slice to Go: null stays


def _quantity(value: Any, *, milli: bool) -> Any:
    try:
        return quantity.milli(value) if milli else quantity.canonical(value)
    except InvalidInput:
        return value
