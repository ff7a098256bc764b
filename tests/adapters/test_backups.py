"""Backups are known by their content: what each command writes is found, and nothing else is."""

import gzip
import io
import os
import zipfile
from pathlib import Path

import pytest

from kilde.adapters.backups import backups_in
from kilde.core.basics.errors import KildeError
from kilde.core.doctor.backups import Backup, Kind
from kilde.core.secrets.archive import COST, lock


def archive(*names: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as made:
        for name in names:
            made.writestr(name, "content of this file")
    return packed.getvalue()


def test_each_kind_is_found_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "nightly").mkdir()
    written = {
        "nightly/cluster.kilde": gzip.compress(
            b'{"kind":"kilde-snapshot","format":1,"version":1,"time":1000.5,"objects":0}\n'
        ),
        "other.gz": gzip.compress(b"{}\n"),
        "cut.gz": b"\x1f\x8b\x08",
        "etcd.db": bytes(16) + bytes.fromhex("edda0ced") + bytes(100),
        "audit.zip": archive("README.txt", "manifest.sig.txt", "proofs.txt", "records.txt", "verify.py"),
        "other.zip": archive("README.txt", "records.txt"),
        "keys.locked": lock([], b"a long passphrase", os.urandom, cost=COST >> 3),
        "keys.age": b"age-encryption.org/v1\n",
        "notes.txt": b"kilde-sealing-keys",
        "empty": b"",
    }
    for name, content in written.items():
        (tmp_path / name).write_bytes(content)
        os.utime(tmp_path / name, (500, 500))
    (tmp_path / "link").symlink_to(tmp_path / "etcd.db")
    assert sorted(backups_in(tmp_path), key=lambda each: each.name) == [
        Backup(Kind.LEDGER, "audit.zip", 500.0),
        Backup(Kind.CLUSTER, "etcd.db", 500.0),
        Backup(Kind.KEYS, "keys.age", 500.0),
        Backup(Kind.KEYS, "keys.locked", 500.0),
        Backup(Kind.CLUSTER, "nightly/cluster.kilde", 1000.5),
    ]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(KildeError, match="is no folder of backups"):
        backups_in(tmp_path / "none")
