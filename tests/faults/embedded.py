"""The embedded API server in a process of its own, for tests that hold it to the same rules as a real one."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PROGRAM = """
import asyncio, sys
from pathlib import Path
from kilde.kubeapi.main import run
from kilde.kubeapi.settings import Controllers, Settings
settings = Settings(kubeconfig=Path(sys.argv[1]), controllers=Controllers(sys.argv[2]))
asyncio.run(run(settings, lambda url: print("ready", flush=True)))
"""


@contextmanager
def embedded_api(folder: Path, *, controllers: str = "on") -> Iterator[Path]:
    """The kubeconfig of a fresh embedded API server that keeps everything in memory."""
    kubeconfig = folder / "kubeconfig"
    command = [sys.executable, "-c", _PROGRAM, str(kubeconfig), controllers]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "ready\n", "the embedded API did not start"
            yield kubeconfig
        finally:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
