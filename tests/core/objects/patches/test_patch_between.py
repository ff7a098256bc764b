"""The merge patch between two objects."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kilde.core.objects.patches.merge_patch import merge_patch, patch_between

JSON = st.recursive(
    st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)
OBJECTS = st.dictionaries(st.text(max_size=3), JSON, max_size=4)


@given(OBJECTS, OBJECTS)
def test_the_patch_makes_the_one_into_the_other(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert merge_patch(old, patch_between(old, new)) == new


@given(OBJECTS)
def test_equal_objects_need_no_patch(one: dict[str, Any]) -> None:
    assert patch_between(one, one) == {}
