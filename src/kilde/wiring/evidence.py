"""What the ledger's operations were made of, from the controller's mirrors: commits in bundles, and renders made anew."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path

from kilde.adapters.clock import SystemClock
from kilde.adapters.git.sources import GitSources
from kilde.core.basics.errors import SourceError
from kilde.core.ledger.operation import OperationView
from kilde.engine.records.rebuild import Rebuilt, rebuild


def bundle_commits(data_dir: Path) -> Callable[[set[tuple[str, str]], Path], dict[str, set[str]]]:
    """What writes (repository, commit)s into Git bundles, from the controller's mirrors; a file of a bundle → the commits in it."""

    async def write(commits: set[tuple[str, str]], folder: Path) -> dict[str, set[str]]:
        held: dict[str, set[str]] = {}
        sources = GitSources(data_dir / "git", clock=SystemClock())
        try:
            for number, url in enumerate(sorted({url for url, _ in commits}), 1):
                shas = frozenset(sha for where, sha in commits if where == url)
                name = f"{number}.bundle"
                with contextlib.suppress(
                    SourceError
                ):  # a mirror that is damaged, or of what is no URL: told as missing
                    held[name] = set(await sources.bundle(url, shas, folder / name))
        finally:
            await sources.close()
        return held

    return lambda commits, folder: asyncio.run(write(commits, folder))


async def rebuild_all(data_dir: Path, views: Sequence[OperationView]) -> list[Rebuilt]:
    """What each operation applied, from the controller's mirrors; nothing is fetched."""
    sources = GitSources(data_dir / "git", clock=SystemClock())
    try:
        return [await rebuild(sources, view) for view in views]
    finally:
        await sources.close()
