"""What the Applications of a cluster watch: each repository at each target revision, and the files there; for `kilde secrets`."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from kilde.adapters.clock import SystemClock
from kilde.core.apps.application import Application, read_application
from kilde.core.basics.errors import LimitExceeded, SourceError
from kilde.core.basics.values import Object
from kilde.core.secrets.surveying import ENDINGS, LARGEST, Survey, survey
from kilde.core.source.credentials import choose
from kilde.core.source.repository_url import redact
from kilde.core.source.tree import EntryKind, Tree
from kilde.engine.fleet.applications import CONFIG_MAPS, CREDENTIALS_SELECTOR, SECRETS
from kilde.engine.fleet.listing import every_application
from kilde.engine.sealing.opener import SEALED_SECRETS
from kilde.wiring.cluster import open_cluster
from kilde.wiring.sourcing import open_sources

_Branches = dict[
    tuple[str, str, str], dict[str, None]
]  # project, URL and target revision → namespaces that are deployed to


@dataclass(slots=True)
class Watched:
    """`branches`: what was looked at, and found; `live`: the SealedSecrets of the cluster; `problems`: what could not be looked at."""

    branches: dict[str, Survey] = field(default_factory=dict)
    live: list[Object] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


async def watched(
    kubeconfig: Path | None, *, context: str, namespace: str, data_dir: Path, others: str = ""
) -> Watched:
    """All that a sealing key may be needed for. `others`: where else Applications may be, else they are looked for in all namespaces.

    KildeError where the cluster does not answer.
    """
    cluster = open_cluster(kubeconfig, context=context)
    sources = open_sources(data_dir, "git-cli", SystemClock())
    found = Watched()
    try:
        raw, unseen = await every_application(cluster, namespace, others)
        found.problems += [unseen] if unseen else []
        branches = _branches([read_application(msgspec.json.decode(each)) for each in raw], found.problems)
        secrets = await cluster.list(SECRETS, namespace, label_selector=CREDENTIALS_SELECTOR)
        maps = await cluster.list(CONFIG_MAPS, namespace)
        holders = [msgspec.json.decode(each) for each in secrets], [msgspec.json.decode(each) for each in maps]
        for (project, url, revision), namespaces in branches.items():
            about = f"{redact(url)} at {revision or 'HEAD'}"
            try:
                await sources.fetch(url, choose(url, *holders, project=project))
                tree = await sources.tree(url, await sources.resolve(url, revision))
                found.branches[about] = await asyncio.to_thread(
                    survey, _files(tree, about, found.problems), namespaces=namespaces
                )
            except (SourceError, LimitExceeded) as error:
                found.problems.append(f"{about}: {error.what}")
        found.live = [msgspec.json.decode(each) for each in await cluster.list(SEALED_SECRETS)]
    finally:
        await sources.close()
        await cluster.close()
    return found


def _branches(apps: list[Application], problems: list[str]) -> _Branches:
    found: _Branches = {}
    for app in apps:
        if not app.sources:
            problems.append(f"Application {app.place}: {'; '.join(app.problems) or 'has no source'}")
            continue
        for source in app.sources:
            spaces = found.setdefault((app.project, source.url, source.target_revision), {})
            spaces |= {app.destination.namespace: None} if app.destination.namespace else {}
    return found


def _files(tree: Tree, about: str, problems: list[str]) -> Iterator[tuple[str, bytes]]:
    """Every file of a revision that may hold a SealedSecret: all of them, as a base lies outside of an application's folder."""
    ahead = [""]
    while ahead:
        folder = ahead.pop()
        for entry in tree.list(folder):
            path = f"{folder}/{entry.name}" if folder else entry.name
            if entry.kind is EntryKind.FOLDER:
                ahead.append(path)
            elif entry.kind is EntryKind.FILE and path.endswith(ENDINGS):
                if entry.size > LARGEST:
                    problems.append(f"{about}: {path}: is larger than {LARGEST >> 20} MiB")
                    continue
                yield path, tree.read(path)
