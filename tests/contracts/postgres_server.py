"""A real PostgreSQL on a free port, in a folder of its own, as a user without rights; the programs are Debian's."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

USER = "kilde"


def programs() -> Path | None:
    """Where initdb and postgres are; None where they are not installed."""
    for folder in (*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True), Path("/usr/local/bin")):
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found else None


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """Runs a server; its address without a database's name (`postgresql://kilde@127.0.0.1:PORT`)."""
    where = programs()
    assert where is not None
    data = folder / "pg"
    data.mkdir()
    as_nobody: list[str] = []
    if os.geteuid() == 0:  # postgres refuses to run as root
        shutil.chown(data, "nobody")
        for parent in [folder, *folder.parents]:
            if parent.stat().st_uid == os.geteuid() and str(parent).startswith("/tmp/"):
                parent.chmod(parent.stat().st_mode | 0o011)
        as_nobody = ["setpriv", "--reuid=nobody", "--clear-groups", "--"]
    run = {"check": True, "capture_output": True, "timeout": 100, "cwd": "/"}
    made = [
        *as_nobody,
        str(where / "initdb"),
        "-D",
        str(data),
        "-U",
        USER,
        "-A",
        "trust",
        "-N",
        "-E",
        "UTF8",
        "--locale=C",
    ]
    subprocess.run(made, **run)  # type: ignore[call-overload]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["-D", str(data), "-p", str(port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]
    with subprocess.Popen(
        [*as_nobody, str(where / "postgres"), *options], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd="/"
    ) as server:
        try:
            _wait(server, port)
            yield f"postgresql://{USER}@127.0.0.1:{port}"
        finally:
            server.terminate()
            server.communicate(timeout=60)


def _wait(server: "subprocess.Popen[bytes]", port: int) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("postgres did not start")
