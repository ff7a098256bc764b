"""Runs one program for a build: no shell, bounded in time and output, ended with all that it started."""

import os
import resource
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import IO

from kilde.core.basics.errors import RenderFailed

SECONDS = 600.0  # pulling a large chart or image over a slow line
OUTPUT_BYTES = 64 << 20
_ERROR_BYTES = 256 * 1024
_CHUNK = 1 << 16


def run(
    command: Sequence[str],
    *,
    folder: str | None = None,
    variables: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    shown: bool = False,
    seconds: float = SECONDS,
    most: int = OUTPUT_BYTES,
    inherit: bool = True,
    memory: int = 0,
) -> tuple[int, bytes, str]:
    """Exit code, standard output, standard error ("" where it is `shown`: it goes to ours as it comes).

    The environment is ours and `variables`; these alone where it does not `inherit`. `memory`: bytes of address space, 0 for no
    bound. Raises RenderFailed when it cannot start, takes too long or prints too much.
    """
    try:
        process = subprocess.Popen(  # noqa: S603 - the user names the program; there is no shell
            list(command),
            cwd=folder,
            env={**(os.environ if inherit else {}), **(variables or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None if shown else subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise RenderFailed(f"the program cannot be started: {error.strerror}", about=command[0]) from error
    except ValueError as error:  # a zero byte
        raise RenderFailed(f"the program cannot be started: {error}", about=command[0]) from error
    if memory:
        with suppress(OSError):  # it has ended already
            resource.prlimit(process.pid, resource.RLIMIT_AS, (memory, memory))
    output, said = _Drain(process.stdout, most, process.pid), _Drain(process.stderr, _ERROR_BYTES, 0)
    feeder = threading.Thread(target=_feed, args=(process.stdin, stdin), daemon=True)
    feeder.start()
    try:
        process.wait(seconds)
        output.join(seconds)
    except subprocess.TimeoutExpired:
        raise RenderFailed(f"the program did not end within {seconds:g} s", about=command[0]) from None
    finally:
        if process.poll() is None or output.reading:  # it runs, or what it started still holds its output open
            _kill(process.pid)
            process.wait()
    if output.cut:
        raise RenderFailed(f"the program printed more than {most} bytes", about=command[0])
    return process.returncode, output.content(), said.content().decode("utf-8", "replace")


class _Drain:
    """Reads a stream to its end in a thread of its own and keeps `most` bytes; past that, it ends the process group."""

    def __init__(self, stream: IO[bytes] | None, most: int, group: int) -> None:
        self._kept, self._most, self._group, self.cut = bytearray(), most, group, False
        self._thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._thread.start()

    def _read(self, stream: IO[bytes] | None) -> None:
        if stream is None:
            return
        with stream:
            while chunk := os.read(stream.fileno(), _CHUNK):
                if len(self._kept) + len(chunk) <= self._most:
                    self._kept += chunk
                elif self._group:
                    self.cut = True
                    _kill(self._group)

    def join(self, seconds: float) -> None:
        self._thread.join(seconds)

    @property
    def reading(self) -> bool:
        return self._thread.is_alive()

    def content(self) -> bytes:
        self._thread.join(5.0)
        return bytes(self._kept)


def _feed(stream: IO[bytes] | None, content: bytes) -> None:
    assert stream is not None
    with suppress(BrokenPipeError, ConnectionResetError, OSError), stream:
        stream.write(content)


def _kill(group: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
