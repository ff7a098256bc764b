"""What ports.sources promises, held by the real git and by the fake alike."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Protocol

import pytest

from kilde.adapters.clock import SystemClock
from kilde.adapters.git.sources import GitSources
from kilde.core.basics.errors import PathNotFound, RevisionNotFound, SourceError, SourceUnavailable
from kilde.core.source.revert import Revert
from kilde.core.source.tree import EntryKind
from kilde.ports.sources import Credentials, Sources
from kilde.testing.sources import FakeSources

NOBODY = Credentials()


class Upstream(Protocol):
    """A repository that a test writes to, whoever keeps it."""

    url: str

    def create(self) -> None: ...
    def commit(self, files: Mapping[str, str], *, branch: str = "main", message: str = "change") -> str: ...
    def point(self, ref: str, sha: str) -> None: ...
    def remove(self, ref: str) -> None: ...
    def take_down(self) -> None: ...
    def bring_up(self) -> None: ...
    def refuse_pushes(self) -> None: ...
    def files(self, branch: str) -> dict[str, str]: ...


class FakeUpstream:
    """Upstream over FakeSources."""

    def __init__(self, sources: FakeSources) -> None:
        self.url, self._sources = "https://git.example/team/config.git", sources

    def create(self) -> None:
        self._sources.create(self.url)

    def commit(self, files: Mapping[str, str], *, branch: str = "main", message: str = "change") -> str:
        return self._sources.commit(self.url, {p: t.encode() for p, t in files.items()}, branch=branch, message=message)

    def point(self, ref: str, sha: str) -> None:
        self._sources.point(self.url, ref, sha)

    def remove(self, ref: str) -> None:
        self._sources.remove(self.url, ref)

    def take_down(self) -> None:
        self._sources.take_down(self.url)

    def bring_up(self) -> None:
        self._sources.bring_up(self.url)

    def refuse_pushes(self) -> None:
        self._sources.refuse_pushes(self.url)

    def files(self, branch: str) -> dict[str, str]:
        one = self._sources._repositories[self.url]
        return {path: content.decode() for path, content in one.commits[one.refs[f"refs/heads/{branch}"]].files.items()}


class GitUpstream:
    """Upstream as a bare repository in a folder, written by plain git."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._work = folder / "up.git", folder / "work"
        self.url = f"file://{self._folder}"

    def create(self) -> None:
        _git("init", "--quiet", "--bare", "--initial-branch=main", str(self._folder), at=self._folder.parent)

    def commit(self, files: Mapping[str, str], *, branch: str = "main", message: str = "change") -> str:
        shutil.rmtree(self._work, ignore_errors=True)
        _git("clone", "--quiet", str(self._folder), str(self._work), at=self._folder.parent)
        _git("checkout", "--quiet", "-B", branch, *self._start(branch), at=self._work)
        _git("rm", "-rq", "--ignore-unmatch", ".", at=self._work)
        for path, text in files.items():
            (self._work / path).parent.mkdir(parents=True, exist_ok=True)
            (self._work / path).write_text(text)
        _git("add", "--all", at=self._work)
        _git("commit", "--quiet", "--allow-empty", "-m", message, at=self._work)
        _git("push", "--quiet", "--force", "origin", f"HEAD:refs/heads/{branch}", at=self._work)
        return _git("rev-parse", "HEAD", at=self._work)

    def _start(self, branch: str) -> list[str]:
        there = _git("for-each-ref", f"refs/heads/{branch}", at=self._folder)
        return [f"origin/{branch}"] if there else []

    def point(self, ref: str, sha: str) -> None:
        _git("update-ref", ref, sha, at=self._folder)

    def remove(self, ref: str) -> None:
        _git("update-ref", "-d", ref, at=self._folder)

    def take_down(self) -> None:
        self._folder.rename(self._folder.with_suffix(".away"))

    def bring_up(self) -> None:
        self._folder.with_suffix(".away").rename(self._folder)

    def refuse_pushes(self) -> None:
        hook = self._folder / "hooks" / "pre-receive"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text("#!/bin/sh\necho protected branch >&2\nexit 1\n")
        hook.chmod(0o755)

    def files(self, branch: str) -> dict[str, str]:
        names = _git("ls-tree", "-r", "--name-only", branch, at=self._folder).split("\n")
        return {name: _git("show", f"{branch}:{name}", at=self._folder) + "\n" for name in names if name}


def _git(*arguments: str, at: Path) -> str:
    env = os.environ | {
        "GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example", "GIT_COMMITTER_NAME": "Ada",
        "GIT_COMMITTER_EMAIL": "ada@example", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1",
    }  # fmt: skip
    return subprocess.run(
        ["git", *arguments], cwd=at, env=env, check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture(params=["git", "fake"])
async def pair(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[Sources, Upstream]]:
    if request.param == "fake":
        fake = FakeSources()
        yield fake, FakeUpstream(fake)
        return
    git = GitSources(tmp_path / "mirrors", clock=SystemClock())
    yield git, GitUpstream(tmp_path)
    await git.close()
    await asyncio.get_running_loop().shutdown_default_executor()  # anyio ends its loop later than conftest looks


Pair = tuple[Sources, Upstream]


@pytest.mark.anyio
class TestSources:
    """Each test is one promise."""

    async def test_nothing_is_known_before_the_first_fetch(self, pair: Pair) -> None:
        sources, up = pair
        up.create()
        up.commit({"a.yaml": "a\n"})
        with pytest.raises(SourceUnavailable):
            await sources.resolve(up.url, "main")

    async def test_names_resolve_to_the_commit_they_name(self, pair: Pair) -> None:
        sources, up = pair
        up.create()
        first = up.commit({"a.yaml": "1\n"})
        up.point("refs/tags/v1.4.0", first)
        up.point("refs/tags/v1.10.0", second := up.commit({"a.yaml": "2\n"}))
        up.point("refs/tags/v2.0.0-rc.1", third := up.commit({"a.yaml": "3\n"}, branch="next"))
        up.point("refs/tags/web-v1.2.3", first)
        await sources.fetch(up.url, NOBODY)
        wanted = {
            "": second, "HEAD": second, "main": second, "next": third, "refs/heads/next": third,
            "v1.4.0": first, "refs/tags/v1.4.0": first, "^1.2": second, "1.x": second, ">=1.0.0, <1.5.0": first,
            "2.0.0-rc.1 || v2.0.0-rc.1": third, first: first, first[:9]: first, first[:9].upper(): first,
        }  # fmt: skip
        assert {name: await sources.resolve(up.url, name) for name in wanted} == wanted
        assert await sources.resolve(up.url, "^1.0", tag_prefix="web-") == first

    @pytest.mark.parametrize(
        "name", ["nope", "v9", "^7", "refs/heads/nope", "0" * 40, "abcdef0", "--output=x", "main^", "a b"]
    )
    async def test_a_name_that_names_nothing_is_told(self, pair: Pair, name: str) -> None:
        sources, up = pair
        up.create()
        up.commit({"a.yaml": "1\n"})
        await sources.fetch(up.url, NOBODY)
        with pytest.raises(RevisionNotFound, match=r"unable to resolve '.*' to a commit SHA"):
            await sources.resolve(up.url, name)

    async def test_an_empty_repository_is_fetched_and_has_no_revision(self, pair: Pair) -> None:
        sources, up = pair
        up.create()
        await sources.fetch(up.url, NOBODY)
        with pytest.raises(RevisionNotFound):
            await sources.resolve(up.url, "HEAD")
        sha = up.commit({"a.yaml": "1\n"})
        await sources.fetch(up.url, NOBODY)
        assert await sources.resolve(up.url, "HEAD") == sha

    async def test_what_happens_upstream_is_seen_only_after_a_fetch(self, pair: Pair) -> None:
        sources, up = pair
        up.create()
        old = up.commit({"a.yaml": "1\n"})
        up.commit({"a.yaml": "1\n"}, branch="gone")
        await sources.fetch(up.url, NOBODY)
        new = up.commit({"a.yaml": "2\n"})
        up.remove("refs/heads/gone")
        assert await sources.resolve(up.url, "main") == old
        assert await sources.resolve(up.url, "gone")
        await sources.fetch(up.url, NOBODY)
        assert await sources.resolve(up.url, "main") == new
        with pytest.raises(RevisionNotFound):
            await sources.resolve(up.url, "gone")

    async def test_a_repository_that_is_away_leaves_what_was_known(self, pair: Pair) -> None:
        sources, up = pair
        up.create()
        sha = up.commit({"a.yaml": "1\n"})
        await sources.fetch(up.url, NOBODY)
        up.take_down()
        with pytest.raises(SourceUnavailable):
            await sources.fetch(up.url, NOBODY)
        assert await sources.resolve(up.url, "main") == sha
        assert (await sources.tree(up.url, sha)).read("a.yaml") == b"1\n"
        up.bring_up()
        await sources.fetch(up.url, NOBODY)

    async def test_a_repository_that_never_was_is_unavailable(self, pair: Pair) -> None:
        sources, up = pair
        with pytest.raises(SourceUnavailable, match="repository not found"):
            await sources.fetch(up.url, NOBODY)

    async def test_all_who_ask_at_once_are_served(self, pair: Pair) -> None:
        sources, up = pair
        up.create()
        up.commit({"a.yaml": "1\n"})
        await asyncio.gather(*(sources.fetch(up.url, NOBODY) for _ in range(50)))
        assert await sources.resolve(up.url, "main")

    async def test_a_revision_tells_who_and_what(self, pair: Pair) -> None:
        sources, up = pair
        up.create()
        sha = up.commit({"a.yaml": "1\n"}, message="Add a")
        await sources.fetch(up.url, NOBODY)
        revision = await sources.revision(up.url, sha)
        assert (revision.sha, revision.message, revision.signature) == (sha, "Add a\n", "N")
        assert revision.author.endswith(">")
        assert revision.committed_at.endswith("Z")

    async def test_a_tree_is_the_content_of_its_commit(self, pair: Pair) -> None:
        sources, up = pair
        up.create()
        sha = up.commit({"README": "hi\n", "apps/b/x.yaml": "x\n", "apps/a.yaml": "a\n"})
        await sources.fetch(up.url, NOBODY)
        up.commit({"other": "now\n"})
        tree = await sources.tree(up.url, sha)
        assert [(e.name, e.kind) for e in tree.list("")] == [("README", EntryKind.FILE), ("apps", EntryKind.FOLDER)]
        assert [(e.name, e.kind) for e in tree.list("apps")] == [("a.yaml", EntryKind.FILE), ("b", EntryKind.FOLDER)]
        assert tree.read("apps/b/x.yaml") == b"x\n"
        root, folder, file = tree.entry(""), tree.entry("apps"), tree.entry("apps/a.yaml")
        assert root is not None
        assert folder is not None
        assert file is not None
        assert (root.kind, folder.kind) == (EntryKind.FOLDER, EntryKind.FOLDER)
        assert file.oid == "78981922613b2afb6025042ff6bd878ac1994e85"  # git hash-object
        for absent in ("nope", "apps/nope", "README/x", "apps/a.yaml/x", "apps/../README", "..", "/README"):
            assert tree.entry(absent) is None
        for path in ("nope", "apps"):
            with pytest.raises(PathNotFound):
                tree.read(path)
        for path in ("nope", "README"):
            with pytest.raises(PathNotFound):
                tree.list(path)

    async def test_a_commit_that_is_not_there_has_neither_tree_nor_revision(self, pair: Pair) -> None:
        sources, up = pair
        up.create()
        up.commit({"a.yaml": "1\n"})
        await sources.fetch(up.url, NOBODY)
        with pytest.raises(RevisionNotFound):
            await sources.tree(up.url, "0" * 40)
        with pytest.raises(RevisionNotFound):
            await sources.revision(up.url, "0" * 40)

    async def test_changed_paths_are_those_whose_content_differs(self, pair: Pair) -> None:
        sources, up = pair
        up.create()
        old = up.commit({"keep": "k\n", "edit": "1\n", "drop/x": "x\n"})
        new = up.commit({"keep": "k\n", "edit": "2\n", "add/ü y": "y\n"})
        await sources.fetch(up.url, NOBODY)
        assert await sources.changed_paths(up.url, old, new) == frozenset({"edit", "drop/x", "add/ü y"})
        assert await sources.changed_paths(up.url, new, new) == frozenset()
        assert await sources.changed_paths(up.url, "0" * 40, new) is None

    async def test_a_revert_restores_one_path_and_nothing_else(self, pair: Pair) -> None:
        sources, up = pair
        up.create()
        good = up.commit({"apps/a/x": "1\n", "apps/a/old": "o\n", "apps/b": "1\n"})
        bad = up.commit({"apps/a/x": "2\n", "apps/a/new": "n\n", "apps/b": "2\n"})
        await sources.fetch(up.url, NOBODY)
        made = await sources.push_revert(
            up.url, NOBODY, Revert(branch="main", to=good, paths=("apps/a",), author="Bo <bo@example>", message="Back")
        )
        assert up.files("main") == {"apps/a/x": "1\n", "apps/a/old": "o\n", "apps/b": "2\n"}
        assert await sources.resolve(up.url, "main") == made != bad
        revision = await sources.revision(up.url, made)
        assert (revision.author, revision.committer, revision.message) == (
            "Bo <bo@example>",
            "Bo <bo@example>",
            "Back\n",
        )

    async def test_a_revert_of_some_files_takes_away_what_was_not_there_then(self, pair: Pair) -> None:
        sources, up = pair
        up.create()
        good = up.commit({"base/x": "1\n", "over/p": "1\n", "b": "1\n"})
        up.commit({"base/x": "2\n", "over/p": "1\n", "over/new/q": "n\n", "b": "2\n"})
        await sources.fetch(up.url, NOBODY)
        paths = ("base/x", "over/new/q")
        await sources.push_revert(
            up.url, NOBODY, Revert(branch="main", to=good, paths=paths, author="Bo", message="Back")
        )
        assert up.files("main") == {"base/x": "1\n", "over/p": "1\n", "b": "2\n"}

    @pytest.mark.parametrize("branch", ["main", "HEAD"])
    async def test_a_revert_of_everything_is_the_old_content(self, pair: Pair, branch: str) -> None:
        sources, up = pair
        up.create()
        good = up.commit({"a": "1\n"})
        up.commit({"b": "2\n"})
        await sources.fetch(up.url, NOBODY)
        made = await sources.push_revert(
            up.url, NOBODY, Revert(branch=branch, to=good, paths=(), author="Bo", message="Back")
        )
        assert up.files("main") == {"a": "1\n"}
        again = await sources.push_revert(
            up.url, NOBODY, Revert(branch=branch, to=good, paths=(), author="Bo", message="Back")
        )
        assert again == made

    async def test_a_revert_goes_on_top_of_what_others_pushed_meanwhile(self, pair: Pair) -> None:
        sources, up = pair
        up.create()
        good = up.commit({"a/x": "1\n", "b": "1\n"})
        up.commit({"a/x": "2\n", "b": "1\n"})
        await sources.fetch(up.url, NOBODY)
        up.commit({"a/x": "2\n", "b": "2\n"})
        await sources.push_revert(
            up.url, NOBODY, Revert(branch="main", to=good, paths=("a",), author="Bo", message="Back")
        )
        assert up.files("main") == {"a/x": "1\n", "b": "2\n"}

    async def test_a_refused_push_says_what_to_type_and_changes_nothing(self, pair: Pair) -> None:
        sources, up = pair
        up.create()
        good = up.commit({"a": "1\n"})
        bad = up.commit({"a": "2\n"})
        await sources.fetch(up.url, NOBODY)
        up.refuse_pushes()
        with pytest.raises(SourceUnavailable) as caught:
            await sources.push_revert(
                up.url, NOBODY, Revert(branch="main", to=good, paths=("a",), author="Bo", message="Back to 1")
            )
        assert "protected branch" in caught.value.what
        assert caught.value.hint == (
            f"by hand: git clone --branch main -- {up.url} rollback && cd rollback && git restore --source={good} --staged"
            " --worktree -- a && git commit -m 'Back to 1' && git push origin HEAD:refs/heads/main"
        )
        assert await sources.resolve(up.url, "main") == bad
        assert up.files("main") == {"a": "2\n"}

    async def test_a_revert_never_deletes_a_path_that_was_not_there_yet(self, pair: Pair) -> None:
        sources, up = pair
        up.create()
        old = up.commit({"a": "1\n"})
        up.commit({"a": "1\n", "b/x": "1\n"})
        await sources.fetch(up.url, NOBODY)
        with pytest.raises(PathNotFound):
            await sources.push_revert(
                up.url, NOBODY, Revert(branch="main", to=old, paths=("b",), author="Bo", message="Back")
            )

    async def test_a_revert_of_several_paths_removes_those_that_were_not_there(self, pair: Pair) -> None:
        sources, up = pair
        up.create()
        good = up.commit({"a/x": "1\n", "keep": "1\n"})
        up.commit({"a/x": "2\n", "a/new/deep": "2\n", "plain": "2\n", "keep": "2\n"})
        await sources.fetch(up.url, NOBODY)
        paths = ("a/x", "a/new/deep", "plain/below", "never")
        await sources.push_revert(
            up.url, NOBODY, Revert(branch="main", to=good, paths=paths, author="Bo", message="Back")
        )
        assert up.files("main") == {"a/x": "1\n", "plain": "2\n", "keep": "2\n"}

    async def test_a_revert_of_a_branch_that_is_not_there_is_told(self, pair: Pair) -> None:
        sources, up = pair
        up.create()
        old = up.commit({"a": "1\n"})
        await sources.fetch(up.url, NOBODY)
        with pytest.raises(SourceError):
            await sources.push_revert(
                up.url, NOBODY, Revert(branch="nope", to=old, paths=("a",), author="Bo", message="Back")
            )
