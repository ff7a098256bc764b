"""A fleet to measure on: one base, N overlays of five objects in ten namespaces, one repository; the shape the peers were measured with.

Also what every benchmark needs: a cluster (real or embedded), a running `kilde up`, and its CPU, memory and requests.
"""

import asyncio
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tools")]

from kilde import crds  # noqa: E402
from kilde.adapters.clock import SystemClock  # noqa: E402
from kilde.adapters.cluster import kubeconfig  # noqa: E402
from kilde.adapters.cluster.client import KubeCluster  # noqa: E402
from kilde.ports.cluster import Resource  # noqa: E402
from real.control_plane import ControlPlane, control_plane  # noqa: E402

NAMESPACES = 10
APPLICATIONS = Resource("argoproj.io", "v1alpha1", "Application", "applications", True)
CONFIG_MAPS = Resource("", "v1", "ConfigMap", "configmaps", True)
_NAMESPACE = Resource("", "v1", "Namespace", "namespaces", False)
_DEFINITION = Resource("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", False)
_TICK = os.sysconf("SC_CLK_TCK")

BASE = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 0
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      serviceAccountName: web
      containers:
      - name: web
        image: registry.example/web:1.0
        ports:
        - name: http
          containerPort: 8080
        envFrom:
        - configMapRef:
            name: web
        resources:
          requests:
            cpu: 50m
            memory: 64Mi
---
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  selector:
    app: web
  ports:
  - name: http
    port: 80
    targetPort: http
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: web
data:
  level: info
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: web
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: web
spec:
  podSelector:
    matchLabels:
      app: web
  policyTypes:
  - Ingress
"""


def overlay(number: int, level: str = "info") -> dict[str, str]:
    """The files of one overlay."""
    return {
        "kustomization.yaml": (
            "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n- ../../base\n"
            f"namePrefix: a{number}-\ncommonLabels:\n  instance: a{number}\npatches:\n- path: patch.yaml\n"
        ),
        "patch.yaml": f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web\ndata:\n  level: {level}\n",
    }


class Repository:
    """The fleet's config repository: bare, with a work tree to commit from."""

    def __init__(self, folder: Path, size: int) -> None:
        self.work, self.bare, self.size = folder / "work", folder / "fleet.git", size
        files = {"base/all.yaml": BASE, "base/kustomization.yaml": "resources:\n- all.yaml\n"}
        for number in range(size):
            files |= {f"overlays/a{number}/{name}": text for name, text in overlay(number).items()}
        for name, text in files.items():
            path = self.work / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self._git("init", "-q", "-b", "main")
        self._git("add", "-A")
        self._git("commit", "-q", "-m", "fleet")
        subprocess.run(["git", "clone", "-q", "--bare", str(self.work), str(self.bare)], check=True)
        self._git("remote", "add", "origin", str(self.bare))

    @property
    def url(self) -> str:
        return f"file://{self.bare}"

    def commit(self, path: str, text: str) -> str:
        """Commits one file and pushes; the commit's id."""
        (self.work / path).parent.mkdir(exist_ok=True)
        (self.work / path).write_text(text)
        self._git("add", path)
        self._git("commit", "-q", "-m", f"change {path}")
        self._git("push", "-q", "origin", "main")
        return self._git("rev-parse", "HEAD").strip()

    def _git(self, *arguments: str) -> str:
        env = {
            **os.environ,
            "GIT_CONFIG_GLOBAL": "/dev/null",
            **{f"GIT_{who}_{what}": "bench" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        }
        command = ["git", "-C", str(self.work), *arguments]
        self.work.mkdir(parents=True, exist_ok=True)
        return subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout


def application(number: int, url: str) -> dict[str, object]:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": f"a{number}", "namespace": "argocd"},
        "spec": {
            "project": "default",
            "source": {"repoURL": url, "path": f"overlays/a{number}", "targetRevision": "HEAD"},
            "destination": {"server": "https://kubernetes.default.svc", "namespace": f"fleet-{number % NAMESPACES}"},
            "syncPolicy": {"automated": {"prune": True, "selfHeal": True}},
        },
    }


@dataclass(frozen=True, slots=True)
class Use:
    """What a process has used: CPU seconds so far, memory now and at its peak in MiB."""

    cpu: float
    memory: float
    peak: float


def use_of(pid: int) -> Use:
    stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    status = Path(f"/proc/{pid}/status").read_text()
    found = {key: int(value) for key, value in re.findall(r"^(VmRSS|VmHWM):\s+(\d+) kB", status, re.MULTILINE)}
    return Use((int(stat[11]) + int(stat[12])) / _TICK, found["VmRSS"] / 1024, found["VmHWM"] / 1024)


@dataclass(slots=True)
class Kilde:
    """A running `kilde up`."""

    process: subprocess.Popen[str]
    port: int
    started: float
    ready: float
    log: Path

    def use(self) -> Use:
        return use_of(self.process.pid)

    def requests(self) -> dict[str, int]:
        """Requests to the API server by verb, from /metrics."""
        text = urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=10).read().decode()
        return {
            v: int(float(n))
            for v, n in re.findall(r'^kilde_api_requests_total\{verb="(\w+)"\} (\S+)', text, re.MULTILINE)
        }

    def push(self, url: str) -> None:
        """Tells of a push, as a forge does."""
        body = json.dumps({"ref": "refs/heads/main", "repository": {"clone_url": url, "html_url": url}}).encode()
        headers = {"Content-Type": "application/json", "X-GitHub-Event": "push"}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/api/webhook", data=body, headers=headers)
        urllib.request.urlopen(request, timeout=10).close()


@contextlib.contextmanager
def kilde_up(folder: Path, config: Path | None) -> Iterator[Kilde]:
    """`kilde up` on a free port; config None: its embedded cluster."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [
        str(Path(sys.executable).parent / "kilde"),
        "up",
        "--raw-secrets",
        "allow",
        "--data-dir",
        str(folder),
        "--listen",
        f"127.0.0.1:{port}",
    ]
    if config is not None:
        command += ["--kubeconfig", str(config)]
    log = folder.parent / f"{folder.name}.log"
    begun = time.monotonic()
    with log.open("w") as err, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=err, text=True) as process:
        try:
            assert process.stdout is not None
            if process.stdout.readline().strip() != "ready":
                raise SystemExit(f"kilde up did not start: {log.read_text()[-2000:]}")
            yield Kilde(process, port, begun, time.monotonic(), log)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(10)


@dataclass(slots=True)
class Cluster:
    """A cluster to measure on. `plane` is None on the embedded one."""

    config: Path
    client: KubeCluster
    plane: ControlPlane | None
    pids: list[int] = field(default_factory=list)

    def servers_cpu(self) -> float:
        """CPU seconds of etcd, kube-apiserver and kube-controller-manager so far (0 where they are in Kilde's own process)."""
        return sum(use_of(pid).cpu for pid in self.pids)


@contextlib.asynccontextmanager
async def real_cluster(folder: Path) -> AsyncIterator[Cluster]:
    """A real control plane with the definitions installed."""
    with control_plane(folder) as plane:
        client = client_of(plane.kubeconfig)
        await prepare(client, definitions=True)
        await wait_for_controllers(client)
        pids = [process.pid for process in plane._running.values()]
        yield Cluster(plane.kubeconfig, client, plane, pids)
        await client.close()


def client_of(config: Path) -> KubeCluster:
    clock = SystemClock()
    return KubeCluster(kubeconfig.load([config], clock), clock)


async def prepare(client: KubeCluster, *, definitions: bool) -> None:
    """Namespaces, and Argo CD's kinds where the cluster does not have them."""
    if definitions:
        for definition in crds.definitions():
            await client.apply(_DEFINITION, definition, manager="bench")
    names = ["argocd", *(f"fleet-{n}" for n in range(NAMESPACES))]
    for name in names:
        await client.apply(
            _NAMESPACE, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}, manager="bench"
        )
    while (await client.discovery(refresh=True)).resource("argoproj.io", "Application") is None:
        await asyncio.sleep(0.1)


async def wait_for_controllers(client: KubeCluster) -> None:
    """Until the controller manager works: it makes a ServiceAccount in every namespace."""
    accounts = Resource("", "v1", "ServiceAccount", "serviceaccounts", True)
    while any([await client.get(accounts, f"fleet-{n}", "default") is None for n in range(NAMESPACES)]):
        await asyncio.sleep(0.1)


async def create_applications(client: KubeCluster, size: int, url: str) -> None:
    gate = asyncio.Semaphore(16)

    async def create(number: int) -> None:
        async with gate:
            await client.create(APPLICATIONS, application(number, url), manager="bench")

    await asyncio.gather(*(create(number) for number in range(size)))


async def until_well(client: KubeCluster, size: int, *, revision: str = "", patience: float = 600.0) -> float:
    """Seconds until every application is Synced, Healthy and Succeeded (at a revision)."""
    begun = time.monotonic()
    while True:
        found = [json.loads(raw).get("status") or {} for raw in await client.list(APPLICATIONS, "argocd")]
        if sum(is_well(status, revision) for status in found) == size:
            return time.monotonic() - begun
        if time.monotonic() - begun > patience:
            raise SystemExit(f"not well after {patience} s: {[s for s in found if not is_well(s, revision)][:1]}")
        await asyncio.sleep(0.25)


def is_well(status: dict[str, dict[str, str]], revision: str) -> bool:
    sync, health, state = (status.get(key) or {} for key in ("sync", "health", "operationState"))
    words = (sync.get("status"), health.get("status"), state.get("phase"))
    return words == ("Synced", "Healthy", "Succeeded") and revision in ("", sync.get("revision"))
