"""Tables: what `kubectl get` asks for instead of objects, for built-in kinds and custom resources.

`render` makes a whole Table of objects, `partial` and `partial_list` what remains of them where only metadata is asked for.
"""

import contextlib
from collections.abc import Iterable, Sequence
from enum import StrEnum

from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.moment import parse
from kilde.core.basics.values import Json, Object, canonical
from kilde.kubeapi.resources.jsonpath import JsonPath, compiled
from kilde.kubeapi.resources.kinds import Resource
from kilde.kubeapi.resources.printers import DEFAULT, PRINTERS
from kilde.kubeapi.resources.printers.column import NAME, Cell, Column, Printer, human_duration

_META = "meta.k8s.io/v1"
_CUSTOM_TEXT = "Custom resource definition column (in JSONPath format): "


class Include(StrEnum):
    """What a row carries of its object (query parameter `includeObject`)."""

    NONE = "None"
    METADATA = "Metadata"
    OBJECT = "Object"


def printer_of(resource: Resource, sub_resource: str = "") -> Printer:
    """The printer of a built-in kind; the default one (Name, Created At) where it has none of its own."""
    if sub_resource == "scale":
        return PRINTERS["autoscaling", "Scale"]
    return PRINTERS.get((resource.group, resource.kind), DEFAULT)


def custom_printer(columns: Sequence[Object] | None) -> Printer:
    """The printer of a CRD version's `additionalPrinterColumns`; without any: Name and Age.

    A column whose jsonPath cannot be read, and those after it, are left out: a CRD may have such.
    """
    if not columns:
        age = {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp", "description": _AGE_TEXT}
        columns = (age,)
    found: list[Column] = []
    with contextlib.suppress(InvalidInput):
        found.extend(_custom_column(column) for column in columns)
    return Printer((NAME, *found))


_AGE_TEXT = (
    "CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in"
    " happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC."
)


def _custom_column(column: Object) -> Column:
    path, kind = str(column.get("jsonPath", "")), str(column.get("type", ""))
    return Column(
        str(column.get("name", "")),
        _custom_cell(compiled(path), kind),
        kind,
        int(column.get("priority") or 0),
        str(column.get("format") or ""),
        str(column.get("description") or f"{_CUSTOM_TEXT}{path}"),
    )


_MISSING = object()


def _custom_cell(path: JsonPath, kind: str) -> Cell:
    def cell(obj: Object, now: float) -> Json:
        found = path.first(obj, _MISSING)
        return None if found is _MISSING else _typed(found, kind, now)

    return cell


def _typed(value: Json, kind: str, now: float) -> Json:
    """A value as a column of this type shows it; None where it is of another type."""
    if kind == "string":
        return _text(value)
    if kind == "date":
        if not isinstance(value, str):
            return None
        moment = parse(value)
        return "<invalid>" if moment is None else human_duration(now - moment)
    if kind == "boolean":
        return value if isinstance(value, bool) else None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return int(value) if kind == "integer" else value if kind == "number" else None


def _text(value: Json) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return "<no value>"
    return canonical(value).decode()


def render(
    printer: Printer,
    objects: Iterable[Object],
    *,
    now: float,
    include: Include = Include.METADATA,
    metadata: Object | None = None,
    headers: bool = True,
) -> Object:
    """A Table of these objects. `now` is in seconds since the epoch; `metadata` is the list's (resourceVersion, continue, …).

    A watch sends the columns with its first event only: `headers=False` for the others.
    """
    columns = printer.columns
    table: Object = {"kind": "Table", "apiVersion": _META, "metadata": metadata or {}}
    table["columnDefinitions"] = [column.definition() for column in columns] if headers else None
    listed = objects if printer.order is None else sorted(objects, key=printer.order)
    rows = [_row(printer, obj, now, include) for obj in listed]
    table["rows"] = None if not rows and printer is DEFAULT else rows
    return table


def _row(printer: Printer, obj: Object, now: float, include: Include) -> Object:
    cells = [column.cell(obj, now) for column in printer.columns]
    row: Object = {"cells": [*cells, *(cell(obj, now) for cell in printer.beyond)]}
    conditions = printer.conditions(obj) if printer.conditions else None
    if conditions:
        row["conditions"] = conditions
    if include is Include.METADATA:
        row["object"] = partial(obj)
    else:
        row["object"] = obj if include is Include.OBJECT else None
    return row


def partial(obj: Object) -> Object:
    """What PartialObjectMetadata keeps of an object."""
    return {"kind": "PartialObjectMetadata", "apiVersion": _META, "metadata": obj.get("metadata") or {}}


def partial_list(objects: Iterable[Object], metadata: Object) -> Object:
    """A PartialObjectMetadataList; `metadata` is the list's."""
    items = [partial(obj) for obj in objects]
    return {"kind": "PartialObjectMetadataList", "apiVersion": _META, "metadata": metadata, "items": items or None}
