"""The document of OpenAPI v2 as gnostic's protobuf (openapi.v2.Document), which client-go and kubectl ask for."""

from collections.abc import Callable, Mapping
from typing import Any

from kilde.core.objects.yaml_writer import write_document
from kilde.kubeapi.resources.wire import BYTES, FIXED64, VARINT, doubled, key, sized, varint

_Write = Callable[[Any], bytes]
_NAME, _VALUE = key(1, BYTES), key(2, BYTES)


def encode(document: Mapping[str, Any]) -> bytes:
    """The bytes of a whole document."""
    return _DOCUMENT(document)


def _text(number: int) -> _Write:
    start = key(number, BYTES)
    return lambda value: sized(start, value.encode()) if value else b""


def _texts(number: int) -> _Write:
    start = key(number, BYTES)
    return lambda values: b"".join([sized(start, value.encode()) for value in values])


def _flag(number: int) -> _Write:
    yes = key(number, VARINT) + b"\1"
    return lambda value: yes if value else b""


def _whole(number: int) -> _Write:
    start = key(number, VARINT)
    return lambda value: start + varint(int(value)) if value else b""


def _real(number: int) -> _Write:
    start = key(number, FIXED64)
    return lambda value: start + doubled(value) if value else b""


def _one(number: int, message: _Write) -> _Write:
    start = key(number, BYTES)
    return lambda value: sized(start, message(value))


def _each(number: int, message: _Write) -> _Write:
    start = key(number, BYTES)
    return lambda values: b"".join([sized(start, message(value)) for value in values])


def _named(number: int, message: _Write) -> _Write:
    """A map: a message of name and value for each."""
    start = key(number, BYTES)

    def write(values: Mapping[str, Any]) -> bytes:
        return b"".join(
            [sized(start, sized(_NAME, name.encode()) + sized(_VALUE, message(one))) for name, one in values.items()]
        )

    return write


def _any(value: Any) -> bytes:
    return sized(_VALUE, write_document(value).encode())


def _message(fields: Mapping[str, _Write], extension: int = 0) -> _Write:
    """A message whose fields stand in the order of their numbers; what is not JSON's of the standard comes last."""
    more = _named(extension, _any)

    def write(value: Mapping[str, Any]) -> bytes:
        parts = [one(value[name]) for name, one in fields.items() if name in value]
        further = {name: one for name, one in value.items() if name.startswith("x-")} if extension else {}
        return b"".join(parts) + more(further)

    return write


def _schema(value: Mapping[str, Any]) -> bytes:
    return _SCHEMA(value)


def _additional(value: Any) -> bytes:
    return (key(2, VARINT) + (b"\1" if value else b"\0")) if isinstance(value, bool) else sized(_NAME, _schema(value))


def _type(value: str | list[str]) -> bytes:
    return _texts(1)([value] if isinstance(value, str) else value)


_SCHEMA = _message(
    {
        "$ref": _text(1),
        "format": _text(2),
        "title": _text(3),
        "description": _text(4),
        "default": _one(5, _any),
        "multipleOf": _real(6),
        "maximum": _real(7),
        "exclusiveMaximum": _flag(8),
        "minimum": _real(9),
        "exclusiveMinimum": _flag(10),
        "maxLength": _whole(11),
        "minLength": _whole(12),
        "pattern": _text(13),
        "maxItems": _whole(14),
        "minItems": _whole(15),
        "uniqueItems": _flag(16),
        "maxProperties": _whole(17),
        "minProperties": _whole(18),
        "required": _texts(19),
        "enum": _each(20, _any),
        "additionalProperties": _one(21, _additional),
        "type": _one(22, _type),
        "items": _one(23, _one(1, _schema)),
        "properties": _one(25, _named(1, _schema)),
        "externalDocs": _one(29, _message({"description": _text(1), "url": _text(2)})),
        "example": _one(30, _any),
    },
    31,
)
_BODY = _message(
    {"description": _text(1), "name": _text(2), "in": _text(3), "required": _flag(4), "schema": _one(5, _schema)}
)
_SEGMENT = _message(
    {
        "required": _flag(1),
        "in": _text(2),
        "description": _text(3),
        "name": _text(4),
        "type": _text(5),
        "uniqueItems": _flag(19),
    }
)
_QUERY = _message(
    {
        "required": _flag(1),
        "in": _text(2),
        "description": _text(3),
        "name": _text(4),
        "type": _text(6),
        "uniqueItems": _flag(20),
    }
)
_PLACES = {"body": _one(1, _BODY), "path": _one(2, _one(4, _SEGMENT)), "query": _one(2, _one(3, _QUERY))}


def _parameter(value: Mapping[str, Any]) -> bytes:
    return _PLACES[value["in"]](value)


def _told_parameter(value: Mapping[str, Any]) -> bytes:
    """A parameter, or the name of a shared one."""
    return sized(_VALUE, _text(1)(value["$ref"])) if "$ref" in value else sized(_NAME, _parameter(value))


_RESPONSE = _one(1, _message({"description": _text(1), "schema": _one(2, _one(1, _schema))}))
_OPERATION = _message(
    {
        "tags": _texts(1),
        "description": _text(3),
        "operationId": _text(5),
        "produces": _texts(6),
        "consumes": _texts(7),
        "parameters": _each(8, _told_parameter),
        "responses": _one(9, _named(1, _RESPONSE)),
        "schemes": _texts(10),
    },
    13,
)
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch")
_ITEM = _message(
    {method: _one(number, _OPERATION) for number, method in enumerate(_METHODS, 2)}
    | {"parameters": _each(9, _told_parameter)}
)
_KEY = _message({"type": _text(1), "name": _text(2), "in": _text(3), "description": _text(4)})
_DOCUMENT = _message(
    {
        "swagger": _text(1),
        "info": _one(2, _message({"title": _text(1), "version": _text(2)})),
        "paths": _one(8, _named(2, _ITEM)),
        "definitions": _one(9, _named(1, _schema)),
        "parameters": _one(10, _named(1, _parameter)),
        "security": _each(12, _named(1, _texts(1))),
        "securityDefinitions": _one(13, _named(1, _one(2, _KEY))),
    }
)
