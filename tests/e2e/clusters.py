"""More clusters beside that of the Applications, each a program of its own, and the Secrets by which Kilde deploys to them."""

import base64
import contextlib
import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from e2e.stage import BIN, Stage, free_port
from kilde.core.objects.yaml_reader import read_documents


class Cluster:
    """One more cluster, in a process of its own."""

    def __init__(self, folder: Path, name: str) -> None:
        self.kubeconfig = folder / f"{name}.kubeconfig"
        self._command = [str(BIN / "kilde"), "cluster", "--controllers", "off", "--data-dir", str(folder / name)]
        self._command += ["--kubeconfig-out", str(self.kubeconfig), "--api-port", str(free_port())]
        self.start()

    def start(self) -> None:
        """Starts it; once more after its `end`: as it was, at the same address."""
        self.process = subprocess.Popen(self._command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def ready(self) -> None:
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"

    def kubectl(self, *arguments: str) -> str:
        command = [str(BIN / "kubectl"), "--kubeconfig", str(self.kubeconfig), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def data(self, space: str) -> str:
        asked = ("get", "configmap", "settings", "-n", space, "-o", "jsonpath={.data.k}", "--ignore-not-found")
        return self.kubectl(*asked)

    def way_in(self) -> tuple[str, dict[str, Any]]:
        """Its server, and the `config` of a cluster Secret."""
        config = read_documents(self.kubeconfig.read_bytes(), file="kubeconfig", duplicates="refuse")[0].value
        place, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        tls = {"caData": place.get("certificate-authority-data", "")}
        if "client-key-data" in user:
            tls |= {"certData": user["client-certificate-data"], "keyData": user["client-key-data"]}
        return place["server"], {"bearerToken": user.get("token", ""), "tlsClientConfig": tls}

    def end(self) -> None:
        with self.process:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()


@contextlib.contextmanager
def clusters(folder: Path, *names: str) -> Iterator[list[Cluster]]:
    made = [Cluster(folder, name) for name in names]
    try:
        for one in made:
            one.ready()
        yield made
    finally:
        for one in made:
            one.end()


def secret(stage: Stage, name: str, server: str, config: dict[str, Any]) -> None:
    data = {"name": name, "server": server, "config": json.dumps(config)}
    body = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": f"cluster-{name}",
            "namespace": stage.space,
            "labels": {"argocd.argoproj.io/secret-type": "cluster"},
        },
        "data": {key: base64.b64encode(text.encode()).decode() for key, text in data.items()},
    }
    stage.kubectl("apply", "-f", "-", stdin=json.dumps(body))
