"""The recorded behaviour of a real Kubernetes API server, replayed against ours; only where the team's shared folder is."""

import asyncio
import re
import sys
from pathlib import Path

import pytest

from kilde.kubeapi.main import serve
from kilde.kubeapi.settings import Controllers, Settings

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.timeout(300)]

# Scenarios that pass: all of them.
FLOOR = {Controllers.OFF: 399, Controllers.ON: 326}


@pytest.mark.parametrize("mode", FLOOR)
async def test_it_behaves_as_recorded(shared: Path, tmp_path: Path, mode: Controllers) -> None:
    replay = shared / "conformance" / "apiserver" / "builtin" / "replay.py"
    if not replay.exists():
        pytest.skip("no recorded scenarios in ../shared")
    file = tmp_path / "kubeconfig"
    async with serve(Settings(kubeconfig=file, controllers=mode)):
        words = [sys.executable, replay, "--kubeconfig", file, "--controllers", mode]
        child = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE)
        out, _ = await child.communicate()
    found = re.search(rb"TOTAL +(\d+)/(\d+)", out)
    assert found is not None, out[-2000:].decode()
    failed = re.findall(r"^FAIL (\S+)", out.decode(), re.MULTILINE)
    assert int(found[1]) >= FLOOR[mode], f"{found[0].decode()}: {', '.join(failed)}"
