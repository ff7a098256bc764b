"""`kilde secrets keys`: backups that open, rehearsals that tell, files that are never lost; homes are files, so no cluster is needed."""

import asyncio
import json
import os
import re
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyrage import x25519

from contracts.vaults import Vault, vault_of
from core.secrets.keys_at_hand import sealing_key
from kilde.adapters.clock import SystemClock
from kilde.adapters.keys.encrypted_file import EncryptedFileKeys
from kilde.core.secrets.keys import write_private_key
from kilde.core.secrets.sealing import Sealer
from warm.program import warm_kilde

PASSPHRASE = "c4nary-passphrase-5ecret"


def kilde(
    folder: Path, *arguments: str, passphrase: str = PASSPHRASE, group: str = "keys", **more: str
) -> tuple[int, str, str]:
    """Exit code and outputs; neither the passphrase, a token nor a private key is ever in them. `more`: environment."""
    secret = folder / "passphrase"
    secret.write_text(passphrase + "\n")
    env = {"HOME": str(folder), "PATH": os.environ["PATH"], "KILDE_KEYS_PASSPHRASE_FILE": str(secret), **more}
    command = [str(warm_kilde()), "secrets", *([group] if group else []), *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, env=env, stdin=subprocess.DEVNULL, cwd=folder, timeout=60
    )
    canaries = (passphrase or PASSPHRASE, "PRIVATE KEY", "Traceback", "hvs.")
    assert re.search("AGE-SECRET-KEY-1[A-Z0-9]", done.stdout + done.stderr) is None
    assert not any(word in done.stdout + done.stderr for word in canaries)
    return done.returncode, done.stdout, done.stderr


def add(path: Path, *numbers: int) -> list[str]:
    store = EncryptedFileKeys(path, PASSPHRASE.encode(), SystemClock(), cost=1 << 14)

    async def whole() -> list[str]:
        held = [sealing_key(number, days=number) for number in numbers]
        return [await store.add(write_private_key(key.private), key.pem) for key in held]

    return asyncio.run(whole())


@pytest.fixture
def names(tmp_path: Path) -> list[str]:
    """A home of two keys."""
    return add(tmp_path / "home", 0, 1)


def test_a_backup_is_written_tried_and_put_back(tmp_path: Path, names: list[str]) -> None:
    one, two = names
    assert kilde(tmp_path, "export", "--seal-keys", "file:home", "keys.locked") == (0, "keys.locked: 2 keys\n", "")
    assert stat.S_IMODE((tmp_path / "keys.locked").stat().st_mode) == 0o600
    assert kilde(tmp_path, "import", "--verify", "--seal-keys", "file:home", "keys.locked") == (
        0,
        f"{one}: is there as {one}\n{two}: is there as {two}\n",
        "",
    )
    assert kilde(tmp_path, "import", "--seal-keys", "file:other", "keys.locked") == (
        0,
        f"{one}: stored as {one}\n{two}: stored as {two}\n2 of 2 keys stored\n",
        "",
    )
    listed = [
        kilde(tmp_path, "list", *where)
        for where in (("--seal-keys", "file:home"), ("--seal-keys", "file:other"), ("--backup", "keys.locked"))
    ]
    marks = [sealing_key(number).fingerprint[:16] for number in (1, 0)]
    wanted = (
        f"{two}  created 2026-01-02  expires 2035-12-31  fingerprint {marks[0]}\n"
        f"{one}  created 2026-01-01  expires 2035-12-30  fingerprint {marks[1]}\n"
    )
    assert listed == [(0, wanted, "")] * 3


def test_a_rehearsal_tells_what_a_backup_lacks_and_stores_nothing(tmp_path: Path, names: list[str]) -> None:
    kilde(tmp_path, "export", "--seal-keys", "file:home", "keys.locked")
    [three] = add(tmp_path / "home", 2)
    before = (tmp_path / "home").read_bytes()
    code, out, _ = kilde(tmp_path, "import", "--verify", "--seal-keys", "file:home", "keys.locked")
    assert (code, out.splitlines()[-1]) == (1, f"{three}: is not in the backup")
    [foreign] = add(tmp_path / "other", 2)
    code, out, _ = kilde(tmp_path, "import", "--verify", "--seal-keys", "file:other", "keys.locked")
    lines = [f"{name}: is in the backup only" for name in names]
    assert (code, out.splitlines()) == (1, [*lines, f"{foreign}: is not in the backup"])
    assert (tmp_path / "home").read_bytes() == before


def test_a_rehearsal_opens_a_sealed_secret_without_a_cluster(tmp_path: Path, names: list[str]) -> None:
    kilde(tmp_path, "export", "--seal-keys", "file:home", "keys.locked")
    items = {
        name: Sealer(sealing_key(number).private.public_key(), os.urandom).text(b"c4nary-value-5ecret", b"shop/db")
        for name, number in (("mine", 0), ("foreign", 5))
    }
    sealed = {"apiVersion": "bitnami.com/v1alpha1", "kind": "SealedSecret"}
    for chosen, code in ((["mine"], 0), (["mine", "foreign"], 1)):
        spec = {"encryptedData": {name: items[name] for name in chosen}}
        whole = {**sealed, "metadata": {"name": "db", "namespace": "shop"}, "spec": spec}
        (tmp_path / "sealed.json").write_text(json.dumps(whole))
        wanted = {"mine": f"mine: opens with {names[0]}", "foreign": "foreign: does not open"}
        done = kilde(tmp_path, "import", "--verify", "--opens", "sealed.json", "keys.locked")
        assert (done[0], sorted(done[1].splitlines()), done[2]) == (code, sorted(wanted[name] for name in chosen), "")


def test_a_file_is_written_over_only_by_force(tmp_path: Path, names: list[str]) -> None:
    target = tmp_path / "keys.locked"
    target.write_text("mine")
    code, out, err = kilde(tmp_path, "export", "--seal-keys", "file:home", "keys.locked")
    assert (code != 0, out, "is there already" in err, target.read_text()) == (True, "", True, "mine")
    assert kilde(tmp_path, "export", "--force", "--seal-keys", "file:home", "keys.locked")[0] == 0
    assert kilde(tmp_path, "list", "--backup", "keys.locked")[1].count("created") == len(names)
    assert sorted(each.name for each in tmp_path.iterdir() if each.name.startswith(".keys")) == []


def test_a_wrong_passphrase_is_one_sentence(tmp_path: Path, names: list[str]) -> None:
    kilde(tmp_path, "export", "--seal-keys", "file:home", "keys.locked")
    code, out, err = kilde(tmp_path, "list", "--backup", "keys.locked", passphrase="c4nary-another-5ecret")
    assert (code != 0, out) == (True, "")
    assert "does not open: another passphrase, or the file was changed" in err
    assert "there is no passphrase" in kilde(tmp_path, "list", "--backup", "keys.locked", passphrase="")[2]
    assert "names no place for keys" in kilde(tmp_path, "list", "--seal-keys", "vault")[2]
    assert len(names) == 2


def test_a_backup_is_locked_to_age_recipients(tmp_path: Path, names: list[str]) -> None:
    one, two, other = (x25519.Identity.generate() for _ in range(3))
    for name, identity in (("one", one), ("two", two), ("other", other)):
        (tmp_path / name).write_text(f"# a comment\n{identity}\n")
    to = [word for each in (one, two) for word in ("--recipient", str(each.to_public()))]
    made = kilde(tmp_path, "export", *to, "--seal-keys", "file:home", "keys.age")
    assert made == (0, "keys.age: 2 keys\n", "")
    data = (tmp_path / "keys.age").read_bytes()
    assert (data[:35], b"PRIVATE KEY" in data) == (b"-----BEGIN AGE ENCRYPTED FILE-----\n", False)
    assert stat.S_IMODE((tmp_path / "keys.age").stat().st_mode) == 0o600
    rehearsal = "".join(f"{name}: is there as {name}\n" for name in names)
    for name in ("one", "two"):
        done = kilde(tmp_path, "import", "--verify", "--identity", name, "--seal-keys", "file:home", "keys.age")
        assert done == (0, rehearsal, "")
    stored = "".join(f"{name}: stored as {name}\n" for name in names)
    put = kilde(tmp_path, "import", "--identity", "other", "--identity", "one", "--seal-keys", "file:fresh", "keys.age")
    assert put == (0, f"{stored}2 of 2 keys stored\n", "")
    assert kilde(tmp_path, "list", "--identity", "two", "--backup", "keys.age")[1].count("created") == 2
    for arguments, words in (
        (["--identity", "other"], "does not open: it is locked to none of these identities, or was changed"),
        ([], "there is no age identity"),
        (["--identity", "passphrase"], "there is no age identity"),
    ):
        code, out, err = kilde(tmp_path, "import", *arguments, "--verify", "--seal-keys", "file:home", "keys.age")
        assert (code != 0, out, words in err) == (True, "", True), err
    (tmp_path / "keys.age").write_bytes(data[: len(data) // 2])
    assert "does not open" in kilde(tmp_path, "list", "--identity", "one", "--backup", "keys.age")[2]
    refused = kilde(tmp_path, "export", "--recipient", "age1wrong", "--seal-keys", "file:home", "more.age")
    assert (refused[0] != 0, "is no age recipient" in refused[2], (tmp_path / "more.age").exists()) == (
        True,
        True,
        False,
    )


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    folder = tmp_path / "vault"
    folder.mkdir()
    with vault_of("contract", folder) as found:
        yield found


def test_keys_in_vault_by_a_file_and_by_the_environment(tmp_path: Path, vault: Vault, names: list[str]) -> None:
    assert vault.authority is not None
    (tmp_path / "ca.pem").write_bytes(vault.authority.read_bytes())
    home = {"secret/data/kilde/*": ["create", "update", "read"], "secret/metadata/kilde/*": ["read", "list"]}
    wrap = {f"transit/{word}/kilde": ["update"] for word in ("encrypt", "decrypt", "rewrap")}
    vault.policy_of("kilde", {**home, **wrap, "transit/keys/kilde": ["read"]})
    role, secret = vault.app_role("kilde", "kilde")
    (tmp_path / "secret-id").write_text(secret)
    auth = {"method": "approle", "roleID": role, "secretIDFile": "secret-id"}
    (tmp_path / "vault.yaml").write_text(json.dumps({"address": vault.address, "caFile": "ca.pem", "auth": auth}))
    where = ("--seal-keys", "vault:secret/kilde/sealing-keys")
    filed = (*where, "--vault", "vault.yaml")
    environment = {"VAULT_ADDR": vault.address, "VAULT_CACERT": "ca.pem", "VAULT_TOKEN": vault.token("kilde")}
    assert kilde(tmp_path, "list", *filed) == (0, "no keys\n", "")
    kilde(tmp_path, "export", "--seal-keys", "file:home", "keys.locked")
    assert kilde(tmp_path, "import", *filed, "keys.locked")[1].endswith("2 of 2 keys stored\n")
    assert kilde(tmp_path, "import", "--verify", *where, "keys.locked", **environment)[0] == 0
    lists = [kilde(tmp_path, "list", *filed), kilde(tmp_path, "list", *where, **environment)]
    assert lists == [kilde(tmp_path, "list", "--seal-keys", "file:home")] * 2
    assert kilde(tmp_path, "rewrap", *filed)[1] == "every key is wrapped by the newest version\n"
    vault.admin("POST", "transit/keys/kilde/rotate", {})
    assert kilde(tmp_path, "rewrap", *filed)[1] == "".join(f"{name}: wrapped anew\n" for name in sorted(names))
    assert kilde(tmp_path, "export", *filed, "again.locked")[1] == "again.locked: 2 keys\n"
    for arguments, more, words in (
        (where, {}, "it is not said where Vault is"),
        (where, environment | {"VAULT_TOKEN": "hvs.wrong"}, "the token is not valid, or not any more"),
        (where, environment | {"VAULT_TOKEN": ""}, "VAULT_TOKEN is not set"),
        (where, environment | {"VAULT_ADDR": vault.address.replace("https", "http")}, "use https"),
        (("--seal-keys", "vault:secret/../sys"), environment, "is not a path in Vault"),
        (("--seal-keys", "vault:secret"), environment, "names no place for keys"),
        (("--seal-keys", "file:home"), {}, ""),
    ):
        done = kilde(tmp_path, "list", *arguments, **more)
        assert (words in done[2], "Traceback" in done[2]) == (True, False), done
    vault.seal()
    code, out, err = kilde(tmp_path, "list", *filed)
    assert (code != 0, out, "Vault: is sealed" in err) == (True, "", True)


def test_status_rotate_and_retire_go_by_the_file_and_by_vault(tmp_path: Path, vault: Vault, names: list[str]) -> None:
    assert vault.authority is not None
    environment = {"VAULT_ADDR": vault.address, "VAULT_CACERT": str(vault.authority), "VAULT_TOKEN": vault.root}
    kilde(tmp_path, "export", "--seal-keys", "file:home", "keys.locked")
    kilde(tmp_path, "import", "--seal-keys", "vault:secret/kilde/keys", "keys.locked", **environment)
    repo = tmp_path / "repo"
    repo.mkdir()
    for command in (("init", "-q"), ("config", "user.email", "a@example.org"), ("config", "user.name", "Ada")):
        subprocess.run(["git", "-C", str(repo), *command], check=True)
    text = Sealer(sealing_key(0).private.public_key(), os.urandom).text(b"c4nary-value-5ecret", b"shop/db")
    body = {
        "apiVersion": "bitnami.com/v1alpha1",
        "kind": "SealedSecret",
        "metadata": {"name": "db", "namespace": "shop"},
    }
    sealed = json.dumps({**body, "spec": {"encryptedData": {"password": text}}}, indent=1)
    for home in ("file:home", "vault:secret/kilde/keys"):
        (repo / "db.json").write_text(sealed)
        subprocess.run(["git", "-C", str(repo), "add", "."], check=True)
        subprocess.run(["git", "-C", str(repo), "commit", "-q", "--allow-empty", "-m", "x"], check=True)
        at = ("--seal-keys", home, "--repo", str(repo))
        code, out, err = kilde(tmp_path, "status", *at, "-o", "json", group="", **environment)
        rows = {row["key"]: row["values"] for row in json.loads(out)["keys"]}
        assert (code, rows, err) == (0, {names[0]: 1, names[1]: 0}, "")
        code, out, _ = kilde(tmp_path, "rotate", *at, group="", **environment)
        assert (code, f"1 values sealed anew to {names[1]}" in out) == (0, True)
        rows = json.loads(kilde(tmp_path, "status", *at, "-o", "json", group="", **environment)[1])["keys"]
        assert {row["key"]: row["values"] for row in rows} == {names[0]: 0, names[1]: 1}
        undone = kilde(tmp_path, "retire", "--undo", names[0], "--seal-keys", home, group="", **environment)
        assert undone == (0, f"{names[0]}: in use again\n", "")
        assert kilde(tmp_path, "retire", "--undo", "key-none", "--seal-keys", home, group="", **environment)[0] != 0
