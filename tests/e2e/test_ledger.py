"""The ledger of a running Kilde on both clusters: witnessed, rebuilt, rewound and found; and only signed commits where that is demanded."""

import json
import shutil
import subprocess
from datetime import UTC, datetime
from typing import Any

import pytest

from e2e.stage import Stage
from e2e.test_main_job import config_map, data, namespace

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


def test_a_witnessed_ledger_is_rebuilt_exported_and_found_when_it_is_rewound(stage: Stage) -> None:
    stage.create_repository({"app/a.json": config_map("a"), "app/b.json": config_map("b")})
    git, file = f"git:{stage.url}#refs/kilde/checkpoints", f"file:{stage.folder}/elsewhere/checkpoints.txt"
    stage.options = ("--witness", git, "--witness", file)
    stage.start()
    stage.application("shop", "app", namespace(stage))
    stage.until(lambda: stage.is_well("shop"), "shop Synced and Healthy")
    assert stage.stop() == 0
    early = stage.folder / "early"
    shutil.copytree(stage.data, early, ignore=shutil.ignore_patterns("cluster"))
    stage.start()
    sha = stage.commit({"app/a.json": config_map("a", k="two")})
    stage.push()
    stage.until(lambda: stage.is_well("shop", sha) and data(stage, "a") == {"k": "two"}, "the commit")
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    folder = stage.folder / "rebuilt"
    ran = json.loads(stage.kilde("ledger", "show", "--running-at", now, "--manifests", str(folder), "-o", "json"))
    assert stage.stop() == 0

    assert [(one["application"], one["commit"], one["exact"], one["problem"]) for one in ran] == [
        (f"{stage.space}/shop", sha, True, "")
    ]
    assert "k: two" in (folder / f"{stage.space}_shop.yaml").read_text()
    kept = subprocess.run(["git", "ls-remote", stage.url], capture_output=True, text=True, check=True).stdout
    assert "refs/kilde/checkpoints" in kept
    assert stage.kilde("ledger", "verify", "--witness", git, "--witness", file).startswith("intact")
    for name in ("ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm", "ledger.sqlite.head"):
        (stage.data / name).unlink(missing_ok=True)
        if (early / name).exists():
            shutil.copy(early / name, stage.data / name)
    assert stage.kilde("ledger", "verify").startswith("intact")  # by itself it cannot know
    for witness in (git, file):
        said = stage.kilde("ledger", "verify", "--witness", witness, codes=(1,))
        assert "truncated" in said
        assert "keeps a checkpoint of" in said
    stage.start()  # and a controller that starts on it says so
    stage.until(lambda: "the ledger is not the one that was witnessed" in stage.log(), "the warning")


def test_only_signed_commits_are_deployed_where_the_project_demands_it(stage: Stage) -> None:
    key = stage.folder / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    signers = f"tester {key.with_suffix('.pub').read_text()}"
    stage.create_repository({"app/a.json": config_map("a")})
    for name, value in (("gpg.format", "ssh"), ("user.signingKey", str(key))):
        subprocess.run(["git", "-C", str(stage.work), "config", name, value], check=True)
    stage.start()
    body = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AppProject",
        "metadata": {
            "name": "signed",
            "namespace": stage.space,
            "annotations": {"kilde.dev/allowed-signers": signers},
        },
        "spec": {"sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}],
                 "clusterResourceWhitelist": [{"group": "*", "kind": "*"}]},
    }  # fmt: skip
    stage.kubectl("apply", "-f", "-", stdin=json.dumps(body))
    stage.application("shop", "app", namespace(stage), project="signed")
    stage.until(lambda: any("is not signed" in one for one in stage.conditions("shop")), "the unsigned commit held")
    assert data(stage, "a") is None

    subprocess.run(["git", "-C", str(stage.work), "config", "commit.gpgSign", "true"], check=True)
    sha = stage.commit({"app/a.json": config_map("a", k="signed")})
    stage.push()
    stage.until(lambda: stage.is_well("shop", sha), "the signed commit")
    assert data(stage, "a") == {"k": "signed"}
    [done] = [one for one in json.loads(stage.kilde("ledger", "log", "-o", "json")) if one["revision"]]
    assert (done["revision"]["sha"], done["revision"]["signature"]) == (sha, "G")
    assert done["revision"]["signer"].startswith("tester SHA256:")


def test_commits_of_the_repositories_that_a_policy_is_about_have_to_be_signed_with_its_keys(stage: Stage) -> None:
    stage.create_repository({"app/a.json": config_map("a")})
    ann, eve = gpg_key(stage, "ann"), gpg_key(stage, "eve")
    try:
        stage.start()
        public = {key: gpg(stage, "--armor", "--export", key) for key in (ann, eve)}
        keyring = {"name": "argocd-gpg-keys-cm", "namespace": stage.space}
        ring = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": keyring, "data": public}
        stage.kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(ring))
        gpg_policy = {"mode": "head", "keys": [ann]}
        elsewhere = {"repos": [{"url": "*"}, {"url": f"!{stage.url}"}], "gpg": {"mode": "head", "keys": [eve]}}
        policies = [{"repos": [{"url": "file:///*"}], "gpg": gpg_policy}, elsewhere]
        project(stage, sourceIntegrity={"git": {"policies": policies}})
        stage.application("shop", "app", namespace(stage), project="signed")
        stage.until(lambda: any("is not signed" in one for one in stage.conditions("shop")), "the unsigned one is held")
        sha = signed(stage, ann, "ann")
        stage.until(lambda: stage.is_well("shop", sha), "the one that Ann signed")
        signed(stage, eve, "eve")
        refused = f"Found good signature made with key {eve}, but this key is not allowed in AppProject"
        stage.until(lambda: any(refused in one for one in stage.conditions("shop")), "Eve's is held")
        project(stage, sourceIntegrity=None, signatureKeys=[{"keyID": eve}])
        stage.until(lambda: data(stage, "a") == {"k": "eve"}, "until the project names her")
    finally:
        subprocess.run(["gpgconf", "--kill", "gpg-agent"], check=True, env=stage.env)


def project(stage: Stage, **more: Any) -> None:
    spec = {
        "sourceRepos": ["*"],
        "destinations": [{"server": "*", "namespace": "*"}],
        "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
        **more,
    }
    meta = {"name": "signed", "namespace": stage.space}
    body = {"apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject", "metadata": meta, "spec": spec}
    stage.kubectl("apply", "-f", "-", stdin=json.dumps(body))


def gpg(stage: Stage, *words: str) -> str:
    (stage.folder / ".gnupg").mkdir(mode=0o700, exist_ok=True)
    command = ["gpg", "--batch", *words]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=stage.env).stdout


def gpg_key(stage: Stage, name: str) -> str:
    """The long id of a new key."""
    gpg(stage, "--passphrase", "", "--quick-gen-key", f"{name} <{name}@example.org>", "ed25519", "sign", "never")
    listed = gpg(stage, "--with-colons", "--list-keys", f"{name}@example.org")
    return next(line.split(":")[4] for line in listed.splitlines() if line.startswith("pub:"))


def signed(stage: Stage, key: str, value: str) -> str:
    for name, wanted in (("user.signingKey", key), ("commit.gpgSign", "true")):
        stage.git("config", name, wanted)
    sha = stage.commit({"app/a.json": config_map("a", k=value)})
    stage.push()
    return sha
