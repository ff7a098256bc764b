"""Rendering side by side with the kustomize binary, in one run: wall, CPU and peak memory; prints Markdown rows for docs/benchmarks.md.

python benchmarks/render.py                    # everything; six minutes, most of them kustomize's
python benchmarks/render.py process fleet      # only these: process, fleet, growth, commit
add --without-kustomize for ours alone (seconds)

Every program is a process of its own, its CPU and memory as the kernel counts them (wait4); ours and theirs take turns. In `fleet` and
`commit` ours is this file run once more (`--child`), because the command builds one folder.
"""

import argparse
import asyncio
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from trees import fleet, large, tiny

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tools")]

OVERLAYS, COMMIT_OVERLAYS = 200, 1_000
GROWTH = [500, 1_000, 2_000, 4_000]
TURNS = 20


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds and MiB of one process."""

    wall: float
    cpu: float
    memory: float


def cost(command: list[str], output: Path | None = None) -> Cost:
    """Runs a program. What it prints goes to `output`, or nowhere."""
    with open(output or os.devnull, "wb") as out:
        begun = time.perf_counter()
        process = subprocess.Popen(command, stdout=out)
        _, status, use = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return Cost(wall, use.ru_utime + use.ru_stime, use.ru_maxrss / 1024)


def row(*cells: object) -> None:
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


def show(what: str, who: str, found: Cost, unit: str = "s", times: Cost | None = None) -> None:
    scale = 1000 if unit == "ms" else 1
    digits = 0 if unit == "ms" else 2
    than = f"{found.wall / times.wall:.1f} ×, CPU {found.cpu / times.cpu:.1f} ×" if times else ""
    memory = f"{found.memory:.0f} MiB"
    wall, cpu = (f"{seconds * scale:.{digits}f} {unit}" for seconds in (found.wall, found.cpu))
    row(what, who, wall, cpu, memory, than)


class Bench:
    """Where the trees lie, and the two programs."""

    def __init__(self, folder: Path, kustomize: Path | None, objects: list[int]) -> None:
        self.folder, self.kustomize, self.objects = folder, kustomize, objects
        self.kilde = [str(Path(sys.executable).parent / "kilde"), "build"]

    def child(self, name: str, *arguments: str) -> list[str]:
        return [sys.executable, __file__, "--child", name, *arguments]

    def compare(self, what: str, target: Path, unit: str = "s", turns: int = 1) -> None:
        """`kilde build` and `kustomize build` by turns, medians; once, whether they print the same."""
        ours, theirs = self.folder / "ours.yaml", self.folder / "theirs.yaml"
        mine: list[Cost] = []
        other: list[Cost] = []
        for _ in range(turns):
            mine.append(cost([*self.kilde, str(target)], ours))
            if self.kustomize:
                other.append(cost([str(self.kustomize), "build", str(target)], theirs))
        if other:
            assert ours.read_bytes() == theirs.read_bytes(), f"{target}: not the same"
        best = median(mine)
        show(what, "kilde", best, unit)
        if other:
            show(what, "kustomize", median(other), unit, times=best)


def median(found: list[Cost]) -> Cost:
    return Cost(*(statistics.median(getattr(each, name) for each in found) for name in ("wall", "cpu", "memory")))


def process(bench: Bench) -> None:
    tiny(bench.folder / "tiny")
    show("python that does nothing", "", median([cost([sys.executable, "-c", ""]) for _ in range(TURNS)]), "ms")
    bench.compare(f"a tiny overlay, median of {TURNS}", bench.folder / "tiny/overlay", "ms", TURNS)
    bench.compare(f"its base alone, median of {TURNS}", bench.folder / "tiny/base", "ms", TURNS)


def fleet_case(bench: Bench) -> None:
    tree = bench.folder / "fleet"
    fleet(tree, OVERLAYS)
    what = f"{OVERLAYS} overlays, 1,660 objects, each built for itself"
    best = median([cost(bench.child("overlays", str(tree), str(OVERLAYS))) for _ in range(3)])
    show(what, "kilde, one process", best)
    if bench.kustomize:
        found = [cost([str(bench.kustomize), "build", str(tree / f"overlays/a{n}")]) for n in range(OVERLAYS)]
        each = Cost(sum(c.wall for c in found), sum(c.cpu for c in found), max(c.memory for c in found))
        show(what, f"kustomize, {OVERLAYS} processes", each, times=best)
    bench.compare("one kustomization that lists the 200 overlays", tree / "all")


def growth(bench: Bench) -> None:
    for size in bench.objects:
        tree = bench.folder / f"large{size}"
        large(tree, size)
        bench.compare(f"{size:,} objects in one kustomization: prefix, labels, image", tree)


def commit(bench: Bench) -> None:
    print(
        subprocess.run(bench.child("commit", str(COMMIT_OVERLAYS)), check=True, capture_output=True, text=True).stdout,
        end="",
    )


def child_overlays(folder: str, size: str) -> None:
    """Builds every overlay by itself, all in this process."""
    from kilde.adapters.folder import FolderTree
    from kilde.core.render import RenderCache, kustomize_build

    tree, cache = FolderTree(folder), RenderCache()
    for n in range(int(size)):
        sys.stdout.write(kustomize_build(tree, f"overlays/a{n}", cache=cache).text())


def child_commit(size: str) -> None:
    """A mirror of a repository of so many overlays, rendered by the engine's Renderer: cold, after a commit of one file, after one of the
    base; and how long the event loop was away meanwhile.
    """
    asyncio.run(_commits(int(size)))


async def _commits(size: int) -> None:
    from kilde.adapters.clock import SystemClock
    from kilde.adapters.git.sources import GitSources
    from kilde.core.apps.application import Source
    from kilde.core.render import RenderSource
    from kilde.engine.sources.rendering import Memory, Renderer
    from kilde.ports.sources import Credentials

    with tempfile.TemporaryDirectory(prefix="kilde-render-") as name:
        work, bare = Path(name, "work"), Path(name, "bare.git")
        fleet(work, size)
        git(work, "init", "-q", "-b", "main")
        git(work, "add", "-A")
        git(work, "commit", "-q", "-m", "fleet")
        git(work, "clone", "-q", "--bare", str(work), str(bare))
        sources, url, nobody = GitSources(Path(name, "mirror"), clock=SystemClock()), f"file://{bare}", Credentials()
        await sources.fetch(url, nobody)

        async def no_fetch(_: str) -> None:
            """No base is remote here."""

        renderer = Renderer(sources, fetch=no_fetch)
        memories: dict[int, Memory | None] = dict.fromkeys(range(size))

        async def render_all(what: str) -> None:
            sha = await sources.resolve(url, "main")
            begun, used, done, away = time.perf_counter(), time.process_time(), renderer.renders, Away()

            async def one(number: int) -> None:
                before = memories[number]
                if before is not None and await renderer.still_true(before, sha):
                    memories[number] = replace(before, sha=sha)
                    return
                path = f"overlays/a{number}"
                render = RenderSource(path=path)
                source = Source(repo_url=url, path=path, target_revision="main", render=render, raw={})
                _, memories[number] = await renderer.render(source, sha, before, project="default")

            for number in range(size):  # one after another, as engine/sources/commits.py asks whom a commit concerns
                await one(number)
            wall, cpu = time.perf_counter() - begun, time.process_time() - used
            note = f"{renderer.renders - done} renders; loop away ≤ {await away.longest() * 1000:.0f} ms"
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            row(
                f"{size:,} overlays: {what}",
                "kilde, engine",
                f"{wall * 1000:.0f} ms",
                f"{cpu * 1000:.0f} ms",
                f"{peak:.0f} MiB",
                note,
            )

        await render_all("cold")
        commit_change(work, bare, "overlays/a7/patch.yaml", "debug", "trace")
        await sources.fetch(url, nobody)
        await render_all("after a commit of one file")
        commit_change(work, bare, "base/r0.yaml", "replicas: 2", "replicas: 4")
        await sources.fetch(url, nobody)
        await render_all("after a commit of the base's file")
        renderer.close()
        await sources.close()


def commit_change(work: Path, bare: Path, path: str, old: str, new: str) -> None:
    """Replaces a text in a file, commits and pushes."""
    file = work / path
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))
    git(work, "commit", "-q", "-am", "change")
    git(work, "push", "-q", str(bare), "main")


class Away:
    """Watches how long the event loop does nothing else."""

    def __init__(self) -> None:
        self._worst = 0.0
        self._task = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        while True:
            begun = time.perf_counter()
            await asyncio.sleep(0.001)
            self._worst = max(self._worst, time.perf_counter() - begun - 0.001)

    async def longest(self) -> float:
        """Seconds; ends the watch."""
        await asyncio.sleep(0)
        self._task.cancel()
        return self._worst


def git(folder: Path, *arguments: str) -> None:
    names = {f"GIT_{who}_{what}": "bench" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        ["git", "-C", str(folder), *arguments],
        env={**os.environ, **names, "GIT_CONFIG_GLOBAL": "/dev/null"},
        check=True,
    )


CASES: dict[str, Callable[[Bench], None]] = {
    "process": process,
    "fleet": fleet_case,
    "growth": growth,
    "commit": commit,
}
CHILDREN: dict[str, Callable[..., None]] = {"overlays": child_overlays, "commit": child_commit}


def main() -> None:
    if sys.argv[1:2] == ["--child"]:
        CHILDREN[sys.argv[2]](*sys.argv[3:])
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", help=", ".join(CASES))
    parser.add_argument("--without-kustomize", action="store_true")
    parser.add_argument("--objects", type=int, nargs="+", default=GROWTH, help="sizes for growth")
    given = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed program has its bytecode
    from build_real import where

    program = where("kustomize")
    if not given.without_kustomize and not program.exists():
        raise SystemExit("kustomize is not built (make real); or --without-kustomize")
    with tempfile.TemporaryDirectory(prefix="kilde-render-") as name:
        bench = Bench(Path(name), None if given.without_kustomize else program, given.objects)
        row("case", "program", "wall", "CPU", "peak memory", "times ours")
        row(*["---"] * 6)
        for case in given.cases or CASES:
            CASES[case](bench)


if __name__ == "__main__":
    main()
