"""GitSources over local repositories: what Git can hold, and what the hostile put there."""

import asyncio
import stat
import subprocess
from pathlib import Path

import pytest

from adapters.git.upstream import Special, Upstream
from kilde.adapters.clock import SystemClock
from kilde.adapters.git.limits import Limits
from kilde.adapters.git.sources import GitSources
from kilde.core.basics.errors import (
    InvalidInput,
    LimitExceeded,
    PathNotFound,
    RevisionNotFound,
    SourceUnavailable,
)
from kilde.core.source.tree import EntryKind
from kilde.ports.sources import Credentials

pytestmark = pytest.mark.anyio
NOBODY = Credentials()


async def test_a_symlink_and_a_submodule_are_entries_and_not_files(sources: GitSources, upstream: Upstream) -> None:
    sha = upstream.commit(
        {
            "link": Special("120000", "/etc/passwd"),
            "module": Special("160000", "1" * 40),
            "run.sh": Special("100755", "echo\n"),
            "dir/link": Special("120000", "../../out"),
        }
    )
    await sources.fetch(upstream.url, NOBODY)
    tree = await sources.tree(upstream.url, sha)
    kinds = {entry.name: entry.kind for entry in tree.list("")}
    assert kinds == {
        "dir": EntryKind.FOLDER,
        "link": EntryKind.SYMLINK,
        "module": EntryKind.SUBMODULE,
        "run.sh": EntryKind.FILE,
    }
    for path, what in (("link", "a symlink"), ("module", "a submodule"), ("dir", "a folder")):
        with pytest.raises(PathNotFound, match=what):
            tree.read(path)
    assert tree.entry("link/passwd") is None
    assert tree.entry("module/x") is None
    with pytest.raises(PathNotFound):
        tree.list("module")


async def test_a_huge_file_is_refused_by_its_size_and_others_still_read(folder: Path, upstream: Upstream) -> None:
    sources = GitSources(folder, clock=SystemClock(), limits=Limits(blob_bytes=1_000_000))
    sha = upstream.commit({"huge.bin": b"\0" * 20_000_000, "exact": b"x" * 1_000_000, "small": "s\n"})
    await sources.fetch(upstream.url, NOBODY)
    tree = await sources.tree(upstream.url, sha)
    with pytest.raises(LimitExceeded) as caught:
        tree.read("huge.bin")
    assert str(caught.value) == (
        "huge.bin: it has 20,000,000 bytes; more than 1,000,000 are not read (keep large files out of the configuration repository)"
    )
    assert tree.read("small") == b"s\n"
    assert len(tree.read("exact")) == 1_000_000
    await sources.close()
    await asyncio.get_running_loop().shutdown_default_executor()


async def test_a_forged_tree_with_a_name_that_leaves_the_folder_is_refused(
    sources: GitSources, upstream: Upstream
) -> None:
    blob = subprocess.run(
        ["git", "hash-object", "-w", "--stdin"], cwd=upstream.path, input=b"x", capture_output=True, check=True
    ).stdout.strip()
    raw = b"100644 ..\0" + bytes.fromhex(blob.decode())
    forged = subprocess.run(
        ["git", "hash-object", "-t", "tree", "-w", "--literally", "--stdin"],
        cwd=upstream.path, input=raw, capture_output=True, check=True, text=False,
    ).stdout.decode().strip()  # fmt: skip
    upstream.git("update-ref", "refs/heads/main", upstream.git("commit-tree", forged, "-m", "forged"))
    await sources.fetch(upstream.url, NOBODY)
    tree = await sources.tree(upstream.url, await sources.resolve(upstream.url, "main"))
    with pytest.raises(InvalidInput, match=r"an entry named '\.\.'"):
        tree.list("")


async def test_nothing_of_the_repository_is_ever_run(sources: GitSources, upstream: Upstream, tmp_path: Path) -> None:
    mark = tmp_path / "it-ran"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {mark}\ncat\n")
    program.chmod(0o755)
    first = upstream.commit(
        {
            ".gitattributes": "* filter=evil diff=evil merge=evil\n",
            ".gitmodules": '[submodule "x"]\n\tupdate = !touch\n',
            "a": "1\n",
        }
    )
    for name in (
        "post-checkout",
        "post-update",
        "reference-transaction",
        "pre-auto-gc",
        "fsmonitor-watchman",
        "post-index-change",
    ):
        hook = upstream.path / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(program.read_text())
        hook.chmod(0o755)
    for key in ("filter.evil.smudge", "filter.evil.clean", "filter.evil.process", "diff.evil.textconv", "diff.evil.command",
                "core.fsmonitor", "core.sshCommand", "core.gitProxy", "core.pager", "core.editor", "gpg.program", "diff.external",
                "uploadpack.packObjectsHook", "credential.helper", "core.alternateRefsCommand"):  # fmt: skip
        upstream.git("config", key, str(program))
    second = upstream.commit({"a": "2\n"}, keep=True)
    mark.unlink(missing_ok=True)
    await sources.fetch(upstream.url, NOBODY)
    tree = await sources.tree(upstream.url, second)
    assert tree.read("a") == b"2\n"
    assert await sources.changed_paths(upstream.url, first, second) == frozenset({"a"})
    await sources.revision(upstream.url, second)
    assert not mark.exists()


async def test_our_own_environment_and_home_do_not_reach_git(
    sources: GitSources, upstream: Upstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "evil.gitconfig"
    config.write_text('[url "file:///nowhere/"]\n\tinsteadOf = file://\n[include]\n\tpath = /nonexistent\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", "/nowhere")
    monkeypatch.setenv("GIT_TRACE", str(tmp_path / "trace"))
    monkeypatch.setenv("HOME", "/nowhere")
    sha = upstream_commit_without_environment(upstream)
    await sources.fetch(upstream.url, NOBODY)
    assert await sources.resolve(upstream.url, "main") == sha
    assert not (tmp_path / "trace").exists()


def upstream_commit_without_environment(upstream: Upstream) -> str:
    """Upstream runs git in an environment of its own."""
    return upstream.commit({"a": "1\n"})


@pytest.mark.parametrize(
    "url",
    ["ext::sh -c touch% /tmp/x", "fd::17", "git://localhost/x", "--upload-pack=touch", "ssh://-oProxyCommand=touch/x",
     "-oProxyCommand=x:y", "git@-oProxyCommand=touch:x", "relative/path", "", "file://host/x", "https://", "http://a b/c",
     "https://host/x\n[core]", "transport::address", "ftp://host/x"],
)  # fmt: skip
async def test_a_url_that_could_do_something_else_is_refused(sources: GitSources, url: str) -> None:
    with pytest.raises(SourceUnavailable):
        await sources.fetch(url, NOBODY)


async def test_a_branch_that_becomes_a_folder_of_branches_is_followed(sources: GitSources, upstream: Upstream) -> None:
    upstream.commit({"a": "1\n"})
    upstream.commit({"a": "1\n"}, branch="team")
    await sources.fetch(upstream.url, NOBODY)
    upstream.git("update-ref", "-d", "refs/heads/team")
    sha = upstream.commit({"a": "2\n"}, branch="team/one")
    await sources.fetch(upstream.url, NOBODY)
    assert await sources.resolve(upstream.url, "team/one") == sha
    with pytest.raises(RevisionNotFound):
        await sources.resolve(upstream.url, "team")


async def test_a_forced_push_is_followed_and_the_old_commit_still_reads(
    sources: GitSources, upstream: Upstream
) -> None:
    old = upstream.commit({"a": "old\n"})
    await sources.fetch(upstream.url, NOBODY)
    upstream.git("update-ref", "-d", "refs/heads/main")
    new = upstream.commit({"a": "new\n"})
    await sources.fetch(upstream.url, NOBODY)
    assert await sources.resolve(upstream.url, "main") == new
    assert (await sources.tree(upstream.url, old)).read("a") == b"old\n"


async def test_a_ref_beside_branches_and_tags_comes_with_the_fetch_after_it_was_asked_for(
    sources: GitSources, folder: Path, upstream: Upstream
) -> None:
    upstream.commit({"a": "1\n"})
    old = upstream.commit({"a": "lost\n"}, branch="tmp")
    sha = upstream.commit({"a": "pull\n"}, branch="tmp")
    upstream.git("update-ref", "refs/pull/7/head", sha)
    upstream.git("update-ref", "-d", "refs/heads/tmp")
    await sources.fetch(upstream.url, NOBODY)
    for name in ("refs/pull/7/head", old, "refs/pull/8/head", "f" * 40):
        with pytest.raises(RevisionNotFound):
            await sources.resolve(upstream.url, name)
    await sources.fetch(upstream.url, NOBODY)
    assert await sources.resolve(upstream.url, "refs/pull/7/head") == sha
    assert await sources.resolve(upstream.url, old) == old
    assert (await sources.tree(upstream.url, old)).read("a") == b"lost\n"

    again = GitSources(folder, clock=SystemClock())  # after a restart it is still followed
    new = upstream.commit({"a": "pull 2\n"}, branch="tmp")
    upstream.git("update-ref", "refs/pull/7/head", new)
    await again.fetch(upstream.url, NOBODY)
    assert await again.resolve(upstream.url, "refs/pull/7/head") == new
    await again.close()


@pytest.mark.parametrize(
    "name", ["refs/heads/main:refs/heads/other", "refs/*", "refs/heads/main^", "refs/a b", "refs/../x"]
)
async def test_a_name_that_would_be_more_than_a_name_is_never_handed_to_git(
    sources: GitSources, upstream: Upstream, name: str
) -> None:
    sha = upstream.commit({"a": "1\n"})
    upstream.git("update-ref", "refs/other/x", upstream.git("commit-tree", f"{sha}^{{tree}}", "-m", "other"))
    await sources.fetch(upstream.url, NOBODY)
    for _ in range(2):
        with pytest.raises(RevisionNotFound):
            await sources.resolve(upstream.url, name)
        await sources.fetch(upstream.url, NOBODY)
    with pytest.raises(RevisionNotFound):
        await sources.resolve(upstream.url, "other")
    with pytest.raises(RevisionNotFound):
        await sources.resolve(upstream.url, "refs/other/x")


async def test_a_head_that_names_no_branch_is_told_with_the_branches_there_are(
    sources: GitSources, upstream: Upstream
) -> None:
    upstream.commit({"a": "1\n"}, branch="trunk")
    await sources.fetch(upstream.url, NOBODY)
    with pytest.raises(RevisionNotFound) as caught:
        await sources.resolve(upstream.url, "HEAD")
    assert str(caught.value) == (
        f"{upstream.url}: unable to resolve 'HEAD' to a commit SHA (its HEAD names a branch that does not exist;"
        " set targetRevision to one of: trunk)"
    )


async def test_two_spellings_of_one_repository_share_a_mirror(
    sources: GitSources, folder: Path, upstream: Upstream
) -> None:
    upstream.commit({"a": "1\n"})
    await sources.fetch(upstream.url, NOBODY)
    await sources.resolve(str(upstream.path), "main")
    await sources.resolve(upstream.url + "/", "main")
    assert len(list(folder.glob("*.git"))) == 1


async def test_a_path_with_blanks_and_percent_signs_is_taken_as_it_is(sources: GitSources, tmp_path: Path) -> None:
    odd = Upstream(tmp_path, "my repo%20x 'y'.git")
    sha = odd.commit({"a": "1\n"})
    await sources.fetch(str(odd.path), NOBODY)
    assert await sources.resolve(str(odd.path), "main") == sha


async def test_the_mirrors_are_for_nobody_elses_eyes(sources: GitSources, folder: Path, upstream: Upstream) -> None:
    upstream.commit({"a": "1\n"})
    await sources.fetch(upstream.url, NOBODY)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [path for path in (folder / "private").rglob("*") if path.is_file()] == []
    assert {stat.S_IMODE(path.stat().st_mode) for path in (folder / "private").iterdir()} == {0o700}


async def test_key_files_of_a_killed_process_are_removed_and_those_of_a_running_one_are_not(folder: Path) -> None:
    running = GitSources(folder, clock=SystemClock())
    (own,) = (folder / "private").iterdir()
    (own / "key").write_text("in use")
    (folder / "private" / "left").mkdir()
    (folder / "private" / "left" / "key").write_text("left behind")
    second = GitSources(folder, clock=SystemClock())
    assert [path.read_text() for path in (folder / "private").rglob("key")] == ["in use"]
    await second.close()
    await running.close()
    assert list((folder / "private").iterdir()) == []


async def test_a_machine_without_git_is_told_so(folder: Path, upstream: Upstream) -> None:
    some = GitSources(folder, clock=SystemClock(), program="no-such-git")
    with pytest.raises(SourceUnavailable, match=r"the program 'no-such-git' cannot be started.*\(install git\)"):
        await some.fetch(upstream.url, NOBODY)
    await asyncio.get_running_loop().shutdown_default_executor()


async def test_a_git_that_is_too_old_is_told_so(folder: Path, upstream: Upstream, tmp_path: Path) -> None:
    old = tmp_path / "old-git"
    old.write_text("#!/bin/sh\necho git version 2.30.2\n")
    old.chmod(0o755)
    some = GitSources(folder, clock=SystemClock(), program=str(old))
    with pytest.raises(SourceUnavailable) as caught:
        await some.fetch(upstream.url, NOBODY)
    assert str(caught.value) == (
        f"the program '{old}' is too old or is not git: 'git version 2.30.2' (install git 2.36 or newer)"
    )
    await asyncio.get_running_loop().shutdown_default_executor()
