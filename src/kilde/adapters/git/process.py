"""Runs the git program: no shell, nothing of the user's or the machine's configuration, bounded in time, output and file size."""

import asyncio
import contextlib
import os
import re
import resource
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kilde.adapters.git.limits import Limits
from kilde.core.basics.errors import SourceUnavailable
from kilde.core.source.repository_url import redact

_STDERR_BYTES = 64 * 1024
_OLDEST = (2, 36)
_GRACE_SECONDS = 2.0  # git removes its lock files when it is asked to end

# Of our own environment only these reach git: where programs, certificates and proxies are.
_ALLOWED = (
    "PATH", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "LD_LIBRARY_PATH",
    "http_proxy", "https_proxy", "all_proxy", "no_proxy", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
)  # fmt: skip

_SAFE_CONFIG = (
    ("core.hooksPath", "/dev/null"),
    ("core.fsmonitor", "false"),
    ("core.attributesFile", "/dev/null"),
    ("core.askPass", ""),
    ("credential.helper", ""),
    ("protocol.version", "2"),
    ("http.followRedirects", "false"),
    ("fetch.recurseSubmodules", "false"),
    ("submodule.recurse", "false"),
    ("fetch.writeCommitGraph", "false"),
    ("transfer.bundleURI", "false"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("core.pager", "cat"),
)


@dataclass(frozen=True, slots=True)
class Finished:
    """How a command ended. `error` is its standard error with every credential taken out."""

    code: int
    output: bytes
    error: str


def environment(
    home: Path, *, config: Sequence[tuple[str, str]] = (), extra: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The whole environment of a git process. `config` is handed over in it, so that it never shows among the arguments."""
    env = {name: os.environ[name] for name in _ALLOWED if name in os.environ}
    env |= {
        "HOME": str(home),
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "/bin/false",
        "SSH_ASKPASS": "/bin/false",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ALLOW_PROTOCOL": "",
        "GIT_PROTOCOL_FROM_USER": "0",
        "GIT_SSH_COMMAND": "/bin/false",
    }
    for number, (name, value) in enumerate((*_SAFE_CONFIG, *config)):
        env[f"GIT_CONFIG_KEY_{number}"], env[f"GIT_CONFIG_VALUE_{number}"] = name, value
    env["GIT_CONFIG_COUNT"] = str(len(_SAFE_CONFIG) + len(config))
    return env | dict(extra or {})


# What ties git to a repository of the caller's; `git rev-parse --local-env-vars` lists them.
_LOCAL_VARIABLES = (
    "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_CONFIG", "GIT_CONFIG_PARAMETERS", "GIT_OBJECT_DIRECTORY", "GIT_DIR",
    "GIT_WORK_TREE", "GIT_IMPLICIT_WORK_TREE", "GIT_GRAFT_FILE", "GIT_INDEX_FILE", "GIT_NO_REPLACE_OBJECTS",
    "GIT_REPLACE_REF_BASE", "GIT_PREFIX", "GIT_SHALLOW_FILE", "GIT_COMMON_DIR", "GIT_INTERNAL_SUPER_PREFIX",
)  # fmt: skip
_SAFE_FOR_USERS = ("core.hooksPath", "core.fsmonitor", "fetch.recurseSubmodules", "submodule.recurse", "gc.auto",
                   "transfer.bundleURI", "maintenance.auto")  # fmt: skip


def users_environment(
    *, config: Sequence[tuple[str, str]] = (), extra: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The environment of a git that acts for the person at the keyboard: own keys, helpers and configuration; no hooks, no prompts."""
    env = {name: value for name, value in os.environ.items() if name not in _LOCAL_VARIABLES}
    env |= {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"}
    given = env.get("GIT_CONFIG_COUNT", "")
    before = int(given) if given.isdigit() else 0
    pairs = [*((name, value) for name, value in _SAFE_CONFIG if name in _SAFE_FOR_USERS), *config]
    for number, (name, value) in enumerate(pairs, before):
        env[f"GIT_CONFIG_KEY_{number}"], env[f"GIT_CONFIG_VALUE_{number}"] = name, value
    env["GIT_CONFIG_COUNT"] = str(before + len(pairs))
    return env | dict(extra or {})


class Git:
    """The git program, for short commands that end. `home` is an empty folder of ours.

    `users`: it acts for the person who runs this program, with what that person has set up, and not for a controller.

    Who fetches takes one of the `slots`: a thousand repositories are not a thousand processes.
    """

    def __init__(self, home: Path, limits: Limits, *, program: str = "git", users: bool = False) -> None:
        self.home, self.limits, self.program, self.users = home, limits, program, users
        self.slots = asyncio.Semaphore(limits.parallel_fetches)

    async def run(
        self,
        arguments: Sequence[str],
        *,
        config: Sequence[tuple[str, str]] = (),
        extra: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        seconds: float | None = None,
        secrets: Sequence[str] = (),
    ) -> Finished:
        """Runs `git …` to its end, however it ends. Raises SourceUnavailable when it cannot start, takes too long or prints too much."""
        limit = self.limits.command_seconds if seconds is None else seconds
        own = users_environment(config=config, extra=extra)
        env = own if self.users else environment(self.home, config=config, extra=extra)
        try:
            process = await asyncio.create_subprocess_exec(
                self.program, *arguments, env=env, cwd=self.home, start_new_session=True,
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            )  # fmt: skip
        except OSError as error:
            raise SourceUnavailable(
                f"the program '{self.program}' cannot be started: {error.strerror}", hint="install git"
            ) from error
        _bound_files(process.pid, self.limits.pack_bytes)
        try:
            async with asyncio.timeout(limit):
                output, stderr = await _converse(process, stdin, self.limits.output_bytes)
        except TimeoutError:
            raise SourceUnavailable(f"git {arguments_name(arguments)} did not end within {limit:g} s") from None
        finally:
            await _end(process)
        if len(output) > self.limits.output_bytes:
            raise SourceUnavailable(
                f"git {arguments_name(arguments)} printed more than {self.limits.output_bytes} bytes"
            )
        return Finished(process.returncode or 0, output, redact(stderr.decode("utf-8", "replace"), secrets))

    async def check_version(self) -> None:
        """Raises SourceUnavailable when the program is older than what we ask of it (`cat-file --batch-command`)."""
        done = await self.run(["version"])
        match = re.search(rb"version (\d+)\.(\d+)", done.output)
        if match is None or (int(match[1]), int(match[2])) < _OLDEST:
            said = done.output.decode("utf-8", "replace").strip()[:60]
            raise SourceUnavailable(
                f"the program '{self.program}' is too old or is not git: '{said}'", hint="install git 2.36 or newer"
            )


def arguments_name(arguments: Sequence[str]) -> str:
    """The subcommand, for a message."""
    return next((one for one in arguments if not one.startswith("-")), "")


async def _converse(process: asyncio.subprocess.Process, stdin: bytes, output_bytes: int) -> tuple[bytes, bytes]:
    """Feeds and drains at once. Too much output ends the process; the caller sees it by the length."""
    assert process.stdout is not None
    assert process.stderr is not None
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_feed(process, stdin))
        output = tasks.create_task(_drain(process, process.stdout, output_bytes, fatal=True))
        error = tasks.create_task(_drain(process, process.stderr, _STDERR_BYTES, fatal=False))
    await process.wait()
    return output.result(), error.result()


async def _feed(process: asyncio.subprocess.Process, stdin: bytes) -> None:
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        if stdin:
            process.stdin.write(stdin)
            await process.stdin.drain()
        process.stdin.close()
        await process.stdin.wait_closed()


async def _drain(process: asyncio.subprocess.Process, stream: asyncio.StreamReader, most: int, *, fatal: bool) -> bytes:
    """Reads to the end, keeps `most` bytes and one; past that it ends the process if that is `fatal`."""
    kept = bytearray()
    while chunk := await stream.read(65_536):
        if len(kept) <= most:
            kept += chunk[: most + 1 - len(kept)]
        elif fatal:
            _signal(process, signal.SIGKILL)
    return bytes(kept)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Ends the process and all it started (ssh, git-remote-https, index-pack), if any of it still runs, and reaps it."""
    streams = [stream for stream in (process.stdout, process.stderr) if stream is not None]
    if process.returncode is not None and all(stream.at_eof() for stream in streams):
        return
    for kind, patience in ((signal.SIGTERM, _GRACE_SECONDS), (signal.SIGKILL, 10.0)):
        _signal(process, kind)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                for stream in streams:
                    while await stream.read(65_536):
                        pass
                await process.wait()
                return


def _signal(process: asyncio.subprocess.Process, kind: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, kind)


def _bound_files(pid: int, most: int) -> None:
    """No file that git or its children write may grow past `most` bytes (they end with SIGXFSZ), and none dumps its core."""
    with contextlib.suppress(ProcessLookupError, PermissionError, ValueError):
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, most))
        resource.prlimit(pid, resource.RLIMIT_CORE, (0, 0))
