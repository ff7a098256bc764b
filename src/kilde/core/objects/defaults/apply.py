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
from kilde.core.objects.unchanged import Unchanged

_NOTHING = object()
_PLAIN = frozenset((str, int, bool))
_REWRITTEN = ("quantity", "byte")  # formats of which Go writes a value otherwise than it was sent
_UNROUNDED = ("io.k8s.api.node.", "io.k8s.api.resource.")  # groups that do not round their resource lists
# Lists of which an empty one is another than none: it stands instead of the default, and is refused.
_TOLD_APART = frozenset({("io.k8s.api.autoscaling.v2.HPAScalingRules", "policies")})


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


def as_stored(value: Json, node: Node) -> Json:
    """A value of a built-in type as a server writes it; as it is where it does not fit."""
    try:
        return _value(node, value)
    except RecursionError:
        return value


def as_empty(node: Node) -> Object:
    """What Go writes of an object of which nothing is set, without defaults."""
    return _nothing(node.map) if node.map is not None else {}


def _nothing(fields: MapNode) -> Object:
    found: Object = {}
    for key, code in fields.always:
        below = fields.fields.get(key)
        if below is None or code in "an":
            found[key] = None
        elif code == "v" and below.map is not None and below.scalar is None and zero_value(below) is not None:
            found[key] = _nothing(below.map)
        else:
            found[key] = zero_value(below)
    return found


def _struct(node: Node, fields: MapNode, value: Object) -> Object:
    out: Object = {}
    codes, milli = fields.go, not node.definition.startswith(_UNROUNDED)
    for key, child in value.items():
        below = fields.fields.get(key)
        if below is None or child is None:
            continue
        if child and type(child) in _PLAIN and below.format not in _REWRITTEN:  # most are, and calls cost
            out[key] = child
            continue
        code = codes.get(key, "")
        kept = _field(below, child, code, milli=milli)
        if kept is not _NOTHING:
            out[key] = kept
        elif (node.definition, key) in _TOLD_APART:
            out[key] = child
    for key, code in fields.always:
        if key not in out:
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
    if type(value) is Unchanged:
        return value
    others = fields.others
    if others is None:
        return _struct(node, fields, value)
    if fields.fields:  # only custom resources mix the two
        return value
    if others.map is None and others.list is None and others.format not in _REWRITTEN and None not in value.values():
        return dict(value)
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
