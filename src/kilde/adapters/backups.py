"""Backups in a folder, known by how they begin; nothing is unpacked beyond a head, and nothing is followed out of the folder."""

import contextlib
import os
import zlib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from kilde.core.basics.errors import KildeError
from kilde.core.doctor.backups import Backup, Kind

_HEAD = 4096  # bytes that are looked at, at either end
_MOST = 10_000  # files
_DEEPEST = 4  # folders below the one that was named
_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"
# names that the directory at the end of an export of the ledger has
_EXPORT = (b"manifest.sig.txt", b"proofs.txt", b"records.txt")
_BOLT = b"\xed\xda\x0c\xed"  # the magic number of etcd's database, behind the head of its first page, in the machine's order
_KEYS = (b'"kilde-sealing-keys/', b"age-encryption.org/", b"-----BEGIN AGE ENCRYPTED FILE-----")


def backups_in(folder: Path) -> list[Backup]:
    """Every backup below a folder. A snapshot says when it was taken; of the others it is the file's time. KildeError: no folder."""
    if not folder.is_dir():
        raise KildeError("is no folder of backups", about=str(folder))
    found = []
    for number, path in enumerate(_files(folder)):
        if number >= _MOST:
            break
        with contextlib.suppress(OSError):
            if (backup := _known(path, str(path.relative_to(folder)))) is not None:
                found.append(backup)
    return found


def _files(folder: Path) -> Iterator[Path]:
    for root, folders, names in os.walk(folder):
        if len(Path(root).relative_to(folder).parts) >= _DEEPEST:
            folders.clear()
        folders.sort()
        for name in sorted(names):
            path = Path(root) / name
            if path.is_file() and not path.is_symlink():
                yield path


def _known(path: Path, name: str) -> Backup | None:
    with path.open("rb") as file:
        head = file.read(_HEAD)
        file.seek(max(0, path.stat().st_size - _HEAD))
        tail = file.read(_HEAD)
    made = path.stat().st_mtime
    if head.startswith(_GZIP):
        taken = _taken(head)
        return None if taken is None else Backup(Kind.CLUSTER, name, taken)
    if _BOLT in head[16:24] or _BOLT[::-1] in head[16:24]:
        return Backup(Kind.CLUSTER, name, made)
    if head.startswith(_ZIP) and all(name in tail for name in _EXPORT):
        return Backup(Kind.LEDGER, name, made)
    if head.startswith(_KEYS[1:]) or (head.startswith(b"{") and _KEYS[0] in head[:200]):
        return Backup(Kind.KEYS, name, made)
    return None


def _taken(head: bytes) -> float | None:
    """When a snapshot of Kilde's cluster was taken; None for any other gzip file."""
    with contextlib.suppress(zlib.error, msgspec.DecodeError, KeyError, TypeError, ValueError):
        line = zlib.decompressobj(wbits=31).decompress(head, 64 * 1024).partition(b"\n")[0]
        said = msgspec.json.decode(line, type=dict)
        return float(said["time"]) if said.get("kind") == "kilde-snapshot" else None
    return None
