"""JsonnetProgram: Jsonnet evaluated in a child process, bounded in time, memory and output, that reads nothing but what it is given."""

import importlib.util
import json
import os
import resource
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from kilde.core.basics.errors import KildeError, RenderFailed
from kilde.core.render.outside import Importer, JsonnetVariables

_CHILD = Path(__file__).with_name("jsonnet_child.py")
_SECONDS = 60.0
_MEMORY = 1 << 30  # bytes of address space
_OUTPUT = 64 << 20
_CHUNK = 1 << 16
_WRAPPED = "import_callback error: ValueError: "
_LONGEST = 2000  # characters of its words


class JsonnetProgram:
    """Keeps the promises of core's Jsonnet."""

    def __init__(self, *, seconds: float = _SECONDS, memory: int = _MEMORY) -> None:
        self._seconds, self._memory = seconds, memory

    def evaluate(self, files: Sequence[str], variables: JsonnetVariables, importer: Importer) -> list[str]:
        if importlib.util.find_spec("rjsonnet") is None:
            raise RenderFailed("Jsonnet needs the package rjsonnet", hint="pip install 'kilde[jsonnet]'")
        with tempfile.TemporaryFile() as said, self._started(said) as process:
            try:
                return self._talk(_Lines(process, time.monotonic() + self._seconds), files, variables, importer)
            except _Ended:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(5.0)
                raise RenderFailed(_why(process.returncode, self._memory), about=" ".join(files)) from None
            except TimeoutError:
                raise RenderFailed(f"Jsonnet did not end within {self._seconds:g} s", about=" ".join(files)) from None
            finally:
                process.kill()

    def _started(self, said: "IO[bytes]") -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(  # noqa: S603 - our own file, by the interpreter that runs us
            [sys.executable, "-I", str(_CHILD)],
            cwd="/",
            env={},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            start_new_session=True,
        )
        with suppress(OSError):  # it has ended already
            seconds = int(self._seconds) + 1
            resource.prlimit(process.pid, resource.RLIMIT_AS, (self._memory, self._memory))
            resource.prlimit(process.pid, resource.RLIMIT_CPU, (seconds, seconds))
            resource.prlimit(process.pid, resource.RLIMIT_CORE, (0, 0))
        return process

    def _talk(
        self, lines: "_Lines", files: Sequence[str], variables: JsonnetVariables, importer: Importer
    ) -> list[str]:
        lines.tell({"files": [f"/{file}" for file in files], "variables": variables._asdict()})
        while True:
            got = lines.read()
            if "import" in got:
                folder, name = got["import"]
                lines.tell(_answer(str(folder), str(name), importer))
            elif "error" in got:
                raise RenderFailed(f"Jsonnet: {str(got['error']).replace(_WRAPPED, '')[:_LONGEST]}")
            else:
                return [str(one) for one in got["results"]]


class _Ended(Exception):
    """The child is gone."""


class _Lines:
    """JSON lines to and from the child, until a moment."""

    def __init__(self, process: "subprocess.Popen[bytes]", end: float) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._in, self._out, self._end, self._rest = process.stdin, process.stdout, end, bytearray()
        self._read = 0

    def tell(self, what: dict[str, object]) -> None:
        try:
            self._in.write(json.dumps(what).encode() + b"\n")
            self._in.flush()
        except (BrokenPipeError, ConnectionResetError):
            raise _Ended from None

    def read(self) -> dict[str, list[object]]:
        searched = 0
        while (at := self._rest.find(b"\n", searched)) < 0:
            searched = len(self._rest)
            left = self._end - time.monotonic()
            if left <= 0 or not select.select([self._out], [], [], left)[0]:
                raise TimeoutError
            chunk = os.read(self._out.fileno(), _CHUNK)
            if not chunk:
                raise _Ended
            self._rest += chunk
            self._read += len(chunk)
            if self._read > _OUTPUT:
                raise RenderFailed(f"Jsonnet gives more than {_OUTPUT} bytes")
        line, self._rest = self._rest[:at], self._rest[at + 1 :]
        found: dict[str, list[object]] = json.loads(line)
        return found


def _answer(folder: str, name: str, importer: Importer) -> dict[str, object]:
    """What the parent says to a question; the child tells our sentence where the import stands."""
    try:
        path, content = importer(folder.removeprefix("/"), name.removeprefix("/") if folder == "." else name)
        return {"path": f"/{path}", "content": content.decode("utf-8")}
    except UnicodeDecodeError:
        return {"error": f"'{name}' is not UTF-8 text"}
    except KildeError as error:
        return {"error": str(error)}


def _why(code: int, memory: int) -> str:
    return f"Jsonnet broke off (code {code}): it recurses too deeply, or needs more than {memory >> 20} MiB"
