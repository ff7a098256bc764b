"""FileWitness: checkpoints in one text file that only grows: on another disk, on a share, on paper."""

import asyncio
import os
from pathlib import Path

from kilde.core.basics.errors import LedgerError

_RULE = "\n" + "=" * 20 + "\n\n"
_MOST = 256 * 1024 * 1024  # bytes


class FileWitness:
    """Keeps the promises of ports.witness."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def name(self) -> str:
        return f"file {self._path}"

    async def publish(self, note: str, *, size: int) -> None:
        await asyncio.to_thread(self._append, note)

    async def notes(self) -> list[str]:
        return await asyncio.to_thread(self._read)

    def _append(self, note: str) -> None:
        if note in self._read():
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            try:
                os.write(descriptor, (note + _RULE).encode())
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise self._failed(error) from error

    def _read(self) -> list[str]:
        try:
            if self._path.stat().st_size > _MOST:
                raise LedgerError(f"is more than {_MOST:,} bytes", about=self.name)
            text = self._path.read_bytes().decode("utf-8", "replace")
        except FileNotFoundError:
            return []
        except OSError as error:
            raise self._failed(error) from error
        return [note for note in text.split(_RULE) if note]

    def _failed(self, error: OSError) -> LedgerError:
        return LedgerError(f"the witness cannot be used: {error.strerror}", about=self.name)
