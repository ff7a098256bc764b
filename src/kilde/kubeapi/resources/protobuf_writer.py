"""Encodes objects as `application/vnd.kubernetes.protobuf`, byte for byte as a real server does.

The mirror of `protobuf`, from the same facts. Fields are in the order of their numbers and maps in that of their keys; what is no
pointer in Go's structs is written even if it is empty. So each message has one writer for each of its fields, made once.
"""

import base64
import functools
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from kilde.core.basics.values import Json, Object
from kilde.kubeapi.resources.protobuf_messages import MAGIC, ListOf, Message, table
from kilde.kubeapi.resources.wire import BYTES, FIXED64, VARINT, doubled, key, sized, varint

_Write = Callable[[Json], bytes]
_FIRST, _SECOND, _THIRD = (key(number, BYTES) for number in (1, 2, 3))
_NO_ENCODING = key(3, BYTES) + b"\0" + key(4, BYTES) + b"\0"  # contentEncoding and contentType of a runtime.Unknown
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ZERO_TIME = "0001-01-01T00:00:00Z"
_json = msgspec.json.Encoder().encode


class NoMessage(LookupError):
    """A kind that has no protobuf form: a custom resource, a Table."""


def encode(obj: Object) -> bytes:
    """An object or list with the envelope that says its apiVersion and kind. NoMessage if its kind has none."""
    api_version, kind = obj.get("apiVersion", ""), obj.get("kind", "")
    index = table().of_kind(api_version, kind)
    if index is None:
        return listed(obj, [items(obj)])
    return _enveloped(api_version, kind, _message(index)(obj))


def items(obj: Object) -> bytes:
    """The items of a list as they are within its content, which `listed` puts together."""
    of = _list_of_kind(obj)
    item, start = _message(of.item), key(of.item_number, BYTES)
    return b"".join([sized(start, item(one)) for one in obj.get("items") or ()])


def listed(obj: Object, parts: Iterable[bytes]) -> bytes:
    """What `encode` makes of a list whose `items` are those of the parts."""
    of = _list_of_kind(obj)
    meta = sized(key(of.meta_number, BYTES), _message(of.meta)(obj.get("metadata") or {}))
    content = (meta, *parts) if of.meta_number < of.item_number else (*parts, meta)
    return _enveloped(obj["apiVersion"], obj["kind"], b"".join(content))


def _list_of_kind(obj: Object) -> ListOf:
    of = table().of_list(obj.get("apiVersion", ""), obj.get("kind", ""))
    if of is None:
        raise NoMessage(f"{obj.get('apiVersion')} {obj.get('kind')}")
    return of


def _enveloped(api_version: str, kind: str, content: bytes) -> bytes:
    head = sized(_FIRST, api_version.encode()) + sized(_SECOND, kind.encode())
    return b"".join((MAGIC, sized(_FIRST, head), sized(_SECOND, content), _NO_ENCODING))


def event(kind: str, encoded: bytes) -> bytes:
    """A frame of a watch: a WatchEvent about an encoded object, behind its length in four bytes."""
    message = sized(_FIRST, kind.encode()) + sized(_SECOND, sized(_FIRST, encoded))
    return len(message).to_bytes(4, "big") + message


class _Layout(NamedTuple):
    """How a message is put together: a part for each field, in the order of their numbers, that is replaced where JSON has the field."""

    empty: list[bytes]
    fields: dict[str, tuple[int, _Write]]
    inlined: list[tuple[int, _Write]]


@functools.cache
def _message(index: int) -> Callable[[Object], bytes]:
    """The writer of a message's content. Its layout is made when it is first used: a message may be in itself."""
    layout: _Layout | None = None

    def write(obj: Object) -> bytes:
        nonlocal layout
        if layout is None:
            layout = _layout(table().messages[index])
        empty, fields, inlined = layout
        parts = empty.copy()
        for name, value in obj.items():
            if value is not None and name in fields:
                at, one = fields[name]
                parts[at] = one(value)
        for at, one in inlined:
            parts[at] = one(obj)
        return b"".join(parts)

    return write


def _layout(message: Message) -> _Layout:
    layout = _Layout([], {}, [])
    for at, (number, field) in enumerate(sorted(message.items())):
        code = field.code
        if code[:2] in ("[]", "{}"):
            write, empty = (_list_of if code[0] == "[" else _map)(number, code[2:]), b""
        else:
            write = _value(number, code)
            empty = b"" if field.pointer or code in ("bytes", "strings") else _zero(number, code)
        layout.empty.append(empty)
        if field.inline:
            layout.inlined.append((at, write))
        else:
            layout.fields[field.name] = at, write
    return layout


def _list_of(number: int, code: str) -> _Write:
    one = _value(number, code)
    return lambda values: b"".join(map(one, values))


def _zero(number: int, code: str) -> bytes:
    """A field that is no pointer and that JSON does not have."""
    if code in _NOTHING:
        return sized(key(number, BYTES), b"")
    return _value(number, code)(_ZEROS.get(code, {}))


_NOTHING = ("time", "microtime", "raw")
_ZEROS: Mapping[str, Json] = {
    "string": "",
    "int": 0,
    "bool": False,
    "double": 0.0,
    "quantity": "0",
    "intorstring": 0,
}


def _map(number: int, code: str) -> _Write:
    start, item = key(number, BYTES), _value(2, code)
    nothing = b"" if code == "bytes" else _zero(2, code) if code in _ZEROS else sized(_SECOND, b"")

    def write(values: Mapping[str, Json]) -> bytes:
        return b"".join(
            [
                sized(
                    start, sized(_FIRST, name.encode()) + (nothing if (value := values[name]) is None else item(value))
                )
                for name in sorted(values)
            ]
        )

    return write


def _value(number: int, code: str) -> _Write:
    """Writes a value that is there, after its key."""
    if code == "int":
        start = key(number, VARINT)
        return lambda value: start + varint(value)
    if code == "bool":
        yes, no = key(number, VARINT) + b"\1", key(number, VARINT) + b"\0"
        return lambda value: yes if value else no
    if code == "double":
        fixed = key(number, FIXED64)
        return lambda value: fixed + doubled(value)
    start = key(number, BYTES)
    if code == "string":
        return lambda value: sized(start, value.encode())
    content = _message(int(code[1:])) if code[0] == "@" else _CONTENTS[code]
    return lambda value: sized(start, content(value))


def _moment(value: str) -> bytes:
    """A Timestamp of a time to the second; the zero time is an empty message."""
    return b"" if value == _ZERO_TIME else _timestamp(value, precise=False)


def _timestamp(value: str, *, precise: bool = True) -> bytes:
    since = datetime.fromisoformat(value) - _EPOCH
    nanoseconds = since.microseconds * 1000 if precise else 0
    return key(1, VARINT) + varint(since.days * 86400 + since.seconds) + key(2, VARINT) + varint(nanoseconds)


def _int_or_string(value: int | str) -> bytes:
    number, text = (value, "") if isinstance(value, int) else (0, value)
    kind = key(1, VARINT) + (b"\0" if isinstance(value, int) else b"\1")
    return kind + key(2, VARINT) + varint(number) + sized(_THIRD, text.encode())


def _strings(values: list[str]) -> bytes:
    return b"".join([sized(_FIRST, value.encode()) for value in values])


def _schema(value: Object) -> bytes:
    return _message(table().schema)(value)


def _schema_or_bool(value: Object | bool) -> bytes:
    if isinstance(value, bool):
        return key(1, VARINT) + (b"\1" if value else b"\0")
    return key(1, VARINT) + b"\1" + sized(_SECOND, _schema(value))


def _schema_or_schemas(value: Object | list[Object]) -> bytes:
    return _several(value, _schema)


def _schema_or_strings(value: Object | list[str]) -> bytes:
    return _several(value, str.encode)


def _several(value: Json, other: _Write) -> bytes:
    """One schema, or a list of others."""
    if isinstance(value, list):
        return b"".join([sized(_SECOND, other(one)) for one in value])
    return sized(_FIRST, _schema(value))


_CONTENTS: Mapping[str, _Write] = {
    "bytes": base64.b64decode,
    "intorstring": _int_or_string,
    "microtime": _timestamp,
    "quantity": lambda value: sized(_FIRST, str(value).encode()),
    "raw": lambda value: sized(_FIRST, _json(value)),
    "schemaorarray": _schema_or_schemas,
    "schemaorbool": _schema_or_bool,
    "schemaorstrings": _schema_or_strings,
    "strings": _strings,
    "time": _moment,
}
