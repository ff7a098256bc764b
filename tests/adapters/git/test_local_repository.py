"""A repository that is only read: every tree it gives is Git's own, and nothing in it changes."""

import os
import subprocess
from pathlib import Path

import pytest

from kilde.adapters.git.local import LocalRepository, NotARepository
from kilde.core.basics.errors import InvalidInput, RevisionNotFound
from kilde.core.check.context import files


class Work:
    """A working copy."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments: str) -> str:
        who = ["-c", "user.name=a", "-c", "user.email=a@b.example", "-c", "protocol.file.allow=always"]
        done = subprocess.run(["git", *who, *arguments], cwd=self.folder, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def commit(self, **texts: str) -> str:
        for name, text in texts.items():
            (self.folder / name).write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "change")
        return self.git("rev-parse", "HEAD")

    def state(self) -> dict[str, bytes]:
        """Every file, those of Git included."""
        return {str(path): path.read_bytes() for path in sorted(self.folder.rglob("*")) if path.is_file()}


@pytest.fixture
def work(tmp_path: Path) -> Work:
    return Work(tmp_path / "work")


def test_the_working_copy_is_the_tree_that_add_all_would_make_and_nothing_is_written(work: Work) -> None:
    work.commit(kept="1\n", gone="2\n", changed="3\n")
    (work.folder / ".gitignore").write_text("*.log\n")
    (work.folder / "debug.log").write_text("no\n")
    (work.folder / "new").write_text("yes\n")
    (work.folder / "changed").write_text("4\n")
    (work.folder / "gone").unlink()
    (work.folder / "link").symlink_to("/etc/passwd")
    before = work.state()
    repository = LocalRepository(work.folder)
    tree = repository.tree(repository.working())
    found = {path: tree.read(path) for path in files(tree)}
    link = tree.link("link")
    repository.close()

    assert found == {".gitignore": b"*.log\n", "changed": b"4\n", "kept": b"1\n", "new": b"yes\n"}
    assert link == "/etc/passwd"
    assert work.state() == before


def test_what_is_staged_is_what_the_commit_would_have(work: Work) -> None:
    work.commit(one="1\n")
    (work.folder / "one").write_text("staged\n")
    work.git("add", "one")
    (work.folder / "one").write_text("not staged\n")
    before = work.state()
    repository = LocalRepository(work.folder / ".")
    tree_id = repository.staged()
    content = repository.tree(tree_id).read("one")
    repository.close()

    assert content == b"staged\n"
    assert work.state() == before
    work.git("commit", "--quiet", "--message", "it")
    assert work.git("rev-parse", "HEAD^{tree}") == tree_id


def test_a_range_is_what_it_brings_with_what_it_takes_back(work: Work) -> None:
    base = work.commit(a="1\n")
    leak = work.commit(secret="value\n")
    (work.folder / "secret").unlink()
    work.commit(b="2\n")
    work.git("checkout", "--quiet", "-b", "side", base)
    side = work.commit(c="3\n")
    work.git("merge", "--quiet", "--no-commit", "main")
    merged = work.commit(only_in_merge="4\n")
    repository = LocalRepository(work.folder)
    commits = repository.new_commits(merged, without=[base])
    added = set(repository.added(commits))
    changed = repository.changed(repository.tree_id(base), repository.tree_id(merged))
    fork = repository.merge_base("main", side)
    repository.close()

    assert added == {
        (leak, "secret", b"value\n"),
        (work.git("rev-parse", "main"), "b", b"2\n"),
        (side, "c", b"3\n"),
        (merged, "only_in_merge", b"4\n"),
    }
    assert changed == {"b", "c", "only_in_merge"}
    assert fork == base


def test_names_of_branches_tags_and_remotes(work: Work, tmp_path: Path) -> None:
    work.commit(a="1\n")
    work.git("tag", "v1")
    work.git("branch", "feature/x")
    subprocess.run(["git", "clone", "--quiet", str(work.folder), str(tmp_path / "clone")], check=True)
    repository = LocalRepository(tmp_path / "clone")
    found = set(repository.refs().by_name), repository.urls(), repository.is_shallow()
    repository.close()

    names = {"refs/heads/main", "refs/heads/feature/x", "refs/tags/v1"}
    assert found == (names, (str(work.folder),), False)


def test_a_shallow_clone_says_so(work: Work, tmp_path: Path) -> None:
    work.commit(a="1\n")
    work.commit(a="2\n")
    subprocess.run(
        ["git", "clone", "--quiet", "--depth=1", f"file://{work.folder}", str(tmp_path / "clone")], check=True
    )
    repository = LocalRepository(tmp_path / "clone")
    found = repository.is_shallow()
    repository.close()

    assert found


@pytest.mark.parametrize("revision", ["nowhere", "--all", "-h", "v1:a", "", "main^{tree}"])
def test_what_is_no_commit_is_refused(work: Work, revision: str) -> None:
    work.commit(a="1\n")
    repository = LocalRepository(work.folder)
    with pytest.raises(RevisionNotFound, match="no such revision"):
        repository.commit(revision)
    repository.close()


def test_a_bare_repository_has_commits_and_no_working_copy(work: Work, tmp_path: Path) -> None:
    head = work.commit(a="1\n")
    subprocess.run(["git", "clone", "--quiet", "--bare", str(work.folder), str(tmp_path / "bare")], check=True)
    repository = LocalRepository(tmp_path / "bare")
    read = repository.tree(repository.tree_id(head)).read("a")
    with pytest.raises(InvalidInput, match="it has no working copy"):
        repository.working()
    repository.close()

    assert read == b"1\n"


def test_a_linked_working_copy_and_a_folder_below_are_the_same_repository(work: Work, tmp_path: Path) -> None:
    work.commit(a="1\n")
    work.git("worktree", "add", "--quiet", str(tmp_path / "linked"))
    (tmp_path / "linked" / "below").mkdir()
    (tmp_path / "linked" / "below" / "new").write_text("2\n")
    repository = LocalRepository(tmp_path / "linked" / "below")
    tree = repository.tree(repository.working())
    found = list(files(tree))
    repository.close()

    assert found == ["a", "below/new"]


def test_a_folder_without_git_is_no_repository(tmp_path: Path) -> None:
    with pytest.raises(NotARepository):
        LocalRepository(tmp_path)


def test_a_repository_without_a_commit_has_a_working_copy(work: Work) -> None:
    (work.folder / "a").write_text("1\n")
    repository = LocalRepository(work.folder)
    found = list(files(repository.tree(repository.working())))
    repository.close()

    assert found == ["a"]


def test_what_the_caller_sets_for_git_elsewhere_is_not_followed(
    work: Work, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    head = work.commit(a="1\n")
    monkeypatch.setenv("GIT_DIR", os.devnull)
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(tmp_path))
    repository = LocalRepository(work.folder)
    found = repository.commit("HEAD")
    repository.close()

    assert found == head
