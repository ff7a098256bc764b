"""PackageStore: archives on disk by the SHA-256 of what is in them; bounded, the ones not used for longest go first."""

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path


class PackageStore:
    """Blocking; its caller runs it in a thread. Several processes may share a folder."""

    def __init__(self, folder: Path, most: int) -> None:
        self._folder, self._most = folder, most
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def get(self, digest: str) -> bytes | None:
        """The archive; None where it is not there, or is not what it was."""
        file = self._folder / f"{digest}.tgz"
        try:
            content = file.read_bytes()
        except OSError:
            return None
        if hashlib.sha256(content).hexdigest() != digest:
            file.unlink(missing_ok=True)
            return None
        with contextlib.suppress(OSError):
            os.utime(file)
        return content

    def put(self, digest: str, content: bytes) -> None:
        """Keeps it; where the disk is full it is not kept, and is fetched again next time."""
        self._make_room(len(content))
        handle, name = tempfile.mkstemp(dir=self._folder)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            Path(name).replace(self._folder / f"{digest}.tgz")
        except OSError:
            Path(name).unlink(missing_ok=True)

    def _make_room(self, wanted: int) -> None:
        found = []
        for file in self._folder.iterdir():
            with contextlib.suppress(OSError):
                found.append((file.stat().st_mtime, file.stat().st_size, file))
        total = sum(size for _, size, _ in found) + wanted
        for _, size, file in sorted(found):
            if total <= self._most:
                return
            file.unlink(missing_ok=True)
            total -= size
