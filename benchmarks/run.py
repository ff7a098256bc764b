"""Measures Kilde on a real API server or on the embedded one, and prints Markdown rows for docs/benchmarks.md.

python benchmarks/run.py first-sync --apps 100 300 1000     # wall, CPU, memory, requests; then a one-file commit
python benchmarks/run.py heal --apps 100 --writes 500       # foreign write → healed, and five in a row on one object
python benchmarks/run.py push --apps 100 --commits 200      # webhook of a one-file commit → its object changed
python benchmarks/run.py base --apps 300              # a commit to the base of all: cost, and heals meanwhile
python benchmarks/run.py idle --apps 100 --minutes 5
python benchmarks/run.py start
add --embedded for the cluster in the box
"""

import argparse
import asyncio
import contextlib
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from fleet import (
    APPLICATIONS,
    CONFIG_MAPS,
    NAMESPACES,
    Cluster,
    Kilde,
    Repository,
    application,
    client_of,
    create_applications,
    kilde_up,
    overlay,
    prepare,
    real_cluster,
    until_well,
)

from kilde.ports.cluster import EventType

Waiting = dict[tuple[str, str, str], "asyncio.Future[float]"]  # by namespace, name and the level that is waited for


@contextlib.asynccontextmanager
async def setting(embedded: bool) -> AsyncIterator[tuple[Path, Cluster, Kilde]]:
    """A folder, a cluster, and Kilde running on it."""
    with tempfile.TemporaryDirectory(prefix="kilde-bench-") as name:
        folder = Path(name)
        if embedded:
            with kilde_up(folder / "data", None) as kilde:
                client = client_of(folder / "data" / "kubeconfig")
                await prepare(client, definitions=False)
                yield folder, Cluster(folder / "data" / "kubeconfig", client, None), kilde
                await client.close()
        else:
            async with real_cluster(folder / "plane") as cluster:
                with kilde_up(folder / "data", cluster.config) as kilde:
                    yield folder, cluster, kilde


def row(*cells: object) -> None:
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


def requests_between(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    return {verb: count - before.get(verb, 0) for verb, count in sorted(after.items()) if count != before.get(verb, 0)}


async def first_sync(embedded: bool, sizes: list[int]) -> None:
    row("applications", "wall s", "our CPU ms/app", "servers' CPU ms/app", "requests/app", "by verb", "memory / peak MiB",
        "one-file commit: changed after ms", "our CPU in 60 s after it", "renders")  # fmt: skip
    row(*["---"] * 10)
    for size in sizes:
        async with setting(embedded) as (folder, cluster, kilde):
            repository = Repository(folder / "repo", size)
            await asyncio.sleep(2)
            before, requests, servers = kilde.use(), kilde.requests(), cluster.servers_cpu()
            begun = time.monotonic()
            await create_applications(cluster.client, size, repository.url)
            await until_well(cluster.client, size)
            wall = time.monotonic() - begun
            after, sent = kilde.use(), requests_between(requests, kilde.requests())
            servers = cluster.servers_cpu() - servers
            await asyncio.sleep(5)
            changed, cpu, renders = await one_commit(cluster, kilde, repository)
            row(size, f"{wall:.1f}", f"{1000 * (after.cpu - before.cpu) / size:.1f}", f"{1000 * servers / size:.1f}",
                f"{sum(sent.values()) / size:.2f}", sent, f"{after.memory:.0f} / {kilde.use().peak:.0f}",
                f"{changed * 1000:.0f}", f"{cpu:.2f}", renders)  # fmt: skip


async def one_commit(cluster: Cluster, kilde: Kilde, repository: Repository) -> tuple[float, float, int]:
    """A commit of one file among all: seconds to the changed object, our CPU within a minute, renders done."""
    number = repository.size // 2
    renders, cpu = kilde_renders(kilde), kilde.use().cpu
    repository.commit(f"overlays/a{number}/patch.yaml", overlay(number, "debug")["patch.yaml"])
    begun = time.monotonic()
    kilde.push(repository.url)
    while True:
        raw = await cluster.client.get(CONFIG_MAPS, f"fleet-{number % NAMESPACES}", f"a{number}-web")
        if raw and json.loads(raw)["data"]["level"] == "debug":
            break
        await asyncio.sleep(0.005)
    changed = time.monotonic() - begun
    await asyncio.sleep(max(0.0, 60 - changed))
    return changed, kilde.use().cpu - cpu, kilde_renders(kilde) - renders


def kilde_renders(kilde: Kilde) -> int:
    import re
    import urllib.request

    text = urllib.request.urlopen(f"http://127.0.0.1:{kilde.port}/metrics", timeout=10).read().decode()
    found = re.search(r"^kilde_renders_total (\S+)", text, re.MULTILINE)
    return int(float(found.group(1))) if found else 0


async def heal(embedded: bool, size: int, writes: int) -> None:
    async with setting(embedded) as (folder, cluster, _):
        repository = Repository(folder / "repo", size)
        await create_applications(cluster.client, size, repository.url)
        await until_well(cluster.client, size)
        waiting: Waiting = {}
        watch = asyncio.ensure_future(_watch_levels(cluster, waiting))
        await asyncio.sleep(2)

        times = [await by_hand(cluster, waiting, n % size) for n in range(writes)]
        row("writes", *_CUTS)
        row(*["---"] * 5)
        row(writes, *cuts(times))
        five = [await by_hand(cluster, waiting, 7) for _ in range(5)]
        row("the same object five times in a row, ms", *(f"{1000 * seconds:.1f}" for seconds in five))
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)


async def by_hand(cluster: Cluster, waiting: Waiting, number: int) -> float:
    """A foreign write to an application's config map; seconds until the watch shows Git's value again."""
    place = (f"fleet-{number % NAMESPACES}", f"a{number}-web")
    done: asyncio.Future[float] = asyncio.get_running_loop().create_future()
    body = {"data": {"level": f"hand-{random.random()}"}}
    waiting[*place, "info"] = done
    await cluster.client.patch(CONFIG_MAPS, *place, body, manager="hand")
    begun = time.monotonic()
    return max(0.0, await asyncio.wait_for(done, 60) - begun)


_APART = 50  # a field that is put back ten times in a minute counts as fought over, and waits


def apart_map(number: int) -> str:
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a{number}-web\ndata:\n  level: info\n"


async def base(embedded: bool, size: int) -> None:
    """A commit to the base of every overlay: what it costs, and how long heals of an application apart from them take meanwhile."""
    async with setting(embedded) as (folder, cluster, kilde):
        repository = Repository(folder / "repo", size)
        apart_maps = [size + n * NAMESPACES for n in range(_APART)]  # all in the namespace of application `size`
        repository.commit("apart/maps.yaml", "---\n".join(apart_map(number) for number in apart_maps))
        await create_applications(cluster.client, size, repository.url)
        apart: dict[str, Any] = application(size, repository.url)
        apart["spec"]["source"]["path"] = "apart"
        await cluster.client.create(APPLICATIONS, apart, manager="bench")
        await until_well(cluster.client, size + 1)
        waiting: Waiting = {}
        watch = asyncio.ensure_future(_watch_levels(cluster, waiting))
        await asyncio.sleep(2)
        file = "base/all.yaml"
        text = (repository.work / file).read_text()
        renders, cpu = kilde_renders(kilde), kilde.use().cpu
        sha = repository.commit(file, text.replace("web:1.0", "web:1.1"))
        begun = time.monotonic()
        await asyncio.to_thread(kilde.push, repository.url)
        rolled = asyncio.ensure_future(until_well(cluster.client, size + 1, revision=sha))
        times: list[float] = []
        while not rolled.done():
            times.append(await by_hand(cluster, waiting, apart_maps[len(times) % _APART]))
            await asyncio.sleep(1.0)
        row(
            "applications",
            "all of them there after s",
            "our CPU ms/app",
            "renders",
            "peak MiB",
            "heals meanwhile",
            *_CUTS,
        )
        row(*["---"] * 10)
        use = kilde.use()
        row(size, f"{time.monotonic() - begun:.1f}", f"{1000 * (use.cpu - cpu) / size:.1f}", kilde_renders(kilde) - renders,
            f"{use.peak:.0f}", len(times), *cuts(times))  # fmt: skip
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)


async def push(embedded: bool, size: int, commits: int) -> None:
    """One-file commits, one after the other, each told by a webhook: until the watch shows the object changed."""
    async with setting(embedded) as (folder, cluster, kilde):
        repository = Repository(folder / "repo", size)
        await create_applications(cluster.client, size, repository.url)
        await until_well(cluster.client, size)
        waiting: Waiting = {}
        watch = asyncio.ensure_future(_watch_levels(cluster, waiting))
        await asyncio.sleep(2)

        async def once(number: int) -> float:
            app, level = number % size, f"commit-{number}"
            repository.commit(f"overlays/a{app}/patch.yaml", overlay(app, level)["patch.yaml"])
            done: asyncio.Future[float] = asyncio.get_running_loop().create_future()
            waiting[f"fleet-{app % NAMESPACES}", f"a{app}-web", level] = done
            begun = time.monotonic()
            await asyncio.to_thread(kilde.push, repository.url)
            return await asyncio.wait_for(done, 60) - begun

        times = [await once(number) for number in range(commits)]
        row("commits", *_CUTS)
        row(*["---"] * 5)
        row(commits, *cuts(times))
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)


_CUTS = ("p50 ms", "p90 ms", "p99 ms", "max ms")


def cuts(times: list[float]) -> list[str]:
    """p50, p90, p99 and the worst of some seconds, in milliseconds."""
    found = statistics.quantiles(times, n=100)
    return [f"{1000 * t:.1f}" for t in (found[49], found[89], found[98], max(times))]


async def _watch_levels(cluster: Cluster, waiting: Waiting) -> None:
    """Says when a config map came to have the level that somebody waits for."""
    async for event in cluster.client.watch(CONFIG_MAPS):
        if event.type is EventType.MODIFIED:
            level = str((json.loads(event.raw).get("data") or {}).get("level"))
            found = waiting.pop((event.namespace, event.name, level), None)
            if found is not None and not found.done():
                found.set_result(time.monotonic())


async def idle(embedded: bool, size: int, minutes: float) -> None:
    async with setting(embedded) as (folder, cluster, kilde):
        repository = Repository(folder / "repo", size)
        await create_applications(cluster.client, size, repository.url)
        await until_well(cluster.client, size)
        await asyncio.sleep(20)
        before, requests = kilde.use().cpu, kilde.requests()
        await asyncio.sleep(60 * minutes)
        cpu, sent = kilde.use().cpu - before, requests_between(requests, kilde.requests())
        writes = sum(sent.get(verb, 0) for verb in ("apply", "patch", "create", "update", "delete"))
        row("applications", "minutes", "API writes", "requests", "CPU of a core")
        row(*["---"] * 5)
        row(size, minutes, writes, sent or 0, f"{100 * cpu / (60 * minutes):.2f} %")


def editors(program: Path) -> list[tuple[str, Path]]:
    """Kilde, and kustomize where it is built."""
    from build_real import where

    return [(tool, found) for tool, found in (("kilde", program), ("kustomize", where("kustomize"))) if found.exists()]


def timed(command: list[str | Path], folder: str) -> float:
    """Seconds of one run."""
    begun = time.monotonic()
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return time.monotonic() - begun


async def start(embedded: bool, rounds: int = 10) -> None:
    program = Path(sys.executable).parent / "kilde"
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "kustomization.yaml").write_text("images:\n- name: web\n")
        commands: dict[str, list[str | Path]] = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "kilde --version": [program, "--version"],
        }
        commands |= {
            f"{tool} edit set image": [found, "edit", "set", "image", "web:1"] for tool, found in editors(program)
        }
        took = {what: [timed(command, name) for _ in range(rounds + 1)][1:] for what, command in commands.items()}
    ups = []
    for _ in range(5):
        with tempfile.TemporaryDirectory() as name, kilde_up(Path(name) / "data", None) as kilde:
            ups.append(kilde.ready - kilde.started)
    row("what", "median", "worst")
    row(*["---"] * 3)
    for what, times in took.items():
        row(what, f"{1000 * statistics.median(times):.0f} ms", f"{1000 * max(times):.0f} ms")
    row("kilde up → ready (embedded cluster, empty directory)", f"{statistics.median(ups):.2f} s", f"{max(ups):.2f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["first-sync", "heal", "push", "base", "idle", "start"])
    parser.add_argument("--apps", type=int, nargs="+", default=[100])
    parser.add_argument("--writes", type=int, default=500)
    parser.add_argument("--commits", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--embedded", action="store_true")
    args = parser.parse_args()
    jobs = {
        "first-sync": lambda: first_sync(args.embedded, args.apps),
        "heal": lambda: heal(args.embedded, args.apps[0], args.writes),
        "push": lambda: push(args.embedded, args.apps[0], args.commits),
        "base": lambda: base(args.embedded, args.apps[0]),
        "idle": lambda: idle(args.embedded, args.apps[0], args.minutes),
        "start": lambda: start(args.embedded),
    }
    asyncio.run(jobs[args.what]())


if __name__ == "__main__":
    main()
