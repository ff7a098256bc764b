"""Causes: what is wrong with an object, field by field, in the words of Kubernetes' field errors (apimachinery's util/validation/field)."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kilde.core.basics.values import Json, Object

NO_FIELD = "<nil>"


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that is wrong: the field's path, a machine-readable reason, and the message without the path."""

    field: str
    reason: str
    message: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"

    def as_json(self) -> Object:
        """As `details.causes` of a Status holds it."""
        return {"reason": self.reason, "message": self.message, "field": self.field}

    @property
    def blocks_rules(self) -> bool:
        """Whether CEL rules are not evaluated on an object with such a cause (apiextensions' hasBlockingErr)."""
        return self.reason in _BLOCKING


_BLOCKING = frozenset(
    {
        "FieldValueNotSupported",
        "FieldValueRequired",
        "FieldValueTooLong",
        "FieldValueTooMany",
        "FieldValueTypeInvalid",
    }
)


class Struct(dict[str, Json]):
    """An object that the server knows as a Go struct: messages show its fields in this order; those of maps are sorted."""


def shown(value: Json) -> str:
    """A value as messages show it: JSON as Go writes it."""
    text = json.dumps(_in_order(value), ensure_ascii=False, separators=(",", ":"))
    return (
        text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
        if isinstance(value, (dict, list))
        else text
    )


def _in_order(value: Json) -> Json:
    if isinstance(value, dict):
        keys = value if isinstance(value, Struct) else sorted(value)
        return {key: _in_order(value[key]) for key in keys}
    return [_in_order(one) for one in value] if isinstance(value, list) else value


def _with(head: str, detail: str) -> str:
    return f"{head}: {detail}" if detail else head


class Tolerated(Cause):
    """What is wrong and was so before: it is warned of, and not refused."""


def required(field: str, detail: str = "") -> Cause:
    """Something must be there."""
    return Cause(field, "FieldValueRequired", _with("Required value", detail))


def invalid(field: str, value: Json, detail: str) -> Cause:
    """A value breaks a rule."""
    return Cause(field, "FieldValueInvalid", _with(f"Invalid value: {shown(value)}", detail))


def internal(field: str, detail: str) -> Cause:
    """The server cannot do its part."""
    return Cause(field, "InternalError", f"Internal error: {detail}")


def invalid_unshown(field: str, detail: str) -> Cause:
    """Something as a whole breaks a rule: its value is not told."""
    return Cause(field, "FieldValueInvalid", f"Invalid value: {detail}")


def type_invalid(field: str, value: Json, detail: str) -> Cause:
    """A value is of the wrong type."""
    return Cause(field, "FieldValueTypeInvalid", _with(f"Invalid value: {shown(value)}", detail))


def not_supported(field: str, value: Json, supported: Sequence[str]) -> Cause:
    """A value is none of the few there are; they are named in the given order."""
    words = ", ".join(shown(word) for word in supported)
    return Cause(
        field,
        "FieldValueNotSupported",
        f"Unsupported value: {shown(value)}" + (f": supported values: {words}" if words else ""),
    )


def duplicate(field: str, value: Json) -> Cause:
    """A value is there twice."""
    return Cause(field, "FieldValueDuplicate", f"Duplicate value: {shown(value)}")


def forbidden(field: str, detail: str) -> Cause:
    """Something may not be there, or not be changed."""
    return Cause(field, "FieldValueForbidden", _with("Forbidden", detail))


def not_found(field: str, value: Json, detail: str = "") -> Cause:
    """A name refers to nothing."""
    return Cause(field, "FieldValueNotFound", _with(f"Not found: {shown(value)}", detail))


def too_long(field: str, most: int) -> Cause:
    """A text has more bytes than allowed."""
    return Cause(field, "FieldValueTooLong", f"Too long: may not be more than {most} bytes")


def too_many(field: str, count: int, most: int) -> Cause:
    """A list or map has more items than allowed."""
    return Cause(field, "FieldValueTooMany", f"Too many: {count}: must have at most {most} items")


def invalid_message(group: str, kind: str, name: str, causes: Iterable[Cause]) -> str:
    """The message of a 422: `Kind.group "name" is invalid: field: …`, several in brackets, each once."""
    texts = list(dict.fromkeys(str(cause) for cause in causes))
    what = f"{kind}.{group}" if group else kind
    return f'{what} "{name}" is invalid: ' + (texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]")


def invalid_status(group: str, kind: str, name: str, causes: Sequence[Cause]) -> Object:
    """The Status of a 422 that names these causes."""
    details: Object = {"name": name, "kind": kind, "causes": [cause.as_json() for cause in causes]}
    if group:
        details["group"] = group
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": invalid_message(group, kind, name, causes),
        "reason": "Invalid",
        "details": details,
        "code": 422,
    }
