"""The embedded API server beside kube-apiserver and etcd: the same machine and client, one run, Markdown for docs/benchmarks.md.

python benchmarks/apiserver.py                  # everything, both servers; some minutes
python benchmarks/apiserver.py --only ours --growth 1000 10000
"""

import argparse
import asyncio
import base64
import contextlib
import json
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import yaml

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / name) for name in ("tests", "tools")]

from fleet import use_of  # noqa: E402
from hammer import Server  # noqa: E402

from real.control_plane import control_plane  # noqa: E402

AT = "/api/v1/namespaces/bench"
JSON = "application/json"
APPLY = "application/apply-patch+yaml"
_FORMS = {
    "": JSON,
    " as a Table": f"{JSON};as=Table;v=v1;g=meta.k8s.io",
    " in protobuf": "application/vnd.kubernetes.protobuf",
}
CLIENTS = 64


def deployment(name: str, replicas: int) -> bytes:
    """A Deployment of about 1 KB as somebody applies it."""
    container = {
        "name": "web",
        "image": "example.com/web:1.2.3",
        "ports": [{"containerPort": 8080, "name": "http"}],
        "env": [{"name": f"SETTING_{number}", "value": "x" * 20} for number in range(8)],
        "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"memory": "128Mi"}},
        "readinessProbe": {"httpGet": {"path": "/ready", "port": "http"}},
    }
    spec = {
        "replicas": replicas,
        "selector": {"matchLabels": {"app": name}},
        "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}},
    }
    about = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "labels": {"app": name}}}
    return json.dumps({**about, "spec": spec}).encode()


def config_map(name: str, size: int = 1000) -> bytes:
    about = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": {"app": name}}}
    return json.dumps({**about, "data": {"a": "x" * size}}).encode()


@dataclass
class Bench:
    """A server under test: its processes, its session, and what was measured."""

    name: str
    url: str
    session: aiohttp.ClientSession
    server: Server
    pids: list[int]
    figures: dict[str, str] = field(default_factory=dict)

    async def ask(
        self, method: str, path: str, body: bytes | None = None, media: str = JSON, accept: str = JSON
    ) -> tuple[int, bytes]:
        headers = {"Content-Type": media, "Accept": accept}
        async with self.session.request(method, self.url + path, data=body, headers=headers) as answer:
            return answer.status, await answer.read()

    def cpu(self) -> float:
        return sum(use_of(pid).cpu for pid in self.pids)

    def memory(self) -> float:
        """Resident MiB of all its processes."""
        return sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 for pid in self.pids) / 2**20


async def many(
    bench: Bench, count: int, one: Callable[[int], Awaitable[None]], clients: int = CLIENTS
) -> tuple[float, float]:
    """Runs one(0) … one(count-1) by so many clients: (a second, CPU ms each of the server)."""
    waiting = iter(range(count))

    async def client() -> None:
        for number in waiting:
            await one(number)

    cpu, began = bench.cpu(), time.perf_counter()
    await asyncio.gather(*(client() for _ in range(clients)))
    wall = time.perf_counter() - began
    return count / wall, (bench.cpu() - cpu) / count * 1000


async def hammered(bench: Bench, requests: list[bytes], expected: int) -> tuple[float, float]:
    """Sends requests that are made already, by clients that cost next to nothing: (a second, CPU ms each of the server)."""
    cpu, began = bench.cpu(), time.perf_counter()
    await bench.server.hammer(requests, CLIENTS, expected)
    wall = time.perf_counter() - began
    return len(requests) / wall, (bench.cpu() - cpu) / len(requests) * 1000


async def writes(bench: Bench, count: int) -> None:
    """Server-side applies: creating, changing, and changing nothing."""
    for kind, path, body in (
        ("ConfigMap", f"{AT}/configmaps", lambda name, step: config_map(name, 1000 + step)),
        ("Deployment", "/apis/apps/v1/namespaces/bench/deployments", deployment),
    ):
        for what, step, expected in (("creates", 1, 201), ("changes", 2, 200), ("changes nothing", 2, 200)):
            requests = [
                bench.server.request("PATCH", f"{path}/{name}?fieldManager=bench&force=true", body(name, step), APPLY)
                for name in (f"d{number}" for number in range(count))
            ]
            rate, cpu = await hammered(bench, requests, expected)
            bench.figures[f"apply of a {kind} that {what}, {CLIENTS} clients: a second"] = f"{rate:,.0f}"
            bench.figures[f"apply of a {kind} that {what}: CPU ms each"] = f"{cpu:.2f}"
    await puts(bench, count)


async def puts(bench: Bench, count: int) -> None:
    """Updates by many clients, and by one."""

    async def put(number: int) -> None:
        status, body = await bench.ask(
            "PUT", f"{AT}/configmaps/c{number % 200}", config_map(f"c{number % 200}", 1000 + number % 7)
        )
        assert status == 200, body

    for number in range(200):
        await bench.ask("POST", f"{AT}/configmaps", config_map(f"c{number}"))
    requests = [
        bench.server.request(
            "PUT", f"{AT}/configmaps/c{number % 200}", config_map(f"c{number % 200}", 1000 + number % 7), JSON
        )
        for number in range(count)
    ]
    rate, cpu = await hammered(bench, requests, 200)
    bench.figures[f"PUT of a ConfigMap, {CLIENTS} clients: a second"] = f"{rate:,.0f}"
    bench.figures["PUT of a ConfigMap: CPU ms each"] = f"{cpu:.2f}"
    times = []
    for number in range(200):
        began = time.perf_counter()
        await put(number + 3)
        times.append(time.perf_counter() - began)
    bench.figures["PUT by one client: median ms"] = f"{statistics.median(times) * 1000:.1f}"


async def lists(bench: Bench) -> None:
    """Lists of 5,000 objects of 1 KB."""

    async def create(number: int) -> None:
        await bench.ask(
            "POST",
            f"{AT}/secrets",
            config_map(f"l{number}").replace(b"ConfigMap", b"Secret").replace(b'"data"', b'"stringData"'),
        )

    await many(bench, 5000, create)
    for form, accept in _FORMS.items():
        times, cpu, size = [], bench.cpu(), 0
        for _ in range(10):
            began = time.perf_counter()
            status, body = await bench.ask("GET", f"{AT}/secrets", accept=accept)
            times.append(time.perf_counter() - began)
            assert status == 200
            size = len(body)
        assert size > 1_000_000
        bench.figures[f"list of 5,000{form} (MB)"] = f"{size / 1e6:.1f}"
        bench.figures[f"list of 5,000{form}: median ms"] = f"{statistics.median(times) * 1000:.0f}"
        bench.figures[f"list of 5,000{form}: CPU ms"] = f"{(bench.cpu() - cpu) * 100:.0f}"


async def fan_out(bench: Bench, watchers: int, count: int) -> None:
    """So many watchers while ConfigMaps are written: how many events a second they get."""
    seen, target = 0, watchers * count
    done = asyncio.Event()

    async def watch() -> None:
        nonlocal seen
        async with bench.session.get(f"{bench.url}{AT}/configmaps?watch=1&resourceVersion={version}") as answer:
            opened.release()
            async for chunk in answer.content.iter_any():
                seen += chunk.count(b"\n")
                if seen >= target:
                    done.set()
                    return

    _, listed = await bench.ask("GET", f"{AT}/configmaps?limit=1")
    version = json.loads(listed)["metadata"]["resourceVersion"]
    opened = asyncio.Semaphore(0)
    watching = [asyncio.ensure_future(watch()) for _ in range(watchers)]
    for _ in watching:
        await opened.acquire()

    async def put(number: int) -> None:
        await bench.ask("PUT", f"{AT}/configmaps/c{number % 200}", config_map(f"c{number % 200}", 900 + number % 7))

    cpu, began = bench.cpu(), time.perf_counter()
    await many(bench, count, put)
    await asyncio.wait_for(done.wait(), 120)
    wall = time.perf_counter() - began
    for task in watching:
        task.cancel()
    await asyncio.gather(*watching, return_exceptions=True)
    bench.figures[f"events a second to {watchers} watchers"] = f"{target / wall:,.0f}"
    bench.figures[f"CPU ms an event at {watchers} watchers"] = f"{(bench.cpu() - cpu) / target * 1000:.4f}"


async def reads(bench: Bench) -> None:
    """GETs by one client while 32 others write."""
    stop, times = asyncio.Event(), []

    async def writing(client: int) -> None:
        number = client
        while not stop.is_set():
            number += 32
            await bench.ask("PUT", f"{AT}/configmaps/c{number % 200}", config_map(f"c{number % 200}", 800 + number % 7))

    tasks = [asyncio.ensure_future(writing(client)) for client in range(32)]
    for number in range(500):
        began = time.perf_counter()
        status, _ = await bench.ask("GET", f"{AT}/configmaps/c{number % 200}")
        assert status == 200
        times.append(time.perf_counter() - began)
    stop.set()
    await asyncio.gather(*tasks)
    times.sort()
    bench.figures["get while 32 clients write: p50 / p99 ms"] = f"{times[250] * 1000:.1f} / {times[495] * 1000:.1f}"

    requests = [bench.server.request("GET", f"{AT}/configmaps/c{number % 200}", b"", JSON) for number in range(3000)]
    rate, cpu = await hammered(bench, requests, 200)
    bench.figures[f"GET, {CLIENTS} clients: a second"] = f"{rate:,.0f}"
    bench.figures["GET: CPU ms each"] = f"{cpu:.2f}"


async def growth(bench: Bench, sizes: list[int]) -> None:
    """Memory, and what a list and a write cost, with more and more ConfigMaps of 1 KB."""
    made = 0

    async def create(number: int) -> None:
        status, body = await bench.ask("POST", f"{AT}/configmaps", config_map(f"g{number}"))
        assert status in (201, 409), body

    bench.figures["memory, empty (MiB)"] = f"{bench.memory():.0f}"
    for size in sizes:
        base = made
        await many(bench, size - made, lambda number, base=base: create(base + number))  # type: ignore[misc]
        made = size
        began = time.perf_counter()
        await bench.ask("GET", f"{AT}/configmaps?limit=500")
        page = time.perf_counter() - began
        times = []
        for number in range(100):
            began = time.perf_counter()
            await bench.ask("PUT", f"{AT}/configmaps/g{number}", config_map(f"g{number}", 1000 + size % 97))
            times.append(time.perf_counter() - began)
        bench.figures[f"memory with {size:,} objects of 1 KB (MiB)"] = f"{bench.memory():.0f}"
        bench.figures[f"first page of 500 among {size:,} / PUT: ms"] = (
            f"{page * 1000:.0f} / {statistics.median(times) * 1000:.1f}"
        )


@contextlib.asynccontextmanager
async def ours(folder: Path, durability: str) -> AsyncIterator[Bench]:
    """`kilde cluster` without controllers, its data on disk."""
    command = [sys.executable, "-m", "kilde", "cluster", "--data-dir", str(folder / "ours"), "--controllers", "off"]
    began = time.perf_counter()
    process = subprocess.Popen(
        [*command, "--durability", durability], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        started = time.perf_counter() - began
        async with _session(folder / "ours" / "kubeconfig") as (session, server):
            bench = Bench(f"kilde, durability {durability}", server.url, session, server, [process.pid])
            bench.figures["start to ready: s"] = f"{started:.2f}"
            yield bench
    finally:
        process.terminate()
        process.wait()


@contextlib.asynccontextmanager
async def reference(folder: Path) -> AsyncIterator[Bench]:
    """kube-apiserver and etcd as the tests start them."""
    began = time.perf_counter()
    with control_plane(folder / "plane", controllers=False) as plane:
        started = time.perf_counter() - began
        pids = [process.pid for process in plane._running.values()]
        async with _session(plane.kubeconfig) as (session, server):
            bench = Bench("kube-apiserver 1.36.3 + etcd 3.6 (no fsync)", server.url, session, server, pids)
            bench.figures["start to ready: s"] = f"{started:.2f}"
            yield bench


@contextlib.asynccontextmanager
async def _session(kubeconfig: Path) -> AsyncIterator[tuple[aiohttp.ClientSession, Server]]:
    config = yaml.safe_load(kubeconfig.read_text())
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    tls = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
    headers = {"Authorization": f"Bearer {user['token']}"} if "token" in user else {}
    if "client-certificate-data" in user:
        pair = [kubeconfig.with_suffix(f".{name}") for name in ("crt", "key")]
        for path, name in zip(pair, ("client-certificate-data", "client-key-data"), strict=True):
            path.touch(mode=0o600)
            path.write_bytes(base64.b64decode(user[name]))
        tls.load_cert_chain(*pair)
    connector = aiohttp.TCPConnector(ssl=tls, limit=0)
    timeout = aiohttp.ClientTimeout(None)
    async with aiohttp.ClientSession(headers=headers, connector=connector, timeout=timeout) as session:
        yield session, Server(cluster["server"], tls, headers)


async def measured(bench: Bench, asked: argparse.Namespace) -> Bench:
    """All figures of one server; its growth first, while it is empty."""
    await bench.ask("POST", "/api/v1/namespaces", b'{"metadata":{"name":"bench"}}')
    await growth(bench, asked.growth)
    for part in (writes(bench, asked.writes), fan_out(bench, 100, asked.events), reads(bench), lists(bench)):
        await part
        print(f"{bench.name}: {bench.figures}", file=sys.stderr, flush=True)  # on the way, for the impatient
    return bench


async def run(asked: argparse.Namespace) -> None:
    results: list[Bench] = []
    with tempfile.TemporaryDirectory(prefix="kilde-bench-") as name:
        folder = Path(name)
        if asked.only != "ours":
            async with reference(folder) as bench:
                results.append(await measured(bench, asked))
        if asked.only != "reference":
            for durability in asked.durability:
                async with ours(folder / durability, durability) as bench:
                    results.append(await measured(bench, asked))
    print("| | " + " | ".join(bench.name for bench in results) + " |")
    print("|---|" + "---|" * len(results))
    for figure in results[-1].figures:
        print(f"| {figure} | " + " | ".join(bench.figures.get(figure, "") for bench in results) + " |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=["ours", "reference"])
    parser.add_argument("--writes", type=int, default=3000)
    parser.add_argument("--events", type=int, default=1000, help="writes that 100 watchers see")
    parser.add_argument("--durability", nargs="*", default=["full", "normal"])
    parser.add_argument("--growth", type=int, nargs="*", default=[1000, 10_000, 50_000])
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
