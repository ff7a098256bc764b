"""The ledger of a running Kilde on both clusters: witnessed, rebuilt, rewound and found; and only signed commits where that is demanded."""

import json
import shutil
import subprocess
from datetime import UTC, datetime

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
