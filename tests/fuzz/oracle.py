"""Asks the real kustomize, and ours, what a tree gives: text, or None for a refusal."""

import base64
import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from build_real import where

from fuzz.trees import TOP, Files
from kilde.core.basics.errors import KildeError
from kilde.core.render import BuildOptions, kustomize_build
from kilde.core.source.tree import MemoryTree


class Answer(NamedTuple):
    """`text` is None where it was refused, and `why` says why."""

    text: str | None
    why: str = ""


def ours(files: Files) -> Answer:
    """What we print. Errors that are no KildeError are ours to mend, and get through."""
    try:
        return Answer(kustomize_build(MemoryTree(files), TOP, BuildOptions()).text())
    except KildeError as error:
        return Answer(None, str(error))


class Oracle:
    """kustomize 5.8.1 in one long-lived process, over folders in memory where the machine has such."""

    def __init__(self) -> None:
        memory = Path("/dev/shm")
        self.folder = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))
        self.process = self.started()

    def started(self) -> "subprocess.Popen[str]":
        program = str(where("kustomize-oracle"))
        return subprocess.Popen(
            [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    def __enter__(self) -> "Oracle":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()
        shutil.rmtree(self.folder)

    def end(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()

    def write(self, files: Files) -> Path:
        """Puts a tree on the disk; the folder to build."""
        root = self.folder / "tree"
        if root.exists():
            shutil.rmtree(root)
        for path, content in files.items():
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        return root / TOP

    def ask(self, files: Files) -> Answer:
        """What the real one prints."""
        folder = self.write(files)
        fresh = any(b"openapi" in content for content in files.values())
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"folder": str(folder), "reorder": "", "fresh": fresh}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:  # a stack that overflows ends a Go program, whatever it would catch
            self.end()
            self.process = self.started()
            return Answer(None, "died")
        found = json.loads(line)
        if "error" in found:
            return Answer(None, found["error"].replace(str(folder.parent), ""))
        return Answer(base64.b64decode(found["text"] or "").decode())

    def binary(self, files: Files) -> Answer:
        """What the command itself prints, in a process of its own."""
        folder = self.write(files)
        done = subprocess.run([where("kustomize"), "build", folder], capture_output=True, check=False)
        return Answer(done.stdout.decode() if done.returncode == 0 else None, done.stderr.decode())
