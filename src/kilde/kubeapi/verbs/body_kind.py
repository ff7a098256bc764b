"""Which kind a body says it is: what a real server's decoder refuses before it looks at anything else (apimachinery's serializers)."""

from collections.abc import Mapping
from typing import NamedTuple

from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.values import Json, Object
from kilde.core.objects.typed import schema
from kilde.core.objects.typed.node import Node
from kilde.kubeapi.logic.decode import PARSING, Unreadable
from kilde.kubeapi.resources.kinds import go_package

_HEAD = '{ APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'
_PARSING = f"{PARSING}: json: cannot unmarshal"
_SCHEME = 'in scheme "pkg/runtime/scheme.go:111"'
_OPTIONS = ("PodAttach", "PodExec", "PodLog", "PodPortForward", "PodProxy", "NodeProxy", "ServiceProxy")
_UNSERVED = frozenset(
    {
        *(("", "v1", f"{name}Options") for name in _OPTIONS),
        *(("", "v1", kind) for kind in ("List", "PodStatusResult", "RangeAllocation", "SerializedReference")),
        ("extensions", "v1beta1", "Scale"),
    }
)
_WITHOUT_VERSION = frozenset({"Status", "APIVersions", "APIGroup", "APIGroupList", "APIResourceList"})


class Said(NamedTuple):
    """Group, version and kind."""

    group: str
    version: str
    kind: str

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def known(self) -> bool:
        """Whether a real server knows such objects, of whatever resource."""
        return self in _UNSERVED or schema.builtin().node(*self) is not None


class Foreign(NamedTuple):
    """What a document of another kind is read as, if it can be read at all: its type, and why it does not become what is wanted."""

    node: Node | None
    why: str


class AnotherKind(InvalidInput):
    """A body is of another kind; `told` is the whole of it as an object's body is refused."""

    code = "another-kind"

    def __init__(self, what: str, told: str) -> None:
        super().__init__(what)
        self.told = told


def check_said(value: Json, wanted: Said) -> Object:
    """The body, null as an empty one, with the apiVersion and kind it does not say. Unreadable, AnotherKind."""
    body = with_head(value)
    said = _said(body, wanted)
    if said != wanted:
        raise _another(said, wanted)
    return {**body, "apiVersion": said.api_version, "kind": said.kind}


def with_head(value: Json) -> Object:
    """A body of which can be told what it says to be; null is an empty one. Unreadable."""
    if value is None:
        value = {}
    if not isinstance(value, dict):
        raise Unreadable(f"{_PARSING} {_go_kind(value)} into Go value of type struct {_HEAD}")
    for key in ("apiVersion", "kind"):
        child = value.get(key)
        if child is not None and not isinstance(child, str):
            raise Unreadable(f"{_PARSING} {_go_kind(child)} into Go struct field .{key} of type string")
    told = str(value.get("apiVersion") or "")
    if told.count("/") > 1:
        raise Unreadable(f"unexpected GroupVersion string: {told}")
    return value


def foreign(document: Mapping[str, Json], wanted: Said) -> Foreign | None:
    """How a patched document is refused that says to be of another kind than the one that was patched; None if it does not."""
    said = _said(document, wanted)
    target = f"{_package(wanted)}.{wanted.kind}"
    if said.kind in _WITHOUT_VERSION:
        source, node = f"v1.{said.kind}", schema.builtin().node("", "v1", said.kind)
    elif not document.get("apiVersion"):
        return None if said.kind == wanted.kind else _foreign_within(said, target)
    elif not said.known:
        return Foreign(None, f'no kind "{said.kind}" is registered for version "{said.api_version}" {_SCHEME}')
    elif said.kind == wanted.kind and _package(said) == _package(wanted):
        return None
    else:
        version = "v1" if said.kind in ("DeleteOptions", "WatchEvent") else said.version  # one type for all groups
        source, node = f"{version}.{said.kind}", schema.builtin().node(*said)
    return Foreign(node, f"converting ({source}) to ({target}): unknown conversion")


def _foreign_within(said: Said, target: str) -> Foreign:
    """The same of a document without an apiVersion, which is read as what the group works with."""
    if said.kind == "WatchEvent":
        return Foreign(None, f"converting (v1.InternalEvent) to ({target}): unknown conversion")
    if said.kind == "DeleteOptions" or not (said.known or (said.group, said.kind) == ("apps", "Scale")):
        what = f'no kind "{said.kind}" is registered for the internal version of group "{said.group}" {_SCHEME}'
        return Foreign(None, what)
    return Foreign(None, f"converting ({_package(said)}.{said.kind}) to ({target}): unknown conversion")


def _said(value: Mapping[str, Json], wanted: Said) -> Said:
    told = str(value.get("apiVersion") or "")
    group, _, version = told.rpartition("/")
    if not told:
        group, version = wanted.group, wanted.version
    return Said(group, version, str(value.get("kind") or wanted.kind))


def _another(said: Said, wanted: Said) -> AnotherKind:
    word = f'{said.kind} in version "{said.version}" cannot be handled as a {wanted.kind}'
    if not said.known:
        what = f'no kind "{said.kind}" is registered for version "{said.api_version}" {_SCHEME}'
        return AnotherKind(what, f"{word}: {what}")
    if said.kind != wanted.kind or _package(said) != _package(wanted):
        target = f"{_package(wanted)}.{wanted.kind}"
        what = f"converting ({said.version}.{said.kind}) to ({target}): unknown conversion"
        return AnotherKind(what, f"{word}: {what}")
    told, expected = said.api_version, wanted.api_version
    what = f"the API version in the data ({told}) does not match the expected API version ({expected})"
    return AnotherKind(what, what)


def _package(said: Said) -> str:
    """Where a real server keeps the form of a kind that it works with."""
    if said.kind == "Scale":
        return "autoscaling"
    return go_package(said.group)


def _go_kind(value: Json) -> str:
    """What Go calls a value of JSON."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object" if isinstance(value, dict) else "number"
