"""Keys and values in Vault, on both clusters: opened, resolved, rotated, kept while it is sealed; no value and no token elsewhere."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.vaults import Vault, vault_of
from e2e.stage import Stage, free_port
from e2e.test_sealed import run, seal, space, value

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]
ONE, TWO, SEALED, BY_HAND = (f"c4nary-{word}-v4ult" for word in ("one", "two", "sealed", "byhand"))
HOME = "vault:secret/kilde/sealing-keys"


@pytest.fixture
def vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vault]:
    with vault_of("contract", tmp_path_factory.mktemp("authority")) as found:
        yield found


def settings(vault: Vault, folder: Path) -> tuple[Path, list[str]]:
    """A file for --vault, with a login that may do what the manual says, and the words that must not come out."""
    keys = {
        "secret/data/kilde/sealing-keys/*": ["create", "update", "read"],
        "secret/metadata/kilde/sealing-keys/*": ["read", "list"],
    }
    wrap = {f"transit/{word}/kilde": ["update"] for word in ("encrypt", "decrypt")}
    vault.policy_of("kilde", {**keys, **wrap, "secret/data/*": ["create", "update", "read"]})
    role, secret = vault.app_role("kilde", "kilde")
    (folder / "secret-id").write_text(secret)
    body = {
        "address": vault.address,
        "caFile": str(vault.authority),
        "auth": {"method": "approle", "roleID": role, "secretIDFile": "secret-id"},
    }
    (folder / "vault.yaml").write_text(json.dumps(body))
    return folder / "vault.yaml", [secret, "hvs."]


def vault_secret(stage: Stage) -> str:
    metadata = {"name": "from-vault", "namespace": space(stage)}
    data = {"pw": f"vault:secret/{space(stage)}/db#password"}
    spec = {"refreshInterval": "10s", "data": data, "template": {"data": {"url": "db://{{ .pw }}"}}}
    return json.dumps({"apiVersion": "kilde.dev/v1alpha1", "kind": "VaultSecret", "metadata": metadata, "spec": spec})


def resolved(stage: Stage) -> tuple[str, str]:
    found = stage.get("-n", space(stage), "secret", "from-vault") or {}
    data = {key: base64.b64decode(text).decode() for key, text in (found.get("data") or {}).items()}
    return data.get("pw", ""), data.get("url", "")


def ready(stage: Stage) -> str:
    found = stage.get("-n", space(stage), "vaultsecret", "from-vault") or {}
    return "".join(str(each["reason"]) for each in (found.get("status") or {}).get("conditions") or ())


def keys_in_secrets(stage: Stage) -> set[str]:
    """The uids of the cluster's Secrets that hold a private key: others' may lie in a cluster that is shared."""
    secrets = json.loads(stage.kubectl("get", "secrets", "-A", "-o", "json"))["items"]
    held = {each["metadata"]["uid"]: (each.get("data") or {}).values() for each in secrets}
    return {uid for uid, texts in held.items() if any(b"PRIVATE KEY" in base64.b64decode(text) for text in texts)}


def test_keys_and_values_are_in_vault(stage: Stage, vault: Vault, tmp_path_factory: pytest.TempPathFactory) -> None:
    file, words = settings(vault, tmp_path_factory.mktemp("login"))  # apart from what is searched
    port = free_port()
    stage.options = (
        "--seal-controller",
        "--seal-listen",
        f"127.0.0.1:{port}",
        "--seal-keys",
        HOME,
        "--vault",
        str(file),
    )
    others = keys_in_secrets(stage) if stage.config else set()
    stage.create_repository({"readme": ""})
    vault.put(f"{space(stage)}/db", password=ONE)
    stage.start()
    stage.commit({"app/db.yaml": seal(stage, port, pw=SEALED), "app/from-vault.yaml": vault_secret(stage)})
    stage.application("shop", "app", space(stage))
    stage.until(lambda: stage.is_well("shop"), "well")
    assert (value(stage), resolved(stage)) == (SEALED, (ONE, f"db://{ONE}"))
    listed = run(stage, "secrets", "keys", "list", "--seal-keys", HOME, "--vault", str(file))
    assert listed.count("fingerprint") == 1

    vault.put(f"{space(stage)}/db", password=TWO)
    stage.until(lambda: resolved(stage) == (TWO, f"db://{TWO}"), "rotated in Vault, without a commit")
    edit = json.dumps({"data": {"pw": base64.b64encode(BY_HAND.encode()).decode()}})
    stage.kubectl("patch", "secret", "from-vault", "-n", space(stage), "--type", "merge", "-p", edit)
    stage.until(lambda: resolved(stage)[0] == TWO, "an edit is put back")
    vault.seal()
    stage.until(lambda: ready(stage) == "VaultSealed", "sealed is told")
    stage.until(lambda: (stage.status("shop").get("health") or {}).get("status") == "Degraded", "and degrades")
    assert (value(stage), resolved(stage)[0]) == (SEALED, TWO)
    vault.unseal()
    stage.until(lambda: ready(stage) == "Resolved" and stage.is_well("shop"), "and goes on")

    ledger = stage.kilde("ledger", "log", "-o", "json")
    assert [f"secret/{space(stage)}/db@{number}" in ledger for number in (1, 2)] == [True, True]
    printed = [ledger, listed, stage.kilde("app", "diff", "shop", codes=(0, 1))]
    for kinds in ("events,vaultsecrets,sealedsecrets", "applications"):
        printed += [stage.kubectl("get", kinds, "-n", each, "-o", "yaml") for each in (space(stage), stage.space)]
    assert keys_in_secrets(stage) - others == set()
    stage.stop()
    printed.append(stage.log())
    plain = [ONE, TWO, SEALED, BY_HAND]
    canaries = [*words, *plain, *(base64.b64encode(each.encode()).decode().rstrip("=")[:-1] for each in plain)]
    assert [one for one in canaries if any(one in text for text in printed)] == []
    files = [path for path in sorted(stage.folder.rglob("*")) if path.is_file() and path.parent.name != "cluster"]
    assert [path for path in files if any(one.encode() in path.read_bytes() for one in canaries)] == []
