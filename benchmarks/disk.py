"""`kilde doctor disk` beside fio and a real etcd on the same disk in one run, taking turns; Markdown for docs/benchmarks.md.

python benchmarks/disk.py DIR                    # fio is Debian's; etcd is that of `make real`
"""

import argparse
import asyncio
import base64
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import aiohttp

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / name) for name in ("tests", "tools")]

from kilde.adapters.machine import disk  # noqa: E402
from kilde.adapters.metrics_page import read_page  # noqa: E402
from kilde.core.doctor.durations import spread  # noqa: E402
from kilde.core.doctor.etcd import FSYNC, METRICS  # noqa: E402
from kilde.core.doctor.exposition import between, buckets, quantile, samples  # noqa: E402
from real.control_plane import where  # noqa: E402

SYNCS = 2000


def ours(folder: Path) -> tuple[float, float]:
    found = spread(disk.measure(folder, syncs=SYNCS, seconds=60))
    return found.p50, found.p99


def fio(folder: Path) -> tuple[float, float]:
    """p50 and p99 of fio's own fdatasync latencies, by etcd's advice."""
    command = [
        "fio",
        "--rw=write",
        "--ioengine=sync",
        "--fdatasync=1",
        f"--directory={folder}",
        f"--size={SYNCS * disk.SIZE}",
    ]
    command += [f"--bs={disk.SIZE}", "--name=fio", "--output-format=json", "--percentile_list=50:99"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    if done.returncode:
        raise SystemExit(f"fio: {done.stderr}{done.stdout}")
    found = json.loads(done.stdout)["jobs"][0]["sync"]["lat_ns"]["percentile"]
    for left in folder.glob("fio*"):
        left.unlink()
    return found["50.000000"] / 1e9, found["99.000000"] / 1e9


async def etcd(url: str) -> tuple[float, float]:
    """p50 and p99 of etcd's WAL fsyncs while one client puts keys of its WAL's size, from its own histogram."""
    before = buckets(samples(await read_page(url), METRICS), FSYNC)
    value = base64.b64encode(b"x" * 2000).decode()
    async with aiohttp.ClientSession() as session:
        for number in range(SYNCS):
            body = {"key": base64.b64encode(b"key-%d" % (number % 50)).decode(), "value": value}
            async with session.post(f"{url}/v3/kv/put", json=body) as answer:
                assert answer.status == 200
    counts = between(buckets(samples(await read_page(url), METRICS), FSYNC), before)
    return quantile(0.5, counts) or 0.0, quantile(0.99, counts) or 0.0


async def run(folder: Path, rounds: int) -> None:
    found: dict[str, list[tuple[float, float]]] = {"kilde doctor disk": [], "fio": [], "etcd 3.6": []}
    with tempfile.TemporaryDirectory(dir=folder, prefix="kilde-bench-") as name:
        place = Path(name)
        command = [str(where("etcd")), f"--data-dir={place / 'etcd'}", "--listen-client-urls=http://127.0.0.1:23790"]
        command += ["--advertise-client-urls=http://127.0.0.1:23790", "--listen-peer-urls=http://127.0.0.1:23800"]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as server:
            try:
                await asyncio.sleep(3)
                for _ in range(rounds):
                    found["kilde doctor disk"].append(ours(place))
                    found["fio"].append(fio(place))
                    found["etcd 3.6"].append(await etcd("http://127.0.0.1:23790"))
            finally:
                server.terminate()
    print(f"| {rounds} rounds of {SYNCS:,} syncs, medians | p50 µs | p99 µs |\n|---|---|---|")
    for who, rows in found.items():
        print(
            f"| {who} | {statistics.median(p50 for p50, _ in rows) * 1e6:.0f} | {statistics.median(p99 for _, p99 in rows) * 1e6:.0f} |"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    asyncio.run(run(asked.folder, asked.rounds))
