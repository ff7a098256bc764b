"""PrivateFolder: where key files are while a command runs; a process' own, and gone at the latest when the next one starts."""

import fcntl
import os
import shutil
import tempfile
from pathlib import Path


class PrivateFolder:
    """A folder below `parent` (0700) that this process holds by a lock. The kernel lets go of it however the process ends.

    The command line may work beside the controller: what another process holds is left alone, what nobody holds is removed.
    """

    def __init__(self, parent: Path) -> None:
        parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in parent.iterdir():
            _remove_if_free(left)
        while True:
            self.path = Path(tempfile.mkdtemp(dir=parent))
            self._held = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
            fcntl.flock(self._held, fcntl.LOCK_EX)
            if self.path.exists():  # else another process, starting now, took it for left behind
                return
            os.close(self._held)

    def close(self) -> None:
        """Removes the folder. Closing twice is closing once."""
        if self._held >= 0:
            shutil.rmtree(self.path, ignore_errors=True)
            os.close(self._held)
            self._held = -1


def _remove_if_free(folder: Path) -> None:
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    except BlockingIOError:
        return
    finally:
        os.close(descriptor)
