"""What one commit costs in the source stage: a fetch, then resolve, changed paths and trace checks for every application.

Run: python benchmarks/source.py [applications]
Prints CPU seconds (ours, git's) and wall seconds for: first fetch, idle fetch, and the fetch after a one-file commit with all that follows.
"""

import asyncio
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from kilde.adapters.clock import SystemClock
from kilde.adapters.git.sources import GitSources
from kilde.core.source.tree import TracedTree
from kilde.ports.sources import Credentials

FILES = ("kustomization.yaml", "deployment.yaml", "service.yaml", "config.yaml", "ingress.yaml")


def cpu() -> tuple[float, float]:
    ours, theirs = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return ours.ru_utime + ours.ru_stime, theirs.ru_utime + theirs.ru_stime


class Span:
    """Prints what happened inside it."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> None:
        self.wall, self.cpu = time.perf_counter(), cpu()

    def __exit__(self, *_: object) -> None:
        wall, (ours, theirs) = time.perf_counter() - self.wall, cpu()
        print(
            f"{self.name:<58} ours {ours - self.cpu[0]:6.3f} s  git {theirs - self.cpu[1]:6.3f} s  wall {wall:6.3f} s"
        )


def commit(upstream: Path, files: dict[str, str]) -> None:
    stream = ["commit refs/heads/main\ncommitter A <a@example> 1700000000 +0000\ndata 1\nx\n"]
    if (upstream / "refs/heads/main").exists():
        stream.append("from refs/heads/main^0\n")
    stream += [f"M 100644 inline {path}\ndata {len(text)}\n{text}\n" for path, text in files.items()]
    subprocess.run(["git", "fast-import", "--quiet"], cwd=upstream, input="".join(stream).encode(), check=True)


async def main(applications: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        upstream = folder / "up.git"
        subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(upstream)], check=True)
        commit(
            upstream,
            {f"apps/a{n}/{file}": f"kind: X{n}\nname: {file}\n" for n in range(applications) for file in FILES},
        )
        sources, url, nobody = GitSources(folder / "m", clock=SystemClock()), f"file://{upstream}", Credentials()
        with Span(f"first fetch, {applications * len(FILES):,} files"):
            await sources.fetch(url, nobody)
        old = await sources.resolve(url, "main")
        with Span(f"reading every file of {applications:,} applications, traced"):
            tree = await sources.tree(url, old)
            traces = [await asyncio.to_thread(read, TracedTree(tree), n) for n in range(applications)]
        with Span("idle fetch"):
            await sources.fetch(url, nobody)
        commit(upstream, {"apps/a7/config.yaml": "changed\n"})
        with Span("fetch after a one-file commit"):
            await sources.fetch(url, nobody)
        with Span(f"resolve and changed paths for {applications:,} applications"):
            for _ in range(applications):
                new = await sources.resolve(url, "main")
                await sources.changed_paths(url, old, new)
        with Span(f"trace checks for {applications:,} applications"):
            tree = await sources.tree(url, new)
            affected = [n for n, traced in enumerate(traces) if not traced.trace.still_true(tree)]
        print("affected:", affected)
        await sources.close()


def read(tree: TracedTree, number: int) -> TracedTree:
    for entry in tree.list(f"apps/a{number}"):
        tree.read(f"apps/a{number}/{entry.name}")
    return tree


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000))
