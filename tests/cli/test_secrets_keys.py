"""`kilde secrets keys`: backups that open, rehearsals that tell, files that are never lost; homes are files, so no cluster is needed."""

import asyncio
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from core.secrets.keys_at_hand import sealing_key
from kilde.adapters.clock import SystemClock
from kilde.adapters.keys.encrypted_file import EncryptedFileKeys
from kilde.core.secrets.keys import write_private_key
from kilde.core.secrets.sealing import Sealer

BIN = Path(sys.executable).parent
PASSPHRASE = "c4nary-passphrase-5ecret"


def kilde(folder: Path, *arguments: str, passphrase: str = PASSPHRASE) -> tuple[int, str, str]:
    """Exit code and outputs; neither the passphrase nor a private key is ever in them."""
    secret = folder / "passphrase"
    secret.write_text(passphrase + "\n")
    env = {"HOME": str(folder), "PATH": os.environ["PATH"], "KILDE_KEYS_PASSPHRASE_FILE": str(secret)}
    command = [str(BIN / "kilde"), "secrets", "keys", *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, env=env, stdin=subprocess.DEVNULL, cwd=folder, timeout=60
    )
    assert not any(word in done.stdout + done.stderr for word in (passphrase or PASSPHRASE, "PRIVATE KEY", "Traceback"))
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
