"""SealedSecrets as objects: made, opened, merged, sealed anew; and what becomes of the Secret that is there."""

import base64
import json
import os
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from core.secrets.keys_at_hand import NOW, private, sealing_key
from kilde.core.basics.errors import InvalidInput
from kilde.core.secrets import documents, json_text, keys, templates
from kilde.core.secrets.condition import status_after
from kilde.core.secrets.opening import DoesNotOpen, open_sealed
from kilde.core.secrets.resealing import resealed
from kilde.core.secrets.scope import Scope
from kilde.core.secrets.sealing import Sealer, merged, prepared
from kilde.core.secrets.taking_over import comes_back, same, wanted

SEALER = Sealer(private().public_key(), os.urandom)
TRUE = {"sealedsecrets.bitnami.com/cluster-wide": "true"}


def secret(**more: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db", "namespace": "shop"}, **more}


def seal(body: dict[str, Any], **more: Any) -> dict[str, Any]:
    ready = prepared(body, about="in", namespace=lambda: "inferred", **more)
    return SEALER.sealed(ready, about="in")


def opened(sealed: dict[str, Any], *, number: int = 0) -> dict[str, Any]:
    return open_sealed(documents.sealed_secret(sealed, about="x"), [private(number)], templates.render)


def data_of(body: dict[str, Any]) -> dict[str, str]:
    return {key: base64.b64decode(value).decode() for key, value in body.get("data", {}).items()}


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=20), min_size=1, max_size=3), st.sampled_from(list(Scope)))
@settings(max_examples=20, deadline=None)
def test_what_is_sealed_comes_out_again(values: dict[str, str], scope: Scope) -> None:
    found = opened(json.loads(json_text.write(seal(secret(stringData=values), scope=scope))))

    assert data_of(found) == values


def test_a_sealed_secret_has_the_shape_that_kubeseal_gives_it() -> None:
    labelled = {"name": "db", "namespace": "shop", "uid": "u", "labels": {"a": "b"}, "annotations": dict(TRUE)}
    last = {"kubectl.kubernetes.io/last-applied-configuration": "the plain values"}
    labelled["annotations"] |= last
    found = seal(secret(metadata=labelled, type="Opaque", immutable=True, data={"k": "dg=="}))
    found["spec"]["encryptedData"] = sorted(found["spec"]["encryptedData"])

    assert found == {
        "kind": "SealedSecret",
        "apiVersion": "bitnami.com/v1alpha1",
        "metadata": {"name": "db", "namespace": "shop", "creationTimestamp": None, "annotations": TRUE},
        "spec": {
            "template": {
                "metadata": {
                    "name": "db",
                    "namespace": "shop",
                    "creationTimestamp": None,
                    "labels": {"a": "b"},
                    "annotations": TRUE,
                },
                "type": "Opaque",
                "immutable": True,
            },
            "encryptedData": ["k"],
        },
    }


def test_a_namespace_is_asked_for_only_where_it_is_needed() -> None:
    bare = secret(metadata={"name": "db"}, stringData={"k": "v"})

    assert seal(bare)["metadata"]["namespace"] == "inferred"
    assert "namespace" not in seal(bare, scope=Scope.CLUSTER_WIDE)["metadata"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (secret(), "secret.data is empty in input Secret"),
        (secret(metadata={}, stringData={"k": "v"}), "missing metadata.name in input Secret"),
        (secret(kind="ConfigMap", data={"k": "v"}), "not a Secret"),
        (secret(stringData={"k": 5}), "in: stringData.k: must be a text, not a whole number"),
        (secret(data={"k": "!"}), "in: data.k: illegal base64 data at input byte 0"),
        (secret(data=["k"]), "in: data: must be a map, not a list"),
        (secret(metadata={"name": "db", "labels": {"a": True}}, data={"k": ""}), "must be a text, not true or false"),
    ],
)
def test_what_cannot_be_sealed_is_refused_without_its_value(body: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        seal(body)

    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"metadata": {"name": "other", "namespace": "shop"}}, "no key could decrypt secret (a, b)"),
        ({"metadata": {"name": "db", "namespace": "other"}}, "no key could decrypt secret (a, b)"),
        ({"metadata": {"name": "db", "namespace": "shop", "annotations": TRUE}}, "no key could decrypt secret (a, b)"),
    ],
)
def test_a_moved_or_renamed_object_does_not_open(change: dict[str, Any], message: str) -> None:
    sealed = {**seal(secret(stringData={"a": "1", "b": "2"})), **change}

    with pytest.raises(DoesNotOpen) as caught:
        opened(sealed)
    assert caught.value.what == message


def test_each_different_error_has_a_line() -> None:
    sealed = seal(secret(stringData={"a": "1", "b": "2", "c": "3"}))
    sealed["spec"]["encryptedData"] |= {"b": "AgB!!", "c": ""}

    with pytest.raises(DoesNotOpen) as caught:
        opened(sealed)
    words = "illegal base64 data at input byte 3 (b)\nno key could decrypt secret (c)"
    assert caught.value.what == words


def test_the_old_form_opens_unless_it_is_refused() -> None:
    from kilde.core.secrets.sealed_value import seal as seal_value

    held = json.dumps(secret(type="Opaque", data={"k": "dg=="})).encode()
    blob = seal_value(held, private().public_key(), b"shop/db", session_key=bytes(32))
    old = {
        "apiVersion": "bitnami.com/v1alpha1",
        "kind": "SealedSecret",
        "metadata": {"name": "db", "namespace": "shop"},
        "spec": {"data": base64.b64encode(blob).decode(), "encryptedData": {}},
    }
    typed = documents.sealed_secret(old, about="x")

    assert data_of(opened(old)) == {"k": "v"}
    with pytest.raises(DoesNotOpen, match="deprecated 'data' field"):
        open_sealed(typed, [private()], templates.render, old_form=False)


def test_merging_adds_items_labels_and_annotations_and_keeps_the_rest() -> None:
    into = seal(secret(type="x", stringData={"a": "1", "b": "2"}))
    update = seal(
        secret(metadata={"name": "db", "namespace": "shop", "labels": {"l": "1"}}, stringData={"b": "3", "c": "4"})
    )

    found = opened(merged(into, update))

    assert data_of(found) == {"a": "1", "b": "3", "c": "4"}
    assert (found["type"], found["metadata"]["labels"]) == ("x", {"l": "1"})


def test_sealing_anew_changes_the_values_texts_and_nothing_else() -> None:
    before = seal(
        secret(metadata={"name": "db", "namespace": "shop", "annotations": dict(TRUE)}, stringData={"a": "1"})
    )
    before["metadata"] |= {"labels": {"mine": "1"}, "uid": "u", "resourceVersion": "7"}
    before["spec"]["template"]["data"] = {"url": "pg://{{ .a }}"}
    after = resealed(
        documents.sealed_secret(before, about="x"), [private()], Sealer(private(1).public_key(), os.urandom)
    )

    assert after["metadata"]["labels"] == {"mine": "1"}
    assert after["metadata"]["annotations"] == TRUE
    assert "uid" not in after["metadata"]
    assert after["spec"]["template"]["data"] == {"url": "pg://{{ .a }}"}
    whole = {"apiVersion": "bitnami.com/v1alpha1", "kind": "SealedSecret", **after}
    assert data_of(opened(whole, number=1)) == {"a": "1", "url": "pg://1"}


def live(owner: str = "", **annotations: str) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": "db", "namespace": "shop", "resourceVersion": "5", "finalizers": ["f"]}
    if owner:
        metadata["ownerReferences"] = [{"uid": owner, "controller": True, "kind": "SealedSecret"}]
    if annotations:
        metadata["annotations"] = {f"sealedsecrets.bitnami.com/{key.replace('_', '-')}": "true" for key in annotations}
    return secret(metadata=metadata, data={"mine": "MQ=="}, type="Opaque")


def made(**template: str) -> tuple[dict[str, Any], dict[str, Any]]:
    annotations = {f"sealedsecrets.bitnami.com/{key.replace('_', '-')}": "true" for key in template}
    body = secret(metadata={"name": "db", "namespace": "shop", "annotations": annotations}, stringData={"k": "v"})
    sealed = documents.sealed_secret({**seal(body)}, about="x")
    sealed["metadata"]["uid"] = "u1"
    return open_sealed(sealed, [private()], templates.render), sealed


@pytest.mark.parametrize(
    ("there", "template", "data"),
    [
        (live("u1"), {}, {"k": "dg=="}),
        (live("u2"), {}, None),
        (live(), {}, None),
        (live(managed="true"), {}, {"k": "dg=="}),
        (live(patch="true"), {}, {"mine": "MQ==", "k": "dg=="}),
        (live(patch="true", managed="true"), {}, {"mine": "MQ==", "k": "dg=="}),
        (live(skip_set_owner_references="true"), {"skip_set_owner_references": "true"}, {"k": "dg=="}),
        (live(skip_set_owner_references="true"), {}, None),
    ],
)
def test_a_secret_that_is_there_is_replaced_merged_or_left(
    there: dict[str, Any], template: dict[str, str], data: dict[str, str] | None
) -> None:
    goal = wanted(there, *made(**template))

    assert (goal and goal["data"]) == data
    if goal:
        assert (goal["metadata"]["resourceVersion"], goal["metadata"]["finalizers"]) == ("5", ["f"])
        again = wanted(goal, *made(**template))
        assert again is None or same(goal, again)


def test_only_secrets_that_are_ours_come_back() -> None:
    assert [comes_back(each) for each in (live("u"), live(managed="t"), live(), live(patch="t"))] == [
        True,
        True,
        False,
        False,
    ]


def test_a_status_is_written_when_it_says_something_new() -> None:
    body: dict[str, Any] = {"metadata": {"generation": 2}}
    first = status_after(body, "no", now=0.0)
    assert first == {
        "conditions": [
            {
                "type": "Synced",
                "status": "False",
                "lastUpdateTime": "1970-01-01T00:00:00Z",
                "lastTransitionTime": "1970-01-01T00:00:00Z",
                "message": "no",
            }
        ],
        "observedGeneration": 2,
    }
    assert status_after({**body, "status": first}, "no", now=9.0) is None
    other = status_after({**body, "status": first}, "not so", now=9.0)
    assert other is not None
    assert other["conditions"][0]["lastTransitionTime"] == "1970-01-01T00:00:00Z"
    fine = status_after({**body, "status": first}, "", now=9.0)
    assert fine is not None
    assert fine["conditions"][0] == {
        "type": "Synced",
        "status": "True",
        "lastUpdateTime": "1970-01-01T00:00:09Z",
        "lastTransitionTime": "1970-01-01T00:00:09Z",
    }


def test_a_new_certificate_is_shaped_as_the_real_controllers() -> None:
    found = sealing_key().certificate
    der = found.public_bytes(Encoding.DER)
    critical = "0101ff"

    assert (
        bytes.fromhex(f"0603551d0f{critical}040403020001") in der
    )  # key usage: encipher only (the library reads no such)
    assert bytes.fromhex(f"0603551d13{critical}040530030101ff") in der  # CA:TRUE
    assert bytes.fromhex("0603551d0e0416") in der  # subject key identifier
    assert (found.subject, found.issuer) == (found.issuer, found.subject)
    assert found.not_valid_before_utc == NOW
    assert keys.public_key(found, now=NOW, about="x").key_size == 2048


def test_the_newest_key_is_that_of_the_latest_certificate() -> None:
    ring = (sealing_key(0, days=1, name="a"), sealing_key(1, days=3, name="b"), sealing_key(2, days=2, name="c"))

    assert [key.name for key in keys.in_order(ring)] == ["b", "c", "a"]


@pytest.mark.parametrize(
    ("text", "documents_in_it"),
    [
        (b'{"a": 1}', [{"a": 1}]),
        (b'{"a": 1}\n---\n{"b": 2}', [{"a": 1}, {"b": 2}]),
        (b'{"a": 1}{"b": 2}', [{"a": 1}, {"b": 2}]),
        (b"{a: 1}", [{"a": 1}]),
        (b"a: 1\n---\nb: 2\n", [{"a": 1}, {"b": 2}]),
        (b"", []),
        (b'{"kind": "List", "items": [{"a": 1}]}', [{"a": 1}]),
    ],
)
def test_documents_are_read_from_yaml_and_json(text: bytes, documents_in_it: list[Any]) -> None:
    assert documents.read(text, file="f") == documents_in_it


@pytest.mark.parametrize("text", [b"a: [", b"- a", b'{"a": ', b"{" * 5000, b"[" * 5000])
def test_text_that_is_no_document_is_refused_at_once(text: bytes) -> None:
    with pytest.raises(InvalidInput):
        documents.read(text, file="f")
