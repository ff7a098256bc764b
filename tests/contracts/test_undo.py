"""What every store of deleted objects promises (ports.undo): the fake, and the SQLite file with its locked manifests."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kilde.adapters.store.sqlite_undo import SqliteUndo
from kilde.core.basics.errors import KildeError
from kilde.core.objects.ref import ObjectRef
from kilde.core.plan.restoring import Kept
from kilde.ports.undo import Deleted, UndoStore
from kilde.testing.undo import MemoryUndo

CANARY = "c4nary-5ecret-of-a-deleted-secret"
Open = Callable[[int], UndoStore]


@pytest.fixture(params=["memory", "sqlite"])
def open_(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Opens the store with so much room; a second time as another process would."""
    made: list[SqliteUndo] = []
    memory: list[MemoryUndo] = []

    def opened(room: int) -> UndoStore:
        if request.param == "memory":
            memory.extend([] if memory else [MemoryUndo(room=room)])
            return memory[0]
        made.append(SqliteUndo(tmp_path / "undo.sqlite", tmp_path / "undo.key", room=room))
        return made[-1]

    yield opened
    for one in made:
        one.close()


def kept(
    name: str, operation: int = 1, *, app: str = "argocd/shop", at: float = 100.0, value: str = CANARY, plan: str = ""
) -> Kept:
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": {"p": value}}
    ref = ObjectRef("", "Secret", "shop", name)
    return Kept(
        application=app,
        operation=operation,
        at=at,
        ref=ref,
        uid=f"u-{name}",
        body=body,
        plan=plan,
        rendered=plan and "r",
    )


def test_what_was_kept_is_there_for_another_process(open_: Open) -> None:
    objects = [kept("b"), kept("a"), kept("c", 2, at=200.0), kept("a", 1, app="argocd/other")]
    open_(1 << 20).keep(objects)
    store = open_(1 << 20)
    assert store.read("argocd/shop", 1) == [objects[1], objects[0]]
    assert list(store.operations("argocd/shop")) == [
        Deleted(2, 200.0, ("Secret shop/c",)),
        Deleted(1, 100.0, ("Secret shop/a", "Secret shop/b")),
    ]
    assert store.read("argocd/shop", 3) == []
    assert list(store.operations("argocd/none")) == []


def test_an_object_is_kept_once(open_: Open) -> None:
    store = open_(1 << 20)
    store.keep([kept("a")])
    store.keep([kept("a", value="later"), kept("b")])
    assert store.read("argocd/shop", 1) == [kept("a"), kept("b")]


def test_what_an_approval_covered_is_known(open_: Open) -> None:
    store = open_(1 << 20)
    store.keep([kept("a", plan="d1"), kept("b", 2, plan="d1"), kept("c", 3, plan="d2"), kept("d")])
    assert store.approved("argocd/shop", "d1") == ("r", frozenset({"u-a", "u-b"}))
    assert store.approved("argocd/shop", "d3") == ("", frozenset())
    assert store.approved("argocd/shop", "") == ("", frozenset())


def test_what_is_old_goes(open_: Open) -> None:
    store = open_(1 << 20)
    store.keep([kept("a", at=1.0), kept("b", at=1.0), kept("c", 2, at=2.0)])
    assert store.forget(2.0) == 2
    assert [one.operation for one in store.operations("argocd/shop")] == [2]


def test_the_oldest_goes_when_there_is_no_room_and_what_is_too_large_is_refused(open_: Open) -> None:
    noise = random.Random(7)
    long = "".join(chr(noise.randrange(33, 126)) for _ in range(3000))  # nothing that could be packed
    store = open_(7000)
    for operation in (1, 2, 3):
        store.keep([kept("a", operation, at=float(operation), value=long)])
    assert [one.operation for one in store.operations("argocd/shop")] == [3, 2]
    with pytest.raises(KildeError, match="too large to be kept"):
        store.keep([kept(name, 4, at=4.0, value=long) for name in "abc"])
    assert [one.operation for one in store.operations("argocd/shop")] == [3, 2]


def test_the_file_holds_no_value_and_belongs_to_its_owner(tmp_path: Path) -> None:
    with SqliteUndo(tmp_path / "undo.sqlite", tmp_path / "undo.key") as store:
        store.keep([kept("a")])
        files = {path.name: path for path in tmp_path.iterdir()}
        assert {"undo.key", "undo.sqlite"} <= files.keys()
        assert all(CANARY.encode() not in path.read_bytes() for path in files.values())
        assert {path.stat().st_mode & 0o777 for path in files.values()} == {0o600}


def test_another_key_opens_nothing_and_its_words_hold_no_value(tmp_path: Path) -> None:
    with SqliteUndo(tmp_path / "undo.sqlite", tmp_path / "undo.key") as store:
        store.keep([kept("a")])
    with SqliteUndo(tmp_path / "undo.sqlite", tmp_path / "other.key") as store:
        with pytest.raises(KildeError, match="its key is another one, or it was changed") as caught:
            store.read("argocd/shop", 1)
        assert CANARY not in str(caught.value)
        assert len(store.operations("argocd/shop")) == 1


def test_a_manifest_cannot_be_passed_off_as_another_ones(tmp_path: Path) -> None:
    with SqliteUndo(tmp_path / "undo.sqlite", tmp_path / "undo.key") as store:
        store.keep([kept("a"), kept("b")])
        store._connection.execute("UPDATE deleted SET body = (SELECT body FROM deleted WHERE object = 'Secret shop/a')")
        with pytest.raises(KildeError, match="cannot be opened"):
            store.read("argocd/shop", 1)
