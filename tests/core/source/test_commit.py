"""Commit and tree objects, read and changed byte for byte."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilde.core.basics.errors import InvalidInput, SourceError
from kilde.core.source.commit import parse_commit, tree_of
from kilde.core.source.git_tree import parse_tree, replace_entry
from kilde.core.source.revert import Revert, by_hand
from kilde.core.source.revision import Revision
from kilde.core.source.tree import Entry, EntryKind

TREE = b"tree " + b"1" * 40 + b"\n"


def test_a_commit_tells_who_when_and_what() -> None:
    raw = (
        TREE
        + b"parent x\nauthor Ada L <ada@example> 1700000000 +0530\ncommitter B\xc3\xb6 <bo@example> 1700000060 -0100\n\nSubject\n\nBody\n"
    )
    assert parse_commit("s", raw) == Revision(
        sha="s", author="Ada L <ada@example>", committer="Bö <bo@example>", committed_at="2023-11-14T22:14:20Z",
        message="Subject\n\nBody\n", signature="N",
    )  # fmt: skip
    assert tree_of(raw) == "1" * 40


def test_a_signature_nobody_checked_is_said_to_be_unchecked() -> None:
    raw = (
        TREE
        + b"author A <a> 1 +0000\ncommitter A <a> 1 +0000\ngpgsig -----BEGIN\n author Eve <e> 2 +0000\n -----END\n\nx"
    )
    revision = parse_commit("s", raw)
    assert (revision.signature, revision.author) == ("E", "A <a>")


@pytest.mark.parametrize("raw", [b"", b"blob", b"type commit\n\nx", b"\xff\xfe"])
def test_what_is_no_commit_is_told(raw: bytes) -> None:
    with pytest.raises(SourceError, match=r"^s: this object is not a commit$"):
        parse_commit("s", raw)


@pytest.mark.parametrize(
    ("committer", "at"),
    [
        (b"A <a> 99999999999999 +0000", "1970-01-01T00:00:00Z"),
        (b"A <a> 999999999999 +0000", "1970-01-01T00:00:00Z"),
        (b"A <a> -1 +0000", "1969-12-31T23:59:59Z"),
        (b"nonsense", "1970-01-01T00:00:00Z"),
    ],
)
def test_a_commit_may_claim_any_time(committer: bytes, at: str) -> None:
    assert parse_commit("s", TREE + b"author A <a> 1 +0000\ncommitter " + committer + b"\n\n").committed_at == at


def test_an_endless_message_is_cut() -> None:
    assert len(parse_commit("s", TREE + b"\n" + b"x" * 100_000).message) == 16_384


@given(st.binary(max_size=300))
def test_any_bytes_are_a_commit_or_are_not(raw: bytes) -> None:
    try:
        parse_commit("s", TREE + raw)
    except SourceError:
        raise AssertionError from None


def entry(mode: bytes, name: bytes, digit: str) -> bytes:
    return mode + b" " + name + b"\0" + bytes.fromhex(digit * 40)


def test_a_tree_is_read_with_its_kinds() -> None:
    raw = b"".join(
        (
            entry(b"100755", b"run", "1"),
            entry(b"120000", b"link", "2"),
            entry(b"40000", b"dir", "3"),
            entry(b"160000", b"mod", "4"),
            entry(b"100644", b"a\xff", "5"),
        )
    )
    assert {name: (mode, one.kind, one.oid[0], one.size) for name, (mode, one) in parse_tree(raw).items()} == {
        "a\\xff": ("100644", EntryKind.FILE, "5", -1),
        "dir": ("40000", EntryKind.FOLDER, "3", 0),
        "link": ("120000", EntryKind.SYMLINK, "2", -1),
        "mod": ("160000", EntryKind.SUBMODULE, "4", -1),
        "run": ("100755", EntryKind.FILE, "1", -1),
    }
    assert list(parse_tree(raw)) == sorted(parse_tree(raw))
    assert parse_tree(b"") == {}


@pytest.mark.parametrize(
    "raw",
    [
        b"x",
        b"100644 a",
        b"100644 a\0short",
        entry(b"100644", b"..", "1"),
        entry(b"100644", b"a/b", "1"),
        entry(b"100644", b"", "1"),
    ],
)
def test_a_damaged_or_forged_tree_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidInput):
        parse_tree(raw, about="dir")


def test_replacing_an_entry_keeps_gits_order_in_which_folders_end_in_a_slash() -> None:
    raw = entry(b"100644", b"a.b", "1") + entry(b"40000", b"a", "2")
    changed = replace_entry(raw, b"a-c", b"100644", bytes.fromhex("3" * 40))
    assert changed == entry(b"100644", b"a-c", "3") + entry(b"100644", b"a.b", "1") + entry(b"40000", b"a", "2")
    assert replace_entry(changed, b"a", b"100644", bytes.fromhex("4" * 40)).startswith(entry(b"100644", b"a", "4"))


@given(st.dictionaries(st.text("abc.-", min_size=1, max_size=4), st.sampled_from(["100644", "40000"]), max_size=8))
def test_a_tree_built_entry_by_entry_reads_back(modes: dict[str, str]) -> None:
    modes = {name: mode for name, mode in modes.items() if name not in (".", "..")}
    raw = b""
    for name, mode in modes.items():
        raw = replace_entry(raw, name.encode(), mode.encode(), bytes.fromhex("a" * 40))
    kinds = {"100644": EntryKind.FILE, "40000": EntryKind.FOLDER}
    assert parse_tree(raw) == {
        name: (modes[name], Entry(name, kinds[modes[name]], "a" * 40, 0 if modes[name] == "40000" else -1))
        for name in sorted(modes)
    }


def test_commands_for_a_person_are_quoted() -> None:
    assert by_hand("file:///a b", Revert(branch="main", to="abc", message="it's $HOME\n")) == (
        "git clone --branch main -- 'file:///a b' rollback",
        "cd rollback",
        "git restore --source=abc --staged --worktree -- :/",
        "git commit -m 'it'\"'\"'s $HOME'",
        "git push origin HEAD:refs/heads/main",
    )
