"""FolderTree: a folder on disk seen as a Tree."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kilde.adapters.folder import FolderTree
from kilde.core.basics.errors import InvalidInput, LimitExceeded, PathNotFound
from kilde.core.source.object_id import blob_id
from kilde.core.source.tree import Entry, EntryKind, followed


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


def test_links_are_links_and_nothing_is_found_through_them(folder: Path) -> None:
    tree = FolderTree(folder)
    kinds = {entry.name: entry.kind.value for entry in tree.list("a")}
    assert kinds == {
        "away": "symlink", "b": "folder", "f": "file", "gone": "symlink", "inside": "symlink", "outside": "symlink",
    }  # fmt: skip
    assert tree.link("a/outside") == "../g"
    assert tree.entry("a/away/x") is None
    assert tree.link("a/away") == "../" * len((folder / "a").parts[1:]) + str(folder / "a/b").lstrip("/")
    with pytest.raises(PathNotFound, match="a/f: no such symlink"):
        tree.link("a/f")


NAMES = st.sampled_from(["a", "b", "c"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
TARGETS = st.lists(st.sampled_from(["a", "b", "c", "..", "."]), min_size=1, max_size=4).map("/".join)


@settings(deadline=None, max_examples=150)
@given(files=st.sets(PATHS, max_size=5), links=st.dictionaries(PATHS, TARGETS, max_size=4), asked=PATHS)
def test_a_path_is_followed_to_where_the_system_follows_it(files: set[str], links: dict[str, str], asked: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name).resolve()
        for path in sorted(files):
            with suppress(OSError):
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_text(path)
        for path, target in links.items():
            with suppress(OSError):
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).symlink_to(target)
        try:
            real = Path(os.path.realpath(root / asked, strict=True))
        except OSError:
            return  # it leads nowhere, or in circles
        try:
            found = followed(FolderTree(root), asked)
        except InvalidInput:
            assert not real.is_relative_to(root) or any(".." in target for target in links.values())
            return
        assert root / found == real


def test_what_is_not_there_is_told(folder: Path) -> None:
    tree = FolderTree(folder, largest=4)
    with pytest.raises(PathNotFound, match="x: no such file"):
        tree.read("x")
    with pytest.raises(PathNotFound, match="x: no such folder"):
        tree.list("x")
    with pytest.raises(LimitExceeded, match="a/f: is 5 bytes, more than 4"):
        tree.read("a/f")


def test_what_nobody_reads_may_be_large(folder: Path) -> None:
    assert FolderTree(folder, largest=4).entry("a/f") == Entry("f", EntryKind.FILE, "size:5", 5)
    without = FolderTree(folder, ids=False)
    assert without.entry("a/f") == Entry("f", EntryKind.FILE, "", 5)
    (folder / "a/f").write_bytes(b"changed")
    assert without.read("a/f") == b"changed"  # it was only looked at


def test_what_was_read_stays_what_it_was(folder: Path) -> None:
    tree = FolderTree(folder)
    before = tree.entry("a/f")
    (folder / "a/f").write_bytes(b"changed")
    os.utime(folder / "a/f")
    assert tree.read("a/f") == b"hello"
    assert tree.entry("a/f") == before
