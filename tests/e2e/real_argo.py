"""The real Argo CD (application controller, repo-server, redis) as processes beside a control plane that runs no pods.

The application controller runs exactly while its StatefulSet asks for a replica, as a kubelet would have it.
"""

import base64
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from e2e.argo import CONTROLLER, SETS, config_map, workload
from e2e.stage import Stage, free_port
from real.control_plane import end

_LABEL = {"app.kubernetes.io/part-of": "argocd"}


def program() -> Path | None:
    """The binary that KILDE_ARGOCD names; None where it or redis-server is not there."""
    named = os.environ.get("KILDE_ARGOCD", "")
    return Path(named) if named and Path(named).is_file() and shutil.which("redis-server") else None


class RealArgo:
    """`log` is what its controller said, `runs` how often that was started."""

    def __init__(self, stage: Stage, binary: Path) -> None:
        self.stage, self.binary, self.runs = stage, binary, 0
        self.redis, self.repo = free_port(), free_port()
        self._stop = threading.Event()
        self._controller: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        return (self.stage.folder / "argocd-application-controller.log").read_text()

    def prepare(self) -> None:
        """Its settings, and the workloads that a move looks for."""
        stage = self.stage
        home = stage.folder / ".kube"
        home.mkdir()
        shutil.copy(stage.kubeconfig, home / "config")  # where a faked in-cluster configuration is read from
        key = {"server.secretkey": base64.b64encode(b"0" * 32).decode()}
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "argocd-secret"}, "stringData": key}
        anything = {"sourceRepos": ["*"], "destinations": [{"namespace": "*", "server": "*"}],
                    "clusterResourceWhitelist": [{"group": "*", "kind": "*"}]}  # fmt: skip
        project: dict[str, Any] = {"apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject",
                                   "metadata": {"name": "default"}, "spec": anything}  # fmt: skip
        bodies = [
            secret,
            config_map("argocd-cm"),
            config_map("argocd-rbac-cm"),
            config_map("argocd-cmd-params-cm"),
            project,
        ]
        for body in (*bodies, workload("StatefulSet", CONTROLLER), workload("Deployment", SETS)):
            body["metadata"].setdefault("labels", {}).update(_LABEL)
            stage.kubectl("-n", stage.space, "apply", "-f", "-", stdin=json.dumps(body))

    @contextmanager
    def at_work(self) -> Iterator[None]:
        with ExitStack() as stack:
            redis = (
                "redis-server",
                "--port",
                str(self.redis),
                "--save",
                "",
                "--appendonly",
                "no",
                "--dir",
                str(self.stage.folder),
            )
            stack.callback(end, self._spawn("redis", *redis))
            ports = ("--port", str(self.repo), "--metrics-port", str(free_port()))
            stack.callback(
                end, self._spawn("argocd-repo-server", str(self.binary), *ports, "--redis", f"127.0.0.1:{self.redis}")
            )
            thread = threading.Thread(target=self._follow, name="kubelet of Argo CD")
            thread.start()
            stack.callback(thread.join)
            stack.callback(self._stop.set)
            yield

    def _follow(self) -> None:
        stage = self.stage
        while not self._stop.wait(0.3):
            asked = (stage.get("-n", stage.space, "statefulset", CONTROLLER) or {}).get("spec", {}).get("replicas", 0)
            if asked and self._controller is None:
                self._controller, self.runs = self._start(), self.runs + 1
            if not asked and self._controller is not None:
                self._end_controller()
        self._end_controller()

    def _start(self) -> "subprocess.Popen[bytes]":
        words = ("--repo-server", f"127.0.0.1:{self.repo}", "--redis", f"127.0.0.1:{self.redis}",
                 "--metrics-port", str(free_port()), "--kubeconfig", str(self.stage.kubeconfig),
                 "--namespace", self.stage.space)  # fmt: skip
        return self._spawn(CONTROLLER, str(self.binary), *words)

    def _end_controller(self) -> None:
        if self._controller is not None:
            end(self._controller)
        self._controller = None

    def _spawn(self, name: str, *words: str) -> "subprocess.Popen[bytes]":
        folder = self.stage.folder / "argo"
        folder.mkdir(exist_ok=True)
        env = {**self.stage.env, "ARGOCD_BINARY_NAME": name, "ARGOCD_GPG_ENABLED": "false", "ARGOCD_FAKE_IN_CLUSTER": "true",
               "ARGOCD_TLS_DATA_PATH": str(folder), "ARGOCD_SSH_DATA_PATH": str(folder), "TMPDIR": str(folder)}  # fmt: skip
        with (self.stage.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(words, env=env, stdout=log, stderr=log)
