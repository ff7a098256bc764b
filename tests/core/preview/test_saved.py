"""A saved plan is read back as it was, with its key alone; any other byte, key or shape is refused in words."""

import base64

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from core.preview.plans import app, hostile, preview, step
from kilde.core.basics.errors import InvalidInput
from kilde.core.ledger.checkpoint import sign_note
from kilde.core.preview.model import Preview
from kilde.core.preview.saved import LARGEST, plan_key, read_saved, saved

_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
_OTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
_MINE = plan_key(_KEY.public_key().public_bytes_raw())
_PLAN = preview(app(steps=(step(diff="+x\n", basis="u#1"), step("gone", "prune"))), untouched=3)
_FILE = saved(_PLAN, _MINE, _KEY.sign).encode()


def _read(raw: bytes) -> Preview:
    return read_saved(raw, [_MINE], about="plan.kilde")


def test_it_comes_back_without_its_diffs() -> None:
    (then,) = _PLAN.applications
    steps = tuple(msgspec.structs.replace(one, diff="") for one in then.steps)
    assert _read(_FILE) == msgspec.structs.replace(_PLAN, applications=(msgspec.structs.replace(then, steps=steps),))


def test_every_byte_counts() -> None:
    for place, byte in enumerate(_FILE):
        for other in {byte ^ 1, byte ^ 0x20, byte ^ 0x80, ord("A"), ord("\n")} - {byte}:
            with pytest.raises(InvalidInput):
                _read(_FILE[:place] + bytes([other]) + _FILE[place + 1 :])


@given(place=st.integers(0, len(_FILE)), more=st.binary(min_size=1, max_size=4), gone=st.integers(0, 3))
def test_nothing_can_be_put_in_or_taken_out(place: int, more: bytes, gone: int) -> None:
    changed = _FILE[:place] + more + _FILE[place + gone :]
    if changed != _FILE:
        with pytest.raises(InvalidInput):
            _read(changed)
    if place < len(_FILE):
        with pytest.raises(InvalidInput):
            _read(_FILE[:place])


def test_a_second_signature_is_another_file() -> None:
    name = plan_key(_OTHER.public_key().public_bytes_raw()).name
    line = f"— {name} {base64.b64encode(bytes(68)).decode()}\n".encode()
    with pytest.raises(InvalidInput, match="no plan"):
        _read(_FILE + line)


@pytest.mark.parametrize("text", ["\x00", "\x1b[31m", "a\nb\n\nc", "— kilde.dev/plan/x AAAA", "\u2028", "ø😀"])
def test_whatever_objects_say_it_is_read_back(text: str) -> None:
    found = _read(saved(hostile(text), _MINE, _KEY.sign).encode())
    assert found.applications[0].findings[0].text == text


def _signed(document: str, first: str = "", form: str = "kilde plan v1") -> bytes:
    return sign_note(f"{first or _MINE.name}\n{form}\n{document}\n", _MINE, _KEY.sign).encode()


@pytest.mark.parametrize(
    "document",
    [
        "{}",
        "[" * 100_000,
        '{"made_at":' * 50_000,
        '{"made_at":"","cluster":"","asked":"","more":1}',
        '{"made_at":"","cluster":"","asked":"","applications":[{"name":1}]}',
        "not json",
    ],
)
def test_what_is_signed_and_no_plan_is_refused(document: str) -> None:
    with pytest.raises(InvalidInput, match=r"^plan.kilde: is signed, and cannot be read"):
        _read(_signed(document))


def test_other_notes_of_the_same_key_are_no_plans() -> None:
    with pytest.raises(InvalidInput, match="no plan of this version"):
        _read(_signed("{}", form="kilde plan v2"))


def test_a_foreign_key_is_refused_before_anything_is_read() -> None:
    with pytest.raises(InvalidInput, match="no known key signed it"):
        read_saved(_FILE, [plan_key(_OTHER.public_key().public_bytes_raw())], about="plan.kilde")


def test_a_file_that_is_too_large_is_not_read() -> None:
    with pytest.raises(InvalidInput, match="larger than 64 MiB"):
        _read(bytes(LARGEST + 1))
