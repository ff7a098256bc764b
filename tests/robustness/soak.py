"""python tests/robustness/soak.py --minutes 30: writes, watches and deletes against our server; memory and descriptors over time."""

import argparse
import asyncio
import contextlib
import itertools
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import yaml

CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
_NAMES = 400


@dataclass(frozen=True)
class Server:
    """A server in a process of its own and an administrator's session."""

    pid: int
    url: str
    session: aiohttp.ClientSession
    log: Path

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, bytes]:
        """(status, the answer's bytes)."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        sent = {"Content-Type": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.session.request(method, self.url + path, data=data, headers=sent) as answer:
            return answer.status, await answer.read()

    def memory(self) -> int:
        """Resident bytes."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def descriptors(self) -> int:
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))

    def cpu(self) -> float:
        """Seconds of CPU so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.asynccontextmanager
async def server(folder: Path, *more: str) -> AsyncIterator[Server]:
    """`kilde cluster` with its data below a folder, until the end of the block."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "log"
    command = [
        sys.executable,
        "-m",
        "kilde",
        "cluster",
        "--data-dir",
        str(folder / "data"),
        "--controllers",
        "off",
        *more,
    ]
    with log.open("ab") as errors:
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, stderr=errors)
    assert process.stdout is not None
    try:
        line = await process.stdout.readline()
        assert line == b"ready\n", log.read_text()
        config = yaml.safe_load((folder / "data" / "kubeconfig").read_text())
        headers = {"Authorization": f"Bearer {config['users'][0]['user']['token']}"}
        connector = aiohttp.TCPConnector(ssl=False, limit=0)
        async with aiohttp.ClientSession(
            headers=headers, connector=connector, timeout=aiohttp.ClientTimeout(60)
        ) as session:
            yield Server(process.pid, config["clusters"][0]["cluster"]["server"], session, log)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _write(found: Server, stop: asyncio.Event, rate: float, dice: random.Random) -> int:
    """Creates, replaces and deletes a bounded set of objects; answers how many requests."""
    body: dict[str, Any] = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {}, "data": {}}
    for number in itertools.count():
        if stop.is_set():
            return number
        name = f"c{dice.randrange(_NAMES)}"
        body["metadata"], body["data"] = {"name": name}, {"number": str(number), "pad": "x" * dice.randrange(2000)}
        status, _ = await found.ask("PUT", f"{CONFIG_MAPS}/{name}", body)
        if status == 404:
            status, _ = await found.ask("POST", CONFIG_MAPS, body)
        elif dice.random() < 0.2:
            status, _ = await found.ask("DELETE", f"{CONFIG_MAPS}/{name}")
        assert status in (200, 201, 404, 409), status
        await asyncio.sleep(dice.expovariate(rate))
    raise AssertionError


async def _watch(found: Server, stop: asyncio.Event, dice: random.Random) -> int:
    """Opens watches that live for some seconds, one after another; some read slowly. Answers how many."""
    for number in itertools.count():
        if stop.is_set():
            return number
        query = dice.choice(
            ["watch=1", "watch=1&resourceVersion=0&allowWatchBookmarks=true", "watch=1&labelSelector=a%3Db"]
        )
        ends = time.monotonic() + dice.uniform(0.5, 20)
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async with found.session.get(f"{found.url}{CONFIG_MAPS}?{query}") as answer:
                assert answer.status == 200
                while time.monotonic() < ends and not stop.is_set():
                    await asyncio.wait_for(answer.content.read(65536), max(0.01, ends - time.monotonic()))
    raise AssertionError


async def soak(
    folder: Path, seconds: float, *, rate: float, watches: int, every: float
) -> list[tuple[float, int, int, float]]:
    """(seconds, memory, descriptors, CPU seconds) over time, the first after a tenth of it: caches and history have filled."""
    async with server(folder) as found:
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for number in range(4):
                group.create_task(_write(found, stop, rate / 4, random.Random(number)))
            watching = [group.create_task(_watch(found, stop, random.Random(100 + n))) for n in range(watches)]
            began, samples = time.monotonic(), []
            await asyncio.sleep(seconds / 10)
            while time.monotonic() - began < seconds:
                samples.append((time.monotonic() - began, found.memory(), found.descriptors(), found.cpu()))
                await asyncio.sleep(every)
            stop.set()
            for one in watching:
                one.cancel()  # or a quiet one would wait for an event that does not come
        await asyncio.sleep(0.5)
        samples.append((time.monotonic() - began, found.memory(), found.descriptors(), found.cpu()))
        assert "Traceback" not in found.log.read_text()
        return samples


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--rate", type=float, default=40, help="writes a second")
    parser.add_argument("--watches", type=int, default=50)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kilde-soak-") as folder:
        every = asked.minutes * 60 / 20
        samples = asyncio.run(
            soak(Path(folder), asked.minutes * 60, rate=asked.rate, watches=asked.watches, every=every)
        )
    print("| minutes | memory MiB | descriptors | CPU s |")
    print("| --- | --- | --- | --- |")
    for seconds, memory, descriptors, cpu in samples:
        print(f"| {seconds / 60:.1f} | {memory / 2**20:.1f} | {descriptors} | {cpu:.1f} |", flush=True)


if __name__ == "__main__":
    main()
