"""The order in which Go writes the fields of a built-in object: texts that quote one have it."""

import base64
import functools
import zlib

from kilde.core.basics.values import Json, Object
from kilde.core.objects.typed.node import Node, Scalar

_AS_IT_IS = "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1"  # Go keeps its bytes


@functools.cache
def _table() -> dict[str, list[str]]:
    from kilde.kubeapi.resources._go_order import PACKED  # only a quoted object needs it

    lines = zlib.decompress(base64.b85decode(PACKED)).decode().splitlines()
    return {definition: names for definition, *names in (line.split(" ") for line in lines)}


def as_go_writes(node: Node | None, value: Json) -> Json:
    """The value with the fields of structs in Go's order, and the keys of maps in the alphabet's; what has no type stays as it is."""
    if node is None or node.format or node.scalar is Scalar.UNTYPED or node.definition == _AS_IT_IS:
        return value
    if isinstance(value, list) and node.list is not None:
        return [as_go_writes(node.list.items, item) for item in value]
    if not isinstance(value, dict) or node.map is None or (not node.map.fields and node.map.others is None):
        return value
    return {key: as_go_writes(node.child(key), value[key]) for key in _keys(node, value)}


def _keys(node: Node, value: Object) -> list[str]:
    if node.map is not None and not node.map.fields:
        return sorted(value)
    first = [key for key in _table().get(node.definition, ()) if key in value]
    return [*first, *sorted(value.keys() - set(first))]
