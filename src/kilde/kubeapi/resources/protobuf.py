"""Decodes `application/vnd.kubernetes.protobuf` into objects as JSON would have given them.

A body is the magic `k8s\\0` and a runtime.Unknown: the type, and the object's own message. Which field has which number
`protobuf_messages` knows; the other way goes `protobuf_writer`. Zero values that JSON leaves out are left out; fields that a newer
client sends and we do not know are dropped.
"""

import binascii
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import msgspec

from kilde.core.basics.values import Json, Object
from kilde.kubeapi.resources.protobuf_messages import MAGIC, Field, ListOf, Message, table
from kilde.kubeapi.resources.wire import BYTES, NotProtobuf, Value, double, fields, packed_varints, signed

_DEEPEST = 100
_LEAST_IN_POWERS = 1e21


def decode(body: bytes) -> Object:
    """The object in a request body, with its apiVersion and kind. NotProtobuf if it is none, or of a kind that is not known."""
    return _decode(body, 0)


def _decode(body: bytes, depth: int) -> Object:
    if not body.startswith(MAGIC):
        raise NotProtobuf("the body does not begin with the magic number of Kubernetes' protobuf")
    api_version, kind, raw = _envelope(body[len(MAGIC) :])
    index = table().of_kind(api_version, kind)
    if index is not None:
        return {"apiVersion": api_version, "kind": kind, **_message(raw, table().messages[index], depth)}
    of = table().of_list(api_version, kind)
    if of is None:
        raise NotProtobuf(f'no kind "{kind}" is known in version "{api_version}"')
    return {"apiVersion": api_version, "kind": kind, **_list(raw, of)}


def _list(data: bytes, of: ListOf) -> Object:
    messages, found = table().messages, list(fields(data))
    meta = [_message(_bytes(value), messages[of.meta], 0) for number, _wire, value in found if number == of.meta_number]
    items = [
        _message(_bytes(value), messages[of.item], 0) for number, _wire, value in found if number == of.item_number
    ]
    return {"metadata": meta[-1] if meta else {}, "items": items}


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


def _message(data: bytes, message: Message, depth: int) -> Object:
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


def _set(out: Object, field: Field, value: Json) -> None:
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
        return _message(_bytes(value), table().messages[int(code[1:])], depth + 1)
    return _READERS[code](value, depth)


def _bytes(value: Value) -> bytes:
    if not isinstance(value, bytes):
        raise NotProtobuf("a number where a message or text should be")
    return value


def _number(value: Value) -> int:
    if isinstance(value, bytes):
        raise NotProtobuf("a text where a number should be")
    return value


def _double(value: Value) -> float:
    """A number as Go writes it: a whole one without a point."""
    found = double(_number(value))
    return int(found) if found.is_integer() and abs(found) < _LEAST_IN_POWERS else found


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
    return _message(_bytes(value), table().messages[table().schema], depth + 1)


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
    "double": lambda value, depth: _double(value),
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
    return frozenset(table().kinds)
