"""What the story is played with: a teller, and a folder with the repository and the running Kilde."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

PATIENCE = 60.0
BIN = Path(sys.executable).parent


class Teller:
    """Prints what happens and how long it took; colours only on a terminal."""

    def __init__(self) -> None:
        self._colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        self._step = 0

    def chapter(self, text: str) -> None:
        self._step += 1
        print(f"\n{self._paint(f'{self._step}. {text}', '1;36')}", flush=True)

    def does(self, command: str) -> None:
        print(f"   {self._paint('$ ' + command, '2')}", flush=True)

    def says(self, text: str) -> None:
        for line in text.rstrip().splitlines():
            print(f"     {line}", flush=True)

    def happened(self, text: str, seconds: float | None = None) -> None:
        took = "" if seconds is None else self._paint(f"  [{seconds * 1000:.0f} ms]", "33")
        print(f"   {self._paint('✓', '32')} {text}{took}", flush=True)

    def _paint(self, text: str, code: str) -> str:
        return f"\033[{code}m{text}\033[0m" if self._colour else text


class Stage:
    """The folder, the repository and the running Kilde that the story plays with."""

    def __init__(self, folder: Path, teller: Teller) -> None:
        self.folder, self.tell = folder, teller
        self.repo, self.data = folder / "hello-config", folder / "data"
        self.server = folder / "server" / "hello-config.git"  # what the team's Git server would be
        self.port = _free_port()
        self.env = {
            **os.environ,
            "KUBECONFIG": str(self.data / "kubeconfig"),
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_AUTHOR_NAME": "Demo",
            "GIT_AUTHOR_EMAIL": "demo@example.com",
            "GIT_COMMITTER_NAME": "Demo",
            "GIT_COMMITTER_EMAIL": "demo@example.com",
        }

    def run(self, *command: str, show: str = "", codes: tuple[int, ...] = (0,), stdin: str | None = None) -> str:
        """Runs a program of the demo's environment; its standard output."""
        if show:
            self.tell.does(show)
        program = str(BIN / command[0]) if (BIN / command[0]).exists() else command[0]
        done = subprocess.run(
            [program, *command[1:]], env=self.env, cwd=self.folder, capture_output=True, text=True, input=stdin
        )
        if done.returncode not in codes:
            raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def kubectl(self, *arguments: str, show: bool = True) -> str:
        return self.run("kubectl", *arguments, show=f"kubectl {' '.join(arguments)}" if show else "")

    def kilde(self, *arguments: str, codes: tuple[int, ...] = (0,), show: bool = True) -> str:
        text = f"kilde {' '.join(arguments)}" if show else ""
        return self.run("kilde", *arguments, "--data-dir", str(self.data), show=text, codes=codes)

    def application(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.kubectl("get", "-n", "argocd", "app", name, "-o", "json", show=False))
        return found

    def commit(self, message: str) -> str:
        """Commits what changed and tells Kilde of the push, as a Git server's webhook would; the commit's id."""
        self.tell.does(f"git commit -am '{message}' && git push")
        for command in (("add", "-A"), ("commit", "-q", "-m", message), ("push", "-q", "origin", "main")):
            self.run("git", "-C", str(self.repo), *command)
        return self.pushed()

    def pushed(self) -> str:
        """Tells Kilde of a push; the commit's id."""
        sha = self.run("git", "-C", str(self.repo), "rev-parse", "HEAD").strip()
        body = json.dumps({"ref": "refs/heads/main", "repository": {"clone_url": self.url, "html_url": self.url}})
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/webhook",
            data=body.encode(),
            headers={"Content-Type": "application/json", "X-GitHub-Event": "push"},
        )
        urllib.request.urlopen(request, timeout=10).close()
        return sha

    @property
    def url(self) -> str:
        return f"file://{self.server}"

    @contextlib.contextmanager
    def up(self) -> Iterator[None]:
        """`kilde up`, until the block ends."""
        self.tell.does(f"kilde up --data-dir {self.data.name} &")
        log = (self.folder / "kilde.log").open("w")
        with (
            log,
            subprocess.Popen(
                [str(BIN / "kilde"), "up", "--data-dir", str(self.data), "--listen", f"127.0.0.1:{self.port}"],
                stdout=subprocess.PIPE,
                stderr=log,
                env=self.env,
                text=True,
            ) as process,
        ):
            try:
                assert process.stdout is not None
                for line in process.stdout:
                    if line.strip() == "ready":
                        break
                else:
                    raise SystemExit(f"kilde up did not start:\n{(self.folder / 'kilde.log').read_text()}")
                yield
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait(10)


def until(what: str, holds: Callable[[], Any]) -> float:
    """Seconds until something holds; ends the story if it never does."""
    begun = time.monotonic()
    while time.monotonic() - begun < PATIENCE:
        if holds():
            return time.monotonic() - begun
        time.sleep(0.02)
    raise SystemExit(f"this did not happen within {PATIENCE:.0f} s: {what}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
