"""A snapshot holds all objects of a store, byte for byte, and makes the same store again."""

from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilde.kubeapi.storage.journal import Outcome
from kilde.kubeapi.storage.records import Key
from kilde.kubeapi.storage.snapshot import BadSnapshot, restored, written
from kilde.kubeapi.storage.sqlite_journal import SqliteJournal
from kilde.kubeapi.storage.store import Store

NAMES = st.text(alphabet="abc-.0", min_size=1, max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
OBJECTS = st.lists(
    st.tuples(st.sampled_from(["pods", "deployments.apps"]), NAMES, NAMES, VALUES, st.booleans()), max_size=15
)


def state(store: Store) -> list[tuple[str, int, bytes]]:
    return sorted((str(row.key), row.version, row.data) for name in store.resources() for row in store.all(name))


@given(OBJECTS)
def test_what_comes_out_is_what_went_in(objects: list[tuple[str, str, str, object, bool]]) -> None:
    store = Store()
    for resource, namespace, name, value, stays in objects:
        key = Key(resource, namespace, name)
        store.put(key, {"metadata": {"name": name, "namespace": namespace}, "data": value})
        if not stays:
            store.delete(key, {"metadata": {"name": name, "namespace": namespace}})
    again = Store()
    journal = Journal()
    head = restored(written(store, 12.5), "s", journal)

    assert (head.version, head.time, head.objects) == (store.version, 12.5, len(state(store)))
    assert sorted((entry[1], entry[0], entry[2]) for entry in journal.entries) == state(store)
    assert journal.begun == store.version
    assert again.version == 0


class Journal:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.entries: list[tuple[int, str, bytes]] = []
        self.begun = 0

    def append(self, entries: Iterable[tuple[int, str, bytes]]) -> None:
        self.entries += map(tuple, entries)

    def flush(self) -> None: ...

    def outcomes(self) -> list[Outcome]:
        return [Outcome(entry[0]) for entry in self.entries]

    def begin(self, version: int) -> None:
        self.begun = version


def test_a_store_on_disk_is_made_from_it(tmp_path: Path) -> None:
    store = Store()
    for number in range(100):
        store.put(Key("configmaps", "n", f"c{number}"), {"metadata": {"name": f"c{number}"}})
    journal = SqliteJournal(tmp_path / "cluster.db")
    restored(written(store, 0.0), "s", journal)
    journal.close()
    made = Store(SqliteJournal(tmp_path / "cluster.db"))

    assert state(made) == state(store)
    assert made.version >= store.version
    made.close()


@given(st.data())
def test_a_spoilt_file_writes_nothing(data: st.DataObject) -> None:
    store = Store()
    store.put(Key("pods", "a", "b"), {"metadata": {"name": "b"}, "data": "x" * 200})
    whole = written(store, 0.0)
    where = data.draw(st.integers(10, len(whole) - 1))
    byte = data.draw(st.integers(1, 255))
    spoilt = whole[:where] + bytes([whole[where] ^ byte]) + whole[where + 1 :]
    journal = Journal()
    try:
        restored(spoilt, "s", journal)
    except BadSnapshot:
        assert journal.entries == []
    else:
        assert len(journal.entries) == 1  # a byte of gzip's own that says nothing of the content


def test_a_file_that_says_it_is_longer_than_it_is() -> None:
    with pytest.raises(BadSnapshot):
        restored(b"", "s", Journal())
