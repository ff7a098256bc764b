"""Long lists: made a slice at a time, with room for others in between, to the bytes of one that is written as a whole."""

import asyncio
import zlib
from collections.abc import Coroutine
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from kilde.kubeapi.call import Call
from kilde.kubeapi.kinds import Kind, Kinds
from kilde.kubeapi.logic.negotiate import JSON, PROTOBUF, YAML, Form
from kilde.kubeapi.resources.catalog import Catalog
from kilde.kubeapi.serving.http import Response, written
from kilde.kubeapi.serving.lists import Lists
from kilde.kubeapi.serving.render import include_of, table
from kilde.kubeapi.storage.records import Key, Record
from kilde.kubeapi.verbs.read import Page

NOW = 1_800_000_000.0
FORMS = [
    Form(media, kind, "v1" if kind else "")
    for media in (JSON, YAML, PROTOBUF)
    for kind in ("", "Table", "PartialObjectMetadataList")
    if (media, kind) != (PROTOBUF, "Table")
]


def config_maps() -> Kind:
    kind = Kinds(Catalog(), {}).named("configmaps")
    assert kind is not None
    return kind


def page(count: int, size: int) -> Page:
    """Some ConfigMaps, of which one has a line that looks like the place of a list's items."""
    text = "x" * size + "\nitems: []\nrows: []\n"
    records = []
    for number in range(count):
        name, version = f"c{number:05}", number + 1
        metadata = {"name": name, "namespace": "n", "uid": f"u{number}", "resourceVersion": str(version)}
        obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"a": text}}
        records.append(Record(Key("configmaps", "n", name), version, msgspec.json.encode(obj), None))
    return Page(records, count, "more", 7)


def driven(making: Coroutine[Any, Any, Response]) -> tuple[Response, int]:
    """The answer, and how often others could have been served before it."""
    turns = 0
    while True:
        try:
            making.send(None)
        except StopIteration as ended:
            return ended.value, turns
        turns += 1


def as_a_whole(kind: Kind, listed: Page, form: Form) -> bytes:
    metadata = {"resourceVersion": str(listed.version), "continue": listed.token, "remainingItemCount": 7}
    objects = [record.object() for record in listed.records]
    if form.kind == "Table":
        return written(table(kind, objects, now=NOW, include=include_of({}), metadata=metadata), form)
    if form.kind:
        head = {"kind": form.kind, "apiVersion": "meta.k8s.io/v1", "metadata": metadata}
        one = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1"}
        return written({**head, "items": [{**one, "metadata": obj["metadata"]} for obj in objects]}, form)
    items = [{"metadata": obj["metadata"], "data": obj["data"]} for obj in objects]
    return written({"kind": "ConfigMapList", "apiVersion": "v1", "metadata": metadata, "items": items}, form)


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_a_long_list_lets_others_in_and_is_the_same_bytes(form: Form) -> None:
    kind, listed = config_maps(), page(240, 10_000)
    answer, turns = driven(Lists().answer(Call(kind), listed, form, now=NOW, query={}))

    assert answer.body == as_a_whole(kind, listed, form)
    assert turns >= (2 if form == Form() else 30)  # stored bytes are only copied, and may be more at once


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_a_short_list_is_made_at_once(form: Form) -> None:
    kind, listed = config_maps(), page(3, 10)
    answer, turns = driven(Lists().answer(Call(kind), listed, form, now=NOW, query={}))

    assert (answer.body, turns) == (as_a_whole(kind, listed, form), 0)


def test_few_long_lists_are_in_memory_at_once() -> None:
    lists, listed = Lists(), page(40, 10_000)
    made = [lists.answer(Call(config_maps()), listed, Form(PROTOBUF), now=NOW, query={}) for _ in range(12)]
    ended: list[int] = []

    async def one(number: int) -> None:
        await made[number]
        ended.append(number)

    async def all_of_them() -> None:
        await asyncio.gather(*map(one, range(12)))

    asyncio.run(all_of_them())
    assert [set(ended[at : at + 4]) for at in (0, 4, 8)] == [set(range(at, at + 4)) for at in (0, 4, 8)]


def test_a_long_body_is_packed_a_piece_at_a_time() -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    body = b"0123456789abcdef" * (1 << 17)
    request: Any = SimpleNamespace(headers={"accept-encoding": "gzip"}, method="GET")
    packing: Any = Response(200, body).send(request, send)
    _, turns = driven(packing)

    assert zlib.decompress(sent[1]["body"], 31) == body
    assert turns >= 4
