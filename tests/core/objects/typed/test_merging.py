"""The operations apply is made of, and the fast path held to them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.objects.typed.toy import SPECS, TYPE, toy
from kilde.core.objects.typed import merging
from kilde.core.objects.typed.field_set import FieldSet, is_subset
from kilde.core.objects.typed.fused import fused
from kilde.core.objects.typed.ordering import merged_order
from kilde.core.objects.typed.values import same


@given(SPECS, SPECS)
def test_the_fast_path_gives_what_the_plain_operations_give(live: dict[str, Any], config: dict[str, Any]) -> None:
    before, wanted = toy(live), toy(config)
    found = fused(TYPE, before, wanted, inside=True)
    if found is None:
        return
    merged = merging.merge(TYPE, before, wanted)
    comparison = merging.compare(TYPE, before, merged)
    assert same(found.value, merged)
    assert found.paths == merging.paths_of(TYPE, wanted)
    assert found.changed == comparison.changed
    assert comparison.removed == {}


@given(SPECS)
def test_applying_the_same_again_takes_the_fast_path_and_shares_the_object(spec: dict[str, Any]) -> None:
    found = fused(TYPE, toy(spec), toy(spec), inside=False)
    assert found is not None
    assert found.changed == {}


@given(SPECS, SPECS)
def test_merging_twice_is_merging_once(live: dict[str, Any], config: dict[str, Any]) -> None:
    once = merging.merge(TYPE, toy(live), toy(config))
    assert same(merging.merge(TYPE, once, toy(config)), once)


@given(SPECS, SPECS)
def test_what_is_applied_is_in_the_merged_object(live: dict[str, Any], config: dict[str, Any]) -> None:
    merged = merging.merge(TYPE, toy(live), toy(config))
    leaves = FieldSet(merging.present(TYPE, toy(config)))
    assert set(leaves.paths()) <= set(FieldSet(merging.present(TYPE, merged)).paths())


@given(SPECS)
def test_a_value_does_not_differ_from_itself(spec: dict[str, Any]) -> None:
    assert merging.compare(TYPE, toy(spec), toy(spec)) == merging.NOTHING


@given(SPECS, SPECS)
def test_what_is_added_one_way_is_removed_the_other(a: dict[str, Any], b: dict[str, Any]) -> None:
    there, back = merging.compare(TYPE, toy(a), toy(b)), merging.compare(TYPE, toy(b), toy(a))
    assert there.added == back.removed
    assert there.modified == back.modified


@given(SPECS)
def test_a_value_without_all_its_paths_is_nothing(spec: dict[str, Any]) -> None:
    everything = merging.with_named(TYPE, merging.paths_of(TYPE, toy(spec)))
    rest = merging.remove(TYPE, toy(spec), everything)
    assert merging.paths_of(TYPE, rest) == {} if isinstance(rest, dict) else rest is None


@given(SPECS)
def test_naming_prefixes_only_adds(spec: dict[str, Any]) -> None:
    paths = merging.paths_of(TYPE, toy(spec))
    named = merging.with_named(TYPE, paths)
    assert is_subset(paths, named)
    assert merging.with_named(TYPE, named) == named


@given(st.lists(st.sampled_from("abcdef"), unique=True), st.lists(st.sampled_from("abcdef"), unique=True))
def test_a_merged_list_has_every_element_once_and_keeps_the_applied_order(live: list[str], config: list[str]) -> None:
    merged = [element for element, _ in merged_order(live, config)]
    assert sorted(merged) == sorted({*live, *config})
    assert [element for element in merged if element in config] == config
    foreign = [element for element in live if element not in config]
    assert [element for element in merged if element in foreign] == foreign


@pytest.mark.parametrize(
    ("live", "config", "merged"),
    [
        ("pq", "rp", "rpq"),
        ("pqr", "rpq", "rpq"),
        ("abc", "dbe", "adbce"),
        ("adbce", "ca", "dbcea"),
        ("", "ab", "ab"),
        ("ab", "", "ab"),
        ("xay", "ab", "xayb"),
    ],
)
def test_where_elements_of_a_merged_list_go(live: str, config: str, merged: str) -> None:
    assert "".join(element for element, _ in merged_order(live, config)) == merged


@pytest.mark.parametrize(
    ("a", "b", "equal"),
    [
        (1, 1.0, True),
        (1, True, False),
        (0, False, False),
        ([1], [True], False),
        ({"a": 1}, {"a": 1.0}, True),
        (None, 0, False),
    ],
)
def test_values_are_equal_as_a_server_sees_it(a: Any, b: Any, equal: bool) -> None:
    assert same(a, b) is equal


def test_elements_that_repeat_are_compared_as_a_whole() -> None:
    twice = [{"name": "a", "value": "1"}, {"name": "a", "value": "2"}]
    once = [{"name": "a", "value": "1"}]
    item = ("f:spec", "f:items", 'k:{"name":"a"}')
    gone = merging.compare(TYPE, toy({"items": twice}), toy({"items": once}))
    assert FieldSet(gone.removed) == FieldSet.of(item)
    assert FieldSet(gone.added) == FieldSet.of(item, (*item, "f:name"), (*item, "f:value"))
    changed = merging.compare(TYPE, toy({"items": twice}), toy({"items": [*once, {"name": "a", "value": "3"}]}))
    assert FieldSet(changed.modified) == FieldSet.of(item)
