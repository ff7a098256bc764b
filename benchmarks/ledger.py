"""Measures the ledger: records appended a second, and how long a large one takes to verify; prints rows for docs/benchmarks.md.

python benchmarks/ledger.py [--records 1000000] [--postgres DSN]
"""

import argparse
import os
import resource
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from kilde.adapters.store.key_file import KeyFile
from kilde.adapters.store.postgres_ledger import PostgresLedger
from kilde.adapters.store.sqlite_ledger import SqliteLedger
from kilde.core.ledger.merkle import consistency, inclusion
from kilde.engine.records.notary import Notary

NOW = 1_767_225_600.0
BATCH = 100
PAGE, PAGES = 4096, 3  # what a record writes to the log


def entry(number: int) -> tuple[str, dict[str, Any], float]:
    """An opening as the engine writes it: one commit, three objects."""
    revision = {
        "sha": f"{number:040x}",
        "author": f"Person {number % 50} <p{number % 50}@example.org>",
        "subject": "Scale",
    }
    plan = [
        {"object": f"apps/Deployment shop/web-{n}", "action": "update", "why": "image differs", "resourceVersion": "7"}
        for n in range(3)
    ]
    body = {"application": f"argocd/app-{number % 1000}", "askedBy": "automated", "revision": revision, "plan": plan}
    return "operation-opened", body, NOW + number


def append(ledger: SqliteLedger | PostgresLedger, count: int, batch: int, *, first: int = 0) -> float:
    """Records a second."""
    begun = time.perf_counter()
    for at in range(first, first + count, batch):
        ledger.append_all([entry(number) for number in range(at, at + batch)])
    return count / (time.perf_counter() - begun)


def one_by_one(folder: Path, rounds: int = 15, count: int = 200) -> None:
    """Appends that each wait for the disk, in turns with what the same disk does for a program that only writes as much and waits."""
    ours, bare, cpu = [], [], 0.0
    file = os.open(folder / "bare", os.O_RDWR | os.O_CREAT)
    os.pwrite(file, bytes(PAGES * PAGE * count), 0)
    os.fsync(file)
    with SqliteLedger(folder / "single.sqlite") as ledger:
        append(ledger, 1000, 1)  # until the log has its size
        for turn in range(rounds):
            spent = time.process_time()
            ours.append(append(ledger, count, 1, first=1000 + turn * count))
            cpu += time.process_time() - spent
            begun = time.perf_counter()
            for at in range(count):
                os.pwrite(file, bytes(PAGES * PAGE), at * PAGES * PAGE)
                os.fdatasync(file)
            bare.append(count / (time.perf_counter() - begun))
    os.close(file)
    own, disk = statistics.median(ours), statistics.median(bare)
    print(f"| appended one by one, each durable: median, best round | {own:,.0f}, {max(ours):,.0f} records/s |")
    print(f"| the disk alone, {PAGES} pages written and synced at a time | {disk:,.0f}, {max(bare):,.0f}/s |")
    print(f"| ratio; CPU of one append | {own / disk:.2f}; {cpu / rounds / count * 1e6:.0f} µs |", flush=True)


def shared(address: str, records: int) -> None:
    """The same of a ledger in PostgreSQL."""
    with PostgresLedger(address) as ledger:
        print(f"| PostgreSQL, one by one | {append(ledger, 1000, 1):,.0f} records/s |", flush=True)
        rate = append(ledger, records, BATCH, first=1000)
        print(f"| PostgreSQL, {BATCH} at a time | {rate:,.0f} records/s |", flush=True)
        begun = time.perf_counter()
        verdict = ledger.verify()
        assert verdict.intact, verdict.findings[:3]
        print(f"| PostgreSQL, {verdict.records:,} records verified | {time.perf_counter() - begun:.1f} s |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--postgres", default="", help="an empty database to measure instead, postgresql://…")
    parser.add_argument("--folder", type=Path, default=None, help="on the disk to measure")
    arguments = parser.parse_args()
    if arguments.postgres:
        shared(arguments.postgres, arguments.records)
        return
    with tempfile.TemporaryDirectory(prefix="kilde-bench-", dir=arguments.folder) as name:
        folder = Path(name)
        one_by_one(folder)
        with SqliteLedger(folder / "ledger.sqlite") as ledger:
            notary = Notary(ledger, KeyFile(folder / "key"), now=NOW)
            rate = append(ledger, arguments.records, BATCH, first=1)
            print(f"| appended {BATCH} at a time, each {BATCH} durable | {rate:,.0f} records/s |", flush=True)
            late = append(ledger, 20_000, BATCH, first=arguments.records + 1)
            print(f"| the same after {arguments.records:,} records | {late:,.0f} records/s |", flush=True)
            begun = time.perf_counter()
            notary.checkpoint()
            print(f"| a signed checkpoint | {(time.perf_counter() - begun) * 1000:.1f} ms |")
            size = ledger.end().number
            begun = time.perf_counter()
            for index in range(0, size, size // 1000):
                inclusion(ledger.node, index, size)
            print(f"| an inclusion proof, anywhere | {(time.perf_counter() - begun):.2f} ms |")
            begun = time.perf_counter()
            consistency(ledger.node, size // 3, size)
            print(f"| a consistency proof | {(time.perf_counter() - begun) * 1000:.2f} ms |", flush=True)
            begun, cpu = time.perf_counter(), time.process_time()
            verdict = ledger.verify()
            assert verdict.intact, verdict.findings[:3]
            took, cpu = time.perf_counter() - begun, time.process_time() - cpu
            print(f"| {verdict.records:,} records verified | {took:.1f} s ({cpu:.1f} s of CPU) |")
        print(f"| peak memory | {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MiB |")
        print(f"| bytes a record on disk | {(folder / 'ledger.sqlite').stat().st_size // size} |")


if __name__ == "__main__":
    main()
