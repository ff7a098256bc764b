"""A running `kilde up` as its users have it: the real program, the real git and kubectl, on either cluster."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from warm.program import warm_kilde

BIN = Path(sys.executable).parent
PATIENCE = 60.0
OWN_START = BIN / "kilde"
NO_BUDGETS = ("--deletion-budget", "off", "--fleet-deletion-budget", "off")
_IDENTITY = {f"GIT_{who}_{what}": "tester" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


@dataclass(slots=True)
class Stage:
    """One Kilde, one config repository, one namespace for its Applications. `config` None: the embedded cluster."""

    folder: Path
    config: Path | None
    space: str  # namespace of the Applications
    listen: int = field(default_factory=lambda: free_port())
    process: subprocess.Popen[str] | None = None
    options: tuple[str, ...] = ()
    program: Path = field(default_factory=warm_kilde)  # runs `kilde up`; `OWN_START` where /proc is read
    behind: Path | None = (
        None  # the kubeconfig of the controller alone, where it is to reach its cluster by another way
    )

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def work(self) -> Path:
        return self.folder / "work"

    @property
    def url(self) -> str:
        return f"file://{self.folder}/config.git"

    @property
    def kubeconfig(self) -> Path:
        return self.config or self.data / "kubeconfig"

    @property
    def env(self) -> dict[str, str]:
        return {
            **os.environ,
            "ARGOCD_SYNC_WAVE_DELAY": "0",  # waves wait for health all the same
            **_IDENTITY,
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "KUBECONFIG": str(self.kubeconfig),
            "HOME": str(self.folder),
        }

    # Kilde

    def start(self) -> None:
        """Starts it and waits for `ready`."""
        command = [str(self.program), "up", "--data-dir", str(self.data), "--namespace", self.space]
        command += [
            "--raw-secrets",
            "allow",
        ]  # most stories have plain Secrets; where they are refused, the story's options say so
        command += ["--listen", f"127.0.0.1:{self.listen}", *self.options]
        if self.config is not None:
            command += ["--kubeconfig", str(self.behind or self.config)]
        log = (self.folder / "kilde.log").open("a")
        with log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=self.env)
        assert self.process.stdout is not None
        line = self.process.stdout.readline().strip()
        assert line == "ready", f"kilde up said {line!r}; {self.log()[-2000:]}"

    def stop(self, *, how: int = signal.SIGTERM) -> int:
        """Ends it; its exit code."""
        process, self.process = self.process, None
        if process is None:
            return 0
        with process:
            process.send_signal(how)
            process.communicate(timeout=30)  # until nobody holds its output any more: whatever ran for it is gone, too
            return process.returncode

    def log(self) -> str:
        path = self.folder / "kilde.log"
        return path.read_text() if path.exists() else ""

    def kilde(self, *arguments: str, codes: tuple[int, ...] = (0,)) -> str:
        done = self.said(*arguments)
        assert done.returncode in codes, f"kilde {' '.join(arguments)}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def said(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """What a command line gives, whatever its exit code."""
        where = ["--data-dir", str(self.data)]
        if arguments[0] in ("app", "appset", "plan", "apply", "migrate", "project"):
            named = self.config is None or "--kubeconfig" in arguments
            where += ["--namespace", self.space] + ([] if named else ["--kubeconfig", str(self.config)])
        command = [str(warm_kilde()), *arguments, *where]
        return subprocess.run(command, env=self.env, capture_output=True, text=True, input=stdin)

    # the cluster

    def kubectl(self, *arguments: str, stdin: str | None = None, codes: tuple[int, ...] = (0,)) -> str:
        command = [str(BIN / "kubectl"), *arguments]
        done = subprocess.run(command, env=self.env, capture_output=True, text=True, input=stdin)
        assert done.returncode in codes, f"kubectl {' '.join(arguments)}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def get(self, *what: str) -> dict[str, Any] | None:
        """An object; None if it is not there."""
        text = self.kubectl("get", *what, "-o", "json", "--ignore-not-found")
        found: dict[str, Any] | None = json.loads(text) if text.strip() else None
        return found

    def application(self, name: str, path: str, namespace: str, **spec: Any) -> None:
        body = {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Application",
            "metadata": {
                "name": name,
                "namespace": self.space,
                "finalizers": ["resources-finalizer.argocd.argoproj.io"],
            },
            "spec": {
                "project": "default",
                "source": {"repoURL": self.url, "path": path, "targetRevision": "main"},
                "destination": {"server": "https://kubernetes.default.svc", "namespace": namespace},
                "syncPolicy": {
                    "automated": {"prune": True, "selfHeal": True},
                    "syncOptions": ["CreateNamespace=true"],
                },
                **spec,
            },
        }
        self.kubectl("apply", "-f", "-", stdin=json.dumps(body))

    def status(self, name: str) -> dict[str, Any]:
        found = self.get("-n", self.space, "application", name)
        return (found or {}).get("status") or {}

    def conditions(self, name: str) -> list[str]:
        return [f"{c['type']}: {c['message']}" for c in self.status(name).get("conditions") or ()]

    def is_well(self, name: str, sha: str = "") -> bool:
        status = self.status(name)
        sync, health, state = (status.get(key) or {} for key in ("sync", "health", "operationState"))
        words = (sync.get("status"), health.get("status"), state.get("phase"))
        return words == ("Synced", "Healthy", "Succeeded") and sha in ("", sync.get("revision"))

    # the repository

    def create_repository(self, files: dict[str, str]) -> str:
        self.git("init", "-q", "--bare", "-b", "main", str(self.folder / "config.git"), at=self.folder)
        self.work.mkdir()
        self.git("init", "-q", "-b", "main")
        self.git("remote", "add", "origin", self.url)
        return self.commit(files)

    def commit(self, files: dict[str, str | None], message: str = "change") -> str:
        """Writes files (None: removes), commits, pushes; the commit's id."""
        for name, text in files.items():
            path = self.work / name
            if text is None:
                path.unlink()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        self.git("push", "-q", "origin", "main")
        return self.git("rev-parse", "HEAD").strip()

    def git(self, *arguments: str, at: Path | None = None) -> str:
        command = ["git", "-C", str(at or self.work), *arguments]
        return subprocess.run(command, env=self.env, check=True, capture_output=True, text=True).stdout

    def push(self) -> None:
        """Tells of a push, as a forge does."""
        body = json.dumps({"ref": "refs/heads/main", "repository": {"clone_url": self.url, "html_url": self.url}})
        headers = {"Content-Type": "application/json", "X-GitHub-Event": "push"}
        request = urllib.request.Request(f"http://127.0.0.1:{self.listen}/api/webhook", body.encode(), headers)
        urllib.request.urlopen(request, timeout=10).close()

    def until(self, holds: Callable[[], Any], what: str, patience: float = PATIENCE) -> None:
        end = time.monotonic() + patience
        while not holds():
            if self.process is not None and self.process.poll() is not None:
                raise AssertionError(f"kilde ended while waiting for: {what}\n{self.log()[-3000:]}")
            assert time.monotonic() < end, f"never came: {what}\n{self.log()[-3000:]}"
            time.sleep(0.05)


def install_kinds(config: Path) -> None:
    """Argo CD's kinds, as the README says."""
    printed = subprocess.run([str(warm_kilde()), "install", "--crds"], check=True, capture_output=True, text=True)
    command = [str(BIN / "kubectl"), "--kubeconfig", str(config), "apply", "-f", "-"]
    subprocess.run(command, input=printed.stdout, check=True, capture_output=True, text=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def pods_run(stage: Stage, *namespaces: str) -> Iterator[None]:
    """On a real control plane nobody runs pods: here they are said to be Running and Ready. Elsewhere a kubelet is simulated."""
    if stage.config is None:
        yield
        return
    stop = threading.Event()

    def run() -> None:
        while not stop.wait(0.3):
            for namespace in namespaces:
                for pod in json.loads(stage.kubectl("get", "pods", "-n", namespace, "-o", "json"))["items"]:
                    if (pod.get("status") or {}).get("phase") == "Pending":
                        name = pod["metadata"]["name"]
                        where = ("-n", namespace, name, "--subresource=status", "--type=merge")
                        stage.kubectl("patch", "pod", *where, "-p", _RUNNING, codes=(0, 1))

    thread = threading.Thread(target=run, name="kubelet")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


_RUNNING = json.dumps(
    {
        "status": {
            "phase": "Running",
            "conditions": [
                {"type": kind, "status": "True"} for kind in ("PodScheduled", "Initialized", "ContainersReady", "Ready")
            ],
        }
    }
)
