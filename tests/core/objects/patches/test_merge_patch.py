"""JSON merge patch: the laws of RFC 7386."""

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kilde.core.objects.patches.errors import BadPatch
from kilde.core.objects.patches.merge_patch import merge_patch

_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(0, 3), st.sampled_from("ab")),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.sampled_from("abc"), inner, max_size=3)),
    max_leaves=6,
)
_OBJECTS = st.dictionaries(st.sampled_from("abc"), _VALUES, max_size=3)


@pytest.mark.parametrize(
    ("document", "patch", "merged"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
        ({"a": 1}, {"a": {"b": 2}}, {"a": {"b": 2}}),
        ({"a": [1]}, {"a": [None, {"b": None, "c": 1}]}, {"a": [None, {"c": 1}]}),
    ],
)
def test_the_patch_is_merged_in(document: Any, patch: Any, merged: Any) -> None:
    assert merge_patch(document, patch) == merged


@given(_OBJECTS, _OBJECTS)
def test_patching_twice_is_patching_once(document: Any, patch: Any) -> None:
    assume(
        not _null_in_list(patch)
    )  # such nulls go only where a list takes the place of a list, as in the server's library
    once = merge_patch(document, patch)
    assert merge_patch(once, patch) == once


def _null_in_list(value: Any, *, inside: bool = False) -> bool:
    if isinstance(value, dict):
        return any((inside and each is None) or _null_in_list(each, inside=inside) for each in value.values())
    if isinstance(value, list):
        return any(each is None or _null_in_list(each, inside=True) for each in value)
    return False


@pytest.mark.parametrize("patch", [None, [], "x", 1])
def test_what_is_no_object_is_no_patch(patch: Any) -> None:
    with pytest.raises(BadPatch):
        merge_patch({}, patch)


def test_a_patch_as_deep_as_nobody_writes_is_refused() -> None:
    patch: Any = 1
    for _ in range(5000):
        patch = {"a": patch}
    with pytest.raises(BadPatch):
        merge_patch({}, patch)
