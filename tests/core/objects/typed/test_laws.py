"""The laws of ownership, whatever is written: who applies owns what it says, nobody owns nothing, what the last owner drops goes."""

import json
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from core.objects.typed.toy import SPECS, TYPE, toy
from kilde.core.objects.typed.errors import ApplyConflict
from kilde.core.objects.typed.field_set import FieldSet, Trie, is_subset, union
from kilde.core.objects.typed.managed_fields import apply, update
from kilde.core.objects.typed.merging import paths_of

_QUICK = settings(max_examples=60)
_OPTIONS: dict[str, Any] = {"node": TYPE, "api_version": "toy.test/v1", "now": "2026-01-01T00:00:00Z"}
_WRITES = st.lists(
    st.tuples(st.sampled_from(["apply", "update", "forget"]), st.sampled_from("ab"), SPECS), min_size=1, max_size=5
)


def _apply(live: Any, spec: Any, manager: str, *, force: bool = True) -> Any:
    return apply(live, toy(spec), manager=manager, force=force, **_OPTIONS).object


def _update(live: Any, spec: Any, manager: str) -> Any:
    return update(live, {**live, "spec": spec}, manager=manager, **_OPTIONS).object


def _entries(obj: Any) -> list[dict[str, Any]]:
    return list(obj["metadata"].get("managedFields", ()))


def _owned(obj: Any, manager: str, operation: str = "Apply") -> Trie:
    found: Trie = {}
    for entry in _entries(obj):
        if (entry["manager"], entry["operation"]) == (manager, operation):
            found = union(found, FieldSet(entry["fieldsV1"]).trie)
    return found


def _history(writes: Any) -> Any:
    live = _apply(None, {}, "a")
    for verb, manager, spec in writes:
        if verb == "apply":
            live = _apply(live, spec, manager)
        elif verb == "update":
            live = _update(live, spec, manager)
        else:
            live = _apply(live, {}, manager)
    return live


@_QUICK
@given(_WRITES)
def test_every_owner_is_named_once_and_owns_something(writes: Any) -> None:
    entries = _entries(_history(writes))
    assert all(entry["fieldsV1"] for entry in entries)
    names = [(entry["manager"], entry["operation"], entry.get("subresource")) for entry in entries]
    assert len(names) == len(set(names))


@_QUICK
@given(_WRITES, SPECS, st.sampled_from("ab"))
def test_who_applies_owns_all_that_it_says_and_nothing_else(writes: Any, spec: Any, manager: str) -> None:
    made = _apply(_history(writes), spec, manager)
    said = paths_of(TYPE, {"spec": spec})
    mine = _owned(made, manager)
    assert is_subset(said, mine)
    assert is_subset(mine, said)


@_QUICK
@given(_WRITES, SPECS)
def test_who_updates_owns_what_it_changed(writes: Any, spec: Any) -> None:
    live = _history(writes)
    assume(_entries(live))  # what nobody owns stays so
    made = _update(live, spec, "w")
    before, scalars = live.get("spec") or {}, {"text", "count", "on", "either"} & spec.keys()
    mine = _owned(made, "w", "Update").get("f:spec", {})
    changed = {f"f:{key}" for key in scalars if _text(spec[key]) != _text(before.get(key))}
    assert {f"f:{key}" for key in scalars} & mine.keys() == changed


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


@_QUICK
@given(SPECS, SPECS)
def test_what_one_owner_drops_stays_for_another_and_goes_with_the_last(spec: Any, other: Any) -> None:
    spec, other = _filled({"text": "a", **spec}), {"text": "a", **other}
    both = _apply(_apply(None, spec, "a"), spec, "b")
    one = _apply(both, {}, "a")
    assert _text(one["spec"]) == _text(both["spec"])
    assert _owned(one, "a") == {"f:spec": {}}
    gone = _apply(_apply(both, other, "a"), other, "b")
    left = _filled(gone["spec"])
    assert {key: _text(value) for key, value in left.items()} == {
        key: _text(value) for key, value in _filled(other).items()
    }


def _filled(value: Any) -> Any:
    """Without empty maps and lists: those stay as they are or as null, as in a real server."""
    if isinstance(value, dict):
        made = {key: _filled(child) for key, child in value.items()}
        return {key: child for key, child in made.items() if child not in ({}, [], None)}
    return [_filled(item) for item in value] if isinstance(value, list) else value


@_QUICK
@given(_WRITES, SPECS, SPECS)
def test_only_an_apply_of_what_others_have_otherwise_conflicts(writes: Any, spec: Any, other: Any) -> None:
    spec, other = _filled({**spec, "text": "a"}), {**other, "text": "b"}
    live = _apply(_history(writes), spec, "a")
    assert _text(_apply(live, spec, "c", force=False)["spec"]) == _text(live["spec"])  # the same values are shared
    with pytest.raises(ApplyConflict) as caught:
        _apply(live, other, "c", force=False)
    assert ("a", ".spec.text") in {(one.owner.manager, one.field) for one in caught.value.conflicts}
    forced = _apply(live, other, "c")
    assert is_subset(paths_of(TYPE, {"spec": other}), _owned(forced, "c"))


@_QUICK
@given(SPECS, SPECS)
def test_those_who_share_nothing_may_come_in_any_order(one: Any, two: Any) -> None:
    one = {key: value for key, value in one.items() if key in ("text", "count", "items", "labels")}
    two = {
        key: value for key, value in two.items() if key not in one and key not in ("text", "count", "items", "labels")
    }
    first = _apply(_apply(None, one, "a"), two, "b")
    second = _apply(_apply(None, two, "b"), one, "a")
    assert json.dumps(first["spec"], sort_keys=True) == json.dumps(second["spec"], sort_keys=True)
    assert (_owned(first, "a"), _owned(first, "b")) == (_owned(second, "a"), _owned(second, "b"))
