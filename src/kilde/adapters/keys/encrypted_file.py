"""EncryptedFileKeys: ports.keys.KeyStore in one file, locked with a passphrase; whoever copies it has nothing."""

import asyncio
import fcntl
import hashlib
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

from kilde.core.basics.errors import ClusterError, InvalidInput
from kilde.core.secrets import archive
from kilde.ports.clock import Clock
from kilde.ports.keys import StoredKey

_LOOK = 5.0  # seconds between two looks at the file


class EncryptedFileKeys:
    """The keys in one file of mode 0600. `dice` gives random bytes, `cost` is scrypt's; `look` seconds pass between two looks."""

    def __init__(
        self,
        path: Path,
        passphrase: bytes,
        clock: Clock,
        *,
        dice: Callable[[int], bytes] = os.urandom,
        cost: int = archive.COST,
        look: float = _LOOK,
    ) -> None:
        self._path, self._passphrase, self._clock = path, passphrase, clock
        self._dice, self._cost, self._look = dice, cost, look
        self._seen = False

    async def load(self) -> list[StoredKey]:
        """Every active key of the file; none where there is no file yet. ClusterError, also when a file that was there is gone."""
        return [key for key in await asyncio.to_thread(self._read) if not key.retired]

    async def add(self, private: bytes, certificate: bytes) -> str:
        """Writes the file anew with one key more; gives the key's name. ClusterError."""
        new = StoredKey(f"key-{hashlib.sha256(certificate).hexdigest()[:16]}", private, certificate)
        await asyncio.to_thread(self._change, lambda keys: [*(key for key in keys if key.name != new.name), new])
        return new.name

    async def retire(self, name: str) -> None:
        """Writes the file anew with this key marked; it stays in it. ClusterError."""
        await asyncio.to_thread(self._change, lambda keys: self._marked(keys, name, retired=True))

    async def revive(self, name: str) -> None:
        """Takes the mark away. ClusterError."""
        await asyncio.to_thread(self._change, lambda keys: self._marked(keys, name, retired=False))

    def _marked(self, keys: list[StoredKey], name: str, *, retired: bool) -> list[StoredKey]:
        if all(key.name != name for key in keys):
            raise self._failed(f"holds no key '{name}'")
        return [replace(key, retired=retired) if key.name == name else key for key in keys]

    async def changes(self) -> AsyncIterator[None]:
        """At the start, and whenever the file is another one than at the last look."""
        before: object = None
        while True:
            now = await asyncio.to_thread(self._mark)
            if now != before:
                before = now
                yield None
            await self._clock.sleep(self._look)

    def _mark(self) -> object:
        try:
            there = self._path.stat()
        except OSError as error:
            return error.errno or -1
        return there.st_ino, there.st_size, there.st_mtime_ns, there.st_ctime_ns

    def _read(self) -> list[StoredKey]:
        try:
            with self._path.open("rb") as file:
                data = file.read(archive.LARGEST + 1)
        except FileNotFoundError:
            if self._seen or not self._path.parent.is_dir():
                hint = "put it back; until then the keys at hand are used, and no new one is made"
                raise self._failed("is not there any more" if self._seen else "its folder is not there", hint) from None
            return []
        except OSError as error:
            raise self._failed(f"cannot be read: {error.strerror}") from None
        if len(data) > archive.LARGEST:
            raise self._failed(f"is larger than {archive.LARGEST >> 20} MiB")
        try:
            found = archive.unlock(data, self._passphrase, about=str(self._path))
        except InvalidInput as error:
            raise self._failed(error.what, error.hint) from None
        self._seen = True
        return found

    def _change(self, change: Callable[[list[StoredKey]], list[StoredKey]]) -> None:
        """Reads, changes and writes the file while nobody else does."""
        unfinished = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        try:
            with self._path.with_name(f".{self._path.name}.lock").open("ab") as held:
                fcntl.flock(held, fcntl.LOCK_EX)
                whole = change(self._read())
                write_private(unfinished, archive.lock(whole, self._passphrase, self._dice, cost=self._cost))
                unfinished.replace(self._path)
                sync_folder(self._path.parent)
        except OSError as error:
            unfinished.unlink(missing_ok=True)
            raise self._failed(f"cannot be written: {error.strerror}") from None
        except InvalidInput as error:
            raise self._failed(error.what, error.hint) from None
        self._seen = True

    def _failed(self, what: str, hint: str = "") -> ClusterError:
        return ClusterError(what, about=f"key file {self._path}", hint=hint, reason="KeyFile")


def write_private(path: Path, data: bytes) -> None:
    """A new file of mode 0600, on the disk when this returns. OSError."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """The folder's entries are on the disk when this returns. OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
