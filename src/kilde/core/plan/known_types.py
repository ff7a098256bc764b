"""KnownField: a field of a custom resource that holds a built-in type, as `resource.customizations.knownTypeFields` names them.

A server stores a custom resource as it was sent, so `1000m` and `1` stay two texts; read as the type that they are, they are one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kilde.core.basics.values import Object
from kilde.core.objects.cel.times import read_duration
from kilde.core.objects.cel.values import CelError
from kilde.core.objects.defaults import as_stored
from kilde.core.objects.typed.node import Node
from kilde.core.objects.typed.schema import builtin

_CORE = "core/v1/"
_LIST = "core/v1/ResourceList"  # a map of quantities, which OpenAPI has no name for
_DURATION = "meta/v1/Duration"
_NAMES = {"core/Quantity": "io.k8s.apimachinery.pkg.api.resource.Quantity"}


@dataclass(frozen=True, slots=True)
class KnownField:
    """Where it is (lists on the way are walked through), and its type as Argo CD names it."""

    path: tuple[str, ...]
    type: str

    def rewritten(self, body: Object) -> Object:
        """`body` with the field as a server would write its type; as it is where the field is not there or not of the type."""
        written = _writer(self.type)
        return body if written is None else _at(body, self.path, written)


def read_known_field(path: str, of_type: str) -> KnownField | str:
    """The field, or what is wrong with it."""
    if not path:
        return "field is missing"
    if _writer(of_type) is None:
        return f"type '{of_type}' is not supported"
    return KnownField(tuple(path.split(".")), of_type)


def _writer(of_type: str) -> Callable[[Any], Any] | None:
    if of_type == _DURATION:
        return _duration
    node = _node(of_type)
    return None if node is None else lambda value: as_stored(value, node)


def _duration(value: Any) -> Any:
    """As Go writes it: `60s` is `1m0s`."""
    try:
        nanos = read_duration(value).nanos if isinstance(value, str) else None
    except CelError:
        nanos = None
    if nanos is None:
        return value
    sign, left = ("-" if nanos < 0 else ""), abs(nanos)
    for unit, size in (("ns", 1), ("µs", 10**3), ("ms", 10**6)):
        if 0 < left < min(size * 1000, 10**9):
            return f"{sign}{_fraction(left, size)}{unit}"
    hours, rest = divmod(left, 3600 * 10**9)
    minutes, rest = divmod(rest, 60 * 10**9)
    large = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return f"{sign}{large}{_fraction(rest, 10**9)}s"


def _fraction(amount: int, size: int) -> str:
    whole, part = divmod(amount, size)
    digits = f"{part:0{len(str(size)) - 1}d}".rstrip("0") if part else ""
    return f"{whole}.{digits}" if digits else str(whole)


def _node(of_type: str) -> Node | None:
    types = builtin()
    if of_type == _LIST:
        return types.named("io.k8s.api.core.v1.ResourceRequirements").at("limits")
    name = _NAMES.get(of_type) or f"io.k8s.api.core.v1.{of_type.removeprefix(_CORE)}"
    try:
        return types.named(name) if of_type in _NAMES or of_type.startswith(_CORE) else None
    except KeyError:
        return None


def _at(value: Any, path: tuple[str, ...], written: Callable[[Any], Any]) -> Any:
    if isinstance(value, list):
        return [_at(item, path, written) for item in value]
    if not path:
        return written(value)
    if not isinstance(value, dict) or path[0] not in value:
        return value
    return {**value, path[0]: _at(value[path[0]], path[1:], written)}
