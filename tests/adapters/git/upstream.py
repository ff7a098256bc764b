"""Upstream: a bare repository that a test writes to, with anything in it that Git can hold."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example",
}


@dataclass(frozen=True, slots=True)
class Special:
    """An entry that is no plain file: mode 120000 (symlink, content its target), 160000 (submodule, content a commit id), 100755."""

    mode: str
    content: str


class Upstream:
    """A bare repository in a folder, written by `git fast-import`: no checkout, no configuration of the machine's."""

    def __init__(self, folder: Path, name: str = "up.git") -> None:
        self.path = folder / name
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            ["git", "init", "--quiet", "--bare", "--initial-branch=main", str(self.path)], check=True, env=ENVIRONMENT
        )

    @property
    def url(self) -> str:
        return f"file://{self.path}"

    def git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=self.path, env=ENVIRONMENT, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def commit(
        self,
        files: Mapping[str, str | bytes | Special],
        *,
        branch: str = "main",
        message: str = "change",
        keep: bool = False,
    ) -> str:
        """A commit on top of the branch; its whole content is `files`, or what was there and `files` with `keep`."""
        there = self.git("for-each-ref", f"refs/heads/{branch}")
        said = message.encode()
        lines = [
            f"commit refs/heads/{branch}\ncommitter Ada <ada@example> 1700000000 +0100\ndata {len(said)}\n".encode()
            + said,
            f"from refs/heads/{branch}^0\n".encode() if there else b"",
            b"" if keep else b"deleteall\n",
        ]
        for path, content in files.items():
            if isinstance(content, Special) and content.mode == "160000":
                lines.append(f'M 160000 {content.content} "{path}"\n'.encode())
                continue
            mode = content.mode if isinstance(content, Special) else "100644"
            text = content.content if isinstance(content, Special) else content
            data = text.encode() if isinstance(text, str) else text
            lines.append(f'M {mode} inline "{path}"\ndata {len(data)}\n'.encode() + data + b"\n")
        subprocess.run(
            ["git", "fast-import", "--quiet"], cwd=self.path, env=ENVIRONMENT, input=b"".join(lines), check=True
        )
        return self.git("rev-parse", f"refs/heads/{branch}")
