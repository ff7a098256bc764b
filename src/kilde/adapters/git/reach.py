"""Reach: whether a Git server answers, how long that takes, and when a mirror of it was last fetched. Nothing is fetched here."""

import hashlib
import time
from pathlib import Path

from kilde.adapters.git.failures import unavailable
from kilde.adapters.git.process import Git
from kilde.adapters.git.store import MirrorStore
from kilde.adapters.git.transport import REMOTE, transport
from kilde.core.source.repository_url import RepositoryUrl
from kilde.ports.sources import Credentials


async def answers_in(git: Git, private: Path, url: RepositoryUrl, credentials: Credentials, *, seconds: float) -> float:
    """Seconds until the server has told where HEAD is, with these credentials. Raises SourceUnavailable."""
    with transport(url, credentials, private) as way:
        begun = time.perf_counter()
        done = await git.run(
            ["ls-remote", "--quiet", "--", REMOTE, "HEAD"],
            config=way.config,
            extra=way.extra,
            secrets=way.secrets,
            seconds=seconds,
        )
        passed = time.perf_counter() - begun
    if done.code:
        raise unavailable(done.error, url)
    return passed


def mirror_name(url: RepositoryUrl) -> str:
    """The name of a repository's mirror in the folder of mirrors."""
    return f"{url.slug}-{hashlib.sha256(url.key.encode()).hexdigest()[:16]}"


def fetched_at(folder: Path, url: RepositoryUrl) -> float | None:
    """When the mirror in this folder was last fetched well (seconds since the epoch); None if it never was."""
    return MirrorStore(folder, mirror_name(url)).looked_at()
