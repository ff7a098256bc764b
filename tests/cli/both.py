"""The same command line given to kustomize and to `kilde build`, each in a process of its own."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from build_real import where

from cli.command_line import Said
from warm.program import warm_kilde

_GO_CLOCK = re.compile(r"^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d ", re.MULTILINE)


@dataclass(frozen=True)
class Both:
    """What each said, in a folder `here`, with these variables beside those that are there."""

    here: Path
    variables: Mapping[str, str]

    def theirs(self, *arguments: str) -> Said:
        said = self._run([str(where("kustomize")), "build", *arguments])
        return Said(said.code, said.out, _GO_CLOCK.sub("", said.err))

    def ours(self, *arguments: str) -> Said:
        return self._run([str(warm_kilde()), "build", *arguments])

    def _run(self, command: list[str]) -> Said:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **self.variables}
        done = subprocess.run(command, cwd=self.here, env=environment, capture_output=True, text=True, timeout=60)
        return Said(done.returncode, done.stdout, done.stderr)

    def same(self, *arguments: str) -> Said:
        """What ours said, which is byte for byte what kustomize prints; of an error, only that there is one."""
        theirs, ours = self.theirs(*arguments), self.ours(*arguments)
        assert (ours.code, ours.out) == (theirs.code, theirs.out), (theirs.err, ours.err)
        if theirs.code:
            assert ours.err.splitlines()[-1].startswith("Error: ")
            assert "Traceback" not in ours.err
        else:
            assert ours.err == theirs.err
        return ours


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Files by their paths; a text that begins with `#!` is made executable, `-> target` is a symlink."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if text.startswith("-> "):
            path.symlink_to(text[3:])
            continue
        path.write_text(text)
        if text.startswith("#!"):
            path.chmod(0o755)


def both(folder: Path, files: Mapping[str, str], **variables: str) -> Both:
    """Skips where there is no kustomize."""
    if not where("kustomize").exists():
        pytest.skip("kustomize is not built (make real)")
    write(folder, files)
    return Both(folder, {"HOME": str(folder), **variables})
