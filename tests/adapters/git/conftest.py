"""Fixtures for the git adapter: an upstream, and the sources that mirror it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.git.upstream import Upstream
from kilde.adapters.clock import SystemClock
from kilde.adapters.git.sources import GitSources


@pytest.fixture
def upstream(tmp_path: Path) -> Upstream:
    return Upstream(tmp_path / "upstream")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the mirrors are."""
    return tmp_path / "mirrors"


@pytest.fixture
async def sources(folder: Path) -> AsyncIterator[GitSources]:
    made = GitSources(folder, clock=SystemClock())
    yield made
    await made.close()
    await asyncio.get_running_loop().shutdown_default_executor()  # anyio ends its loop later than conftest looks
