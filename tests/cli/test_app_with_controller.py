"""`kilde app` beside a running `kilde up`: where objects come from, what a sync would change, the way back."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.command_line import Kilde, Said
from warm.program import warm_kilde

KUBECTL = str(Path(sys.executable).with_name("kubectl"))
ANN = {
    f"GIT_{who}_{what}": text
    for who in ("AUTHOR", "COMMITTER")
    for what, text in (("NAME", "Ann"), ("EMAIL", "ann@example.org"))
}


TOKEN = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: token\nstringData:\n  password: open sesame\n"
MANUAL = json.dumps([{"op": "remove", "path": "/spec/syncPolicy/automated"}])


class World:
    """A config repository with a bare one to push to, and a Kilde that deploys from that."""

    def __init__(self, folder: Path) -> None:
        self.work, self.data, self.url = folder / "work", folder / "data", f"file://{folder}/config.git"

    def git(self, *arguments: str) -> str:
        command = ["git", "-C", str(self.work), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, **ANN}).stdout

    def kubectl(self, *arguments: str) -> str:
        command = [KUBECTL, "--kubeconfig", str(self.data / "kubeconfig"), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def replace(self, path: str, old: str, new: str) -> None:
        file = self.work / path
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))

    def push(self, message: str) -> str:
        self.git("commit", "--quiet", "--all", "-m", message)
        self.git("push", "--quiet", "origin", "main")
        return self.git("rev-parse", "HEAD").strip()


@pytest.fixture
def world(kilde: Kilde, tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    assert kilde("init", made.work, "--repo-url", made.url).code == 0
    subprocess.run(["git", "clone", "--quiet", "--bare", str(made.work), made.url.removeprefix("file://")], check=True)
    made.git("remote", "add", "origin", made.url)
    command = [str(warm_kilde()), "up", "--data-dir", str(made.data), "--listen", "127.0.0.1:0"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with (
        (tmp_path / "log").open("w") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env=environment, text=True) as process,
    ):
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n", (tmp_path / "log").read_text()
            made.kubectl("apply", "-f", str(made.work / "argocd-apps"))
            yield made
        finally:
            process.terminate()
            assert process.wait(30) == 0


@pytest.mark.slow
def test_from_a_commit_to_the_cluster_and_back(kilde: Kilde, world: World) -> None:
    def app(command: str, *arguments: str) -> Said:
        return kilde("app", command, "hello-staging", "--data-dir", world.data, *arguments)

    first = world.git("rev-parse", "HEAD").strip()
    assert app("wait", "--timeout", "60s").code == 0
    shown = app("get")
    same = app("diff")

    assert "   Synced   apps/base/kustomization.yaml:7:3\n" in shown.out
    assert "Deployment.apps   hello-staging   hello              Synced   apps/base/deployment.yaml:1\n" in shown.out
    assert same == Said(0, "", "")

    def why(file: str, *arguments: str) -> Said:
        return kilde("why", "hello-staging", file, "--data-dir", world.data, *arguments)

    at = f"hello-staging at {first[:7]}"
    assert why("apps/base/deployment.yaml") == Said(
        0,
        f"apps/base/deployment.yaml touches {at}: it is read\n"
        "  apps/overlays/staging/kustomization.yaml:5:3: resources[0]: ../../base\n"
        "  apps/base/kustomization.yaml:4:3: resources[0]: deployment.yaml\n",
        "",
    )
    unread = f"argocd-apps/x.yaml does not touch {at}: no such file, and nothing looks for it\n"
    assert why("argocd-apps/x.yaml") == Said(1, unread, "")
    absent = json.loads(why("apps/base/Kustomization", "-o", "json").out)
    assert (absent["touches"], absent["reason"]) == (
        True,
        "it was looked for and is not there: it would count as soon as it is",
    )
    assert kilde("why", "hello-nowhere", "x", "--data-dir", world.data).code == 3
    assert why("../x").code == 3

    world.kubectl(
        "patch",
        "application",
        "-n",
        "argocd",
        "hello-staging",
        "--type=json",
        "-p",
        MANUAL,
    )
    world.replace("apps/overlays/staging/kustomization.yaml", "1.29-alpine", "1.30-alpine")
    second = world.push("Upgrade")
    differs = app("diff")
    as_data = json.loads(app("diff", "-o", "json").out)

    assert (differs.code, differs.err) == (1, "")
    assert differs.out.splitlines()[0].startswith("# update apps/Deployment hello-staging/hello: ")
    assert "-        image: nginx:1.29-alpine\n+        image: nginx:1.30-alpine\n" in differs.out
    assert (as_data["revision"], [one["object"] for one in as_data["changes"]]) == (
        second,
        ["apps/Deployment hello-staging/hello"],
    )

    synced = app("sync")
    assert (synced.code, synced.out.splitlines()[-1]) == (0, "Succeeded: successfully synced (all tasks run)")
    assert (
        world.kubectl("get", "deployment", "-n", "hello-staging", "hello", "-o", "jsonpath={..image}")
        == "nginx:1.30-alpine"
    )

    plan = f"Roll hello-staging back to {first[:7]}\nrestored on branch main as of {first}:\n  apps/overlays/staging/kustomization.yaml\n"
    assert app("rollback", "--dry-run") == Said(0, f"{plan}nothing was written (--dry-run)\n", "")
    assert world.git("ls-remote", "origin", "main").split()[0] == second

    manual = app("rollback", "--quarantine-only")
    assert (manual.code, "is not synced automatically: there is nothing to keep from it" in manual.err) == (3, True)

    back = app("rollback", "--to", "0", "--reason", "orders fail", "--author", "Ann <ann@example.org>")
    third = world.git("ls-remote", "origin", "main").split()[0]
    assert back == Said(0, f"{plan}pushed as {third}\n", "")
    world.git("pull", "--quiet", "origin", "main")
    committed = world.git("log", "-1", "--format=%an <%ae>%n%B").strip()
    assert committed == f"Ann <ann@example.org>\nRoll hello-staging back to {first[:7]}\n\norders fail"
    assert world.git("diff", first, third) == ""

    assert app("get", "--refresh").out.splitlines()[5] == f"Sync:         OutOfSync to {third[:7]}"

    world.replace("apps/overlays/staging/kustomization.yaml", "- ../../base\n", "- ../../base\n- token.yaml\n")
    (world.work / "apps/overlays/staging/token.yaml").write_text(TOKEN)
    world.git("add", ".")
    world.push("Leak")
    refused = app("diff")
    told = "a Secret stands in Git in plain text: Secret hello-staging/token (password) in apps/overlays/staging/token.yaml:1"
    assert refused.out.splitlines()[0] == (
        "# refuse Secret hello-staging/token: stands in Git in plain text, apps/overlays/staging/token.yaml:1"
    )
    assert refused.err.startswith(f"note: nothing of it is applied unless the controller allows it: {told} (seal it: ")
    world.git("revert", "--no-edit", "HEAD")
    world.git("push", "--quiet", "origin", "main")

    world.replace("apps/overlays/staging/kustomization.yaml", "1.29-alpine", "1.31-alpine")
    local = app("sync", "--local", str(world.work / "apps/overlays/staging"))
    assert (local.code, local.out.splitlines()[-1]) == (0, "Succeeded: successfully synced (all tasks run)")
    image = world.kubectl("get", "deployment", "-n", "hello-staging", "hello", "-o", "jsonpath={..image}")
    assert image == "nginx:1.31-alpine"
    assert app("delete", "--yes").code == 0
    assert world.kubectl("get", "all", "-n", "hello-staging", "-o", "name") == ""
    log = kilde("ledger", "log", "--app", "hello-staging", "--data-dir", world.data, "-o", "json")
    causes = [(one["cause"], one["phase"], one["revision"].get("sha", "")) for one in json.loads(log.out)]
    assert causes == [
        ("application deleted", "Succeeded", ""),
        ("operation", "Succeeded", ""),  # of local manifests
        ("rollback", "Succeeded", ""),
        ("operation", "Succeeded", second),
        ("operation", "Succeeded", first),
    ]
    messages = [one["message"] for one in json.loads(log.out)]
    assert f"{third} puts hello-staging back to {first}: orders fail" in messages
    assert kilde("ledger", "verify", "--data-dir", world.data).code == 0
