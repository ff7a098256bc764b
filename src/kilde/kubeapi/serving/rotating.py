"""A file of lines that is put aside when it is large, as kube-apiserver rotates its audit log.

What is put aside is called `NAME-2026-01-02T03-04-05.678.EXT`, by the time in UTC at which it was; a file that is in the way is left alone.
"""

import datetime
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_STAMP = "%Y-%m-%dT%H-%M-%S"
_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Rotation:
    """When a file is put aside and what is kept of those that were; 0 is no limit.

    `size` is in bytes, `backups` how many files are kept, `age` how many days.
    """

    size: int = 0
    backups: int = 0
    age: int = 0


class RotatingFile:
    """Appends to a file that only its owner may read. Lines are never cut: one that is larger than the limit has a file to itself."""

    def __init__(self, path: Path, rotation: Rotation, now: Callable[[], float]) -> None:
        """OSError if it cannot be opened. `now` is in seconds since 1970."""
        self._path, self._rotation, self._now = path, rotation, now
        self._file = self._open()
        self._forget()

    def write(self, line: bytes) -> None:
        """OSError if the disk does not take it; the line is lost then, and nothing else."""
        limit = self._rotation.size
        if limit and (size := os.fstat(self._file.fileno()).st_size) > 0 and size + len(line) > limit:
            self._put_aside()
        self._file.write(line)

    def close(self) -> None:
        self._file.close()

    def _open(self) -> BinaryIO:
        opened = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return os.fdopen(opened, "ab", buffering=0)

    def _put_aside(self) -> None:
        self._path.rename(self._free_name())
        old = self._file
        self._file = self._open()
        old.close()
        self._forget()

    def _free_name(self) -> Path:
        milliseconds = int(self._now() * 1000)
        while True:
            moment = datetime.datetime.fromtimestamp(milliseconds / 1000, datetime.UTC)
            stamp = f"{moment.strftime(_STAMP)}.{milliseconds % 1000:03}"
            name = self._path.with_name(f"{self._path.stem}-{stamp}{self._path.suffix}")
            if not name.exists():
                return name
            milliseconds += 1

    def _forget(self) -> None:
        """Removes what is too much or too old of the files that were put aside."""
        found = sorted(self._aside(), reverse=True)
        many, days = self._rotation.backups, self._rotation.age
        oldest = self._now() - days * _DAY
        for index, (moment, path) in enumerate(found):
            if (many and index >= many) or (days and moment < oldest):
                path.unlink(missing_ok=True)

    def _aside(self) -> Iterator[tuple[float, Path]]:
        """(when, which) of the files that were put aside, told by their names."""
        start, end = f"{self._path.stem}-", self._path.suffix
        for path in self._path.parent.iterdir():
            if not (path.name.startswith(start) and path.name.endswith(end)):
                continue
            try:
                stamp = path.name[len(start) : len(path.name) - len(end)]
                moment = datetime.datetime.strptime(f"{stamp}+0000", f"{_STAMP}.%f%z")
            except ValueError:
                continue
            yield moment.timestamp(), path
