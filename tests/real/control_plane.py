"""A real Kubernetes control plane on free loopback ports, for tests and benchmarks.

    with control_plane(folder) as cluster:
        run("kubectl", "--kubeconfig", cluster.kubeconfig, "get", "namespaces")

Etcd, kube-apiserver and kube-controller-manager as `make real` built them; ready in about four seconds. Pods stay Pending: nothing
runs them. Everything it writes is under `folder`; its processes end with it, also when this process is killed.
"""

import base64
import ctypes
import json
import os
import signal
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from build_real import where

from real.certificates import Authority, Pair

NEEDED = ("etcd", "kube-apiserver", "kube-controller-manager")
_CONTROLLERS = ("*", "-node-ipam-controller", "-node-lifecycle-controller")
_PATIENCE = 60.0
_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)


def end(process: "subprocess.Popen[bytes]") -> None:
    """Ends a program with SIGTERM, after 20 s with SIGKILL."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def missing() -> list[str]:
    """The programs that `make real` has yet to build."""
    return [name for name in NEEDED if not where(name).exists()]


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process has used so far: CPU in seconds, resident memory in bytes."""

    cpu: float
    memory: int


@dataclass(slots=True)
class ControlPlane:
    """A running control plane. `kubeconfig` is that of an administrator (system:masters)."""

    folder: Path
    port: int
    kubeconfig: Path
    _ca: Path
    _admin: Pair
    _commands: dict[str, Sequence[str]]
    _running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def etcd_url(self) -> str:
        """Where etcd answers its clients, and serves its metrics."""
        return next(
            word.partition("=")[2] for word in self._commands["etcd"] if word.startswith("--listen-client-urls=")
        )

    @property
    def server(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def start(self, name: str) -> None:
        """Starts one of its programs; kube-apiserver is waited for until /readyz says ok."""
        log = (self.folder / f"{name}.log").open("ab")
        with log:
            self._running[name] = subprocess.Popen(
                self._commands[name],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                cwd=self.folder,
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )
        if name == "kube-apiserver":
            self._wait_ready()

    def stop(self, name: str) -> None:
        """Ends one of its programs with SIGTERM, after 20 s with SIGKILL."""
        process = self._running.pop(name, None)
        if process is not None:
            end(process)

    def kill(self, name: str) -> None:
        """Ends one of its programs at once, as a crash would."""
        process = self._running.pop(name)
        process.kill()
        process.wait()

    def usage(self) -> dict[str, Usage]:
        """CPU and memory of each running program, from /proc."""
        return {name: usage(process.pid) for name, process in self._running.items()}

    def close(self) -> None:
        """Ends all of them, the API server before etcd."""
        for name in ("kube-scheduler", "kube-controller-manager", "kube-apiserver", "etcd"):
            self.stop(name)

    def _wait_ready(self) -> None:
        context = ssl.create_default_context(cafile=str(self._ca))
        context.load_cert_chain(self._admin.certificate, self._admin.key)
        deadline = time.monotonic() + _PATIENCE
        answer = "no answer"
        while time.monotonic() < deadline:
            for name, process in self._running.items():
                if process.poll() is not None:
                    raise RuntimeError(f"{name} ended with code {process.returncode}: {self._last_words(name)}")
            try:
                with urllib.request.urlopen(f"{self.server}/readyz", context=context, timeout=5):
                    return
            except urllib.error.HTTPError as error:
                answer = error.read().decode(errors="replace")
                error.close()
            except OSError as error:
                answer = str(error)
            time.sleep(0.05)
        raise RuntimeError(f"kube-apiserver is not ready after {_PATIENCE:.0f} s: {answer[-2000:]}")

    def _last_words(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")[-2000:]


@contextmanager
def control_plane(
    folder: Path,
    *,
    controllers: bool = True,
    only: Sequence[str] = (),
    apiserver: str = "kube-apiserver",
    scheduler: bool = False,
) -> Iterator[ControlPlane]:
    """A fresh control plane under `folder`; `controllers=False` leaves kube-controller-manager out, `only` names those it runs.

    `apiserver` is one of the programs of tools/build_real.py. `scheduler`: kube-scheduler runs, too.
    """
    folder.mkdir(parents=True, exist_ok=True)
    plane = _prepare(folder, only, apiserver)
    try:
        plane.start("etcd")
        plane.start("kube-apiserver")
        if controllers:
            plane.start("kube-controller-manager")
        if scheduler:
            plane.start("kube-scheduler")
        yield plane
    finally:
        plane.close()


@contextmanager
def etcd_members(folder: Path, count: int) -> Iterator[list[str]]:
    """An etcd of so many members, without TLS and without waiting for the disk; the client URL of each. They have a leader."""
    ports = _free_ports(2 * count)
    peers = {f"member-{number}": f"http://127.0.0.1:{ports[count + number]}" for number in range(count)}
    urls = [f"http://127.0.0.1:{port}" for port in ports[:count]]
    running: list[subprocess.Popen[bytes]] = []
    try:
        for (name, peer), client in zip(peers.items(), urls, strict=True):
            command = [
                *_etcd_words(folder / name, client, peer),
                f"--name={name}",
                f"--initial-cluster={','.join(f'{each}={url}' for each, url in peers.items())}",
            ]
            with (folder / f"{name}.log").open("ab") as log:
                running.append(
                    subprocess.Popen(
                        command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, preexec_fn=_die_with_parent
                    )
                )
        deadline = time.monotonic() + _PATIENCE
        while not all(map(_healthy, urls)):
            if time.monotonic() > deadline:
                raise RuntimeError("the members of etcd find no leader")
            time.sleep(0.1)
        yield urls
    finally:
        for process in running:
            process.kill()
        for process in running:
            process.wait()


def _healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=5) as answer:
            return bool(json.load(answer).get("health") == "true")
    except OSError:
        return False


def usage(pid: int) -> Usage:
    """What the process has used so far, from /proc."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    return Usage(ticks / os.sysconf("SC_CLK_TCK"), int(fields[21]) * os.sysconf("SC_PAGE_SIZE"))


def _die_with_parent() -> None:
    _LIBC.prctl(_PDEATHSIG, signal.SIGKILL)


def _free_ports(count: int) -> list[int]:
    held = [socket.socket() for _ in range(count)]
    try:
        for one in held:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in held]
    finally:
        for one in held:
            with closing(one):
                pass


def _prepare(folder: Path, only: Sequence[str], apiserver: str) -> ControlPlane:
    authority = Authority(folder)
    serving = authority.serving("kube-apiserver", ["127.0.0.1", "10.0.0.1"], ["localhost", "kubernetes.default.svc"])
    admin = authority.client("kilde-tests", ["system:masters"])
    controllers = authority.client("system:kube-controller-manager", [])
    scheduler = authority.client("system:kube-scheduler", [])
    tokens = authority.signing_key("service-accounts")
    client_port, peer_port, api_port = _free_ports(3)
    server = f"https://127.0.0.1:{api_port}"
    ca = authority.pair.certificate
    kubeconfig = _kubeconfig(folder / "kubeconfig", server, ca, admin)
    controllers_config = _kubeconfig(folder / "controllers.kubeconfig", server, ca, controllers)
    commands = {
        "etcd": _etcd(folder, client_port, peer_port),
        "kube-apiserver": _apiserver(apiserver, client_port, api_port, serving, ca, tokens),
        "kube-controller-manager": _controllers(controllers_config, authority.pair, tokens[0], only or _CONTROLLERS),
        "kube-scheduler": _scheduler(_kubeconfig(folder / "scheduler.kubeconfig", server, ca, scheduler)),
    }
    return ControlPlane(folder, api_port, kubeconfig, ca, admin, commands)


def _etcd(folder: Path, client_port: int, peer_port: int) -> list[str]:
    client, peer = f"http://127.0.0.1:{client_port}", f"http://127.0.0.1:{peer_port}"
    return [*_etcd_words(folder / "etcd", client, peer), f"--initial-cluster=default={peer}"]


def _etcd_words(data: Path, client: str, peer: str) -> list[str]:
    return [
        str(where("etcd")),
        f"--data-dir={data}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        "--unsafe-no-fsync",
        "--log-level=warn",
    ]


def _apiserver(
    program: str, etcd_port: int, port: int, serving: Pair, ca: Path, tokens: tuple[Path, Path]
) -> list[str]:
    return [
        str(where(program)),
        f"--etcd-servers=http://127.0.0.1:{etcd_port}",
        f"--secure-port={port}",
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        f"--tls-cert-file={serving.certificate}",
        f"--tls-private-key-file={serving.key}",
        f"--client-ca-file={ca}",
        f"--service-account-key-file={tokens[1]}",
        f"--service-account-signing-key-file={tokens[0]}",
        "--service-account-issuer=https://kubernetes.default.svc",
        "--service-cluster-ip-range=10.0.0.0/16",
        "--authorization-mode=RBAC",
        "--endpoint-reconciler-type=none",
    ]


def _controllers(kubeconfig: Path, authority: Pair, tokens: Path, names: Sequence[str]) -> list[str]:
    return [
        str(where("kube-controller-manager")),
        f"--kubeconfig={kubeconfig}",
        f"--service-account-private-key-file={tokens}",
        f"--root-ca-file={authority.certificate}",
        f"--cluster-signing-cert-file={authority.certificate}",
        f"--cluster-signing-key-file={authority.key}",
        "--use-service-account-credentials=true",
        "--leader-elect=false",
        "--secure-port=0",
        f"--controllers={','.join(names)}",
    ]


def _scheduler(kubeconfig: Path) -> list[str]:
    words = [f"--kubeconfig={kubeconfig}", "--leader-elect=false", "--secure-port=0"]
    return [str(where("kube-scheduler")), *words]


def _kubeconfig(path: Path, server: str, ca: Path, pair: Pair) -> Path:
    def data(file: Path) -> str:
        return base64.b64encode(file.read_bytes()).decode()

    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "real", "cluster": {"server": server, "certificate-authority-data": data(ca)}}],
        "users": [
            {
                "name": "user",
                "user": {"client-certificate-data": data(pair.certificate), "client-key-data": data(pair.key)},
            }
        ],
        "contexts": [{"name": "real", "context": {"cluster": "real", "user": "user"}}],
        "current-context": "real",
    }
    path.touch(mode=0o600)
    path.write_text(json.dumps(config, indent=2))  # JSON is YAML
    return path
