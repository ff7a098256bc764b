"""FieldSet: fieldsV1 both ways, and the algebra of sets held against Python's own sets."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilde.core.basics.errors import InvalidInput
from kilde.core.objects.typed.field_set import FieldSet, in_letters, readable, tidy

_ELEMENT = st.sampled_from(["f:a", "f:b", 'k:{"name":"x"}', 'v:"x"', "v:1"])
_PATHS = st.sets(st.lists(_ELEMENT, min_size=1, max_size=3).map(tuple), max_size=8)


def _set(paths: Any) -> FieldSet:
    return FieldSet.of(*sorted(paths))


@given(_PATHS, _PATHS)
def test_operators_are_those_of_plain_sets(a: set[Any], b: set[Any]) -> None:
    mine, other = _set(a), _set(b)
    assert set((mine | other).paths()) == a | b
    assert set((mine & other).paths()) == a & b
    assert set((mine - other).paths()) == a - b
    assert (mine <= other) == (a <= b)
    assert bool(mine) == bool(a)
    assert all(path in mine for path in a)
    assert not any(path in mine for path in b - a)


@given(_PATHS, _PATHS)
def test_trees_are_taken_with_all_that_is_below(a: set[Any], b: set[Any]) -> None:
    left = {path for path in a if not any(path[: len(gone)] == gone for gone in b)}
    assert set(_set(a).without_trees(_set(b)).paths()) == left


@given(_PATHS)
def test_fields_v1_reads_back_as_it_was_written(paths: set[Any]) -> None:
    written = _set(paths).to_v1()
    assert FieldSet.from_v1(written) == _set(paths)
    assert list(written) == list(tidy(dict(reversed(written.items()))))


def test_elements_are_in_order_of_their_values_and_after_a_scale_of_their_letters() -> None:
    ports = ('k:{"port":80}', 'k:{"port":443}', 'k:{"port":"http"}')
    trie = {".": {}, **{port: {} for port in ports}, 'v:"x"': {}, "v:10": {}, "v:9": {}, "f:b": {}, "f:a": {}}
    assert list(tidy(trie)) == [".", "f:a", "f:b", *ports, "v:9", "v:10", 'v:"x"']
    assert list(in_letters(trie)) == [".", "f:a", "f:b", ports[2], ports[1], ports[0], 'v:"x"', "v:10", "v:9"]


@given(_PATHS)
def test_sets_of_equal_paths_have_equal_tries(paths: set[Any]) -> None:
    assert _set(paths).trie == FieldSet.of(*sorted(paths, reverse=True)).trie


def test_a_member_with_children_carries_a_dot() -> None:
    assert FieldSet.of(("f:a",), ("f:a", "f:b")).to_v1() == {"f:a": {".": {}, "f:b": {}}}
    assert FieldSet.of(("f:a", "f:b")).to_v1() == {"f:a": {"f:b": {}}}


def test_paths_come_members_of_a_level_first() -> None:
    paths = FieldSet.of(("f:a", "f:z"), ("f:b",), ("f:a", 'v:"q"')).paths()
    assert list(paths) == [("f:b",), ("f:a", "f:z"), ("f:a", 'v:"q"')]


@pytest.mark.parametrize(
    ("raw", "paths"),
    [
        ({}, []),
        ({".": {}}, []),
        ({"f:a": {".": {}}}, [("f:a",)]),
        ({"f:a": {}, "x:unknown": {"f:b": {}}}, [("f:a",)]),
        ({'k:{"b":1, "a":"x"}': {}}, [('k:{"a":"x","b":1}',)]),
        ({"v: 1": {}, "i:0": {}}, [("i:0",), ("v:1",)]),
        ({'v:"a<b"': {}}, [('v:"a\\u003cb"',)]),
    ],
)
def test_foreign_fields_v1_is_brought_into_one_form(raw: Any, paths: list[Any]) -> None:
    assert list(FieldSet.from_v1(raw).paths()) == paths


@pytest.mark.parametrize("raw", [None, [], {"f:a": 1}, {"k:[]": {}}, {"v:{": {}}, {"i:x": {}}])
def test_what_is_no_fields_v1_is_refused(raw: Any) -> None:
    with pytest.raises(InvalidInput):
        FieldSet.from_v1(raw)


def test_fields_v1_as_deep_as_no_object_is_refused() -> None:
    raw: dict[str, Any] = {}
    for _ in range(500):
        raw = {"f:a": raw}
    with pytest.raises(InvalidInput):
        FieldSet.from_v1(raw)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("f:spec", "f:containers", 'k:{"name":"c"}', "f:image"), '.spec.containers[name="c"].image'),
        (("f:ports", 'k:{"containerPort":80,"protocol":"TCP"}'), '.ports[containerPort=80,protocol="TCP"]'),
        (("f:metadata", "f:finalizers", 'v:"a/b"'), '.metadata.finalizers[="a/b"]'),
        (("f:a", "i:3"), ".a[3]"),
        (("f:a", 'v:"x\\u003cy"'), '.a[="x<y"]'),
    ],
)
def test_paths_read_as_a_server_writes_them(path: tuple[str, ...], text: str) -> None:
    assert readable(path) == text
