"""Applications with SOPS files on both clusters: decrypted into their Secrets, by their project's keys, and seen nowhere else."""

import base64
import json
import os
import subprocess
from pathlib import Path

import pytest
from build_real import where
from pyrage import x25519

from e2e.stage import Stage
from real.sealed_secrets import required

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
CANARY, CHANGED, FILE, BINARY = (f"c4nary-{word}-50ps" for word in ("first", "second", "dotenv", "binary"))
IDENTITY = x25519.Identity.generate()
KUSTOMIZATION = """resources: [db.yaml]
generatorOptions: {disableNameSuffixHash: true}
secretGenerator:
- {name: generated, envs: [app.env], files: [tls.pem]}
"""
ONLY_DATA = ("--encrypted-regex", "^(data|stringData)$")


def encrypted(stage: Stage, name: str, text: str, *flags: str) -> str:
    plain = stage.folder / "plain" / name
    plain.parent.mkdir(exist_ok=True)
    plain.write_text(text)
    command = [str(where("sops")), "--encrypt", "--age", str(IDENTITY.to_public()), *flags, str(plain)]
    env = {"HOME": "/nonexistent", "PATH": os.environ["PATH"]}
    made = subprocess.run(command, capture_output=True, env=env, check=True, text=True).stdout
    plain.unlink()
    return made


def secret(stage: Stage, value: str, kind: str = "Secret") -> str:
    text = f"apiVersion: v1\nkind: {kind}\nmetadata: {{name: db}}\n{'stringData' if kind == 'Secret' else 'data'}: {{pw: {value}}}\n"
    return encrypted(stage, "db.yaml", text, *ONLY_DATA)


def value(stage: Stage, name: str, key: str) -> str:
    found = stage.get("-n", space(stage), "secret", name) or {}
    return base64.b64decode((found.get("data") or {}).get(key, "")).decode()


def space(stage: Stage) -> str:
    return f"{stage.space}-shop"[-60:].lstrip("-")


def keys(stage: Stage, project: str) -> None:
    label = {"kilde.dev/sops-keys": project}
    body = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "sops", "namespace": stage.space, "labels": label},
    }
    stage.kubectl("apply", "-f", "-", stdin=json.dumps({**body, "stringData": {"keys.txt": f"# ours\n{IDENTITY}\n"}}))


def test_sops_files_become_secrets_and_nothing_else(stage: Stage, tmp_path: Path) -> None:
    required("sops")
    stage.create_repository(
        {
            "app/kustomization.yaml": KUSTOMIZATION,
            "app/db.yaml": secret(stage, CANARY),
            "app/app.env": encrypted(stage, "app.env", f"WORD={FILE}\n"),
            "app/tls.pem": encrypted(stage, "tls.pem", f"{BINARY}\n"),
        }
    )
    stage.options = ("--raw-secrets", "refuse")  # encrypted ones are none
    stage.start()
    keys(stage, "other")
    stage.application("shop", "app", space(stage))
    annotate = ("annotate", "application", "shop", "-n", stage.space, "--overwrite")
    stage.until(
        lambda: (stage.status("shop").get("operationState") or {}).get("phase") in ("Succeeded", "Failed"), "raw"
    )  # what cannot be healed as it is can be as it will be
    stage.kubectl(*annotate, "kilde.dev/sops=age")
    stage.until(lambda: any("no SOPS keys for project default" in each for each in stage.conditions("shop")), "no keys")
    keys(stage, "default")
    stage.kubectl(*annotate, "argocd.argoproj.io/refresh=normal")
    stage.until(lambda: stage.is_well("shop"), "well")
    found = [value(stage, "db", "pw"), value(stage, "generated", "WORD"), value(stage, "generated", "tls.pem")]
    assert found == [CANARY, FILE, f"{BINARY}\n"]
    assert stage.kilde("app", "diff", "shop") == ""

    sha = stage.commit({"app/db.yaml": secret(stage, CHANGED)})
    stage.push()
    stage.until(lambda: stage.is_well("shop", sha) and value(stage, "db", "pw") == CHANGED, "changed")
    stage.commit({"app/db.yaml": secret(stage, CANARY, "ConfigMap")})
    stage.push()
    outside = "outside of data and stringData of a Secret"
    stage.until(lambda: any(outside in each for each in stage.conditions("shop")), "a ConfigMap is refused")
    broken = secret(stage, CANARY).replace("name: db", "name: other")
    stage.commit({"app/db.yaml": broken})
    stage.push()
    stage.until(lambda: any("its MAC does not fit" in each for each in stage.conditions("shop")), "an edit is refused")
    assert value(stage, "db", "pw") == CHANGED  # the last good one

    printed = [stage.kilde("ledger", "log", "-o", "json"), stage.kilde("app", "diff", "shop", codes=(0, 1, 3))]
    for kinds in ("events,configmaps", "applications"):
        for where_ in (space(stage), stage.space):
            printed.append(stage.kubectl("get", kinds, "-n", where_, "-o", "yaml", "--show-managed-fields"))
    stage.stop()
    printed.append(stage.log())
    plain = (CANARY, CHANGED, FILE, BINARY)
    canaries = [*plain, *(base64.b64encode(each.encode()).decode().rstrip("=")[:-1] for each in plain)]
    assert [one for one in canaries if any(one in text for text in printed)] == []
    files = [path for path in sorted(stage.folder.rglob("*")) if path.is_file() and path.parent.name != "cluster"]
    assert [path for path in files if any(one.encode() in path.read_bytes() for one in canaries)] == []
    assert str(IDENTITY) not in "".join(printed)
