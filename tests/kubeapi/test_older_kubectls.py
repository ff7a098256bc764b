"""kubectls of other minors get along with what is served: what people type, from 1.29 on, with nothing but their own wording between."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from build_real import OLD_KUBECTLS, where

from kilde.testing.box import KildeCluster

pytestmark = pytest.mark.slow
WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "web:1"}]}
"""


@pytest.fixture(params=OLD_KUBECTLS)
def kubectl(request: pytest.FixtureRequest) -> Path:
    program = where(f"kubectl-{request.param}")
    if not program.exists():
        pytest.skip(f"not built: python tools/build_real.py kubectl-{request.param}")
    return program


@pytest.fixture
def box() -> Iterator[KildeCluster]:
    cluster = KildeCluster()
    yield cluster
    cluster.stop()


def test_a_day_with_it(kubectl: Path, box: KildeCluster, tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path), "KUBECONFIG": str(box.kubeconfig), "PATH": "/usr/bin:/bin"}

    def run(*words: str, text: str = "") -> str:
        done = subprocess.run(
            [kubectl, *words], input=text, env=env, capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, f"kubectl {' '.join(words)}: {done.stdout}{done.stderr}"
        return done.stdout

    run("create", "namespace", "shop")
    generated = run("create", "deployment", "x", "--image=x:1", "-n", "shop", "--dry-run=client", "-o", "yaml")
    assert run("apply", "-n", "shop", "--server-side", "-f", "-", text=generated).endswith("x serverside-applied\n")
    assert run("apply", "-n", "shop", "-f", "-", text=WEB) == "deployment.apps/web created\n"
    assert run("apply", "-n", "shop", "-f", "-", text=WEB) == "deployment.apps/web unchanged\n"
    for words in ((), ("--output=plaintext-openapiv2",)):
        assert "rollingUpdate" in run("explain", "deployment.spec.strategy", *words)
    assert "successfully rolled out" in run("rollout", "status", "deploy/web", "-n", "shop", "--timeout=30s")
    run("set", "image", "deploy/web", "web=web:2", "-n", "shop")
    assert "successfully rolled out" in run("rollout", "status", "deploy/web", "-n", "shop", "--timeout=30s")
    assert len(run("rollout", "history", "deploy/web", "-n", "shop").split("\n")) >= 5
    run("rollout", "undo", "deploy/web", "-n", "shop")
    run("wait", "--for=condition=Available", "deploy/web", "-n", "shop", "--timeout=30s")
    run("scale", "deploy/web", "--replicas=1", "-n", "shop")
    run("wait", "--for=jsonpath={.status.replicas}=1", "deploy/web", "-n", "shop", "--timeout=30s")
    assert "NewReplicaSet:" in run("describe", "deploy/web", "-n", "shop")
    assert run("logs", "deploy/web", "-n", "shop").startswith("web (web:1) started on node-")
    assert "replicas\t<integer>" in run("explain", "deployment.spec")
    assert json.loads(run("get", "deploy", "web", "-n", "shop", "-o", "json"))["spec"]["replicas"] == 1
    run("create", "configmap", "c", "--from-literal=a=1", "-n", "shop")
    assert run("label", "configmap", "c", "x=y", "-n", "shop") == "configmap/c labeled\n"
    run("patch", "configmap", "c", "-n", "shop", "-p", '{"data":{"a":"2"}}')
    assert run("get", "configmap", "c", "-n", "shop", "-o", "jsonpath={.data.a}") == "2"
    assert run("auth", "can-i", "delete", "nodes") == "yes\n"
    run("create", "token", "default", "-n", "shop")
    run("create", "job", "once", "--image=job:1", "-n", "shop")
    run("wait", "--for=condition=complete", "job/once", "-n", "shop", "--timeout=30s")
    run("delete", "namespace", "shop", "--timeout=30s")
