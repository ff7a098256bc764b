"""Values of CEL as Python has them, how they are equal, ordered and sized, and the two ways in which an expression ends without one.

int, float, bool, str, bytes, list, dict and None are themselves; the other types are here.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from kilde.core.objects.quantity import Quantity

INT_LEAST, INT_MOST, UINT_MOST = -(1 << 63), (1 << 63) - 1, (1 << 64) - 1


class CelError(Exception):
    """An expression, or a part of it, has no value. The text is as the real server words it."""


class CostExceeded(Exception):
    """An expression has cost more than one may."""


LARGEST = 10_000_000
"""How long a text or list may become. Kubernetes has no such limit; but adding costs one where types are not known, however long it is."""


def bounded(length: int) -> None:
    """CostExceeded where that would be too long."""
    if length > LARGEST:
        raise CostExceeded


class Uint(int):
    """An unsigned number."""


@dataclass(frozen=True, slots=True)
class Optional:
    """A value that may be missing."""

    value: Any = None
    present: bool = False


NOTHING = Optional()


class Type(NamedTuple):
    """A type as a value."""

    name: str


@dataclass(frozen=True, slots=True, order=True)
class Timestamp:
    """Nanoseconds since 1970, and the minutes that it was written away from UTC."""

    nanos: int
    offset: int = field(default=0, compare=False)


class Duration(NamedTuple):
    """Nanoseconds."""

    nanos: int


class Ip(NamedTuple):
    """An address, `of` 4 or 6."""

    address: Any


class Cidr(NamedTuple):
    """A network, with the bits of the host as they were written."""

    interface: Any


class Semver(NamedTuple):
    """A version: its three numbers, what comes before its release, and how it is written."""

    numbers: tuple[int, int, int]
    before: tuple[int | str, ...]
    text: str


class Format(NamedTuple):
    """A named format: what is wrong with a text, and how long its pattern counts."""

    name: str
    wrong: Callable[[str], list[str]]
    size: int


@dataclass(frozen=True, slots=True)
class Url:
    """A URL in its parts."""

    text: str
    scheme: str
    host: str
    hostname: str
    port: str
    path: str
    query: str


class SetList(list[Any]):
    """A list whose order means nothing (x-kubernetes-list-type: set)."""


class MapList(list[Any]):
    """A list whose items are told apart by keys (x-kubernetes-list-type: map)."""

    keys: tuple[str, ...] = ()

    def key(self, item: Any) -> tuple[Any, ...]:
        """What tells an item apart."""
        return tuple(repr(item.get(key)) if isinstance(item, dict) else None for key in self.keys)


class GrowingList(list[Any]):
    """A loop's own result, which may be added to where it is."""


class GrowingMap(dict[Any, Any]):
    """The same of a map."""


class Struct(dict[str, Any]):
    """An object that an expression has made of a type with this name."""

    __slots__ = ("cel_type",)

    def __init__(self, name: str, fields: Mapping[str, Any]) -> None:
        super().__init__(fields)
        self.cel_type = name


def misnamed(value: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    """Where the type of an object that an expression has made is not named after the fields that lead to it, in Kubernetes' words."""
    if type(value) is Struct:
        path = path or (value.cel_type,)
        wanted = ".".join(path)
        if value.cel_type != wanted:
            told = f'unexpected type name "{value.cel_type}", expected "{wanted}"'
            yield f"{told}, which matches field name path from root Object type"
        for key, child in value.items():
            yield from misnamed(child, (*path, key))
    elif isinstance(value, (list, dict)):
        for child in value.values() if isinstance(value, dict) else value:
            yield from misnamed(child, path)


_KINDS: dict[type, str] = {
    bool: "bool",
    int: "int",
    Uint: "uint",
    float: "double",
    str: "string",
    bytes: "bytes",
    type(None): "null_type",
    Timestamp: "google.protobuf.Timestamp",
    Duration: "google.protobuf.Duration",
    Type: "type",
    Optional: "optional_type",
    Quantity: "kubernetes.Quantity",
    Url: "kubernetes.URL",
    Ip: "net.IP",
    Cidr: "net.CIDR",
    Semver: "kubernetes.Semver",
    Format: "kubernetes.NamedFormat",
}
_NUMBERS = frozenset((int, Uint, float))
ORDERED = (int, Uint, float, str, bytes, bool, Timestamp, Duration)
"""The types whose values have an order."""


def kind(value: Any) -> str:
    """The name of a value's type."""
    told = _KINDS.get(type(value)) or getattr(value, "cel_type", "")
    return told or ("list" if isinstance(value, list) else "map")


def no_overload(detail: str = "") -> CelError:
    """An operator or function does not know these operands."""
    return CelError(f"no such overload: {detail}" if detail else "no such overload")


def whole(value: int) -> int:
    """A signed number in its range."""
    if INT_LEAST <= value <= INT_MOST:
        return value
    raise CelError("integer overflow")


def unsigned(value: int) -> Uint:
    """An unsigned number in its range."""
    if 0 <= value <= UINT_MOST:
        return Uint(value)
    raise CelError("unsigned integer overflow")


def equal(a: Any, b: Any) -> bool:
    """Whether two values are equal; those of different types are not, but for numbers."""
    one, two = type(a), type(b)
    if one is two and one in _KINDS and one is not Optional:
        if one is Quantity:
            return bool(a.value == b.value)
        return bool((a.numbers, a.before) == (b.numbers, b.before) if one is Semver else a == b)
    if one in _NUMBERS and two in _NUMBERS:
        return bool(a == b)
    if isinstance(a, list) and isinstance(b, list):
        return _equal_lists(a, b)
    if isinstance(a, dict) and isinstance(b, dict):
        return len(a) == len(b) and all(key in b and equal(value, b[key]) for key, value in a.items())
    if one is two is Optional:
        return a.present == b.present and (not a.present or equal(a.value, b.value))
    if hasattr(a, "cel_type"):
        raise no_overload()
    return False


def _equal_lists(a: list[Any], b: list[Any]) -> bool:
    if len(a) != len(b):
        return False
    for one, other in ((a, b), (b, a)):
        if isinstance(one, SetList):
            return all(contains(other, item) for item in one)
        if isinstance(one, MapList):
            known = {one.key(item): item for item in other}
            return all(one.key(item) in known and equal(item, known[one.key(item)]) for item in one)
    return all(map(equal, a, b))


def contains(items: list[Any], value: Any) -> bool:
    """Whether an item of the list is equal to the value."""
    if type(value) is str:
        return value in items
    return any(equal(item, value) for item in items)


def compare(a: Any, b: Any) -> int:
    """-1, 0 or 1. CelError where the two have no order."""
    one, two = type(a), type(b)
    if one in _NUMBERS and two in _NUMBERS:
        if a != a or b != b:
            raise CelError("NaN values cannot be ordered")
    elif one is not two or one not in (str, bytes, bool, Timestamp, Duration):
        raise no_overload()
    if one is str:
        a, b = a.encode("utf-8", "surrogatepass"), b.encode("utf-8", "surrogatepass")
    return int(a > b) - int(a < b)


def size(value: Any) -> int:
    """What a value counts in costs."""
    if isinstance(value, (str, bytes, list, dict)):
        return len(value)
    if type(value) is Optional and value.present:
        return size(value.value)
    if type(value) is Ip:
        return int(value.address.max_prefixlen) // 8
    if type(value) is Cidr:
        return (int(value.interface.network.prefixlen) + 7) // 8
    return 1
