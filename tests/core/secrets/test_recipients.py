"""Values for several recipients: each of them opens, and nothing that decides about the Secret can be changed, moved or swapped."""

import copy
import os
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.secrets.keys_at_hand import private
from kilde.core.basics.errors import InvalidInput
from kilde.core.secrets import base64, documents, recipients, sealed_value, templates
from kilde.core.secrets.opening import DoesNotOpen, open_sealed, open_values
from kilde.core.secrets.resealing import resealed
from kilde.core.secrets.scope import Scope
from kilde.core.secrets.sealing import Sealer, prepared

BOUND = b"context"
A, B, C = (private(number).public_key() for number in range(3))
SEALER = Sealer(A, os.urandom, others=[B])
Change = Callable[[dict[str, Any]], Any]


def blob(value: bytes = b"value", *keys: Any) -> bytes:
    return recipients.seal(value, keys or (A, B), BOUND, content_key=os.urandom(32), nonce=os.urandom(12))


def sealed(values: dict[str, str], scope: Scope = Scope.STRICT) -> dict[str, Any]:
    metadata = {"name": "db", "namespace": "shop", "labels": {"a": "b"}, "annotations": {"note": "x"}}
    body = {"kind": "Secret", "apiVersion": "v1", "metadata": metadata, "stringData": values, "type": "Opaque"}
    ready = prepared(body, about="x", namespace=str, scope=scope)
    return documents.sealed_secret(SEALER.sealed(ready, about="x"), about="x")


@given(value=st.binary(max_size=300), number=st.integers(0, 1))
@settings(max_examples=20, deadline=None)
def test_each_recipient_opens_it_and_nobody_else(value: bytes, number: int) -> None:
    made = blob(value)
    assert recipients.open_blob(made, [private(2), private(number)], BOUND) == (value, private(number))
    with pytest.raises(recipients.CannotOpenBound):
        recipients.open_blob(made, [private(2)], BOUND)
    assert recipients.recipients(made) == (recipients.key_id(A), recipients.key_id(B))


@given(data=st.data())
@settings(max_examples=80, deadline=None)
def test_no_bit_of_what_a_recipient_needs_can_be_changed(data: st.DataObject) -> None:
    made = bytearray(blob(b"value", A))
    at = data.draw(st.integers(0, len(made) - 1))
    made[at] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(sealed_value.CannotOpen):
        recipients.open_blob(bytes(made), [private()], BOUND)


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_it_opens_neither_cut_nor_as_noise(data: st.DataObject) -> None:
    made = blob()
    cut = made[: data.draw(st.integers(0, len(made) - 1))]
    noise = made[: data.draw(st.integers(0, 8))] + data.draw(st.binary(max_size=40))
    for spoilt in (cut, noise):
        with pytest.raises(sealed_value.CannotOpen):
            recipients.open_blob(spoilt, [private(), private(1)], BOUND)


def test_a_reader_of_the_common_format_opens_nothing() -> None:
    for made in (blob(), blob(bytes(70_000))):
        with pytest.raises(sealed_value.CannotOpen):
            sealed_value.open_blob(made, [private(), private(1)], BOUND)


@pytest.mark.parametrize("scope", list(Scope))
def test_an_object_opens_with_either_key_and_is_marked(scope: Scope) -> None:
    made = sealed({"a": "one", "b": ""}, scope)
    assert made["metadata"]["annotations"]["kilde.dev/sealed-format"] == "recipients/v1"
    for number in (0, 1):
        assert open_values(made, [private(number)]).values == {"a": b"one", "b": b""}
        secret = open_sealed(made, [private(number)], templates.render)
        assert secret["metadata"]["labels"] == {"a": "b"}
        assert "kilde.dev/sealed-format" not in secret["metadata"]["annotations"]


def put(*path: str, value: Any) -> Change:
    def change(made: dict[str, Any]) -> None:
        for step in path[:-1]:
            made = made.setdefault(step, {})
        made[path[-1]] = value

    return change


def swap(made: dict[str, Any]) -> None:
    items = made["spec"]["encryptedData"]
    items["a"], items["b"] = items["b"], items["a"]


def renamed_item(made: dict[str, Any]) -> None:
    items = made["spec"]["encryptedData"]
    items["c"] = items.pop("a")


TEMPLATE = ("spec", "template")
WIDE = "sealedsecrets.bitnami.com/namespace-wide"
CHANGES: dict[str, Change] = {
    "items swapped": swap,
    "an item renamed": renamed_item,
    "the name": put("metadata", "name", value="other"),
    "the namespace": put("metadata", "namespace", value="other"),
    "the scope": put("metadata", "annotations", WIDE, value="true"),
    "the type": put(*TEMPLATE, "type", value="kubernetes.io/basic-auth"),
    "immutable": put(*TEMPLATE, "immutable", value=True),
    "a template text": put(*TEMPLATE, "data", value={"url": "{{ .a }}"}),
    "a label": put(*TEMPLATE, "metadata", "labels", "a", value="c"),
    "a new label": put(*TEMPLATE, "metadata", "labels", "more", value=""),
    "an annotation": put(*TEMPLATE, "metadata", "annotations", "note", value="y"),
    "the mark": lambda made: made["metadata"]["annotations"].pop(recipients.MARK),
}


@pytest.mark.parametrize("what", CHANGES)
def test_nothing_that_decides_can_be_changed(what: str) -> None:
    made = sealed({"a": "one", "b": "two"})
    changed = copy.deepcopy(made)
    CHANGES[what](changed)
    with pytest.raises(DoesNotOpen, match="no key could decrypt secret"):
        open_sealed(documents.sealed_secret(changed, about="x"), [private(), private(1)], templates.render)


@given(one=st.data())
@settings(max_examples=25, deadline=None)
def test_an_item_opens_in_its_own_place_alone(one: st.DataObject) -> None:
    scopes, names = st.sampled_from(list(Scope)), st.sampled_from(["x", "y", "x/y"])
    here, there = (one.draw(st.tuples(scopes, names, names, st.sampled_from(["a", "b"]))) for _ in range(2))

    def place(scope: Scope, namespace: str, name: str, item: str) -> tuple[dict[str, Any], str]:
        wide = {f"sealedsecrets.bitnami.com/{scope}": "true"} if scope is not Scope.STRICT else {}
        metadata = {"name": name, "namespace": namespace, "annotations": {**wide, recipients.MARK: recipients.MARKED}}
        return {"metadata": metadata, "spec": {"template": {"metadata": {}}, "encryptedData": {}}}, item

    def same(a: Any, b: Any) -> bool:
        bound = {Scope.STRICT: (1, 2), Scope.NAMESPACE_WIDE: (1,), Scope.CLUSTER_WIDE: ()}[a[0]]
        return bool(a[0] == b[0] and a[3] == b[3] and all(a[at] == b[at] for at in bound))

    text = SEALER.item(*place(*here), b"v")
    obj, item = place(*there)
    obj["spec"]["encryptedData"][item] = text
    if same(here, there):
        assert open_values(obj, [private(1)]).values == {item: b"v"}
    else:
        with pytest.raises(DoesNotOpen):
            open_values(obj, [private(), private(1)])


def test_what_the_server_adds_changes_nothing() -> None:
    made = sealed({"a": "one"})
    made["metadata"] |= {
        "uid": "u",
        "resourceVersion": "1",
        "labels": {"x": "y"},
        "creationTimestamp": "2026-01-01T00:00:00Z",
    }
    made["spec"]["template"]["metadata"]["creationTimestamp"] = None
    made["metadata"]["annotations"]["more"] = "1"
    assert open_values(made, [private()]).values == {"a": b"one"}


def test_a_common_value_does_not_open_in_a_marked_object() -> None:
    made = sealed({"a": "one"})
    made["spec"]["encryptedData"]["a"] = Sealer(A, os.urandom).text(b"x", b"shop/db")
    with pytest.raises(DoesNotOpen):
        open_values(made, [private()])


def test_sealed_anew_the_other_recipient_stays() -> None:
    made = sealed({"a": "one"})
    again = {**made, **resealed(made, [private()], Sealer(C, os.urandom))}
    typed = documents.sealed_secret(again, about="x")
    for number, opens in ((0, False), (1, True), (2, True)):
        if opens:
            assert open_values(typed, [private(number)]).values == {"a": b"one"}
        else:
            with pytest.raises(DoesNotOpen):
                open_values(typed, [private(number)])
    (text,) = typed["spec"]["encryptedData"].values()
    assert recipients.recipients_of_text(text) == (recipients.key_id(C), recipients.key_id(B))
    kept = Sealer(A, os.urandom).anew(typed, "a", b"", private(2), keep=True)
    ids = [recipients.key_id(key) for key in (C, B, A)]
    assert recipients.recipients_of_text(kept) == tuple(ids)
    once = base64.decode(kept)
    bound = recipients.context(typed, "a")
    assert recipients.rewrapped(once, private(), bound, to=A, keep=True) == once  # it has it already


def test_one_certificate_twice_is_one_recipient_and_too_many_are_refused() -> None:
    assert list(Sealer(A, os.urandom, others=[A]).keys) == [recipients.key_id(A)]
    with pytest.raises(InvalidInput, match="65 certificates are too many"):
        Sealer(A, os.urandom, others=_other_keys(recipients.MOST))


def _other_keys(count: int) -> list[Any]:
    """Public keys that differ; nobody has the private ones."""
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers

    numbers = A.public_numbers()
    return [RSAPublicNumbers(numbers.e, numbers.n + 2 * step).public_key() for step in range(1, count + 1)]
