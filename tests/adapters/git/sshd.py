"""A real OpenSSH server on a loopback port, with keys of its own; everything it needs is in one folder."""

import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROGRAM = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")


@dataclass(frozen=True, slots=True)
class Server:
    """Where it listens, and what opens it. `known_hosts` is its line; `log` what it wrote so far."""

    port: int
    user: str
    folder: Path
    private_key: str
    known_hosts: str

    def url(self, path: Path) -> str:
        return f"ssh://{self.user}@127.0.0.1:{self.port}{path}"

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()


def new_key(folder: Path, name: str, *, passphrase: str = "") -> tuple[str, str]:
    """A private key and its public line."""
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", name, "-f", str(folder / name)], check=True
    )
    return (folder / name).read_text(), (folder / f"{name}.pub").read_text()


@contextlib.contextmanager
def server(folder: Path) -> Iterator[Server]:
    assert PROGRAM is not None
    folder.mkdir(parents=True)
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where root's sshd separates its privileges
    _, host_public = new_key(folder, "host")
    private, public = new_key(folder, "deploy")
    (folder / "authorized").write_text(public)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    config = folder / "config"
    config.write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/authorized\n"
        "StrictModes no\nUsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n"
        f"PermitRootLogin prohibit-password\nPidFile none\nLogLevel VERBOSE\nAcceptEnv GIT_PROTOCOL\n"
    )
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([PROGRAM, "-D", "-e", "-f", str(config)], stderr=log)
    try:
        _await_port(port, process)
        line = f"[127.0.0.1]:{port} {' '.join(host_public.split()[:2])}\n"
        yield Server(port, getpass.getuser(), folder, private, line)
    finally:
        process.terminate()
        process.wait()


def _await_port(port: int, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(200):
        assert process.poll() is None, "sshd ended at once"
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.02)
    raise AssertionError("sshd does not answer")
