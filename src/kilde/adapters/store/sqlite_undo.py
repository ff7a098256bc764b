"""SqliteUndo: deleted objects in a SQLite file, each locked with AES-256-GCM under a key beside it (mode 0600).

Names, moments and digests are in the clear, so that one can look for them; manifests are not, whatever their kind.
"""

import contextlib
import os
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kilde.core.basics.errors import KildeError
from kilde.core.basics.values import canonical
from kilde.core.objects.ref import ObjectRef, parse_ref
from kilde.core.plan.restoring import Kept
from kilde.ports.undo import Deleted

_PATIENCE = 10.0  # seconds to wait for another process's transaction
_NONCE, _KEY = 12, 32
_LARGEST = 16 << 20  # bytes of one manifest; what an API server takes is far below
ROOM = 256 << 20
"""Bytes of locked manifests that are kept at most."""
_TABLE = """
CREATE TABLE IF NOT EXISTS deleted (
    application TEXT NOT NULL, operation INTEGER NOT NULL, object TEXT NOT NULL, at REAL NOT NULL, uid TEXT NOT NULL,
    plan TEXT NOT NULL, rendered TEXT NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (application, operation, object)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS deleted_at ON deleted (at);
"""


class SqliteUndo:
    """Keeps the promises of ports.undo.UndoStore. Use from one thread at a time; several processes may."""

    def __init__(self, path: Path, key: Path, *, room: int = ROOM) -> None:
        """Opens the store and its key; makes them where there are none. Raises KildeError."""
        self._path, self._room = path, room
        with self._told():
            self._lock = AESGCM(_key(key))
            _touch(path)
            self._connection = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.execute("PRAGMA secure_delete = ON")
            self._connection.executescript(_TABLE)

    def __enter__(self) -> "SqliteUndo":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connection; what was kept is on disk already."""
        self._connection.close()

    def keep(self, objects: Iterable[Kept]) -> None:
        rows = [
            (one.application, one.operation, str(one.ref), one.at, one.uid, one.plan, one.rendered, self._locked(one))
            for one in objects
        ]
        with self._told(), self._writing():
            self._connection.executemany("INSERT OR IGNORE INTO deleted VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
            self._make_room({(row[0], row[1]) for row in rows})

    def _make_room(self, mine: set[tuple[str, int]]) -> None:
        sizes = self._connection.execute(
            "SELECT application, operation, sum(length(body)) FROM deleted GROUP BY application, operation ORDER BY min(at)"
        ).fetchall()
        left = sum(size for _, _, size in sizes)
        for application, operation, size in sizes:
            if left <= self._room:
                return
            if (application, operation) not in mine:
                place = (application, operation)
                self._connection.execute("DELETE FROM deleted WHERE application = ? AND operation = ?", place)
                left -= size
        if left > self._room:
            raise KildeError("what is to be deleted is too large to be kept", hint="kilde up --undo-retention 0")

    def operations(self, application: str) -> Sequence[Deleted]:
        found: dict[int, Deleted] = {}
        with self._told():
            rows = self._connection.execute(
                "SELECT operation, at, object FROM deleted WHERE application = ? ORDER BY operation DESC",
                (application,),
            ).fetchall()
        for operation, at, name in rows:
            before = found.get(operation, Deleted(operation, at, ()))
            found[operation] = before._replace(objects=(*before.objects, name))
        return [one._replace(objects=tuple(sorted(one.objects, key=_ref_of))) for one in found.values()]

    def read(self, application: str, operation: int) -> list[Kept]:
        with self._told():
            rows = self._connection.execute(
                "SELECT object, at, uid, plan, rendered, body FROM deleted WHERE application = ? AND operation = ?",
                (application, operation),
            ).fetchall()
        found = [
            Kept(
                application=application, operation=operation, at=at, ref=_ref_of(name), uid=uid, plan=plan,
                rendered=rendered, body=self._unlocked(body, _about(application, operation, name)),
            )
            for name, at, uid, plan, rendered, body in rows
        ]  # fmt: skip
        return sorted(found, key=lambda one: one.ref)

    def approved(self, application: str, plan: str) -> tuple[str, frozenset[str]]:
        if not plan:
            return "", frozenset()
        with self._told():
            rows = self._connection.execute(
                "SELECT rendered, uid FROM deleted WHERE application = ? AND plan = ? ORDER BY operation",
                (application, plan),
            ).fetchall()
        return (rows[-1][0] if rows else ""), frozenset(uid for _, uid in rows)

    def forget(self, before: float) -> int:
        with self._told(), self._writing():
            return self._connection.execute("DELETE FROM deleted WHERE at < ?", (before,)).rowcount

    def _locked(self, one: Kept) -> bytes:
        nonce = os.urandom(_NONCE)
        about = _about(one.application, one.operation, str(one.ref))
        return nonce + self._lock.encrypt(nonce, zlib.compress(canonical(one.body), 6), about)

    def _unlocked(self, body: bytes, about: bytes) -> dict[str, object]:
        opener = zlib.decompressobj()
        try:
            text = opener.decompress(self._lock.decrypt(body[:_NONCE], body[_NONCE:], about), _LARGEST)
            found: dict[str, object] = msgspec.json.decode(text, type=dict)
        except (InvalidTag, zlib.error, msgspec.DecodeError):
            hint = "its key is another one, or it was changed"
            raise KildeError("what was kept cannot be opened", about=str(self._path), hint=hint) from None
        return found

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            hint = "is the disk full, and is the data directory that of kilde up?"
            raise KildeError(
                f"deleted objects cannot be kept or read: {error}", about=str(self._path), hint=hint
            ) from None


def _about(application: str, operation: int, name: str) -> bytes:
    """What a manifest is bound to: it cannot be passed off as another one's."""
    return f"{application}\n{operation}\n{name}".encode()


def _ref_of(name: str) -> ObjectRef:
    found = parse_ref(name)
    if found is None:
        raise KildeError("this is no object's name", about=name)
    return found


def _key(path: Path) -> bytes:
    """The key of that file; a new one where there is none."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        unfinished = path.with_name(f"{path.name}.{os.getpid()}")
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.write(descriptor, AESGCM.generate_key(_KEY * 8))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        with contextlib.suppress(FileExistsError):
            os.link(unfinished, path)  # whoever is first has made it
        unfinished.unlink()
    found = path.read_bytes()
    if len(found) != _KEY:
        raise KildeError("this is no key", about=str(path))
    return found


def _touch(path: Path) -> None:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
