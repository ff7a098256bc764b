"""A folder to edit a kustomization in, and `kilde edit` run there in this process."""

import contextlib
import io
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from cli.edit_corpus import FILES
from kilde.cli.main import run

FILE = "kustomization.yaml"


@contextlib.contextmanager
def folder(text: str) -> Iterator[Path]:
    """A folder with the kustomization and the files that edits name; it is the working one."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        for name, content in FILES.items():
            (root / name).parent.mkdir(exist_ok=True)
            (root / name).write_text(content)
        (root / FILE).write_text(text, newline="")
        os.chdir(root)
        try:
            yield root
        finally:
            os.chdir(before)


def ours(*arguments: str) -> int:
    """The exit code."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        return run(["edit", *arguments])
