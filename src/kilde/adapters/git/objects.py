"""ObjectReader: one long-lived `git cat-file --batch-command` a mirror, that answers reads from any thread."""

import os
import select
import subprocess
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kilde.adapters.git.limits import Limits
from kilde.adapters.git.process import environment
from kilde.core.basics.errors import LimitExceeded, SourceError

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Stored:
    """An object as the store has it. `kind` is git's word: blob, tree, commit, tag. `size` in bytes."""

    oid: str
    kind: str
    size: int
    content: bytes = b""


class _Died(Exception):
    """The process ended or answered nonsense; it is started anew once."""


class ObjectReader:
    """Reads of one mirror. Synchronous and thread-safe; the process starts with the first read and again after it died.

    `broken` is set when the store itself cannot be read: the mirror is then rebuilt by the next fetch.
    """

    def __init__(
        self,
        repository: Path,
        home: Path,
        limits: Limits,
        *,
        program: str = "git",
        extra: Mapping[str, str] | None = None,
    ) -> None:
        """`extra` are more variables: where else objects lie, as in the quarantine of a push."""
        self._repository, self._home, self._limits, self._program = repository, home, limits, program
        self._extra = dict(extra or {})
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._buffer = bytearray()
        self.broken = False

    def info(self, name: str) -> Stored | None:
        """What `name` (an object id, or one with `^{commit}`, `^{tree}`) is; None if there is no such object or it is ambiguous."""
        return self._ask("info", name, 0)

    def contents(self, name: str, *, most: int, about: str = "") -> Stored | None:
        """The object with its content. Raises LimitExceeded, before anything of it is kept, when it is larger than `most` bytes."""
        found = self._ask("contents", name, most)
        if found is not None and found.size > most:
            raise LimitExceeded(
                f"it has {found.size:,} bytes; more than {most:,} are not read",
                about=about or name,
                hint="keep large files out of the configuration repository",
            )
        return found

    def rest(self) -> None:
        """Ends the process unless somebody is reading."""
        if self._process is not None and self._lock.acquire(blocking=False):
            try:
                self._stop()
            finally:
                self._lock.release()

    def close(self) -> None:
        """Ends the process, after the read that goes on. A later read starts a new one."""
        with self._lock:
            self._stop()

    def _ask(self, verb: str, name: str, most: int) -> Stored | None:
        assert "\n" not in name
        with self._lock:
            for last in (False, True):
                try:
                    return self._exchange(verb, name, most)
                except _Died as error:
                    self._stop()
                    if last:
                        self.broken = True
                        raise SourceError(
                            f"the mirror cannot be read: {error}", about=name, hint="the next fetch builds it anew"
                        ) from None
        raise AssertionError("unreachable")

    def _exchange(self, verb: str, name: str, most: int) -> Stored | None:
        process = self._process or self._start()
        assert process.stdin is not None
        try:
            process.stdin.write(f"{verb} {name}\n".encode())
            process.stdin.flush()
        except OSError:
            raise _Died("its reader ended") from None
        header = self._line().decode("utf-8", "replace").split(" ")
        if header[-1] in ("missing", "ambiguous"):
            return None
        if len(header) != 3 or not header[2].isdigit():
            raise _Died("its reader gave an answer that is none")
        oid, kind, size = header[0], header[1], int(header[2])
        if verb == "info":
            return Stored(oid, kind, size)
        if size > most:
            self._stop()  # dearer to read it away than to start again
            return Stored(oid, kind, size)
        content = self._take(size)
        self._take(1)
        return Stored(oid, kind, size, content)

    def _start(self) -> subprocess.Popen[bytes]:
        try:
            self._process = subprocess.Popen(  # noqa: S603 - no shell; every word is ours
                [self._program, f"--git-dir={self._repository}", "cat-file", "--batch-command"],
                env=environment(self._home, extra=self._extra), cwd=self._home, start_new_session=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0,
            )  # fmt: skip
        except OSError as error:
            raise SourceError(
                f"the program '{self._program}' cannot be started: {error.strerror}", hint="install git"
            ) from error
        self._buffer = bytearray()
        return self._process

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()
        process.wait()

    def _line(self) -> bytes:
        while (end := self._buffer.find(b"\n")) < 0:
            self._more()
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line

    def _take(self, size: int) -> bytes:
        while len(self._buffer) < size:
            self._more()
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    def _more(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        poller = select.poll()  # select() itself fails above 1,024 descriptors
        poller.register(descriptor, select.POLLIN)
        if not poller.poll(self._limits.read_seconds * 1000):
            raise _Died(f"nothing was read within {self._limits.read_seconds:g} s")
        chunk = os.read(descriptor, _CHUNK)
        if not chunk:
            raise _Died("its reader ended")
        self._buffer += chunk
