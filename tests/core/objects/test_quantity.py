"""Quantities: canonical text, equality, rounding."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilde.core.basics.errors import InvalidInput
from kilde.core.objects.quantity import canonical, equal, milli, of, parse

_SUFFIXES = ["", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "e3", "E-3", "e0"]
_TEXTS = st.builds(
    lambda sign, whole, places, suffix: f"{sign}{whole}{places}{suffix}",
    st.sampled_from(["", "-", "+"]),
    st.integers(0, 10**6),
    st.one_of(st.just(""), st.integers(0, 999).map(lambda n: f".{n}")),
    st.sampled_from(_SUFFIXES),
)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("0", "0"),
        ("0.0", "0"),
        (0, "0"),
        ("0.5", "500m"),
        (0.5, "500m"),
        ("100m", "100m"),
        ("1000m", "1"),
        ("1.0", "1"),
        (1.0, "1"),
        ("1000", "1k"),
        (1048576, "1048576"),
        ("1000000k", "1G"),
        ("1024", "1024"),
        ("1024Ki", "1Mi"),
        ("1.5Gi", "1536Mi"),
        ("1536Mi", "1536Mi"),
        ("2Gi", "2Gi"),
        ("0.5Ki", "512"),
        ("0.1Ki", "102400m"),
        ("1e3", "1e3"),
        ("1E3", "1E3"),
        ("1000e3", "1e6"),
        ("12e-1", "1200e-3"),
        ("-5", "-5"),
        ("+5", "+5"),
        ("-0.5", "-500m"),
        ("0.0000000001", "1n"),
        ("9Ei", "9223372036854775807"),
    ],
)
def test_a_server_prints_it_so(raw: Any, text: str) -> None:
    assert canonical(raw) == text


@pytest.mark.parametrize(
    "raw",
    ["", "x", "1x", "1.2.3", "1 Gi", ".", "-", "1kk", "1ki", "1e", "1e99999999", None, True, [], {}, "1" * 200],
)
def test_what_is_no_quantity_is_refused(raw: Any) -> None:
    with pytest.raises(InvalidInput):
        canonical(raw)


@given(_TEXTS)
def test_the_canonical_text_is_the_same_quantity_and_canonical_itself(text: str) -> None:
    once = canonical(text)
    assert canonical(once) == once
    assert abs(parse(once).value - parse(text).value) <= Fraction(1, 10**9)


@given(_TEXTS, _TEXTS)
def test_quantities_are_equal_when_their_numbers_are(a: str, b: str) -> None:
    assert equal(a, b) == (parse(a).value == parse(b).value)


@pytest.mark.parametrize(
    ("raw", "text"), [("1u", "1m"), ("1500u", "2m"), ("100m", "100m"), ("1Gi", "1Gi"), ("-1u", "-1m"), ("0", "0")]
)
def test_a_containers_resources_are_rounded_up_to_thousandths(raw: str, text: str) -> None:
    assert milli(raw) == text


@pytest.mark.parametrize(
    ("number", "like", "text"),
    [
        (1536 * 2**20, "binary", "1536Mi"),
        (1500, "decimal", "1500"),
        (Fraction(1, 2), "binary", "500m"),
        (2**30, "binary", "1Gi"),
    ],
)
def test_a_number_is_printed_in_the_style_asked_for(number: Any, like: str, text: str) -> None:
    assert of(number, like) == text
