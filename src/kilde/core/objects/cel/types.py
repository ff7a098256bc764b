"""Types: what the checker knows of a value before it is evaluated, named as cel-go names them."""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

_WORD = re.compile(r"[^(),\s]+|[(),]")


class Type(NamedTuple):
    """`kind` is bool, int, …, list, map, struct, opaque, type, dyn, any (dyn by another name), null, error or param (a variable of the
    checker).

    `name` is what it is called, `params` of what it is made: items of a list, keys and values of a map, what an optional holds.
    """

    kind: str
    name: str
    params: tuple["Type", ...] = ()

    @property
    def shown(self) -> str:
        """As errors write it."""
        if self.kind in _OWN_WORD or not self.params:
            return _OWN_WORD.get(self.kind, self.name)
        return f"{self.name}({', '.join(one.shown for one in self.params)})"

    @property
    def told(self) -> str:
        """As what an expression gives is written where it should give something else."""
        if not self.params:
            return f"<{self.name}>" if self.kind == "param" else self.name
        return f"{self.name}({', '.join(one.told for one in self.params)})"

    @property
    def is_open(self) -> bool:
        """Whether any value may be meant."""
        return self.kind in ("dyn", "any", "error")


_OWN_WORD = {"timestamp": "timestamp", "duration": "duration", "null": "null", "error": "!error!", "any": "any"}
_LONG = {"timestamp": "google.protobuf.Timestamp", "duration": "google.protobuf.Duration"}

BOOL, INT, UINT, DOUBLE, STRING, BYTES, TIMESTAMP, DURATION = (
    Type(kind, _LONG.get(kind, kind))
    for kind in ("bool", "int", "uint", "double", "string", "bytes", "timestamp", "duration")
)
ANY = Type("any", "google.protobuf.Any")
DYN, NULL, ERROR, ANY_TYPE = Type("dyn", "dyn"), Type("null", "null_type"), Type("error", "error"), Type("type", "type")
SIMPLE = {one.kind: one for one in (BOOL, INT, UINT, DOUBLE, STRING, BYTES, TIMESTAMP, DURATION, DYN, ANY)}
_OURS = {
    name.rpartition(".")[2]: Type("opaque" if name.startswith("net.") else "struct", name)
    for name in (
        *("kubernetes.Quantity", "kubernetes.URL", "net.IP", "net.CIDR", "kubernetes.Semver", "kubernetes.NamedFormat"),
        *(f"kubernetes.authorization.{name}" for name in ("Authorizer", "PathCheck", "GroupCheck", "ResourceCheck")),
        "kubernetes.authorization.Decision",
    )
}


def list_of(item: Type) -> Type:
    return Type("list", "list", (item,))


def map_of(key: Type, value: Type) -> Type:
    return Type("map", "map", (key, value))


def type_of(one: Type) -> Type:
    return Type("type", "type", (one,))


def optional(one: Type) -> Type:
    return Type("opaque", "optional_type", (one,))


def struct(name: str) -> Type:
    return Type("struct", name)


def param(name: str) -> Type:
    return Type("param", name)


def is_optional(one: Type) -> bool:
    return one.name == "optional_type"


def read(text: str) -> Type:
    """A type as declarations write it: `map(A,list(string))`. A capital letter is a parameter."""
    found, rest = _read(_WORD.findall(text))
    assert not rest, text
    return found


_MAKERS: Mapping[str, Callable[..., Type]] = {"list": list_of, "map": map_of, "type": type_of, "optional": optional}


def _read(words: list[str]) -> tuple[Type, list[str]]:
    name, rest = words[0], words[1:]
    if name in _MAKERS and rest[:1] == ["("]:
        inner: list[Type] = []
        while rest[0] != ")":
            one, rest = _read(rest[1:])
            inner.append(one)
        return _MAKERS[name](*inner), rest[1:]
    return SIMPLE.get(name) or _OURS.get(name) or param(name), rest
