"""Words that OpenAPI v3 schemas are written in here; each gives a new value."""

from typing import Any

Schema = dict[str, Any]


def text(description: str = "", **more: Any) -> Schema:
    """A string; `more` are further keywords, such as `enum`."""
    return _said({"type": "string", **more}, description)


def moment(description: str = "") -> Schema:
    """An RFC 3339 time."""
    return text(description, format="date-time")


def flag(description: str = "") -> Schema:
    return _said({"type": "boolean"}, description)


def whole(description: str = "", *, wide: bool = True) -> Schema:
    """An integer of 64 bits, or of 32 where it is not `wide`."""
    return _said({"type": "integer", "format": "int64" if wide else "int32"}, description)


def whole_or_text(description: str = "") -> Schema:
    """Kubernetes' IntOrString."""
    either: Schema = {"anyOf": [{"type": "integer"}, {"type": "string"}], "x-kubernetes-int-or-string": True}
    return _said(either, description)


def texts(description: str = "") -> Schema:
    return _said({"type": "array", "items": text()}, description)


def text_map(description: str = "") -> Schema:
    return _said({"type": "object", "additionalProperties": text()}, description)


def flag_map(description: str = "") -> Schema:
    return _said({"type": "object", "additionalProperties": flag()}, description)


def many(items: Schema, description: str = "") -> Schema:
    """A list of such items."""
    return _said({"type": "array", "items": items}, description)


def anything(description: str = "") -> Schema:
    """Any JSON value, kept as it is."""
    return _said({"x-kubernetes-preserve-unknown-fields": True}, description)


def any_object(description: str = "") -> Schema:
    """Any JSON object, kept as it is."""
    return _said({"type": "object", "x-kubernetes-preserve-unknown-fields": True}, description)


def fields(properties: dict[str, Schema], *, required: tuple[str, ...] = (), description: str = "") -> Schema:
    """An object with those fields and no others."""
    schema: Schema = {"type": "object", "properties": properties}
    if required:
        schema["required"] = list(required)
    return _said(schema, description)


def label_selector(description: str = "") -> Schema:
    """Kubernetes' LabelSelector."""
    expression = fields({"key": text(), "operator": text(), "values": texts()}, required=("key", "operator"))
    return fields({"matchExpressions": many(expression), "matchLabels": text_map()}, description=description)


def _said(schema: Schema, description: str) -> Schema:
    return {"description": description, **schema} if description else schema
