"""GitWitness: checkpoints on a ref of a repository, one commit each on top of the last; never forced, so that the server keeps all."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path

from kilde.adapters.git.failures import last_words, unavailable
from kilde.adapters.git.private import PrivateFolder
from kilde.adapters.git.process import Finished, Git
from kilde.adapters.git.transport import REMOTE, transport
from kilde.core.basics.errors import InvalidInput, SourceError
from kilde.core.source.refspec import is_ref_name
from kilde.core.source.repository_url import parse
from kilde.ports.clock import Clock
from kilde.ports.sources import Credentials

DEFAULT_REF = "refs/kilde/checkpoints"
_FILE = "checkpoint"
_LOCAL = "refs/kilde/witnessed"
_ATTEMPTS = 3
_MOVED = re.compile(r"fetch first|non-fast-forward|stale info|cannot lock ref|failed to update ref")


class GitWitness:
    """Keeps the promises of ports.witness in a bare repository of its own below `folder`, and in `ref` of the one at `url`."""

    def __init__(
        self,
        url: str,
        ref: str,
        folder: Path,
        *,
        git: Git,
        credentials: Callable[[], Awaitable[Credentials]],
        clock: Clock,
    ) -> None:
        """Raises InvalidInput for what is no URL or no ref."""
        self._url, self._ref, self._folder = parse(url), ref or DEFAULT_REF, folder
        if not self._ref.startswith("refs/") or not is_ref_name(self._ref):
            raise InvalidInput("this cannot be the name of a ref", about=self._ref, hint=f"such as {DEFAULT_REF}")
        self._git, self._credentials, self._clock = git, credentials, clock
        self._lock = asyncio.Lock()

    @property
    def name(self) -> str:
        return f"git {self._url} {self._ref}"

    async def publish(self, note: str, *, size: int) -> None:
        async with self._lock:
            for _ in range(_ATTEMPTS):
                tip = await self._fetch()
                if note in await self._history(tip):
                    return
                made = await self._commit(note, size, tip)
                done = await self._remote("push", "--porcelain", "--no-verify", "--", REMOTE, f"{made}:{self._ref}")
                if not done.code:
                    return
                if not _MOVED.search(done.output.decode("utf-8", "replace") + done.error):
                    break
        raise unavailable(done.error, self._url)

    async def notes(self) -> list[str]:
        async with self._lock:
            return await self._history(await self._fetch())

    async def _fetch(self) -> str:
        """The commit that the ref names now; "" where there is no such ref."""
        if not (self._folder / "HEAD").exists():
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            await self._run("init", "--quiet", "--bare", "--template=", str(self._folder))
        done = await self._remote(
            "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--force", "--", REMOTE, f"{self._ref}:{_LOCAL}"
        )
        if done.code:
            if "couldn't find remote ref" in done.error:
                return ""
            raise unavailable(done.error, self._url)
        return await self._run("rev-parse", "--verify", f"{_LOCAL}^{{commit}}")

    async def _history(self, tip: str) -> list[str]:
        """Every note that a commit of the ref holds."""
        if not tip:
            return []
        commits = (await self._run("rev-list", tip)).split()
        asked = "".join(f"{commit}:{_FILE}\n" for commit in commits).encode()
        done = await self._git.run([f"--git-dir={self._folder}", "cat-file", "--batch"], stdin=asked)
        if done.code:
            raise SourceError(f"git cat-file: {last_words(done.error)}", about=self.name)
        return list(_blobs(done.output))

    async def _commit(self, note: str, size: int, tip: str) -> str:
        blob = await self._run("hash-object", "-w", "--stdin", stdin=note.encode())
        tree = await self._run("mktree", stdin=f"100644 blob {blob}\t{_FILE}\n".encode())
        moment = f"{int(self._clock.now())} +0000"
        extra = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in
                 {"NAME": "kilde", "EMAIL": "kilde@localhost", "DATE": moment}.items()}  # fmt: skip
        parents = ["-p", tip] if tip else []
        return await self._run(
            "commit-tree", tree, *parents, stdin=f"Checkpoint of {size} records\n".encode(), extra=extra
        )

    async def _run(self, *arguments: str, stdin: bytes = b"", extra: dict[str, str] | None = None) -> str:
        where = [] if arguments[0] == "init" else [f"--git-dir={self._folder}"]
        done = await self._git.run([*where, *arguments], stdin=stdin, extra=extra)
        if done.code:
            raise SourceError(f"git {arguments[0]}: {last_words(done.error)}", about=self.name)
        return done.output.decode().strip()

    async def _remote(self, *arguments: str) -> Finished:
        credentials = await self._credentials()
        private = PrivateFolder(self._folder.with_name("private"))
        try:
            with transport(self._url, credentials, private.path) as way:
                return await self._git.run(
                    [f"--git-dir={self._folder}", *arguments],
                    config=way.config,
                    extra=way.extra,
                    secrets=way.secrets,
                    seconds=self._git.limits.fetch_seconds,
                )
        finally:
            private.close()


def _blobs(batch: bytes) -> list[str]:
    """What `git cat-file --batch` printed of blobs; others, and what is missing, are passed over."""
    found, at = [], 0
    while at < len(batch):
        end = batch.index(b"\n", at)
        words = batch[at:end].split(b" ")
        at = end + 1
        if len(words) == 3 and words[2].isdigit():
            size = int(words[2])
            if words[1] == b"blob":
                found.append(batch[at : at + size].decode("utf-8", "replace"))
            at += size + 1
    return found
