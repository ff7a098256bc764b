"""`kilde doctor` and Git, on both clusters: real servers over SSH that answer or do not, and what a running controller counts."""

import asyncio
import base64
import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.git import sshd
from adapters.git.upstream import Upstream
from cli.command_line import Kilde
from e2e.stage import Stage
from kilde.adapters.clock import SystemClock
from kilde.adapters.git.sources import GitSources
from kilde.core.source.credentials import Credentials

SPACE = "doctor-git"


def kubectl(config: Path, *arguments: str, objects: list[dict[str, Any]]) -> None:
    command = [str(Path(sys.executable).with_name("kubectl")), "--kubeconfig", str(config), *arguments, "-f", "-"]
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
    done = subprocess.run(command, input=text, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sshd.Server]:
    if sshd.PROGRAM is None:
        pytest.skip("no sshd on this machine (apt-get install openssh-server)")
    with sshd.server(tmp_path_factory.mktemp("ssh") / "server") as running:
        yield running


def objects(server: sshd.Server, url: str, known_hosts: str) -> list[dict[str, Any]]:
    def meta(name: str, **more: Any) -> dict[str, Any]:
        return {"name": name, "namespace": SPACE, **more}

    def data(**values: str) -> dict[str, str]:
        return {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}

    opens, signs = (
        data(url=url, sshPrivateKey=server.private_key),
        data(**{"webhook.github.secret": "a-canary-of-webhooks"}),
    )
    label = {"argocd.argoproj.io/secret-type": "repository"}
    source = {"repoURL": url, "path": ".", "targetRevision": "main"}
    spec = {
        "project": "default",
        "source": source,
        "destination": {"server": "https://kubernetes.default.svc", "namespace": SPACE},
    }
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SPACE}},
        {"apiVersion": "v1", "kind": "Secret", "metadata": meta("deploy", labels=label), "data": opens},
        {"apiVersion": "v1", "kind": "Secret", "metadata": meta("argocd-secret"), "data": signs},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta("argocd-ssh-known-hosts-cm"), "data": {"ssh_known_hosts": known_hosts}},
        {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": meta("shop"), "spec": spec},
    ]  # fmt: skip


def test_a_git_server_that_answers_and_one_that_is_not_known(
    kilde: Kilde, cluster_dir: Path, server: sshd.Server, tmp_path: Path
) -> None:
    upstream = Upstream(tmp_path / "upstream")
    upstream.commit({"a": "1\n"})
    url, config, data = server.url(upstream.path), cluster_dir / "kubeconfig", tmp_path / "data"
    asyncio.run(fetch(data, url, Credentials(ssh_private_key=server.private_key, known_hosts=server.known_hosts)))
    crds = subprocess.run(
        [Path(sys.executable).with_name("kubectl"), "--kubeconfig", config, "apply", "--server-side", "--force-conflicts", "-f", "-"],
        input=kilde("install", "--crds").out, capture_output=True, text=True,
    )  # fmt: skip
    assert crds.returncode == 0, crds.stderr

    def looked() -> dict[str, tuple[str, str]]:
        said = kilde("doctor", "--kubeconfig", config, "--data-dir", data, "--namespace", SPACE, "-o", "json")
        assert "a-canary-of-webhooks" not in said.out + said.err
        assert server.private_key.splitlines()[1] not in said.out + said.err
        return {f"{each['area']}/{each['check']}": (each["verdict"], each["says"]) for each in json.loads(said.out)}

    kubectl(config, "apply", objects=objects(server, url, server.known_hosts))
    try:
        found = looked()
        kubectl(config, "apply", objects=objects(server, url, server.known_hosts.replace("127.0.0.1", "127.0.0.9")))
        unknown = looked()
    finally:
        kubectl(config, "delete", "--ignore-not-found", "--wait=false", objects=objects(server, url, ""))
    verdict, says = found[f"git/server/{url}"]
    assert (verdict, says.partition(" (")[0][:11]) == ("good", "answers in ")
    assert "(opened by deploy; known host: ssh-ed25519; fetched " in says
    assert found["webhooks/secrets"] == ("good", "webhooks must be signed by: github")
    verdict, says = unknown[f"git/server/{url}"]
    assert (verdict, says.partition("; fetched")[0]) == (
        "bad",
        f"the host key of [127.0.0.1]:{server.port} is not known (opened by deploy; known host: none",
    )


async def fetch(data: Path, url: str, credentials: Credentials) -> None:
    sources = GitSources(data / "git", clock=SystemClock())
    try:
        await sources.fetch(url, credentials)
    finally:
        await sources.close()


def test_a_running_controller_tells_of_its_webhooks_and_its_fetches(tmp_path: Path) -> None:
    stage = Stage(folder=tmp_path, config=None, space="argocd")
    upstream = Upstream(tmp_path, "config.git")
    upstream.commit({"app/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"})
    stage.start()
    try:
        stage.application("shop", "app", "shop")
        stage.until(lambda: stage.get("configmap", "a", "-n", "shop"), "the ConfigMap")
        push = {"ref": "refs/heads/main", "repository": {"clone_url": "https://elsewhere.example/x.git"}}
        headers = {"Content-Type": "application/json", "X-GitHub-Event": "push"}
        request = urllib.request.Request(
            f"http://127.0.0.1:{stage.listen}/api/webhook", json.dumps(push).encode(), headers
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            assert answer.status == 200
        said = stage.said("doctor", "--controller", f"http://127.0.0.1:{stage.listen}", "-o", "json")
    finally:
        stage.stop()
    found = {f"{each['area']}/{each['check']}": each for each in json.loads(said.stdout)}
    assert found["kilde/git"]["numbers"]["total"] >= 1
    assert found["kilde/git"]["numbers"]["failed"] == 0
    assert found["webhooks/deliveries"]["says"].startswith("since the controller's start: ignored 1; the last one ")
    verdict, says = found[f"git/server/{stage.url}"]["verdict"], found[f"git/server/{stage.url}"]["says"]
    assert (verdict, "(without credentials; fetched " in says) == ("good", True)
    assert found["cluster/orphans"]["says"].endswith("objects of applications, each of one that is there")
