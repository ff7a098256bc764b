"""What the doctor looks at of Git: credentials, known hosts, the secrets of webhooks, and each server as it answers from here."""

import asyncio
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import msgspec

from kilde.adapters.clock import SystemClock
from kilde.adapters.cluster.client import KubeCluster
from kilde.adapters.git.limits import Limits
from kilde.adapters.git.process import Git
from kilde.adapters.git.reach import answers_in, fetched_at
from kilde.adapters.github_apps import GitHubApps
from kilde.core.apps.application import read_application
from kilde.core.basics.errors import InvalidInput, SourceError
from kilde.core.basics.values import Object
from kilde.core.doctor.finding import Finding
from kilde.core.doctor.git_servers import MOST, Contact, judge_contacts
from kilde.core.doctor.known_hosts import key_types
from kilde.core.doctor.receiver import judge_secrets
from kilde.core.doctor.repositories import judge_credentials
from kilde.core.source.chart_place import parse_place
from kilde.core.source.credentials import KNOWN_HOSTS, choose, opened_by
from kilde.core.source.repository_url import RepositoryUrl, Scheme, parse
from kilde.core.source.webhook_signature import SECRET_NAME, webhook_secrets
from kilde.engine.fleet.applications import APPLICATIONS, CONFIG_MAPS, CREDENTIALS_SELECTOR, SECRETS
from kilde.wiring.looking import holders_of
from kilde.wiring.sourcing import open_github_apps

_PATIENCE = 20.0  # seconds for a server to answer
_AT_ONCE = 8


async def look_at_credentials(cluster: KubeCluster, namespace: str) -> list[Finding]:
    """What is careless about credentials of repositories, and who may send webhooks. ClusterError."""
    listed = await cluster.list(SECRETS, namespace, label_selector=CREDENTIALS_SELECTOR)
    raw = await cluster.get(CONFIG_MAPS, namespace, KNOWN_HOSTS)
    found = judge_credentials(
        [msgspec.json.decode(each) for each in listed], known_hosts=msgspec.json.decode(raw) if raw else None
    )
    secret = await cluster.get(SECRETS, namespace, SECRET_NAME)
    return [*found, judge_secrets(tuple(webhook_secrets(msgspec.json.decode(secret) if secret else None)))]


async def look_at_servers(cluster: KubeCluster, namespace: str, mirrors: Path) -> list[Finding]:
    """Each Git repository that an Application names is asked where its HEAD is. ClusterError."""
    wanted: dict[str, str] = {}
    if (await cluster.discovery()).resource(APPLICATIONS.group, APPLICATIONS.kind) is None:
        return []
    for raw in await cluster.list(APPLICATIONS, namespace):
        app = read_application(msgspec.json.decode(raw))
        for source in app.sources:
            if source.url and parse_place(source.url) is None:
                wanted.setdefault(source.url, app.project)
    secrets, maps = await holders_of(cluster, namespace)
    with tempfile.TemporaryDirectory(prefix="kilde-doctor-") as folder:
        apps = open_github_apps(SystemClock())
        asker = _Asker(Path(folder), mirrors, secrets, maps, apps)
        asked = sorted(wanted.items())
        try:
            contacts = await asyncio.gather(*(asker.contact(url, project) for url, project in asked[:MOST]))
        finally:
            await apps.close()
    return judge_contacts(contacts, left_out=max(0, len(asked) - MOST))


class _Asker:
    """Asks one server after the other, a few at once, with what the Secrets and ConfigMaps give for it."""

    def __init__(
        self, folder: Path, mirrors: Path, secrets: list[Object], maps: list[Object], apps: GitHubApps
    ) -> None:
        self._folder, self._mirrors, self._secrets, self._maps, self._apps = folder, mirrors, secrets, maps, apps
        self._git = Git(folder, Limits())
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def contact(self, text: str, project: str) -> Contact:
        """How it went; nothing is raised."""
        try:
            url = parse(text)
        except InvalidInput as error:
            return Contact(url=error.about or "?", seconds=None, failure=error.what, hint=error.hint)
        known = fetched_at(self._mirrors, url)
        fetched = None if known is None else max(0.0, time.time() - known)
        hosts = self._known_hosts(url)
        opened: tuple[str, ...] = ()
        try:
            opened = opened_by(text, self._secrets, project)
            chosen = choose(text, self._secrets, self._maps, project=project)
            async with self._slots:
                chosen = await self._apps.opened(text, chosen)
                seconds = await answers_in(self._git, self._folder, url, chosen, seconds=_PATIENCE)
        except SourceError as error:
            failed = Contact(url=str(url), seconds=None, failure=error.what, hint=error.hint)
            return replace(failed, opened_by=opened, known_hosts=hosts, fetched=fetched)
        return Contact(url=str(url), seconds=seconds, opened_by=opened, known_hosts=hosts, fetched=fetched)

    def _known_hosts(self, url: RepositoryUrl) -> tuple[str, ...] | None:
        if url.scheme is not Scheme.SSH:
            return None
        data: Mapping[str, str] = next(
            (each.get("data") or {} for each in self._maps if each["metadata"].get("name") == KNOWN_HOSTS), {}
        )
        return key_types(str(data.get("ssh_known_hosts", "")), url.host.strip("[]"), url.port or 22)
