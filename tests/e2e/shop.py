"""An application that is synced by hand, another beside it, and a branch that changes the first: what the tests of plans work on."""

import json
from collections.abc import Sequence
from typing import Any

from e2e.stage import Stage

CANARY = "canary-hunter2-9f3b"


def manifest(kind: str, name: str, api: str = "v1", **body: Any) -> str:
    meta = {"name": name, **body.pop("metadata", {})}
    return json.dumps({"apiVersion": api, "kind": kind, "metadata": meta, **body})


def deployment(app: str, replicas: int = 0, **pod: Any) -> str:
    container = {"name": "web", "image": "nginx:1.29", **pod}
    spec = {
        "replicas": replicas,
        "selector": {"matchLabels": {"app": app}},
        "template": {"metadata": {"labels": {"app": app}}, "spec": {"containers": [container]}},
    }
    return manifest("Deployment", "web", "apps/v1", spec=spec)


def claim(name: str, volume: str) -> str:
    spec = {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "",
        "volumeName": volume,
        "resources": {"requests": {"storage": "1Gi"}},
    }
    return manifest("PersistentVolumeClaim", name, spec=spec)


def volume(name: str, policy: str, namespace: str, of: str) -> str:
    spec = {
        "capacity": {"storage": "1Gi"},
        "accessModes": ["ReadWriteOnce"],
        "persistentVolumeReclaimPolicy": policy,
        "storageClassName": "",
        "hostPath": {"path": f"/tmp/{name}"},
        "claimRef": {"namespace": namespace, "name": of},
    }
    return manifest("PersistentVolume", name, spec=spec)


def job(name: str, secret: str) -> str:
    pod = {
        "restartPolicy": "Never",
        "containers": [{"name": "m", "image": "migrate:2", "envFrom": [{"secretRef": {"name": secret}}]}],
    }
    hook = {"annotations": {"argocd.argoproj.io/hook": "PreSync", "argocd.argoproj.io/sync-wave": "-1"}}
    return manifest("Job", name, "batch/v1", metadata=hook, spec={"template": {"spec": pod}})


BEFORE = {
    "shop/config.json": manifest("ConfigMap", "config", data={"k": "one", "same": "x"}),
    "shop/gone.json": manifest("ConfigMap", "gone"),
    "shop/secret.json": manifest("Secret", "login", stringData={"password": f"{CANARY}-1"}),
    "shop/web.json": deployment("web"),
    "other/config.json": manifest("ConfigMap", "other", data={"k": "v"}),
}


class Shop:
    """An application that is synced by hand, another beside it, and a branch that changes the first."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.space = f"{stage.space}-shop"[-60:].lstrip("-")
        self.policy = {"syncOptions": ["CreateNamespace=true"]}

    def begin(self, more: dict[str, str], volumes: Sequence[str] = ()) -> None:
        """Both are synced; `volumes` are made before."""
        stage = self.stage
        stage.create_repository({**BEFORE, **more})
        stage.start()
        for one in volumes:
            stage.kubectl("apply", "-f", "-", stdin=one)
        for name in ("shop", "other"):
            stage.application(name, name, self.space, syncPolicy=self.policy)
            stage.until(lambda name=name: bool(stage.status(name).get("sync")), f"{name} compared")  # type: ignore[misc]
            stage.kilde("app", "sync", name)

    def branch(self, files: dict[str, str | None]) -> None:
        self.stage.git("checkout", "-q", "-B", "change", "main")
        for path, text in files.items():
            file = self.stage.work / path
            if text is None:
                file.unlink()
            else:
                file.write_text(text)
        self.stage.git("add", "-A")
        self.stage.git("commit", "-q", "-m", "change")
        self.stage.git("push", "-q", "-f", "origin", "change")

    def plan(self, *arguments: str, code: int = 1) -> dict[str, Any]:
        said = self.stage.kilde("plan", *arguments, "-o", "json", codes=(code,))
        assert CANARY not in said
        found: dict[str, Any] = json.loads(said)
        return found


def told(app: dict[str, Any]) -> list[tuple[str, int, str, str, str, str]]:
    return [(s["phase"], s["wave"], s["kind"], s["name"], s["action"], s["cause"]) for s in app["steps"]]


def found(app: dict[str, Any], kind: str) -> list[tuple[str, str]]:
    return [(one["object"], one["text"]) for one in app["findings"] if one["kind"] == kind]
