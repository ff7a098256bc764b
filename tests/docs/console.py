"""Plays a manual page: its console blocks are run in order, in a folder of their own, and what they print is compared.

A block's words after ```console say where it runs: `second-terminal` (started, left running once it has printed what is shown) and
`own-cluster` (against a real control plane). Lines that begin with `$ ` are commands, the others what they print: `…` stands for any
text within a line, a line that is only `…` for any lines. A command ends with 0, unless the next one is `echo $?`. What stands after
```yaml NAME is a file of that name, and there from the beginning.
"""

import contextlib
import os
import re
import select
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from e2e.stage import BIN, free_port
from warm.program import warm_kilde

PATIENCE = 90.0
_BLOCK = re.compile(r"^```console([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"^```yaml (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_DETACHED = re.compile(r"^kilde cluster\b(?=.*--detach).*?(--data-dir \S+|--name \S+)")
_END = "\x1eended with "


@dataclass(frozen=True, slots=True)
class Step:
    """One command, what is shown below it, and how it may end."""

    command: str
    shown: tuple[str, ...]
    may_fail: bool
    in_background: bool


def steps(text: str, *, own_cluster: bool) -> list[Step]:
    """The commands of the blocks for one kind of cluster, in order."""
    found: list[Step] = []
    for words, block in _BLOCK.findall(text):
        if ("own-cluster" in words) is not own_cluster:
            continue
        parts = re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
        for part, after in zip(parts, [*parts[1:], ""], strict=True):
            command, *shown = part.rstrip("\n").split("\n")
            found.append(Step(command, tuple(shown), after.startswith("echo $?"), "second-terminal" in words))
    return found


def is_as_shown(printed: str, shown: tuple[str, ...]) -> bool:
    """Whether an output is what the page shows of it; how many blanks separate or follow words does not count."""
    pattern = ""
    for line in shown:
        if line.strip() == "…":
            pattern += r"(?:[^\n]*\n)*?"
        else:
            pattern += r"[^\n]*".join(map(re.escape, _narrow(line).split("…"))) + r"\n"
    text = "".join(f"{_narrow(line)}\n" for line in printed.splitlines())
    return re.fullmatch(pattern, text) is not None


def _narrow(line: str) -> str:
    """The line with one blank between words, its indentation kept."""
    return re.sub(r"(?<=\S) {2,}", " ", line.rstrip())


class Terminal:
    """A shell in a folder, and programs beside it that run until the end."""

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        self._folder, self._env = folder, env
        self._listen = f"127.0.0.1:{free_port()}"  # so that the test runs beside a Kilde of somebody's
        self._shell = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=folder,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self._background: list[subprocess.Popen[bytes]] = []
        self._detached: list[list[str]] = []

    def save(self, text: str) -> None:
        """Writes the files that a page shows."""
        for name, content in _FILE.findall(text):
            (self._folder / name).write_text(content)

    def run(self, command: str) -> tuple[str, int]:
        """What a command prints, both outputs together, and its exit code."""
        assert self._shell.stdin is not None
        if found := _DETACHED.match(command):
            self._detached.append(found[1].removeprefix("--name ").split())
        self._shell.stdin.write(f"{command}\ncode=$?; printf '{_END}%d\\n' $code; (exit $code)\n".encode())
        self._shell.stdin.flush()
        printed = _read(self._shell, until=re.compile(re.escape(_END.encode()) + rb"\d+\n"))
        text, _, code = printed.decode().rpartition(_END)
        return text, int(code)

    def start(self, command: str, shown: tuple[str, ...]) -> str:
        """Starts a program that lasts, and waits until it has printed as many lines as are shown."""
        line = f"exec {command} --listen {self._listen}"
        process = subprocess.Popen(
            ["bash", "-c", line], cwd=self._folder, env=self._env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self._background.append(process)
        return _read(process, until=re.compile(rb"(?:[^\n]*\n){%d}" % len(shown))).decode()

    def close(self) -> list[int]:
        """Ends everything, the second terminal as by Ctrl-C; how that ended."""
        with self._shell:
            assert self._shell.stdin is not None
            self._shell.stdin.close()
        for which in self._detached:  # a page whose story broke off has not stopped its clusters
            subprocess.run(
                ["kilde", "cluster", "stop", *which], cwd=self._folder, env=self._env, timeout=60, check=False
            )
        codes = []
        for process in self._background:
            with process:
                process.send_signal(signal.SIGINT)
                codes.append(process.wait(15))
        return codes


def _read(process: "subprocess.Popen[bytes]", until: "re.Pattern[bytes]") -> bytes:
    assert process.stdout is not None
    end = time.monotonic() + PATIENCE
    printed = b""
    while not until.search(printed):
        ready, _, _ = select.select([process.stdout], [], [], max(0.0, end - time.monotonic()))
        assert ready, f"nothing more within {PATIENCE:.0f} s: {printed.decode()}"
        piece = os.read(process.stdout.fileno(), 65536)
        assert piece, f"it ended: {printed.decode()}"
        printed += piece
    return printed


@contextlib.contextmanager
def terminal(folder: Path, *, ends: tuple[int, ...] = ()) -> Iterator[Terminal]:
    """A terminal as a new user has it: a home without anything in it, this Kilde and its kubectl on the path.

    `ends`: the exit codes of what ends by itself in the second one.
    """
    home = folder / "home"
    env = {
        "PATH": f"{warm_kilde().parent}:{BIN}:{os.environ['PATH']}",
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
        **{f"GIT_{who}_{what}": "ann@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }
    (home / ".kube").mkdir(parents=True)
    (folder / "try-kilde").mkdir()
    one = Terminal(folder / "try-kilde", env)
    try:
        yield one
    finally:
        codes = one.close()
    assert [code for code in codes if code] == list(ends)


def play(one: Terminal, story: list[Step]) -> None:
    for step in story:
        if step.in_background:
            assert is_as_shown(one.start(step.command, step.shown), step.shown), step
            continue
        printed, code = one.run(step.command)
        assert step.may_fail or code == 0, f"$ {step.command}\n{printed}ended with {code}"
        assert is_as_shown(printed, step.shown), f"$ {step.command}\n{printed}--- but the page shows\n" + "\n".join(
            step.shown
        )
