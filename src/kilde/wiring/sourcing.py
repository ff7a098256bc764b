"""AllSources: Git repositories and charts behind one port; which it is, a source's word tells."""

import os
from pathlib import Path

from kilde.adapters.aws.identities import AwsIdentities
from kilde.adapters.charts.downloads import WebDownloads
from kilde.adapters.charts.limits import ChartLimits
from kilde.adapters.charts.sources import ChartSources
from kilde.adapters.git.sources import GitSources
from kilde.adapters.github_apps import GitHubApps
from kilde.adapters.web_client import WebClient
from kilde.core.basics.errors import SourceUnavailable
from kilde.core.source.chart_place import parse_place
from kilde.core.source.revert import Revert
from kilde.core.source.revision import Revision
from kilde.core.source.signature import Signature, Signers
from kilde.core.source.tree import Tree
from kilde.ports.clock import Clock
from kilde.ports.sources import Credentials, Sources


class AllSources:
    """Keeps the promises of ports.sources by handing each question to the adapter that it is for, with what opens the repository."""

    def __init__(self, git: Sources, charts: Sources, apps: GitHubApps) -> None:
        self._git, self._charts, self._apps = git, charts, apps

    def _of(self, url: str) -> Sources:
        return self._git if parse_place(url) is None else self._charts

    async def fetch(self, url: str, credentials: Credentials) -> None:
        try:
            await self._of(url).fetch(url, await self.opened(url, credentials))
        except SourceUnavailable:
            self._apps.forget(credentials)
            raise

    async def opened(self, url: str, credentials: Credentials) -> Credentials:
        """What git itself can be given. Raises SourceUnavailable."""
        return credentials if parse_place(url) else await self._apps.opened(url, credentials)

    async def resolve(self, url: str, revision: str, *, tag_prefix: str = "") -> str:
        return await self._of(url).resolve(url, revision, tag_prefix=tag_prefix)

    async def revision(self, url: str, sha: str) -> Revision:
        return await self._of(url).revision(url, sha)

    async def tree(self, url: str, sha: str) -> Tree:
        return await self._of(url).tree(url, sha)

    async def changed_paths(self, url: str, old: str, new: str) -> frozenset[str] | None:
        return await self._of(url).changed_paths(url, old, new)

    async def signature(self, url: str, sha: str, signers: Signers) -> Signature:
        return await self._of(url).signature(url, sha, signers)

    async def push_revert(self, url: str, credentials: Credentials, wanted: Revert) -> str:
        return await self._of(url).push_revert(url, await self.opened(url, credentials), wanted)

    async def close(self) -> None:
        await self._git.close()
        await self._charts.close()
        await self._apps.close()


def open_sources(data_dir: Path, git: str, clock: Clock) -> AllSources:
    """Mirrors below `git` of the data directory, archives of charts beside them."""
    return AllSources(
        GitSources(data_dir / git, clock=clock),
        ChartSources(data_dir / "charts", limits=_limits()),
        open_github_apps(clock),
    )


def open_github_apps(clock: Clock) -> GitHubApps:
    return GitHubApps(WebClient(AwsIdentities(clock, os.environ)), clock)


def open_downloads() -> WebDownloads:
    """Files of values at addresses."""
    return WebDownloads(_limits())


def _limits() -> ChartLimits:
    return ChartLimits(link_local=os.environ.get("KILDE_LINK_LOCAL", "") == "allowed")
