"""Mirrors under load and misfortune: many who ask at once, interruption, damage, restarts, limits."""

import asyncio
import contextlib
import fcntl
import itertools
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from adapters.git.upstream import Upstream
from kilde.adapters.clock import SystemClock
from kilde.adapters.git.limits import Limits
from kilde.adapters.git.sources import GitSources
from kilde.adapters.git.store import disk_bytes
from kilde.core.basics.errors import (
    SourceError,
    SourceUnavailable,
)
from kilde.core.source.revert import Revert
from kilde.ports.sources import Credentials

pytestmark = pytest.mark.anyio
NOBODY = Credentials()


def mirror_of(folder: Path) -> Path:
    (found,) = folder.glob("*.git")
    return found


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
    some = GitSources(folder, clock=SystemClock(), limits=Limits(clone_seconds=0.5), program=slow.path)
    begun = time.monotonic()
    with pytest.raises(SourceUnavailable, match=r"git fetch did not end within 0\.5 s"):
        await some.fetch(upstream.url, NOBODY)
    assert time.monotonic() - begun < 30  # what it started would take a minute
    child = int(Path(f"{slow.path}.child").read_text())
    for _ in range(1000):
        if not Path(f"/proc/{child}").exists():
            break
        await asyncio.sleep(0.02)
    assert not Path(f"/proc/{child}").exists()
    await some.close()
    await asyncio.get_running_loop().shutdown_default_executor()


async def test_a_killed_fetch_leaves_a_mirror_that_the_next_one_mends(folder: Path, upstream: Upstream) -> None:
    old = upstream.commit({f"f{n}": os.urandom(50_000) for n in range(20)})
    some = GitSources(folder, clock=SystemClock())
    await some.fetch(upstream.url, NOBODY)
    new = upstream.commit({f"g{n}": os.urandom(100_000) for n in range(60)})
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


async def test_a_mirror_that_another_process_holds_is_waited_for_and_then_given_up(
    folder: Path, upstream: Upstream
) -> None:
    upstream.commit({"a": "1\n"})
    some = GitSources(folder, clock=SystemClock(), limits=Limits(fetch_seconds=1.0))
    await some.fetch(upstream.url, NOBODY)
    (lock,) = folder.glob("*.lock")
    with lock.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(SourceUnavailable, match="another process has kept its mirror locked"):
            await some.fetch(upstream.url, NOBODY)
    await some.fetch(upstream.url, NOBODY)
    await some.close()
    await asyncio.get_running_loop().shutdown_default_executor()


async def test_a_pack_larger_than_allowed_ends_the_fetch_and_leaves_nothing(folder: Path, upstream: Upstream) -> None:
    upstream.commit({f"f{n}": os.urandom(20_000) for n in range(150)})
    some = GitSources(folder, clock=SystemClock(), limits=Limits(pack_bytes=1_000_000))
    with pytest.raises(SourceUnavailable, match="the repository is larger than a mirror may be"):
        await some.fetch(upstream.url, NOBODY)
    assert disk_bytes(folder) < 1000
    await asyncio.get_running_loop().shutdown_default_executor()


async def test_mirrors_that_nobody_uses_make_room_for_a_new_one(folder: Path, tmp_path: Path) -> None:
    ups = [Upstream(tmp_path, f"up{number}.git") for number in range(3)]
    for up in ups:
        up.commit({"a": os.urandom(100_000)})
    some = GitSources(folder, clock=SystemClock())
    for up in ups[:2]:
        await some.fetch(up.url, NOBODY)
    await some.close()
    again = GitSources(folder, clock=SystemClock(), limits=Limits(folder_bytes=150_000))
    await again.fetch(ups[2].url, NOBODY)
    assert {path.name[:3] for path in folder.glob("*.git")} == {"up1", "up2"}
    more = Upstream(tmp_path, "up4.git")
    assert await again.resolve(ups[1].url, "main")
    with pytest.raises(SourceUnavailable, match="the mirrors of all repositories take more than 150,000 bytes"):
        await again.fetch(more.url, NOBODY)
    await again.close()
    await asyncio.get_running_loop().shutdown_default_executor()


async def test_a_fetch_that_finds_nothing_new_writes_nothing(
    folder: Path, sources: GitSources, upstream: Upstream
) -> None:
    upstream.commit({"a": "1\n"})
    await sources.fetch(upstream.url, NOBODY)
    before = {path: path.stat().st_ino for path in mirror_of(folder).rglob("*") if path.is_file()}
    await sources.fetch(upstream.url, NOBODY)
    assert {path: path.stat().st_ino for path in mirror_of(folder).rglob("*") if path.is_file()} == before


async def test_only_so_many_reader_processes_are_kept(folder: Path, tmp_path: Path) -> None:
    some = GitSources(folder, clock=SystemClock(), limits=Limits(readers=2))
    trees = []
    for number in range(5):
        up = Upstream(tmp_path, f"up{number}.git")
        sha = up.commit({"a": f"{number}\n"})
        await some.fetch(up.url, NOBODY)
        trees.append(await some.tree(up.url, sha))
    await some.resolve(up.url, "main")
    assert len(readers()) == 2
    assert [tree.read("a") for tree in trees] == [f"{number}\n".encode() for number in range(5)]
    await some.close()
    assert readers() == []
    await asyncio.get_running_loop().shutdown_default_executor()


async def test_a_repository_with_sha256_ids_is_mirrored_too(sources: GitSources, tmp_path: Path) -> None:
    path = tmp_path / "sha256.git"
    subprocess.run(
        ["git", "init", "--quiet", "--bare", "--object-format=sha256", "--initial-branch=main", str(path)], check=True
    )
    up = object.__new__(Upstream)
    up.path = path
    good = up.commit({"d/a": "1\n"})
    sha = up.commit({"d/a": "2\n", "d/b": "2\n", "e": "2\n"})
    await sources.fetch(up.url, NOBODY)
    assert await sources.resolve(up.url, "main") == sha
    assert len(sha) == 64
    assert (await sources.tree(up.url, sha)).read("d/a") == b"2\n"
    await sources.push_revert(
        up.url, NOBODY, Revert(branch="main", to=good, paths=("d/a", "d/b"), author="Bo", message="Back")
    )
    assert up.git("show", "main:d/a") == "1"
    assert up.git("ls-tree", "-r", "--name-only", "main").split() == ["d/a", "e"]


def readers() -> list[int]:
    """Processes of ours that read a mirror."""
    pids = {int(pid) for task in Path("/proc/self/task").glob("*/children") for pid in task.read_text().split()}
    return [pid for pid in pids if b"cat-file" in Path(f"/proc/{pid}/cmdline").read_bytes()]


async def test_only_so_many_repositories_are_fetched_at_once(folder: Path, tmp_path: Path) -> None:
    ups = [Upstream(tmp_path, f"up{number}.git") for number in range(6)]
    for up in ups:
        up.commit({"a": "1\n"})
    log = tmp_path / "log"
    noted = CountingProgram(
        tmp_path, before=f'case "$*" in *" fetch "*) echo in >>{log}; sleep 0.2;; esac', after_fetch=f"echo out >>{log}"
    )
    some = GitSources(folder, clock=SystemClock(), limits=Limits(parallel_fetches=2), program=noted.path)
    await asyncio.gather(*(some.fetch(up.url, NOBODY) for up in ups))
    running = list(itertools.accumulate({"in": 1, "out": -1}[word] for word in log.read_text().split()))
    assert (max(running), running[-1], len(running)) == (2, 0, 12)
    await some.close()
    await asyncio.get_running_loop().shutdown_default_executor()


async def test_a_difference_that_a_thousand_ask_for_is_computed_once(folder: Path, upstream: Upstream) -> None:
    old = upstream.commit({"a": "1\n"})
    new = upstream.commit({"a": "2\n"})
    counted = CountingProgram(folder.parent)
    some = GitSources(folder, clock=SystemClock(), program=counted.path)
    await some.fetch(upstream.url, NOBODY)
    told = await asyncio.gather(*(some.changed_paths(upstream.url, old, new) for _ in range(1000)))
    assert set(told) == {frozenset({"a"})}
    assert counted.runs("diff-tree") == 1
    await some.close()
    await asyncio.get_running_loop().shutdown_default_executor()


async def test_a_child_that_outlives_git_is_ended_too(folder: Path, upstream: Upstream) -> None:
    upstream.commit({"a": "1\n"})
    lingering = CountingProgram(
        folder.parent, before='case "$*" in *" fetch "*) sleep 60 & echo $! >"$0.child"; exit 0;; esac'
    )
    some = GitSources(folder, clock=SystemClock(), limits=Limits(clone_seconds=0.5), program=lingering.path)
    with pytest.raises(SourceUnavailable, match=r"git fetch did not end within 0\.5 s"):
        await some.fetch(upstream.url, NOBODY)
    child = Path("/proc") / Path(f"{lingering.path}.child").read_text().strip() / "stat"
    assert not child.exists() or child.read_text().split()[2] == "Z"
    await asyncio.get_running_loop().shutdown_default_executor()
