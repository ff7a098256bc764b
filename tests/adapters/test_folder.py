"""FolderTree: a folder on disk seen as a Tree."""

import os
from pathlib import Path

import pytest

from kilde.adapters.folder import FolderTree
from kilde.core.basics.errors import LimitExceeded, PathNotFound
from kilde.core.source.object_id import blob_id
from kilde.core.source.tree import Entry, EntryKind


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/f").write_bytes(b"hello")
    (tmp_path / "g").write_bytes(b"")
    (tmp_path / "a/inside").symlink_to("b/../f")
    (tmp_path / "a/outside").symlink_to("../g")
    (tmp_path / "a/gone").symlink_to("nowhere")
    (tmp_path / "a/away").symlink_to(tmp_path / "a/b")
    return tmp_path


def test_entries_are_what_is_there(folder: Path) -> None:
    tree = FolderTree(folder)
    assert tree.entry("a/f") == Entry("f", EntryKind.FILE, blob_id(b"hello"), 5)
    assert tree.entry("a/b") == Entry("b", EntryKind.FOLDER, "folder:a/b", 0)
    assert tree.entry("a/x") is None
    assert tree.entry("a/" + "x" * 5000) is None
    assert [entry.name for entry in tree.list("a")] == ["away", "b", "f", "gone", "inside", "outside"]


def test_links_are_followed_where_they_stay_in_their_folder(folder: Path) -> None:
    kinds = {entry.name: entry.kind.value for entry in FolderTree(folder).list("a")}
    assert kinds == {
        "away": "folder", "b": "folder", "f": "file", "gone": "symlink", "inside": "file", "outside": "symlink",
    }  # fmt: skip
    found = FolderTree(folder, contained=False).entry("a/outside")
    assert found is not None
    assert found.kind is EntryKind.FILE


def test_what_is_not_there_is_told(folder: Path) -> None:
    tree = FolderTree(folder, largest=4)
    with pytest.raises(PathNotFound, match="x: no such file"):
        tree.read("x")
    with pytest.raises(PathNotFound, match="x: no such folder"):
        tree.list("x")
    with pytest.raises(LimitExceeded, match="a/f: is 5 bytes, more than 4"):
        tree.read("a/f")


def test_what_was_read_stays_what_it_was(folder: Path) -> None:
    tree = FolderTree(folder)
    before = tree.entry("a/f")
    (folder / "a/f").write_bytes(b"changed")
    os.utime(folder / "a/f")
    assert tree.read("a/f") == b"hello"
    assert tree.entry("a/f") == before
