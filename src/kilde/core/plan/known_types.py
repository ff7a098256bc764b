"""KnownField: a field of a custom resource that holds a built-in type, as `resource.customizations.knownTypeFields` names them.

A server stores a custom resource as it was sent, so `1000m` and `1` stay two texts; read as the type that they are, they are one.
"""

from dataclasses import dataclass
from typing import Any

from kilde.core.basics.values import Object
from kilde.core.objects.defaults import as_stored
from kilde.core.objects.typed.node import Node
from kilde.core.objects.typed.schema import builtin

_CORE = "core/v1/"
_LIST = "core/v1/ResourceList"  # a map of quantities, which OpenAPI has no name for
_NAMES = {"core/Quantity": "io.k8s.apimachinery.pkg.api.resource.Quantity"}


@dataclass(frozen=True, slots=True)
class KnownField:
    """Where it is (lists on the way are walked through), and its type as Argo CD names it."""

    path: tuple[str, ...]
    type: str

    def rewritten(self, body: Object) -> Object:
        """`body` with the field as a server would write its type; as it is where the field is not there or not of the type."""
        node = _node(self.type)
        return body if node is None else _at(body, self.path, node)


def read_known_field(path: str, of_type: str) -> KnownField | str:
    """The field, or what is wrong with it."""
    if not path:
        return "field is missing"
    if _node(of_type) is None:
        return f"type '{of_type}' is not supported"
    return KnownField(tuple(path.split(".")), of_type)


def _node(of_type: str) -> Node | None:
    types = builtin()
    if of_type == _LIST:
        return types.named("io.k8s.api.core.v1.ResourceRequirements").at("limits")
    name = _NAMES.get(of_type) or f"io.k8s.api.core.v1.{of_type.removeprefix(_CORE)}"
    try:
        return types.named(name) if of_type in _NAMES or of_type.startswith(_CORE) else None
    except KeyError:
        return None


def _at(value: Any, path: tuple[str, ...], node: Node) -> Any:
    if isinstance(value, list):
        return [_at(item, path, node) for item in value]
    if not path:
        return as_stored(value, node)
    if not isinstance(value, dict) or path[0] not in value:
        return value
    return {**value, path[0]: _at(value[path[0]], path[1:], node)}
