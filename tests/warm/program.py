"""A `kilde` that is there at once: what tests call whose point is not how it starts.

Most of a command's time goes by in loading it. `warm_kilde()` is the path of a program that behaves as `.venv/bin/kilde`, but is run by
a fork of a process that has it loaded (server.py). Tests that measure, look into /proc or are about starting use the program itself.
"""

import atexit
import functools
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

_HERE = Path(__file__).parent


@functools.cache
def warm_kilde() -> Path:
    """The program, which is called as any other; its server is started with the first call and ends with this process."""
    folder = Path(tempfile.mkdtemp(prefix="kilde-warm-"))
    server, end = _start(folder / "socket")
    atexit.register(_end, server, end, folder)
    program = folder / "kilde"
    words = (sys.executable, "-IS", _HERE / "client.py", folder / "socket")
    program.write_text(f'#!/bin/sh\nexec {shlex.join(map(str, words))} "$@"\n')
    program.chmod(0o755)
    _pids.add(server.pid)
    return program


def pids() -> frozenset[int]:
    """The server, if there is one: a child of this process that no test has left behind."""
    return frozenset(_pids)


_pids: set[int] = set()


def _start(address: Path) -> tuple[subprocess.Popen[bytes], int]:
    theirs, ours = os.pipe()
    server = subprocess.Popen(
        [sys.executable, "-P", str(_HERE / "server.py"), str(address)], stdin=theirs, stdout=subprocess.PIPE
    )
    os.close(theirs)
    assert server.stdout is not None
    assert server.stdout.readline() == b"listening\n"
    return server, ours


def _end(server: subprocess.Popen[bytes], end: int, folder: Path) -> None:
    os.close(end)
    with server:
        server.wait(20)
    shutil.rmtree(folder)
