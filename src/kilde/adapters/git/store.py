"""MirrorStore: one mirror's folder on disk: made, locked between processes, swept of what a killed git left, and its remembered refs."""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec

from kilde.core.source.refspec import Refs

_STATE = "kilde-state.json"
_LEFTOVERS = (
    "*.lock",
    "objects/*/tmp_obj_*",
    "objects/tmp_*",
    "objects/pack/tmp_*",
    "objects/pack/.tmp-*",
    "objects/tmp_objdir-*",
)


class State(msgspec.Struct, frozen=True, kw_only=True):
    """What the last good fetch found. It, not Git's refs on disk, is what is answered from: a fetch that fails half-way changes nothing."""

    url: str
    head: str = ""
    refs: dict[str, str] = {}

    @property
    def as_refs(self) -> Refs:
        return Refs(self.head, self.refs)


class MirrorStore:
    """The folder `<folder>/<name>.git`. Every method is synchronous and touches only this mirror."""

    def __init__(self, folder: Path, name: str) -> None:
        self.path = folder / f"{name}.git"
        self.fresh = folder / f"{name}.new"
        self._dead = folder / f"{name}.dead"
        self._lock = folder / f"{name}.lock"

    def exists(self) -> bool:
        return (self.path / "HEAD").is_file() and (self.path / "objects").is_dir()

    def read(self) -> State | None:
        """The remembered state; None if there is none that can be read."""
        try:
            return msgspec.json.decode((self.path / _STATE).read_bytes(), type=State)
        except (OSError, msgspec.DecodeError):
            return None

    def looked_at(self) -> float | None:
        """When the state was last written or found to be as it was (seconds since the epoch); None if there is none."""
        with contextlib.suppress(OSError):
            return (self.path / _STATE).stat().st_mtime
        return None

    def write(self, state: State, *, fresh: bool = False) -> None:
        """Remembers the state, and that it was looked at now; a crash leaves the old or the new one, whole."""
        folder = self.fresh if fresh else self.path
        if not fresh and self.read() == state:
            os.utime(folder / _STATE)
            return
        part = folder / f"{_STATE}.part"
        with part.open("wb") as file:
            file.write(msgspec.json.encode(state))
            file.flush()
            os.fsync(file.fileno())
        part.replace(folder / _STATE)

    @contextlib.contextmanager
    def try_lock(self) -> Iterator[bool]:
        """Yields whether we are the only process that writes to this mirror; holds that until the block ends."""
        with self._lock.open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            yield True

    def sweep(self) -> None:
        """Removes what interrupted commands left: lock files, half-written packs. Only while the lock is held."""
        shutil.rmtree(self.fresh, ignore_errors=True)
        shutil.rmtree(self._dead, ignore_errors=True)
        for pattern in _LEFTOVERS:
            for found in self.path.rglob(pattern) if pattern == "*.lock" else self.path.glob(pattern):
                if found.is_dir():
                    shutil.rmtree(found, ignore_errors=True)
                else:
                    found.unlink(missing_ok=True)

    def discard_fresh(self) -> None:
        """Removes a mirror that was begun and not finished."""
        shutil.rmtree(self.fresh, ignore_errors=True)

    def adopt_fresh(self) -> None:
        """Puts the mirror built at `fresh` in the place of the present one."""
        shutil.rmtree(self._dead, ignore_errors=True)
        if self.path.exists():
            self.path.rename(self._dead)
        self.fresh.rename(self.path)
        shutil.rmtree(self._dead, ignore_errors=True)

    def loose_objects_and_packs(self) -> tuple[int, int]:
        """An estimate as `git gc --auto` makes it (one of the 256 folders is counted), and the number of packs."""
        sample = self.path / "objects" / "17"
        loose = len(list(sample.iterdir())) * 256 if sample.is_dir() else 0
        return loose, len(list((self.path / "objects" / "pack").glob("*.pack")))


def make_room(folder: Path, keep: frozenset[str], most: int) -> bool:
    """Removes mirrors that nobody here uses, the longest unused first, until the folder takes at most `most` bytes.

    `keep`: names of the mirrors in use. False: what is in use alone is larger.
    """
    if (total := disk_bytes(folder)) <= most:
        return True
    unused = [path for path in folder.glob("*.git") if path.stem not in keep]
    for path in sorted(unused, key=_last_used):
        store = MirrorStore(folder, path.stem)
        with store.try_lock() as ours:
            if ours:
                total -= disk_bytes(path)
                shutil.rmtree(path, ignore_errors=True)
        if total <= most:
            return True
    return False


def _last_used(mirror: Path) -> float:
    return MirrorStore(mirror.parent, mirror.stem).looked_at() or 0.0


def disk_bytes(folder: Path) -> int:
    """What the files below a folder take, in bytes."""
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                total += (Path(root) / name).lstat().st_size
    return total
