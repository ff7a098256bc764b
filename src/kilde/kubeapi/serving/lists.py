"""Lists as the bytes of an answer, put together a slice at a time: while a long one is made, others are served."""

import asyncio
from collections.abc import Iterator, Sequence

import msgspec

from kilde.core.basics.values import Object
from kilde.core.objects.yaml_writer import write_document
from kilde.kubeapi.call import Call
from kilde.kubeapi.kinds import Kind
from kilde.kubeapi.logic import negotiate
from kilde.kubeapi.logic.negotiate import Form
from kilde.kubeapi.logic.options import Query
from kilde.kubeapi.resources import protobuf_writer, tables
from kilde.kubeapi.resources.reading import unversioned
from kilde.kubeapi.serving.http import Response, as_answer, written
from kilde.kubeapi.serving.render import in_version, include_of, table
from kilde.kubeapi.storage.records import Record
from kilde.kubeapi.verbs.read import Page

_SLICE = 64 << 10  # bytes of stored objects that are read and written anew in one go: some two milliseconds in protobuf
_COPIED = 1 << 20  # … that are only copied
_MADE_AT_ONCE = 4  # so many long lists are in the making, and in memory twice; more of them wait
_encode = msgspec.json.Encoder().encode


class Lists:
    """Answers lists in every form."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(_MADE_AT_ONCE)

    async def answer(self, call: Call, page: Page, form: Form, *, now: float, query: Query) -> Response:
        """A list as an answer: stored bytes put together, where the form allows."""
        negotiate.check_shape(form, f"{call.kind.resource.go}List", many=True)
        making = _Making(call.kind, _metadata(call.kind, page, form), form, now, query)
        sizes = _COPIED if form == negotiate.PLAIN else _SLICE
        # what a printer orders (FlowSchemas, of which there are few) is in order as a whole
        slices = [page.records] if making.is_ordered else list(_slices(page.records, sizes))
        if len(slices) <= 1:
            return as_answer(200, making.whole(page.records), form, call.warnings)
        async with self._turns:
            parts = []
            for records in slices:
                parts.append(making.part(records))
                await asyncio.sleep(0)
            return as_answer(200, making.joined(parts), form, call.warnings)


def _slices(records: Sequence[Record], size: int) -> Iterator[Sequence[Record]]:
    """The records in runs of about so many bytes."""
    begin, held = 0, 0
    for at, record in enumerate(records):
        if held >= size:
            yield records[begin:at]
            begin, held = at, 0
        held += len(record.data)
    yield records[begin:]


def _metadata(kind: Kind, page: Page, form: Form) -> Object:
    metadata: Object = {"resourceVersion": str(page.version)} if page.version else {}
    if page.token:
        metadata["continue"] = page.token
        if page.remaining >= 0:
            metadata["remainingItemCount"] = page.remaining
    if kind.resource.custom and not form.kind:
        metadata.setdefault("continue", "")
    return metadata


class _Making:
    """How the records of one list are written: as a whole, or in parts that are joined to the same bytes."""

    def __init__(self, kind: Kind, metadata: Object, form: Form, now: float, query: Query) -> None:
        self._kind, self._metadata, self._form, self._now, self._query = kind, metadata, form, now, query
        self._field = "rows" if form.kind == "Table" else "items"

    @property
    def is_ordered(self) -> bool:
        """Whether the list is sorted otherwise than the records are."""
        return self._form.kind == "Table" and self._kind.printer().order is not None

    def whole(self, records: Sequence[Record]) -> bytes:
        """The list."""
        if self._form == negotiate.PLAIN:
            return self.joined([self.part(records)])
        return written(self._value(records), self._form)

    def part(self, records: Sequence[Record]) -> bytes:
        """The items of some records, as they are within the list."""
        if self._form == negotiate.PLAIN:
            return b",".join(_stored(self._kind, records))
        value = self._value(records)
        if self._form.media == negotiate.PROTOBUF:
            return protobuf_writer.items(value)
        items = value[self._field]
        if self._form.media == negotiate.YAML:
            return write_document({self._field: items}).partition("\n")[2].encode()
        return _encode(items)[1:-1]

    def joined(self, parts: Sequence[bytes]) -> bytes:
        """The list that has the items of these parts, of which there are some."""
        if self._form == negotiate.PLAIN:
            return b'%b,"items":[%b]}\n' % (_encode(self._head())[:-1], b",".join(parts))
        head = self._value(())
        if self._form.media == negotiate.PROTOBUF:
            return protobuf_writer.listed(head, parts)
        head[self._field] = []
        if self._form.media == negotiate.YAML:
            before, _, after = write_document(head).partition(f"\n{self._field}: []\n")  # no text begins a line
            return b"".join((f"{before}\n{self._field}:\n".encode(), *parts, after.encode()))
        return b"".join((_encode(head).removesuffix(b"]}"), b",".join(parts), b"]}\n"))

    def _head(self) -> Object:
        resource = self._kind.resource
        return {"kind": resource.list_kind_name, "apiVersion": resource.api_version, "metadata": self._metadata}

    def _value(self, records: Sequence[Record]) -> Object:
        """The list as a value; what it lists is its last field."""
        kind, form = self._kind, self._form
        shown = kind.tabled if form.kind == "Table" else kind.presented
        objects = [shown(record) for record in records]
        if form.kind == "Table":
            value = table(kind, objects, now=self._now, include=include_of(self._query), metadata=self._metadata)
        elif form.kind:
            value = tables.partial_list([unversioned(kind.storage, obj) for obj in objects], self._metadata)
        else:
            value = {**self._head(), "items": objects if kind.resource.custom else list(map(_without_type, objects))}
        return in_version(value, form)


def _without_type(obj: Object) -> Object:
    return {key: item for key, item in obj.items() if key not in ("apiVersion", "kind")}


def _stored(kind: Kind, records: Sequence[Record]) -> list[bytes]:
    """The items of a list. Built-in kinds are listed without apiVersion and kind, which every stored object begins with."""
    if kind.resource.custom:
        return [kind.written(record) for record in records]
    head = len(_encode({"apiVersion": kind.resource.api_version, "kind": kind.resource.kind}))
    return [b"{" + kind.written(record)[head:] for record in records]
