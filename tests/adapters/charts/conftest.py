"""A place for archives, an authority, and ChartSources over them."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from adapters.charts.servers import Answers, answering
from kilde.adapters.charts.sources import ChartSources
from real.certificates import Authority


@pytest.fixture
async def sources(tmp_path: Path) -> AsyncIterator[ChartSources]:
    made = ChartSources(tmp_path / "archives")
    yield made
    await made.close()


@pytest.fixture
def server() -> Iterator[Answers]:
    with answering() as found:
        yield found


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    folder = tmp_path / "authority"
    folder.mkdir()
    return Authority(folder)
