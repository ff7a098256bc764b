"""What commands need that look at one application beside a running controller: mirrors of their own, the same eyes."""

import contextlib
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path

import msgspec

from kilde.adapters.clock import SystemClock
from kilde.adapters.cluster.client import KubeCluster
from kilde.adapters.folder import FolderTree
from kilde.adapters.keys.age import unwrapper
from kilde.core.access.project import read_project
from kilde.core.apps.application import Application, read_application
from kilde.core.apps.local import local_manifests
from kilde.core.apps.names import place_of
from kilde.core.apps.quarantine import Quarantine
from kilde.core.apps.source_blocks import check_scheme
from kilde.core.apps.source_overrides import overridden
from kilde.core.basics.errors import ClusterError, InvalidInput, KildeError, LedgerError
from kilde.core.basics.values import Object
from kilde.core.objects.manifest import refuse_mistakes
from kilde.core.objects.yaml_writer import write_document
from kilde.core.render import render
from kilde.core.render.kustomize.settings import KustomizeSettings, read_kustomize_settings
from kilde.core.source.credentials import choose, named_repository
from kilde.engine.beside.inspect import Differences, Drift, diff_application, drift_of, plan_quarantine, plan_rollback
from kilde.engine.beside.looking import Eyes, surroundings
from kilde.engine.beside.why import Answer, why_application
from kilde.engine.fleet.applications import APPLICATIONS, CONFIG_MAPS, CREDENTIALS_SELECTOR, SECRETS
from kilde.engine.fleet.projects import DEFAULT_PROJECT, PROJECTS
from kilde.engine.records.accounts import Accounts
from kilde.engine.sources.sops import SopsKeys, decrypter
from kilde.ports.downloads import Downloads
from kilde.wiring.cluster import open_cluster
from kilde.wiring.ledgers import existing_ledger
from kilde.wiring.programs import programs
from kilde.wiring.reaching import destinations
from kilde.wiring.settings import LookSettings
from kilde.wiring.sourcing import open_downloads, open_sources
from kilde.wiring.vault import open_vault

Render = Callable[[Object, Path], tuple[str, ...]]  # an Application, a folder → its objects as JSON


@contextlib.asynccontextmanager
async def _looking(settings: LookSettings, name: str) -> AsyncIterator[tuple[KubeCluster, Eyes, Application]]:
    """What a command needs to look at one application beside a running controller: mirrors of its own, the same eyes."""
    clock = SystemClock()
    cluster = open_cluster(settings.kubeconfig, context=settings.context)
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    sources = open_sources(settings.data_dir, "git-cli", clock)
    downloads, stack = open_downloads(), contextlib.AsyncExitStack()
    try:
        place = place_of(name, settings.namespace)
        raw = await cluster.get(APPLICATIONS, *place)
        if raw is None:
            raise KildeError("there is no such application", about="/".join(place), hint="kilde app list")
        there = await stack.enter_async_context(destinations(cluster, settings.namespace))
        app = read_application(msgspec.json.decode(raw), there.clusters, home=settings.namespace)
        secrets, maps = await holders_of(cluster, settings.namespace)
        permits, allows_raw = await _project(cluster, settings.namespace, app.project)
        eyes = Eyes(
            sources=sources,
            credentials=lambda url: choose(url, secrets, maps, project=app.project),
            named=lambda name: named_repository(name, secrets, app.project),
            kustomize=kustomize_of(maps),
            programs=programs(),
            cluster=there.of(app),
            download=partial(download_values, cluster, settings.namespace, downloads),
            permits=permits,
            allows_raw=allows_raw,
        )
        yield cluster, eyes, app
    finally:
        await stack.aclose()
        await downloads.close()
        await sources.close()
        await cluster.close()


async def download_values(cluster: KubeCluster, namespace: str, downloads: Downloads, url: str) -> bytes:
    """A file of values, where argocd-cm allows its protocol."""
    raw = await cluster.get(CONFIG_MAPS, namespace, "argocd-cm")
    check_scheme(url, (msgspec.json.decode(raw).get("data") or {}) if raw else {})
    return await downloads.get(url)


async def _project(cluster: KubeCluster, namespace: str, name: str) -> tuple[Callable[[str], bool], bool]:
    """Which repositories the application's project permits, and whether Secrets in plain text; nothing where it cannot be read."""
    try:
        raw = await cluster.get(PROJECTS, namespace, name)
    except ClusterError:
        return lambda url: False, False
    if raw is None:
        return lambda url: name == DEFAULT_PROJECT, False
    project = read_project(msgspec.json.decode(raw))
    return project.permits_repository, project.raw_secrets


async def holders_of(cluster: KubeCluster, namespace: str) -> tuple[list[Object], list[Object]]:
    """Secrets and ConfigMaps; none without the right to read them: public repositories still work."""
    try:
        secrets = await cluster.list(SECRETS, namespace, label_selector=CREDENTIALS_SELECTOR)
        maps = await cluster.list(CONFIG_MAPS, namespace)
    except ClusterError as error:
        if error.status != 403:
            raise
        return [], []
    return [msgspec.json.decode(raw) for raw in secrets], [msgspec.json.decode(raw) for raw in maps]


def kustomize_of(maps: Iterable[Object]) -> KustomizeSettings:
    """What argocd-cm says of kustomize."""
    found = next((one for one in maps if one["metadata"]["name"] == "argocd-cm"), {})
    return read_kustomize_settings(found.get("data") or {})


def rendered_here(app: Object, folder: Path, kustomize: KustomizeSettings) -> tuple[str, ...]:
    """The objects of a folder on this disk as JSON, rendered as the application's source says. Raises KildeError."""
    read = read_application(app)
    if len(read.sources) != 1 or any(not problem.startswith("spec.destination: ") for problem in read.problems):
        raise InvalidInput("local manifests need an application with one source", about=str(read))
    place = folder.resolve()
    tree, path = FolderTree(place.anchor), place.relative_to(place.anchor).as_posix()
    source = overridden(tree, replace(read.sources[0], path=path), read.name).render
    outside = programs()._replace(plugins=None)  # one would be handed the whole disk
    made = render(tree, replace(source, path=path), outside=outside, around=surroundings(read, kustomize))
    refuse_mistakes(made.manifests)
    texts = tuple(msgspec.json.encode(manifest.body).decode() for manifest in made.manifests)
    local_manifests(texts)  # refuses here what the controller would refuse
    if not texts:
        raise InvalidInput("there is no Kubernetes object in it", about=str(folder))
    return texts


async def app_diff(settings: LookSettings, name: str, *, revision: str = "") -> Differences:
    """Every object that a sync would change. Raises KildeError."""
    async with _looking(settings, name) as (cluster, eyes, app):
        vault = open_vault(settings.vault) if settings.vault else None
        try:
            keys = SopsKeys(unwrapper, vault, settings.vault.sops if settings.vault else ())
            eyes = replace(eyes, sops=await decrypter(cluster, app, keys))
            return await diff_application(cluster, eyes, app, revision=revision, write=write_document)
        finally:
            if vault is not None:
                await vault.close()


async def app_why(settings: LookSettings, name: str, path: str, *, revision: str = "") -> Answer:
    """Whether and why a file touches an application. Raises KildeError."""
    async with _looking(settings, name) as (_, eyes, app):
        return await why_application(eyes, app, path, revision=revision)


async def app_rollback(
    settings: LookSettings, name: str, *, to: str = "", reason: str = "", author: str, by: str, dry_run: bool = False
) -> str:
    """Commits and pushes the way back; what was done (or would be), for people. Raises KildeError.

    The ledger of the data directory, where there is one, links the commit to what it puts back, why and by whom.
    """
    async with _looking(settings, name) as (_, eyes, app):
        url, plan = await plan_rollback(eyes, app, to=to, reason=reason, author=author)
        files = "".join(f"  {path}\n" for path in plan.paths)
        told = f"{plan.message.partition(chr(10))[0]}\nrestored on branch {plan.branch} as of {plan.to}:\n{files}"
        if dry_run:
            return f"{told}nothing was written (--dry-run)\n"
        made = await eyes.sources.push_revert(url, eyes.credentials(url), plan)
        _record_rollback(settings, app, f"{made} puts {name} back to {plan.to}" + (f": {reason}" if reason else ""), by)
        return f"{told}pushed as {made}\n"


def _record_rollback(settings: LookSettings, app: Application, message: str, by: str) -> None:
    clock = SystemClock()
    with contextlib.suppress(LedgerError), existing_ledger(settings.data_dir, clock) as (ledger, _):
        Accounts(ledger, clock).noted(app, cause="rollback", asked_by=by, phase="Succeeded", message=message)


async def app_quarantine(settings: LookSettings, name: str, *, to: str, reason: str, by: str) -> Quarantine:
    """The quarantine of what the branch has now; nothing is written. Raises KildeError."""
    async with _looking(settings, name) as (_, eyes, app):
        return await plan_quarantine(eyes, app, to=to, reason=reason, by=by)


async def app_drift(settings: LookSettings, name: str) -> tuple[Object, list[Drift], Render]:
    """The application as the cluster has it, what was changed by hand of what it wants, and how a folder is rendered. KildeError."""
    async with _looking(settings, name) as (cluster, eyes, app):
        raw = await cluster.get(APPLICATIONS, app.namespace, app.own_name)
        body: Object = msgspec.json.decode(raw) if raw else {}
        return body, await drift_of(cluster, eyes, app), partial(rendered_here, kustomize=eyes.kustomize)
