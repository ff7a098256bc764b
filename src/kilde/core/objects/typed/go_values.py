"""Go's zero values: what a built-in object looks like before anybody writes into it.

An API server compares a new object with an empty Go struct. Its value fields are there already (`spec: {}`), so
nobody comes to own them.
"""

from kilde.core.basics.values import Json, Object
from kilde.core.objects.typed.node import Node, Scalar

_TIMES = ("io.k8s.apimachinery.pkg.apis.meta.v1.Time", "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime")
_ZEROS: dict[Scalar, Json] = {Scalar.STRING: "", Scalar.NUMERIC: 0, Scalar.BOOLEAN: False}


def zero_object(node: Node) -> Object:
    """The empty struct of this type as Go writes it; {} for a custom resource."""
    if node.map is None:
        return {}
    out: Object = {}
    for name, code in node.map.go.items():
        child = node.map.fields.get(name)
        if child is not None and code in "v0an":
            out[name] = zero_value(child) if code in "v0" else None
    return out


def zero_value(node: Node) -> Json:
    """What Go writes for a value of this type that nobody set."""
    if node.format == "quantity":
        return "0"
    if node.format == "int-or-string":
        return 0
    if node.definition in _TIMES or node.map is None:
        return None if node.scalar is None or node.definition in _TIMES else _ZEROS.get(node.scalar, "")
    return zero_object(node) if node.scalar is None else None
