"""The real Flux (kustomize-controller, and where they are there source-controller and helm-controller) as processes beside a control plane.

KILDE_FLUX names a folder with their binaries and, below `crds`, their definitions
(docs/decisions/0040-the-real-argo-cd-is-opt-in.md says how it is made). Without source-controller its part is played: the archive of a
commit is served, and written into the GitRepository's status in the shape that it has there.
"""

import hashlib
import json
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from e2e.stage import Stage, free_port
from real.control_plane import end

SOURCE, HELM = "source-controller", "helm-controller"
CONTROLLERS = (SOURCE, "kustomize-controller", HELM)
REQUESTED = "reconcile.fluxcd.io/requestedAt"
_SOURCES = "gitrepositories.source.toolkit.fluxcd.io"
_KINDS = "kustomizations.kustomize.toolkit.fluxcd.io,helmreleases.helm.toolkit.fluxcd.io"


def folder() -> Path | None:
    """What KILDE_FLUX names; None where no kustomize-controller is there."""
    named = Path(os.environ.get("KILDE_FLUX", "") or "/nowhere")
    return named if (named / "kustomize-controller").is_file() else None


@dataclass(slots=True)
class RealFlux:
    """Its controllers, as long as `at_work` lasts; `url` is where they find the repository."""

    stage: Stage
    programs: Path
    url: str = ""
    address: str = ""  # of whoever serves artifacts

    @property
    def artifacts(self) -> Path:
        return self.stage.folder / "artifacts"

    @property
    def controllers(self) -> tuple[str, ...]:
        return tuple(name for name in CONTROLLERS if (self.programs / name).is_file())

    @property
    def has_helm(self) -> bool:
        return {SOURCE, HELM} <= set(self.controllers)  # charts come from the one, and go to the other

    def prepare(self) -> None:
        """Its definitions, and the Deployments that a move looks for."""
        stage = self.stage
        stage.kubectl("apply", "--server-side", "-f", str(self.programs / "crds"))
        names = stage.kubectl("get", "crd", "-o", "name").split()
        stage.kubectl("wait", "--for=condition=Established", *(name for name in names if "fluxcd" in name))
        self.put(*map(_deployment, self.controllers))

    @contextmanager
    def at_work(self) -> Iterator[None]:
        stage = self.stage
        self.artifacts.mkdir()
        self.address = address = f"127.0.0.1:{free_port()}"
        storage = (f"--storage-path={self.artifacts}", f"--storage-addr={address}", f"--storage-adv-addr={address}")
        own = {SOURCE: storage}
        with ExitStack() as stack:
            if SOURCE not in self.controllers:
                stack.enter_context(_served(self.artifacts, address))
            for name in self.controllers:
                words = (str(self.programs / name), "--metrics-addr=0", "--health-addr=127.0.0.1:0", *own.get(name, ()))
                env = {**stage.env, "RUNTIME_NAMESPACE": stage.space, "TMPDIR": str(stage.folder)}
                log = stack.enter_context((stage.folder / f"{name}.log").open("ab"))
                stack.callback(end, subprocess.Popen(words, env=env, stdout=log, stderr=log))
            yield

    def put(self, *bodies: dict[str, Any]) -> None:
        whole = json.dumps({"apiVersion": "v1", "kind": "List", "items": bodies})
        self.stage.kubectl("-n", self.stage.space, "apply", "-f", "-", stdin=whole)

    def reconcile(self) -> None:
        """Asks Flux to look at everything now, its source first."""
        stamp = f"{REQUESTED}={time.time()}"
        if SOURCE not in self.controllers:
            self._publish()
        for kinds in (_SOURCES, _KINDS):
            self.stage.kubectl("-n", self.stage.space, "annotate", kinds, "--all", "--overwrite", stamp)

    def _publish(self) -> None:
        """The newest commit, as source-controller would have it."""
        stage = self.stage
        sha, now = stage.git("rev-parse", "HEAD").strip(), time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        archive = self.artifacts / f"{sha}.tar.gz"
        stage.git("archive", "--format=tar.gz", "-o", str(archive), "HEAD")
        content = archive.read_bytes()
        artifact = {
            "url": f"http://{self.address}/{archive.name}",
            "path": archive.name,
            "revision": f"main@sha1:{sha}",
            "digest": f"sha256:{hashlib.sha256(content).hexdigest()}",
            "size": len(content),
            "lastUpdateTime": now,
        }
        ready = {
            "type": "Ready",
            "status": "True",
            "reason": "Succeeded",
            "message": "stored",
            "lastTransitionTime": now,
        }
        patch = json.dumps({"status": {"observedGeneration": 1, "artifact": artifact, "conditions": [ready]}})
        stage.kubectl(
            "-n", stage.space, "patch", _SOURCES, "config", "--subresource=status", "--type=merge", "-p", patch
        )

    def is_ready(self, revision: str) -> bool:
        """Whether each Kustomization has applied that commit, each HelmRelease its chart of it, and nothing is under way."""
        found = json.loads(self.stage.kubectl("-n", self.stage.space, "get", _KINDS, "-o", "json"))["items"]
        return bool(found) and all(_is_ready(one, revision) for one in found)

    def log(self) -> str:
        return "\n".join((self.stage.folder / f"{name}.log").read_text()[-3000:] for name in self.controllers)


@contextmanager
def _served(artifacts: Path, address: str) -> Iterator[None]:
    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            """Quiet."""

    port = int(address.rpartition(":")[2])
    server = ThreadingHTTPServer(("127.0.0.1", port), partial(Handler, directory=str(artifacts)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def made(group: str, version: str, kind: str, name: str, **spec: Any) -> dict[str, Any]:
    """One of Flux's objects."""
    api = f"{group}.toolkit.fluxcd.io/{version}"
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name}, "spec": spec}


def _is_ready(body: dict[str, Any], revision: str) -> bool:
    status = body.get("status") or {}
    if status.get("observedGeneration") != body["metadata"]["generation"]:
        return False
    conditions = {one["type"]: one["status"] for one in status.get("conditions") or ()}
    applied = status.get("lastAppliedRevision", "")
    if body["kind"] == "HelmRelease":
        applied, revision = (status.get("history") or [{}])[0].get("chartVersion", ""), revision[:12]
    if revision not in applied:
        return False
    return conditions.get("Ready") == "True" and conditions.get("Reconciling") != "True"


def _deployment(name: str) -> dict[str, Any]:
    labels = {"app.kubernetes.io/part-of": "flux", "app.kubernetes.io/component": name}
    pod = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "manager", "image": "flux"}]}}
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": name}}, "template": pod}
    meta = {"name": name, "labels": labels}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec}
