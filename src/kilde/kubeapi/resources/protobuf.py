"""Decodes `application/vnd.kubernetes.protobuf` request bodies into objects as JSON would have given them.

A body is the magic `k8s\\0` and a runtime.Unknown: the type, and the object's own message. Which field has which number is in the generated
`_protobuf_fields`. Zero values that JSON leaves out are left out; fields a newer client sends and we do not know are dropped.
"""

import base64
import binascii
import functools
import zlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec

from kilde.core.basics.values import Json, Object
from kilde.kubeapi.resources._protobuf_fields import FACTS
from kilde.kubeapi.resources.wire import BYTES, NotProtobuf, Value, double, fields, packed_varints, signed

MAGIC = b"k8s\x00"
MEDIA_TYPE = "application/vnd.kubernetes.protobuf"
_DEEPEST = 100


class _Field(NamedTuple):
    name: str
    pointer: bool
    inline: bool
    always: bool  # JSON writes it even if it is empty
    code: str


_Message = Mapping[int, _Field]


class _Table(NamedTuple):
    kinds: Mapping[str, int]
    messages: tuple[_Message, ...]
    schema: int


@functools.cache
def _table() -> _Table:
    facts = msgspec.json.decode(zlib.decompress(base64.b85decode(FACTS)))
    messages = tuple(
        {number: _Field(name, "*" in flags, "+" in flags, "!" in flags, code) for number, name, flags, code in message}
        for message in facts["messages"]
    )
    return _Table(facts["kinds"], messages, facts["schema"])


def decode(body: bytes) -> Object:
    """The object in a request body, with its apiVersion and kind. NotProtobuf if it is none, or of a kind that is not known."""
    return _decode(body, 0)


def _decode(body: bytes, depth: int) -> Object:
    if not body.startswith(MAGIC):
        raise NotProtobuf("the body does not begin with the magic number of Kubernetes' protobuf")
    api_version, kind, raw = _envelope(body[len(MAGIC) :])
    table = _table()
    # Options are sent in the version of the group they go to, and are the same in all.
    index = table.kinds.get(f"{api_version} {kind}", table.kinds.get(f"v1 {kind}") if kind == "DeleteOptions" else None)
    if index is None:
        raise NotProtobuf(f'no kind "{kind}" is known in version "{api_version}"')
    return {"apiVersion": api_version, "kind": kind, **_message(raw, table.messages[index], depth)}


def _envelope(data: bytes) -> tuple[str, str, bytes]:
    """apiVersion, kind and the object's bytes of a runtime.Unknown."""
    meta, raw = b"", b""
    for number, wire, value in fields(data):
        if wire == BYTES and number == 1:
            meta = _bytes(value)
        elif wire == BYTES and number == 2:
            raw = _bytes(value)
        elif wire == BYTES and number == 3 and value:
            raise NotProtobuf("an encoding of the content is not supported")
    words = {number: _text(value) for number, wire, value in fields(meta) if wire == BYTES}
    return words.get(1, ""), words.get(2, ""), raw


def _message(data: bytes, message: _Message, depth: int) -> Object:
    if depth > _DEEPEST:
        raise NotProtobuf(f"the message is nested more than {_DEEPEST} levels deep")
    out: Object = {}
    for number, _wire, value in fields(data):
        field = message.get(number)
        if field is None:
            continue
        if field.code.startswith("[]"):
            out.setdefault(field.name, []).extend(_repeated(value, field.code[2:], depth))
        elif field.code.startswith("{}"):
            key, item = _entry(value, field.code[2:], depth)
            out.setdefault(field.name, {})[key] = item
        else:
            _set(out, field, _value(value, field.code, depth))
    return out


def _set(out: Object, field: _Field, value: Json) -> None:
    """Writes a single value; what JSON would leave out is left out."""
    if field.inline:
        out.update(value)
    elif field.pointer or field.always or not _is_zero(value, field.code):
        out[field.name] = value


def _is_zero(value: Json, code: str) -> bool:
    """Whether JSON leaves a value out that is no pointer; a struct it never does."""
    return value is None or (not code.startswith("@") and value in ("", 0, False, []))


def _repeated(value: Value, code: str, depth: int) -> list[Json]:
    if code in ("int", "bool") and isinstance(value, bytes):
        return [_value(one, code, depth) for one in packed_varints(value)]
    return [_value(value, code, depth)]


def _entry(value: Value, code: str, depth: int) -> tuple[str, Json]:
    """An entry of a map: a message of a key and a value."""
    key, item = "", None
    for number, _wire, one in fields(_bytes(value)):
        if number == 1:
            key = _text(one)
        elif number == 2:
            item = _value(one, code, depth)
    return key, _EMPTY.get(code, "") if item is None else item


_EMPTY: Mapping[str, Json] = {"int": 0, "bool": False, "strings": None}


def _value(value: Value, code: str, depth: int) -> Json:
    if code.startswith("@"):
        return _message(_bytes(value), _table().messages[int(code[1:])], depth + 1)
    return _READERS[code](value, depth)


def _bytes(value: Value) -> bytes:
    if not isinstance(value, bytes):
        raise NotProtobuf("a number where a message or text should be")
    return value


def _number(value: Value) -> int:
    if isinstance(value, bytes):
        raise NotProtobuf("a text where a number should be")
    return value


def _text(value: Value) -> str:
    try:
        return _bytes(value).decode()
    except UnicodeDecodeError as error:
        raise NotProtobuf("a text is not UTF-8") from error


def _parts(value: Value) -> dict[int, Value]:
    """The single fields of a small message."""
    return {number: one for number, _wire, one in fields(_bytes(value))}


def _time(value: Value) -> str | None:
    moment = _moment(value)
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _micro_time(value: Value) -> str | None:
    moment = _moment(value)
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _moment(value: Value) -> datetime | None:
    """A timestamp; None for the zero time, which is an empty message."""
    parts = _parts(value)
    seconds, nanoseconds = signed(_number(parts.get(1, 0))), signed(_number(parts.get(2, 0)))
    if not seconds and not nanoseconds:
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=nanoseconds // 1000)
    except (OverflowError, ValueError, OSError) as error:
        raise NotProtobuf("a time is outside the years 1 to 9999") from error


def _duration(value: Value) -> str:
    """Nanoseconds as Go writes them: `1h30m0s`, `1.5s`, `20ms`."""
    total = signed(_number(_parts(value).get(1, 0)))
    sign, rest = ("-" if total < 0 else ""), abs(total)
    if rest < 1_000_000_000:
        for unit, size in (("ms", 1_000_000), ("µs", 1000), ("ns", 1)):
            if rest >= size:
                return f"{sign}{_fraction(rest, size)}{unit}"
        return "0s"
    hours, rest = divmod(rest, 3600 * 10**9)
    minutes, rest = divmod(rest, 60 * 10**9)
    head = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return f"{sign}{head}{_fraction(rest, 10**9)}s"


def _fraction(value: int, size: int) -> str:
    whole, rest = divmod(value, size)
    digits = f"{rest:0{len(str(size)) - 1}d}".rstrip("0") if size > 1 else ""
    return f"{whole}.{digits}" if digits else str(whole)


def _raw(value: Value, depth: int) -> Json:
    """JSON, or another object in the same encoding."""
    raw = _bytes(_parts(value).get(1, b""))
    if not raw:
        return None
    if raw.startswith(MAGIC):
        if depth > _DEEPEST:
            raise NotProtobuf(f"the message is nested more than {_DEEPEST} levels deep")
        return _decode(raw, depth + 1)
    try:
        return msgspec.json.decode(raw)
    except msgspec.DecodeError as error:
        raise NotProtobuf("an embedded object is not JSON") from error


def _int_or_string(value: Value) -> Json:
    parts = _parts(value)
    return _text(parts.get(3, b"")) if _number(parts.get(1, 0)) == 1 else signed(_number(parts.get(2, 0)))


def _strings(value: Value) -> list[str]:
    return [_text(one) for number, _wire, one in fields(_bytes(value)) if number == 1]


def _schema(value: Value, depth: int) -> Json:
    return _message(_bytes(value), _table().messages[_table().schema], depth + 1)


def _schema_or_bool(value: Value, depth: int) -> Json:
    parts = _parts(value)
    return _schema(parts[2], depth) if 2 in parts else bool(parts.get(1, 0))


def _schema_or_several(value: Value, depth: int, several: Callable[[Value], Json]) -> Json:
    """Field 1 is one schema; field 2, once for each, is what else there may be."""
    found = list(fields(_bytes(value)))
    others = [several(one) for number, _wire, one in found if number == 2]
    if others:
        return others
    alone = [_schema(one, depth) for number, _wire, one in found if number == 1]
    return alone[-1] if alone else None


_READERS: Mapping[str, Callable[[Value, int], Json]] = {
    "bool": lambda value, depth: bool(_number(value)),
    "bytes": lambda value, depth: binascii.b2a_base64(_bytes(value), newline=False).decode(),
    "double": lambda value, depth: double(_number(value)),
    "duration": lambda value, depth: _duration(value),
    "int": lambda value, depth: signed(_number(value)),
    "intorstring": lambda value, depth: _int_or_string(value),
    "microtime": lambda value, depth: _micro_time(value),
    "quantity": lambda value, depth: _text(_parts(value).get(1, b"0")),
    "raw": _raw,
    "schemaorarray": lambda value, depth: _schema_or_several(value, depth, lambda one: _schema(one, depth)),
    "schemaorbool": _schema_or_bool,
    "schemaorstrings": lambda value, depth: _schema_or_several(value, depth, _text),
    "string": lambda value, depth: _text(value),
    "strings": lambda value, depth: _strings(value),
    "time": lambda value, depth: _time(value),
}


def known_kinds() -> frozenset[str]:
    """The kinds that can be decoded, each as `apps/v1 Deployment`."""
    return frozenset(_table().kinds)
