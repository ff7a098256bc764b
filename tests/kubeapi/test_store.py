"""The store: one order of changes, what was there at any moment of the recent past, and nothing lost by a restart."""

import contextlib
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kilde.kubeapi.storage import journal as journals
from kilde.kubeapi.storage.history import History
from kilde.kubeapi.storage.journal import SqliteJournal
from kilde.kubeapi.storage.records import Change, Key
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
def test_a_restart_changes_nothing_but_leaps_ahead(steps: list[tuple[str, str]], compact_every: int) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(journals, "_COMPACT_EVERY", compact_every)
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


_WRITER = """
import sys
from pathlib import Path
from kilde.kubeapi.storage.journal import SqliteJournal
from kilde.kubeapi.storage.records import Key
from kilde.kubeapi.storage.store import Store

store = Store(SqliteJournal(Path(sys.argv[1])))
print("ready", flush=True)
number = 0
while True:
    number += 1
    name = f"c{number % 50}"
    store.put(Key("configmaps", "n", name), {"metadata": {"name": name}, "data": {"number": str(number)}})
    if number % 7 == 0:
        store.delete(Key("configmaps", "n", name), {"metadata": {"name": name}})
"""


@pytest.mark.parametrize("delay", [0.0, 0.02, 0.1])
def test_a_kill_leaves_a_whole_state(tmp_path: Path, delay: float) -> None:
    path = tmp_path / "cluster.db"
    for _ in range(2):
        with subprocess.Popen([sys.executable, "-c", _WRITER, str(path)], stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == b"ready\n"
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(delay)
            child.kill()
        with sqlite3.connect(path) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        connection.close()
        store = Store(SqliteJournal(path))
        numbers = [int(record.object()["data"]["number"]) for record in store.all("configmaps")]
        assert all(number % 7 for number in sorted(numbers)[:-1])  # the last may have died before its deletion
        assert not numbers or max(numbers) - min(numbers) < 100
        store.close()
