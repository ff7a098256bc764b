"""Canaries: secrets of every sort, through syncs, diffs, heals and failures; they are found in the Secrets themselves and nowhere else."""

import base64
import contextlib
import hashlib
import hmac
import json
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.git import https, sshd
from e2e.stage import Stage
from real.certificates import Authority
from warm.program import warm_kilde

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(240),
    pytest.mark.skipif(not https.AVAILABLE, reason="no git-http-backend on this machine"),
    pytest.mark.skipif(sshd.PROGRAM is None, reason="no sshd on this machine (apt-get install openssh-server)"),
]

GENERATED, CHANGED, BY_HAND, REFUSED, BROKEN, PASSWORD, WEBHOOK, IN_URL = (
    f"c4nary-{word}-5ecret"
    for word in ("generated", "changed", "byhand", "refused", "broken", "password", "webhook", "inurl")
)
BUILD = "secretGenerator:\n- name: db\n  literals: [password={}]\n  options: {{disableNameSuffixHash: true}}\n"


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def space(stage: Stage) -> str:
    return f"{stage.space}-shop"[-60:].lstrip("-")


class Onlooker:
    """Looks at the arguments of every process of the machine, again and again."""

    def __init__(self, canaries: list[str]) -> None:
        self._canaries = [one.encode() for one in canaries]
        self.seen: set[str] = set()
        self._stop = threading.Event()

    @contextlib.contextmanager
    def looking(self) -> Iterator[None]:
        thread = threading.Thread(target=self._look, name="onlooker")
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()

    def _look(self) -> None:
        while not self._stop.wait(0.02):
            for process in Path("/proc").glob("[0-9]*/cmdline"):
                with contextlib.suppress(OSError):
                    line = process.read_bytes()
                    if any(canary in line for canary in self._canaries):
                        self.seen.add(line.decode(errors="replace"))


def test_no_secret_is_seen_anywhere_but_in_its_secret(stage: Stage, tmp_path: Path) -> None:
    with contextlib.ExitStack() as stack:
        (tmp_path / "ca").mkdir()
        authority = Authority(tmp_path / "ca")
        pair = authority.serving("server", ["127.0.0.1"], ["localhost"])
        web = stack.enter_context(https.serve(stage.folder, pair=pair))
        web.wanted = f"Basic {encoded(f'ada:{PASSWORD}')}"
        ssh = stack.enter_context(sshd.server(tmp_path / "ssh"))
        key_line = ssh.private_key.splitlines()[2]
        canaries = [GENERATED, CHANGED, BY_HAND, REFUSED, BROKEN, PASSWORD, WEBHOOK, IN_URL]
        canaries += [*map(encoded, canaries), key_line, encoded(ssh.private_key)[200:300]]
        onlooker = Onlooker(canaries)
        stack.enter_context(onlooker.looking())
        printed = play(stage, web, ssh, authority.pair.certificate.read_text())
        printed += look_around(stage)
    found = {canary: where for canary in canaries if (where := [name for name, text in printed if canary in text])}
    assert found == {}
    assert onlooker.seen == set()
    assert files_with(canaries, stage.data) == []


def play(stage: Stage, web: https.GitServer, ssh: sshd.Server, ca: str) -> list[tuple[str, str]]:
    """The story; what the command line said meanwhile."""
    printed: list[tuple[str, str]] = []

    def kilde(*arguments: str, codes: tuple[int, ...] = (0, 1)) -> None:
        printed.append((f"kilde {' '.join(arguments)}", run_both(stage, *arguments, codes=codes)))

    stage.options = ("--raw-secrets", "refuse")
    stage.create_repository({"app/kustomization.yaml": BUILD.format(GENERATED), "keys/a.json": config_map("a")})
    stage.start()
    url, ssh_url = web.url("config.git"), ssh.url(stage.folder / "config.git")
    configure(stage, url, ssh_url, ssh, ca)
    follow(stage, "shop", url, "app")
    stage.until(lambda: "in plain text" in str(stage.conditions("shop")), "a Secret in plain text is refused")
    kilde("app", "get", "shop")
    kilde("app", "diff", "shop")
    allow_raw_secrets(stage)
    follow(stage, "keys", ssh_url, "keys")
    follow(stage, "byhand", url, "app", namespace=f"{space(stage)}-2", automated=False)
    stage.until(lambda: stage.is_well("shop") and stage.is_well("keys"), "both applications well")
    assert password(stage) == encoded(GENERATED)

    stage.commit({"app/kustomization.yaml": BUILD.format(CHANGED)})
    assert push(stage, url, WEBHOOK) == 202
    assert push(stage, url, "not the secret") in (401, 403)
    stage.until(lambda: password(stage) == encoded(CHANGED), "the changed secret")
    stage.until(lambda: (stage.status("byhand").get("sync") or {}).get("status") == "OutOfSync", "something to sync")
    kilde("app", "diff", "byhand")
    for form in ("text", "markdown", "json", "html"):
        kilde("plan", "shop", "byhand", "-o", form, "--server-dry-run")
    kilde("plan", "byhand", "--out", str(stage.data / "saved.plan"))  # is searched with all that lies there
    kilde("app", "sync", "byhand")

    patch = json.dumps({"stringData": {"password": BY_HAND, "more": BY_HAND}})
    by_hand(stage, patch)
    stage.until(lambda: password(stage) == encoded(CHANGED), "healed")
    kilde("app", "diff", "byhand")

    refused = f"apiVersion: v1\nkind: Secret\nmetadata: {{name: refused}}\nstringData: {REFUSED}\n"
    stage.commit(
        {"app/kustomization.yaml": BUILD.format(CHANGED) + "resources: [refused.yaml]\n", "app/refused.yaml": refused}
    )
    assert push(stage, url, WEBHOOK) == 202
    stage.until(lambda: "cannot be handled as a Secret" in str(stage.status("shop").get("operationState")), "refused")
    kilde("app", "diff", "shop")
    kilde("app", "get", "shop")

    broken = f'apiVersion: v1\nkind: Secret\nmetadata: {{name: broken}}\nstringData: {{password: "{BROKEN}\n'
    stage.commit({"app/refused.yaml": broken})
    assert push(stage, url, WEBHOOK) == 202
    stage.until(lambda: "app/refused.yaml" in str(stage.conditions("shop")), "a broken file")
    kilde("app", "diff", "shop", codes=(3,))
    stage.commit({"app/refused.yaml": None, "app/kustomization.yaml": BUILD.format("x").replace("password=x", BROKEN)})
    assert push(stage, url, WEBHOOK) == 202
    stage.until(lambda: "expected key=value" in str(stage.conditions("shop")), "a broken literal")
    kilde("app", "diff", "shop", codes=(3,))

    web.wanted = "nobody"
    assert push(stage, url, WEBHOOK) == 202
    stage.until(lambda: "credentials" in str(stage.conditions("shop")), "credentials refused")
    web.wanted = f"Basic {encoded(f'ada:{PASSWORD}')}"
    follow(stage, "inurl", web.url("nothing.git").replace("://", f"://ada:{IN_URL}@"), "app")
    stage.until(lambda: stage.conditions("inurl"), "a repository that is not there")
    stage.kubectl("delete", "application", "inurl", "-n", stage.space, "--wait=true")
    kilde("app", "rollback", "shop", "--dry-run")
    return printed


def look_around(stage: Stage) -> list[tuple[str, str]]:
    """Everything Kilde said or wrote where people and machines read it; then it is stopped."""
    found = [
        (" ".join(one), run_both(stage, *one, codes=(0, 1)))
        for one in (
            ("app", "list"),
            ("app", "list", "-o", "json"),
            ("app", "get", "shop", "-o", "yaml"),
            ("app", "history", "shop"),
            ("ledger", "log"),
            ("ledger", "log", "-o", "json"),
            ("ledger", "verify"),
        )
    ]
    numbers = [one["number"] for one in json.loads(stage.kilde("ledger", "log", "-o", "json"))]
    found += [(f"ledger show {n}", stage.kilde("ledger", "show", str(n))) for n in numbers]
    metrics = urllib.request.urlopen(f"http://127.0.0.1:{stage.listen}/metrics", timeout=10)
    with metrics:
        found.append(("metrics", metrics.read().decode()))
    for kinds, where in (("applications,events,configmaps", stage.space), ("events,configmaps", space(stage))):
        found.append(
            (f"{kinds} in {where}", stage.kubectl("get", kinds, "-n", where, "-o", "yaml", "--show-managed-fields"))
        )
    stage.stop()
    return [*found, ("log", stage.log())]


def allow_raw_secrets(stage: Stage) -> None:
    """Its project lets Secrets be applied that stand in Git in plain text."""
    every = [{"group": "*", "kind": "*"}]
    spec = {
        "sourceRepos": ["*"],
        "destinations": [{"server": "*", "namespace": "*"}],
        "clusterResourceWhitelist": every,
    }
    metadata = {"name": "default", "namespace": stage.space, "annotations": {"kilde.dev/raw-secrets": "allowed"}}
    body = {"apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject", "metadata": metadata, "spec": spec}
    stage.kubectl("apply", "-f", "-", stdin=json.dumps(body))


def configure(stage: Stage, url: str, ssh_url: str, ssh: sshd.Server, ca: str) -> None:
    """Argo CD's Secrets and ConfigMaps."""
    label = {"argocd.argoproj.io/secret-type": "repository"}
    for name, labels, data in (
        ("repo-https", label, {"type": "git", "url": url, "username": "ada", "password": PASSWORD}),
        ("repo-ssh", label, {"type": "git", "url": ssh_url, "sshPrivateKey": ssh.private_key}),
        ("argocd-secret", {}, {"webhook.github.secret": WEBHOOK}),
    ):
        make(stage, "Secret", name, {"stringData": data}, labels)
    make(stage, "ConfigMap", "argocd-tls-certs-cm", {"data": {"localhost": ca}})
    make(stage, "ConfigMap", "argocd-ssh-known-hosts-cm", {"data": {"ssh_known_hosts": ssh.known_hosts}})


def make(stage: Stage, kind: str, name: str, content: dict[str, Any], labels: dict[str, str] | None = None) -> None:
    meta = {"name": name, "namespace": stage.space, "labels": labels or {}}
    body = {"apiVersion": "v1", "kind": kind, "metadata": meta, **content}
    stage.kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(body))


def config_map(name: str) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"k": "v"}})


def follow(stage: Stage, name: str, url: str, path: str, *, namespace: str = "", automated: bool = True) -> None:
    policy: dict[str, Any] = {"syncOptions": ["CreateNamespace=true"], "retry": {"limit": 0}}
    if automated:
        policy["automated"] = {"prune": True, "selfHeal": True}
    source = {"repoURL": url, "path": path, "targetRevision": "main"}
    stage.application(name, path, namespace or space(stage), source=source, syncPolicy=policy)


def password(stage: Stage) -> str:
    found = stage.get("-n", space(stage), "secret", "db") or {}
    return str((found.get("data") or {}).get("password", ""))


def by_hand(stage: Stage, patch: str) -> None:
    """A hand edit whose value is in no argument of kubectl."""
    file = stage.folder / "patch.json"
    file.write_text(patch)
    stage.kubectl("patch", "secret", "db", "-n", space(stage), "--type=merge", "--patch-file", str(file))


def push(stage: Stage, url: str, secret: str) -> int:
    """A signed webhook; the status of its answer."""
    body = json.dumps({"ref": "refs/heads/main", "repository": {"clone_url": url, "html_url": url}}).encode()
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/json",
        "X-GitHub-Event": "push",
        "X-Hub-Signature-256": f"sha256={signature}",
    }
    request = urllib.request.Request(f"http://127.0.0.1:{stage.listen}/api/webhook", body, headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def run_both(stage: Stage, *arguments: str, codes: tuple[int, ...]) -> str:
    """What a command says on both its outputs."""
    where = ["--data-dir", str(stage.data)]
    if arguments[0] in ("app", "plan"):
        where += ["--namespace", stage.space] + (["--kubeconfig", str(stage.config)] if stage.config else [])
    done = subprocess.run([str(warm_kilde()), *arguments, *where], env=stage.env, capture_output=True, text=True)
    assert done.returncode in codes, f"{arguments}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def files_with(canaries: list[str], folder: Path) -> list[str]:
    """Files below a data directory that hold one of them; the embedded cluster's own database may."""
    wanted = [canary.encode() for canary in canaries]
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and folder / "cluster" not in path.parents:
            content = path.read_bytes()
            found += [f"{path.relative_to(folder)}: {one.decode()}" for one in wanted if one in content]
    return found
