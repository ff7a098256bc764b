"""Records as the bytes of an answer: objects, Tables and PartialObjectMetadata, in the version that was asked for."""

from kilde.core.basics.values import Object
from kilde.kubeapi.call import Call
from kilde.kubeapi.interface import ApiError
from kilde.kubeapi.kinds import Kind
from kilde.kubeapi.logic import failures, negotiate
from kilde.kubeapi.logic.negotiate import Form
from kilde.kubeapi.logic.options import Query, first
from kilde.kubeapi.resources import tables
from kilde.kubeapi.resources.reading import unversioned
from kilde.kubeapi.resources.tables import Include
from kilde.kubeapi.serving.http import Response, answer, as_answer
from kilde.kubeapi.storage.records import Record


def one(status: int, call: Call, record: Record, form: Form, *, now: float, query: Query) -> Response:
    """One object as an answer."""
    if form == negotiate.PLAIN:
        found = as_answer(status, call.kind.written(record, call.subresource) + b"\n", form, call.warnings)
        found.version = record.version
        return found
    if call.kind.resource.custom and form.kind == "PartialObjectMetadataList":
        raise failures.unexplained("content is not a list")
    negotiate.check_shape(form, call.kind.resource.go, many=False)
    shown = call.kind.tabled if form.kind == "Table" else call.kind.presented
    obj = shown(record, call.subresource)
    if form.kind == "Table":
        version = {key: obj["metadata"][key] for key in ("resourceVersion",) if key in obj["metadata"]}
        value = table(
            call.kind, [obj], now=now, include=include_of(query), metadata=version, subresource=call.subresource
        )
    else:
        value = tables.partial(unversioned(call.kind.storage, obj)) if form.kind else obj
    return answer(status, in_version(value, form), form, call.warnings)


def in_version(value: Object, form: Form) -> Object:
    """A Table, or metadata alone, in the version that was asked for: they are the same in both."""
    version = f"meta.k8s.io/{form.version}"
    if not form.kind or version == value["apiVersion"]:
        return value
    made = {**value, "apiVersion": version}
    if value.get("rows"):
        made["rows"] = [{**row, "object": _in_version(row["object"], version)} for row in value["rows"]]
    if value.get("items"):
        made["items"] = [_in_version(one, version) for one in value["items"]]
    return made


def _in_version(obj: Object | None, version: str) -> Object | None:
    return {**obj, "apiVersion": version} if obj and obj["kind"] == "PartialObjectMetadata" else obj


def include_of(query: Query) -> Include:
    """What a Table's rows carry; 400 for an unknown word."""
    word = first(query, "includeObject")
    try:
        return Include(word or "Metadata")
    except ValueError as error:
        raise unknown_include(word) from error


_INCLUDED = "'Metadata', 'Object', 'None', or empty"


def unknown_include(word: str) -> ApiError:
    return failures.bad_request(
        f'Unable to convert to Table as requested: includeObject: Invalid value: "{word}": must be {_INCLUDED}'
    )


def table(
    kind: Kind,
    objects: list[Object],
    *,
    now: float,
    include: Include,
    metadata: Object,
    headers: bool = True,
    subresource: str = "",
) -> Object:
    """A Table of objects."""
    printer = kind.printer(subresource)
    if include is Include.METADATA:
        objects = [unversioned(kind.storage, obj) for obj in objects]
    made = tables.render(printer, objects, now=now, include=include, metadata=metadata, headers=headers)
    if include is Include.OBJECT and kind.conversion:
        for row, obj in zip(made["rows"] or (), objects, strict=True):
            row["object"] = kind.asked(obj)
    return made
