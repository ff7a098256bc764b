"""Which state of an object is the newer, and how far a watch has told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilde.core.objects.resource_version import Horizon, is_newer

VERSIONS = st.integers(min_value=0, max_value=10**20)


@given(VERSIONS, VERSIONS)
def test_the_greater_number_is_the_newer_state(one: int, other: int) -> None:
    assert is_newer(str(one), str(other)) == (one > other)


@pytest.mark.parametrize(
    ("one", "other", "newer"), [("a", "b", True), ("a", "a", False), ("7", "a", True), ("", "", False)]
)
def test_what_is_no_number_is_newer_where_it_differs(one: str, other: str, newer: bool) -> None:
    assert is_newer(one, other) is newer


@given(st.lists(VERSIONS.map(lambda number: number + 1), min_size=1), VERSIONS)
def test_a_watch_has_told_what_is_no_newer_than_its_newest_event(told: list[int], version: int) -> None:
    horizon = Horizon()
    for one in told:
        horizon.reach(str(one))
    assert horizon.covers(str(version)) == (version <= max(told))
    assert horizon.is_behind(str(version)) == (version > max(told))


def test_what_is_no_number_is_neither_told_nor_yet_to_be_told() -> None:
    horizon = Horizon()
    assert not horizon.is_behind("7")  # nothing was told: nothing can be said
    horizon.reach("5")
    horizon.reach("later")
    assert not horizon.covers("later")
    assert not horizon.is_behind("later")
    assert horizon.version == 5
