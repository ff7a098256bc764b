"""Converter: what a conversion webhook is asked, what is kept of its answers, and whole requests over it without a real server beside."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from kilde.kubeapi.interface import ApiError
from kilde.kubeapi.webhooks.conversion import Converter
from kilde.kubeapi.webhooks.questions import Question, Reply, Waits
from kilde.kubeapi.webhooks.settling import settled

V1, V2 = "e.com/v1", "e.com/v2"
VERSIONS = frozenset((V1, V2))


def thing(name: str, version: str = V1, size: int = 0) -> bytes:
    body = {"apiVersion": version, "kind": "T", "metadata": {"name": name, "uid": name}, "spec": {"pad": "x" * size}}
    return json.dumps(body).encode()


def converter(*reviews: str) -> Converter:
    client = {"clientConfig": {"url": "https://h/x"}, "conversionReviewVersions": list(reviews or ("v1",))}
    return Converter(client, VERSIONS, lambda service, host: ("", "nowhere"))


class Answering:
    """A webhook that turns each object into the version wanted, and remembers how many it was asked about at once."""

    def __init__(self, change: Callable[[dict[str, Any]], Any] = lambda obj: obj) -> None:
        self.change = change
        self.asked: list[int] = []

    async def ask(self, question: Question) -> Reply:
        request = question.review["request"]
        self.asked.append(len(request["objects"]))
        made = [self.change({**obj, "apiVersion": request["desiredAPIVersion"]}) for obj in request["objects"]]
        response = {"uid": request["uid"], "convertedObjects": made, "result": {"status": "Success"}}
        return Reply({"apiVersion": question.review["apiVersion"], "kind": "ConversionReview", "response": response})


async def converted(one: Converter, webhook: Answering, *objects: bytes) -> list[dict[str, Any]]:
    return [json.loads(each) for each in await settled(webhook, lambda: one.converted(objects, V2))]


@pytest.mark.anyio
async def test_all_objects_are_asked_for_at_once_and_only_once() -> None:
    one, webhook = converter(), Answering()
    found = await converted(one, webhook, thing("a"), thing("b"), thing("a"))
    again = await converted(one, webhook, thing("b"), thing("c"))

    assert [(each["metadata"]["name"], each["apiVersion"]) for each in found] == [("a", V2), ("b", V2), ("a", V2)]
    assert [each["metadata"]["name"] for each in again] == ["b", "c"]
    assert webhook.asked == [2, 1]


@pytest.mark.anyio
async def test_a_review_has_bounds_and_so_has_what_is_kept() -> None:
    one, webhook = converter(), Answering()
    many = [thing(str(number)) for number in range(501)]
    large = [thing(f"l{number}", size=600_000) for number in range(3)]
    await converted(one, webhook, *many)
    await converted(one, webhook, *large)
    assert webhook.asked == [500, 1, 1, 1, 1]

    heaps = [thing(f"h{number}", size=900_000) for number in range(40)]  # more than is kept at all
    assert len(await converted(one, webhook, *heaps)) == len(heaps)
    await converted(one, webhook, thing("room"))  # makes it
    before = len(webhook.asked)
    await converted(one, webhook, many[0])
    assert webhook.asked[before:] == [1]


@pytest.mark.anyio
async def test_metadata_is_the_servers_but_for_labels_and_annotations() -> None:
    def change(obj: dict[str, Any]) -> dict[str, Any]:
        return {**obj, "metadata": {**obj["metadata"], "labels": {"a": "b"}, "finalizers": ["x.y/z"]}}

    (found,) = await converted(converter("v1beta1"), Answering(change), thing("a"))
    assert found["metadata"] == {"name": "a", "uid": "a", "labels": {"a": "b"}}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda obj: None, "returned invalid object at index 0: invalid groupVersion (expected e.com/v2, received )"),
        (lambda obj: {**obj, "kind": "U"}, "returned invalid object at index 0: invalid kind (expected T, received U)"),
        (
            lambda obj: {**obj, "metadata": {"name": "b", "uid": "a"}},
            "returned invalid object: must have the same name: a != b",
        ),
        (
            lambda obj: {**obj, "metadata": {**obj["metadata"], "labels": {"x": 1}}},
            "returned invalid metadata: metadata.labels[x] must be a string, but is int64 in converted object",
        ),
    ],
)
@pytest.mark.anyio
async def test_what_is_not_the_object_is_refused(change: Callable[[dict[str, Any]], Any], words: str) -> None:
    with pytest.raises(ApiError) as refused:
        await converted(converter(), Answering(change), thing("a"))
    assert (refused.value.status, refused.value.message) == (500, f"conversion webhook for {V1}, Kind=T {words}")


def test_a_version_that_is_gone_is_not_asked_for() -> None:
    with pytest.raises(ApiError, match=r"request to convert CR from an invalid group/version: e\.com/v0"):
        converter().converted([thing("a", "e.com/v0")], V2)
    with pytest.raises(Waits):
        converter().converted([thing("a")], V2)
