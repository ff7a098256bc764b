"""GitSources over local repositories: hostile content, damage, interruption, many who ask at once."""

import asyncio
import contextlib
import os
import signal
import stat
import subprocess
import time
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
    SourceError,
    SourceUnavailable,
)
from kilde.core.source.tree import EntryKind
from kilde.ports.sources import Credentials

pytestmark = pytest.mark.anyio
NOBODY = Credentials()


def mirror_of(folder: Path) -> Path:
    (found,) = folder.glob("*.git")
    return found


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


async def test_fifty_who_ask_at_once_cost_one_fetch(sources: GitSources, folder: Path, upstream: Upstream) -> None:
    upstream.commit({"a": "1\n"})
    counted = CountingProgram(folder.parent)
    some = GitSources(folder, clock=SystemClock(), program=counted.path)
    await asyncio.gather(*(some.fetch(upstream.url, NOBODY) for _ in range(50)))
    assert counted.runs("fetch") == 1
    await asyncio.gather(*(some.fetch(upstream.url, NOBODY) for _ in range(50)))
    assert counted.runs("fetch") == 2
    await some.close()


async def test_who_asks_while_a_fetch_runs_sees_what_was_pushed_meanwhile(folder: Path, upstream: Upstream) -> None:
    upstream.commit({"a": "1\n"})
    slow = CountingProgram(folder.parent, after_fetch="sleep 0.5")
    some = GitSources(folder, clock=SystemClock(), program=slow.path)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(some.fetch(upstream.url, NOBODY))
        while not slow.runs("fetch"):
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.2)
        new = upstream.commit({"a": "2\n"})
        await asyncio.gather(*(some.fetch(upstream.url, NOBODY) for _ in range(10)))
        assert await some.resolve(upstream.url, "main") == new
    assert slow.runs("fetch") == 2
    await some.close()
    await asyncio.get_running_loop().shutdown_default_executor()


async def test_when_the_one_who_leads_is_cancelled_the_others_are_still_served(
    folder: Path, upstream: Upstream
) -> None:
    sha = upstream.commit({"a": "1\n"})
    slow = CountingProgram(folder.parent, before="sleep 0.3")
    some = GitSources(folder, clock=SystemClock(), program=slow.path)
    leader = asyncio.ensure_future(some.fetch(upstream.url, NOBODY))
    await asyncio.sleep(0)
    others = asyncio.gather(*(some.fetch(upstream.url, NOBODY) for _ in range(5)))
    await asyncio.sleep(0.05)
    leader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leader
    await others
    assert await some.resolve(upstream.url, "main") == sha
    await some.close()
    await asyncio.get_running_loop().shutdown_default_executor()


async def test_a_fetch_that_takes_too_long_is_ended_with_all_it_started(folder: Path, upstream: Upstream) -> None:
    upstream.commit({"a": "1\n"})
    slow = CountingProgram(
        folder.parent, before='case "$*" in *" fetch "*) sleep 60 & echo $! >"$0.child"; wait;; esac'
    )
    some = GitSources(folder, clock=SystemClock(), limits=Limits(fetch_seconds=0.5), program=slow.path)
    begun = time.monotonic()
    with pytest.raises(SourceUnavailable, match=r"git fetch did not end within 0\.5 s"):
        await some.fetch(upstream.url, NOBODY)
    assert time.monotonic() - begun < 4
    child = int(Path(f"{slow.path}.child").read_text())
    for _ in range(100):
        if not Path(f"/proc/{child}").exists():
            break
        await asyncio.sleep(0.02)
    assert not Path(f"/proc/{child}").exists()
    await some.close()
    await asyncio.get_running_loop().shutdown_default_executor()


async def test_a_killed_fetch_leaves_a_mirror_that_the_next_one_mends(folder: Path, upstream: Upstream) -> None:
    old = upstream.commit({f"f{n}": os.urandom(200_000) for n in range(20)})
    some = GitSources(folder, clock=SystemClock())
    await some.fetch(upstream.url, NOBODY)
    new = upstream.commit({f"g{n}": os.urandom(400_000) for n in range(60)})
    for wait in (0.005, 0.02, 0.04, 0.08):
        task = asyncio.ensure_future(some.fetch(upstream.url, NOBODY))
        await asyncio.sleep(wait)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert await some.resolve(upstream.url, "main") in (old, new)
        assert (await some.tree(upstream.url, old)).read("f3")
    mirror = mirror_of(folder)
    for name in ("packed-refs.lock", "HEAD.lock", "refs/heads/main.lock", "shallow.lock", "objects/pack/tmp_pack_x"):
        (mirror / name).touch()
    await some.close()
    again = GitSources(folder, clock=SystemClock())
    await again.fetch(upstream.url, NOBODY)
    assert await again.resolve(upstream.url, "main") == new
    assert not list(mirror.rglob("*.lock"))
    assert not list(mirror.glob("objects/pack/tmp_*"))
    await again.close()
    await asyncio.get_running_loop().shutdown_default_executor()


@pytest.mark.parametrize("damage", ["packs", "objects", "config", "HEAD", "refs", "everything"])
async def test_a_damaged_mirror_is_built_anew(folder: Path, upstream: Upstream, damage: str) -> None:
    old = upstream.commit({"a": "1\n", "d/b": "2\n"})
    some = GitSources(folder, clock=SystemClock())
    await some.fetch(upstream.url, NOBODY)
    await some.close()
    mirror = mirror_of(folder)
    _damage(mirror, damage)
    new = upstream.commit({"a": "3\n", "d/b": "2\n"})
    again = GitSources(folder, clock=SystemClock())
    with contextlib.suppress(SourceError):  # reads may find it, or the fetch
        (await again.tree(upstream.url, old)).read("d/b")
    await again.fetch(upstream.url, NOBODY)
    assert (await again.tree(upstream.url, new)).read("d/b") == b"2\n"
    assert (await again.tree(upstream.url, old)).read("a") == b"1\n"
    await again.close()
    await asyncio.get_running_loop().shutdown_default_executor()


def _damage(mirror: Path, kind: str) -> None:
    match kind:
        case "packs" | "objects":
            for file in [one for one in (mirror / "objects").rglob("*") if one.is_file()]:
                file.chmod(0o600)
                file.write_bytes(b"" if kind == "objects" else b"garbage" * 10)
        case "config":
            (mirror / "config").write_text("[core\nbad")
        case "HEAD":
            (mirror / "HEAD").unlink()
        case "refs":
            (mirror / "refs/heads/main").write_text("garbage\n")
        case _:
            subprocess.run(["rm", "-rf", str(mirror)], check=True)


async def test_a_reader_that_died_is_started_again(sources: GitSources, upstream: Upstream) -> None:
    sha = upstream.commit({"a": "1\n", "b": "2\n"})
    await sources.fetch(upstream.url, NOBODY)
    tree = await sources.tree(upstream.url, sha)
    assert tree.read("a") == b"1\n"
    for child in Path("/proc/self/task").glob("*/children"):
        for pid in child.read_text().split():
            if b"cat-file" in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(int(pid), signal.SIGKILL)
    assert tree.read("b") == b"2\n"


async def test_a_tree_is_read_by_many_threads_at_once(sources: GitSources, upstream: Upstream) -> None:
    files = {f"d{n % 10}/f{n}": f"{n}\n" for n in range(200)}
    sha = upstream.commit(files)
    await sources.fetch(upstream.url, NOBODY)
    tree = await sources.tree(upstream.url, sha)

    def read_all() -> dict[str, str]:
        return {path: tree.read(path).decode() for path in files}

    assert await asyncio.gather(*(asyncio.to_thread(read_all) for _ in range(8))) == [files] * 8


async def test_a_restart_answers_from_the_mirror_without_the_repository(folder: Path, upstream: Upstream) -> None:
    sha = upstream.commit({"a": "1\n"})
    upstream.git("tag", "-a", "-m", "nested", "outer", upstream.git("rev-parse", "main"))
    some = GitSources(folder, clock=SystemClock())
    await some.fetch(upstream.url, NOBODY)
    await some.close()
    upstream.path.rename(upstream.path.with_name("gone"))
    again = GitSources(folder, clock=SystemClock())
    assert [await again.resolve(upstream.url, name) for name in ("HEAD", "main", "outer", sha[:7])] == [sha] * 4
    assert (await again.tree(upstream.url, sha)).read("a") == b"1\n"
    await again.close()
    await asyncio.get_running_loop().shutdown_default_executor()


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
    sources: GitSources, upstream: Upstream
) -> None:
    upstream.commit({"a": "1\n"})
    sha = upstream.commit({"a": "pull\n"}, branch="tmp")
    upstream.git("update-ref", "refs/pull/7/head", sha)
    upstream.git("update-ref", "-d", "refs/heads/tmp")
    await sources.fetch(upstream.url, NOBODY)
    with pytest.raises(RevisionNotFound):
        await sources.resolve(upstream.url, "refs/pull/7/head")
    await sources.fetch(upstream.url, NOBODY)
    assert await sources.resolve(upstream.url, "refs/pull/7/head") == sha


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
    assert list((folder / "private").iterdir()) == []


async def test_a_machine_without_git_is_told_so(folder: Path, upstream: Upstream) -> None:
    some = GitSources(folder, clock=SystemClock(), program="no-such-git")
    with pytest.raises(SourceUnavailable, match=r"the program 'no-such-git' cannot be started.*\(install git\)"):
        await some.fetch(upstream.url, NOBODY)
    await asyncio.get_running_loop().shutdown_default_executor()


class CountingProgram:
    """The real git behind a script that notes each run's arguments; more can be done before or after it."""

    def __init__(self, folder: Path, *, before: str = ":", after_fetch: str = ":") -> None:
        script = folder / "counting-git"
        self._notes = folder / "runs"
        script.write_text(
            f'#!/bin/sh\necho "$@" >>{self._notes}\n{before}\ngit "$@"\ncode=$?\n'
            f'case "$*" in *" fetch "*) {after_fetch};; esac\nexit $code\n'
        )
        script.chmod(0o755)
        self.path = str(script)

    def runs(self, word: str) -> int:
        lines = self._notes.read_text().splitlines() if self._notes.exists() else []
        return sum(1 for line in lines if f" {word} " in line)
