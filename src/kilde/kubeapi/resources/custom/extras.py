"""What a CRD says beside its schema: scale paths, printer columns, selectable fields."""

import re
from collections.abc import Iterator, Sequence

from kilde.core.basics.values import Json, Object
from kilde.kubeapi.resources.causes import Cause, duplicate, invalid, required, too_many
from kilde.kubeapi.resources.custom.definition import Schema

_TYPES = "boolean,date,integer,number,string"
_FORMATS = "byte,date,date-time,double,float,int32,int64,password"
_MOST_FIELDS = 8
_SELECTABLE = ("string", "boolean", "integer")
_NO_FIELD = "does not refer to a valid field"
_KIND_OF_FIELD = (
    "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed."
)


def check_scale(scale: Json, at: str) -> Iterator[Cause]:
    """Where a custom resource keeps what a Scale shows."""
    if scale is None:
        return
    for key, roots, needed, where in (
        ("specReplicasPath", (".spec.",), True, ".spec"),
        ("statusReplicasPath", (".status.",), True, ".status"),
        ("labelSelectorPath", (".spec.", ".status."), False, "either .spec or .status"),
    ):
        path = scale.get(key) or ""
        if not path:
            if needed:
                yield required(f"{at}.{key}")
        elif not path.startswith("."):
            yield invalid(f"{at}.{key}", path, "must be a simple json path starting with .")
        elif not path.startswith(roots):
            yield invalid(f"{at}.{key}", path, f"should be a json path under {where}")


def check_column(column: Object, at: str) -> Iterator[Cause]:
    """One of additionalPrinterColumns; whether its path can be read is seen when a table is printed."""
    kind, form, path = column.get("type") or "", column.get("format") or "", column.get("jsonPath") or ""
    if not column.get("name"):
        yield required(f"{at}.name")
    if not kind:
        yield required(f"{at}.type", f"must be one of {_TYPES}")
    elif kind not in _TYPES.split(","):
        yield invalid(f"{at}.type", kind, f"must be one of {_TYPES}")
    if form and form not in _FORMATS.split(","):
        yield invalid(f"{at}.format", form, f"must be one of {_FORMATS}")
    if not path:
        yield required(f"{at}.JSONPath")
    elif not path.startswith("."):
        yield invalid(f"{at}.JSONPath", path, "must be a simple json path starting with .")


def check_selectable(fields: Sequence[Object], schema: Schema | None, at: str) -> Iterator[Cause]:
    """The fields that field selectors may name: of the schema, scalar, each once, eight at most."""
    if fields and schema is None:
        yield invalid(at, "", "may only be set when validations.schema is included")
        return
    seen: set[str] = set()
    for index, field in enumerate(fields):
        path, where = field.get("jsonPath") or "", f"{at}[{index}].jsonPath"
        if not path:
            yield required(where)
            continue
        found = _found(path, schema or {})
        if isinstance(found, str):
            yield invalid(where, path, f"is an invalid path: {found}")
            continue
        if path.lstrip(".").partition(".")[0] == "metadata":
            yield invalid(where, path, "must not point to fields in metadata")
        if found.get("type") not in _SELECTABLE:
            yield invalid(where, path, _KIND_OF_FIELD)
        if path in seen:
            yield duplicate(where, path)
        seen.add(path)
    if len(seen) > _MOST_FIELDS:
        yield too_many(at, len(seen), _MOST_FIELDS)


def _found(path: str, schema: Schema) -> Schema | str:
    """The schema that a path of names leads to; else what is wrong with the path."""
    tokens = re.findall(r"[.\[\]]|[^.\[\]]+", path)
    at = 0
    while at < len(tokens):
        if tokens[at] == "[":
            return "array notation is not allowed"
        if tokens[at] != ".":
            return f"expected [ or . but got: {tokens[at]}"
        if at + 1 == len(tokens):
            return "unexpected end of JSON path"
        name, properties = tokens[at + 1], schema.get("properties") or {}
        if name not in properties:
            return _NO_FIELD
        schema, at = properties[name] or {}, at + 2
    return schema
