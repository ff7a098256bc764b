"""Measures `kilde plan --all` on a fleet, and prints Markdown rows for docs/benchmarks.md.

python benchmarks/plan.py --apps 1000 [--embedded]: each row is a process of its own, start to end, against a running `kilde up`.
"""

import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

from fleet import BASE, Repository, create_applications, overlay, until_well
from run import row, setting

ROUNDS = 5


def planned(data: Path, config: Path, *arguments: str) -> tuple[float, float, float, dict[str, object]]:
    """Wall and CPU seconds, peak MiB, and what it said."""
    command = [Path(sys.executable).with_name("kilde"), "plan", "--all", *arguments, "-o", "json", "--data-dir", data]
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    with subprocess.Popen(
        [*command, "--kubeconfig", config], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        said = process.stdout.read()
        _, _, use = os.wait4(process.pid, 0)
        process.returncode = 0
    wall, after = time.monotonic() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, cpu, use.ru_maxrss / 1024, json.loads(said)


def branch(repository: Repository, name: str, path: str, text: str) -> None:
    """A branch on top of main that changes one file."""
    repository._git("checkout", "-q", "-B", name, "main")
    (repository.work / path).write_text(text)
    repository._git("commit", "-q", "-am", name)
    repository._git("push", "-q", "-f", "origin", name)
    repository._git("checkout", "-q", "main")


async def measure(embedded: bool, size: int) -> None:
    async with setting(embedded) as (folder, cluster, _kilde):
        repository = Repository(folder / "repo", size)
        await create_applications(cluster.client, size, repository.url)
        await until_well(cluster.client, size)
        await cluster.client.close()
        row("applications", "plan of", "planned", "wall s", "CPU s", "peak MiB")
        row(*["---"] * 6)

        def tell(what: str, head: str, rounds: int) -> None:
            found = [planned(folder / "cli", cluster.config, "--head", head, "--base", "main") for _ in range(rounds)]
            found.sort(key=lambda one: one[0])
            wall, cpu, peak, said = found[len(found) // 2]
            apps = said["applications"]
            assert isinstance(apps, list)
            row(size, what, len(apps), f"{wall:.2f}", f"{cpu:.2f}", f"{peak:.0f}")

        branch(repository, "leaf", "overlays/a7/patch.yaml", overlay(7, "debug")["patch.yaml"])
        branch(repository, "base-file", "base/all.yaml", BASE.replace("web:1.0", "web:1.1"))
        tell("one file, the first plan ever: mirror and traces are made", "leaf", 1)
        tell("one file", "leaf", ROUNDS)
        repository.commit("overlays/a9/patch.yaml", overlay(9, "debug")["patch.yaml"])
        branch(repository, "leaf", "overlays/a7/patch.yaml", overlay(7, "trace")["patch.yaml"])
        tell("one file, after a commit to the base branch", "leaf", 1)
        tell("the base's file", "base-file", 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--apps", type=int, default=1000)
    parser.add_argument("--embedded", action="store_true")
    given = parser.parse_args()
    asyncio.run(measure(given.embedded, given.apps))


if __name__ == "__main__":
    main()
