"""What of an object is taken as it is stored: only what is the same to the byte, and never shared with the stored one."""

import copy

from hypothesis import given
from hypothesis import strategies as st

from kilde.core.objects.unchanged import Unchanged, mark_unchanged, unmarked

_LEAVES = st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-3, 3) | st.text("ab", max_size=2)
_VALUES = st.recursive(
    _LEAVES,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text("ab", max_size=2), below),
    max_leaves=12,
)
_OBJECTS = st.fixed_dictionaries({"spec": st.dictionaries(st.text("ab", max_size=2), _VALUES, max_size=4)})


@given(_OBJECTS, _OBJECTS)
def test_marks_change_nothing_of_the_value(new: dict, old: dict) -> None:  # type: ignore[type-arg]
    marked, before = copy.deepcopy(new), copy.deepcopy(old)
    mark_unchanged(marked, old)
    assert (marked, old) == (new, before)
    assert unmarked(marked) == new


@given(_OBJECTS)
def test_the_same_object_is_marked_whole(obj: dict) -> None:  # type: ignore[type-arg]
    new = copy.deepcopy(obj)
    mark_unchanged(new, obj)
    assert type(new["spec"]) is Unchanged
    assert type(unmarked(new)["spec"]) is dict


def test_one_true_and_a_float_are_not_the_same() -> None:
    for value in (True, 1.0):
        new = {"spec": {"a": {"b": 1}, "c": {"d": 1}}}
        mark_unchanged(new, {"spec": {"a": {"b": value}, "c": {"d": 1}}})
        assert [type(part) is Unchanged for part in new["spec"].values()] == [False, True]


def test_what_is_no_map_is_left_alone() -> None:
    new = {"spec": "text", "kind": "X"}
    mark_unchanged(new, {"spec": {"a": 1}})
    assert new == {"spec": "text", "kind": "X"}
