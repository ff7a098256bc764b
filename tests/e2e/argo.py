"""An Argo CD installation as it is met: its workloads, settings, Applications and objects as its controller leaves them.

What runs is `fake_argo.py`, a process that writes statuses in the shapes that were watched; nothing of the workloads' images is run.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from e2e.stage import Stage

IMAGE = "argocd:v3.5.7"
CONTROLLER = "argocd-application-controller"
SETS = "argocd-applicationset-controller"
FAKE = Path(__file__).with_name("fake_argo.py")


def workload(kind: str, name: str) -> dict[str, Any]:
    labels = {"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": "argocd"}
    chosen = {"app.kubernetes.io/name": name}
    spec: dict[str, Any] = {
        "replicas": 1,
        "selector": {"matchLabels": chosen},
        "template": {"metadata": {"labels": chosen}, "spec": {"containers": [{"name": "c", "image": IMAGE}]}},
    }
    if kind == "StatefulSet":
        spec["serviceName"] = name
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name, "labels": labels}, "spec": spec}


def deployment(replicas: int = 2) -> dict[str, Any]:
    container = {"name": "web", "image": "nginx:1.29", "ports": [{"containerPort": 80}]}
    spec = {
        "replicas": replicas,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}},
    }
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}


def config_map(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


class Argo:
    """One installation with the applications that `begin` is given, deployed by it."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.space = f"{stage.space}-shop"[-60:].lstrip("-")

    def begin(self, apps: dict[str, list[dict[str, Any]]]) -> None:
        """Git, the workloads, settings, and each application deployed from its folder."""
        stage = self.stage
        files = {
            f"{name}/{body['kind'].lower()}-{body['metadata']['name']}.json": json.dumps(body)
            for name, bodies in apps.items()
            for body in bodies
        }
        self.sha = stage.create_repository(files)
        stage.kubectl("create", "namespace", self.space)
        self.put(workload("StatefulSet", CONTROLLER), workload("Deployment", SETS))
        self.put(config_map("argocd-cm"), config_map("argocd-rbac-cm", **{"policy.csv": "g, dev, role:admin"}))
        url = {"type": "git", "url": stage.url}
        secret = {"name": "repo-config", "labels": {"argocd.argoproj.io/secret-type": "repository"}}
        self.put({"apiVersion": "v1", "kind": "Secret", "metadata": secret, "stringData": url})
        for name, bodies in apps.items():
            stage.application(name, name, self.space)
            self.deploy(name, bodies)

    def put(self, *bodies: dict[str, Any]) -> None:
        for body in bodies:
            self.stage.kubectl("-n", self.stage.space, "apply", "-f", "-", stdin=json.dumps(body))

    def deploy(self, app: str, bodies: list[dict[str, Any]]) -> None:
        """As Argo CD does: a client-side apply of the manifest with the mark of its application, by argocd-controller."""
        for body in bodies:
            group = body["apiVersion"].rpartition("/")[0]
            mark = f"{app}:{group}/{body['kind']}:{self.space}/{body['metadata']['name']}"
            meta = {"annotations": {"argocd.argoproj.io/tracking-id": mark}, "namespace": self.space}
            marked = {**body, "metadata": {**body["metadata"], **meta}}
            self.stage.kubectl("apply", "--field-manager=argocd-controller", "-f", "-", stdin=json.dumps(marked))

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Its controller runs: statuses are written for as long as this lasts, the first of all before it begins."""
        stage = self.stage
        words = [sys.executable, str(FAKE), str(stage.folder / "config.git"), stage.space]
        with (
            (stage.folder / "argo.log").open("w") as log,
            subprocess.Popen(words, env=stage.env, stdout=subprocess.PIPE, stderr=log, text=True) as process,
        ):
            try:
                assert process.stdout is not None
                assert process.stdout.readline() == "told\n", (stage.folder / "argo.log").read_text()
                yield
            finally:
                process.terminate()

    def told(self) -> None:
        """Its controller has run, and written each status once."""
        with self.at_work():
            pass

    def state(self) -> dict[str, tuple[str, int | None]]:
        """UID and generation of all that stands in the application's namespace, pods included."""
        kinds = "pods,replicasets,deployments,configmaps,secrets,services"
        found = json.loads(self.stage.kubectl("get", kinds, "-n", self.space, "-o", "json"))["items"]
        return {
            f"{one['kind']}/{one['metadata']['name']}": (one["metadata"]["uid"], one["metadata"].get("generation"))
            for one in found
        }
