"""The store: one order of changes, what was there at any moment of the recent past, and nothing lost by a restart."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kilde.kubeapi.storage import sqlite_journal
from kilde.kubeapi.storage.history import History
from kilde.kubeapi.storage.records import Change, Key
from kilde.kubeapi.storage.sqlite_journal import SqliteJournal
from kilde.kubeapi.storage.store import Expired, Store


def thing(name: str, value: str = "1", **labels: str) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": labels}, "data": {"a": value}}


def key(name: str, namespace: str = "n") -> Key:
    return Key("configmaps", namespace, name)


def contents(store: Store) -> dict[Key, bytes]:
    return {record.key: record.data for resource in store.resources() for record in store.all(resource)}


def test_each_write_gets_the_next_version_and_the_object_carries_it() -> None:
    store = Store()
    first, second = store.put(key("a"), thing("a")), store.put(key("b"), thing("b"))
    assert (first.version, second.version, store.version) == (1, 2, 2)
    assert second.object()["metadata"]["resourceVersion"] == "2"


def test_a_list_is_ordered_by_namespace_and_name_and_a_namespace_is_a_part_of_it() -> None:
    store = Store()
    for place in (key("b", "n2"), key("a", "n2"), key("z", "n1"), key("x", "n10")):
        store.put(place, thing(place.name))
    assert [record.key[1:] for record in store.all("configmaps")] == [
        ("n1", "z"),
        ("n10", "x"),
        ("n2", "a"),
        ("n2", "b"),
    ]
    assert [record.key.name for record in store.all("configmaps", "n1")] == ["z"]


def test_listeners_are_told_what_was_and_what_is() -> None:
    store, told = Store(), []
    stop = store.listen("configmaps", told.append)
    made = store.put(key("a"), thing("a", "1"))
    changed = store.put(key("a"), thing("a", "2"))
    gone = store.delete(key("a"), thing("a", "2"))
    stop()
    store.put(key("b"), thing("b"))
    assert told == [
        Change(1, key("a"), None, made),
        Change(2, key("a"), made, changed),
        Change(3, key("a"), changed, None, gone),
    ]


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(["put", "delete"])), max_size=40), st.data())
def test_the_past_is_what_it_was(steps: list[tuple[str, str]], data: st.DataObject) -> None:
    store, past = Store(), {0: {}}
    for number, (name, step) in enumerate(steps):
        if step == "put":
            store.put(key(name), thing(name, str(number)))
        elif store.get(key(name)) is not None:
            store.delete(key(name), thing(name))
        past[store.version] = contents(store)
    version = data.draw(st.sampled_from(sorted(past)))
    assert {record.key: record.data for record in store.at(version, "configmaps")} == past[version]


def test_what_is_older_than_the_history_is_expired() -> None:
    store = Store()
    store.history = History(most=2)
    for number in range(4):
        store.put(key("a"), thing("a", str(number)))
    assert len(store.at(2, "configmaps")) == 1
    with pytest.raises(Expired):
        store.at(1, "configmaps")


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from(["put", "put", "delete", "reopen"])), max_size=40),
    st.integers(1, 8),
)
def test_a_restart_changes_nothing_but_leaps_ahead(steps: list[tuple[str, str]], fold_from: int) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite_journal, "FOLD_FROM", fold_from)
        patch.setattr(sqlite_journal, "FOLD_AT_ONCE", 2)
        path = Path(folder) / "cluster.db"
        store = Store(SqliteJournal(path))
        for number, (name, step) in enumerate(steps):
            if step == "put":
                store.put(key(name), thing(name, str(number)))
            elif step == "delete" and store.get(key(name)) is not None:
                store.delete(key(name), thing(name))
            elif step == "reopen":
                before, version = contents(store), store.version
                store.close()
                store = Store(SqliteJournal(path))
                assert contents(store) == before
                assert store.version > version or not version
                assert not store.history.reaches(version) or not version
        store.close()
