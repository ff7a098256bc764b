"""Sealed values: what is sealed opens, and nothing else does."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.secrets.keys_at_hand import private
from kilde.core.secrets import base64
from kilde.core.secrets.scope import Scope
from kilde.core.secrets.sealed_value import CannotOpen, open_blob, seal, wrapped_size

LABELS = st.binary(max_size=40)
SESSION = bytes(range(32))


@given(value=st.binary(max_size=300), label=LABELS, session=st.binary(min_size=32, max_size=32))
@settings(max_examples=30, deadline=None)
def test_a_value_opens_with_its_key_and_label(value: bytes, label: bytes, session: bytes) -> None:
    blob = seal(value, private().public_key(), label, session_key=session)

    assert len(blob) == 2 + 256 + len(value) + 16
    assert wrapped_size(blob) == 256
    assert open_blob(blob, [private(1), private()], label) == (value, private())


@given(label=LABELS, other=LABELS)
@settings(max_examples=20, deadline=None)
def test_it_opens_under_no_other_label(label: bytes, other: bytes) -> None:
    blob = seal(b"value", private().public_key(), label, session_key=SESSION)
    if label != other:
        with pytest.raises(CannotOpen):
            open_blob(blob, [private()], other)


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_no_bit_of_it_can_be_changed(data: st.DataObject) -> None:
    blob = bytearray(seal(b"value", private().public_key(), b"", session_key=SESSION))
    at = data.draw(st.integers(0, len(blob) - 1))
    blob[at] ^= 1 << data.draw(st.integers(0, 7))

    with pytest.raises(CannotOpen):
        open_blob(bytes(blob), [private()], b"")


@pytest.mark.parametrize("length", [0, 1, 2, 3, 257, 258, 259, 273])
def test_a_blob_that_was_cut_does_not_open(length: int) -> None:
    blob = seal(b"value", private().public_key(), b"", session_key=SESSION)[:length]

    with pytest.raises(CannotOpen, match=r"^no key could decrypt secret$"):
        open_blob(blob, [private()], b"")


def test_another_key_does_not_open() -> None:
    blob = seal(b"value", private().public_key(), b"", session_key=SESSION)

    with pytest.raises(CannotOpen):
        open_blob(blob, [private(1)], b"")
    with pytest.raises(CannotOpen):
        open_blob(blob, [], b"")


def test_a_session_key_of_sixteen_bytes_opens_too() -> None:
    blob = seal(b"value", private().public_key(), b"x", session_key=SESSION[:16])

    assert open_blob(blob, [private()], b"x")[0] == b"value"


@pytest.mark.parametrize(
    ("scope", "label"),
    [(Scope.STRICT, b"ns/name"), (Scope.NAMESPACE_WIDE, b"ns"), (Scope.CLUSTER_WIDE, b"")],
)
def test_a_label_is_what_the_scope_binds(scope: Scope, label: bytes) -> None:
    assert scope.label("ns", "name") == label


@given(st.binary(max_size=100))
def test_base64_goes_there_and_back(data: bytes) -> None:
    text = base64.encode(data)

    assert base64.decode(text) == data
    assert base64.decode("\r\n".join(text)) == data


@pytest.mark.parametrize(  # what Go's base64.StdEncoding.DecodeString says of each
    ("text", "offset"),
    [
        ("AgB!!", 3),
        ("not base64!", 3),
        ("YQ", 0),
        ("YWJjZ", 4),
        ("YQ=", 3),
        ("YQ=a", 2),
        ("YQ==Y", 4),
        ("=", 0),
        ("Y===", 1),
        ("YWI=\nx", 5),
        ("YW-j", 2),
        ("YW\nI", 1),
        ("YWJj YWJj", 4),
        ("æ", 0),
    ],
)
def test_base64_that_is_wrong_has_the_offset_that_go_tells(text: str, offset: int) -> None:
    with pytest.raises(base64.IllegalBase64, match=rf"^illegal base64 data at input byte {offset}$"):
        base64.decode(text)
