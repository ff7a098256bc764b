"""What `kilde plan` and `kilde apply` need: the cluster, mirrors of their own, and what renders have read, kept beside those."""

import contextlib
import os
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from kilde.adapters.charts.images import read_auths
from kilde.adapters.clock import SystemClock
from kilde.adapters.keys.age import unwrapper
from kilde.adapters.store.key_file import KeyFile
from kilde.core.apps.application import Application, read_application
from kilde.core.apps.clusters import Clusters
from kilde.core.apps.names import instance_name, place_of
from kilde.core.basics.errors import KildeError
from kilde.core.basics.moment import rfc3339
from kilde.core.basics.values import Object
from kilde.core.health.assess import assess
from kilde.core.ledger.checkpoint import PublicKey
from kilde.core.objects.yaml_writer import write_document
from kilde.core.plan.budget import DEFAULT, FLEET_DEFAULT, Budget, FleetBudget
from kilde.core.preview.model import AppPlan, Preview
from kilde.core.preview.saved import plan_key
from kilde.core.source.credentials import choose, named_repository
from kilde.engine.beside.comparing import comparer
from kilde.engine.beside.looking import served_by
from kilde.engine.fleet.listing import list_applications
from kilde.engine.fleet.projects import Projects
from kilde.engine.preview.application import Bench
from kilde.engine.preview.fleet import Desk, Place, Progress, plan_fleet
from kilde.engine.preview.sides import Asked, Mirrors, Pinned, Resolver
from kilde.engine.preview.traces import Traces
from kilde.engine.sources.rendering import Renderer
from kilde.engine.sources.signatures import Signatures
from kilde.engine.sources.sops import SopsKeys
from kilde.ports.cluster import Cluster
from kilde.wiring.cluster import open_cluster
from kilde.wiring.looking import download_values, holders_of, kustomize_of
from kilde.wiring.plan_images import with_images
from kilde.wiring.programs import programs
from kilde.wiring.reaching import Destinations, destinations
from kilde.wiring.settings import LookSettings
from kilde.wiring.sourcing import open_downloads, open_sources

_TRACES = "traces"
_LARGEST = 256 << 20  # bytes of that file
_NO_IMAGES = "whether images are in their registries: ask for it with --check-images"
_IMAGES = "whether images that are new are in their registries, as these answer from here"
_NO_DRY_RUN = "what admission (webhooks, policies, quotas) will refuse: ask for it with --server-dry-run"
_DRY_RUN = "what the API server and its admission say to each write (dry run); not to deletions and hooks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judging:
    """What the controller was told, and what else is to be judged. `plain`: hosts of registries that are asked without TLS."""

    budget: Budget = DEFAULT
    fleet_budget: FleetBudget = FLEET_DEFAULT
    images: bool = False
    auths: Path | None = None
    plain: tuple[str, ...] = ()


_DEFAULTS = Judging()


@dataclass(frozen=True, slots=True)
class _Maps:
    config_maps: Mapping[str, Object]


async def make_plan(settings: LookSettings, asked: Asked, progress: Progress, judging: Judging) -> Preview:
    """The plan of these applications. Raises KildeError."""
    auths = read_auths(judging.auths) if judging.auths is not None else {}
    async with _desk(settings, asked, {}, judging) as desk:
        apps, fleet = await _applications(desk.cluster, desk.clusters, settings, asked.names)
        found = await plan_fleet(desk, apps, asked, progress, fleet)
        _keep(settings.data_dir / _TRACES, desk.traces.packed(found.keys))
        plans = await with_images(found.plans, auths, judging.plain) if judging.images else found.plans
        judged = (*((_DRY_RUN,) if asked.dry_run else ()), *((_IMAGES,) if judging.images else ()))
        left = (*(() if asked.dry_run else (_NO_DRY_RUN,)), *(() if judging.images else (_NO_IMAGES,)))
        return Preview(
            made_at=rfc3339(desk.now),
            cluster=f"{desk.where} ({_version(await desk.cluster.version())})",
            asked=asked.words,
            applications=plans,
            untouched=found.untouched,
            judged=judged,
            not_judged=left,
        )


async def plan_again(settings: LookSettings, saved: Iterable[AppPlan], progress: Progress) -> list[AppPlan]:
    """What these plans would be now, at the same commits. Raises KildeError; what is wrong with one application is in its plan."""
    plans = {plan.name: plan for plan in saved}
    asked = Asked(names=tuple(plans))
    async with _desk(settings, asked, plans) as desk:
        apps, fleet = await _applications(desk.cluster, desk.clusters, settings, asked.names)
        found = await plan_fleet(desk, apps, asked, progress, fleet)
    now = {plan.name: plan for plan in found.plans}
    return [now[name] for name in plans]


def signing_key(data_dir: Path) -> tuple[PublicKey, Callable[[bytes], bytes]]:
    """The key that plans are signed with here, made where there is none. Raises LedgerError."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = KeyFile(data_dir / "plan.key")
    return plan_key(key.public), key.sign


def known_key(data_dir: Path) -> PublicKey | None:
    """The verifier key of plans that were made here; None where none was."""
    path = data_dir / "plan.key"
    return plan_key(KeyFile(path, make=False).public) if path.exists() else None


@contextlib.asynccontextmanager
async def _desk(
    settings: LookSettings, asked: Asked, pinned: Mapping[str, AppPlan], judging: Judging = _DEFAULTS
) -> AsyncIterator[Desk]:
    clock = SystemClock()
    cluster = open_cluster(settings.kubeconfig, context=settings.context)
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    sources, downloads = open_sources(settings.data_dir, "git-cli", clock), open_downloads()
    stack = contextlib.AsyncExitStack()
    try:
        secrets, maps = await holders_of(cluster, settings.namespace)
        projects = Projects(cluster, settings.namespace, clock, lambda name: None)
        await projects.load()
        there = await stack.enter_async_context(destinations(cluster, settings.namespace))
        projects.clusters = there.clusters
        signatures = Signatures(sources, projects, _Maps({one["metadata"]["name"]: one for one in maps}))
        judges = {"projects": projects, "signatures": signatures, "budget": judging.budget}
        places = _Places(settings.namespace, cluster, there, judges, asked, clock.now())
        mirrors = Mirrors(sources, lambda url, project: choose(url, secrets, maps, project=project))
        with contextlib.closing(
            Renderer(
                sources,
                fetch=mirrors.fetch,
                allow_remote=projects.allows_remote,
                allow_chart=projects.allows_chart,
                named=lambda project, name: named_repository(name, secrets, project),
                programs=programs(),
                download=partial(download_values, cluster, settings.namespace, downloads),
                kustomize=kustomize_of(maps),
            )
        ) as renderer:
            yield Desk(
                cluster=cluster,
                clusters=there.clusters,
                where=urlsplit(cluster.access.server).netloc,
                now=places.now,
                projects=projects,
                place=places.of,
                fleet_budget=judging.fleet_budget,
                renderer=renderer,
                resolver=Pinned(mirrors, pinned) if pinned else Resolver(mirrors, asked),
                traces=Traces(_kept(settings.data_dir / _TRACES)),
                sops=SopsKeys(unwrapper),
            )
    finally:
        await stack.aclose()
        await downloads.close()
        await sources.close()
        await cluster.close()


class _Places:
    """The clusters that the applications of a plan deploy to, each looked at when the first one needs it."""

    def __init__(
        self, namespace: str, home: Cluster, there: Destinations, judges: Mapping[str, Any], asked: Asked, now: float
    ) -> None:
        """`judges`: what a Bench has of those that are the same for every cluster."""
        self._namespace, self._home, self._there = namespace, home, there
        self._judges, self._asked, self.now = judges, asked, now
        self._known: dict[str, Place] = {}
        self._lost: dict[str, KildeError] = {}

    async def of(self, app: Application) -> Place:
        """Raises KildeError, at once for a cluster that did not answer before."""
        server = app.destination.cluster.server
        if server in self._lost:
            raise self._lost[server]
        if server not in self._known:
            try:
                self._known[server] = await self._made(app)
            except KildeError as error:
                self._lost[server] = error
                raise
        return self._known[server]

    async def _made(self, app: Application) -> Place:
        cluster = self._there.of(app)
        by = await comparer(self._home, self._namespace, of=cluster)
        bench = Bench(
            by=by,
            **self._judges,
            assess=lambda body: assess(body, by.customizations.judge),
            write=write_document,
            manager="kilde",
            now=self.now,
            dry_run=self._asked.dry_run,
        )
        return Place(bench=bench, served=await served_by(cluster, await cluster.discovery()))


def _version(told: str) -> str:
    """As people write it: without what follows the numbers."""
    return told.removeprefix("v").partition("-")[0].partition("+")[0]


async def _applications(
    cluster: Cluster, clusters: Clusters, settings: LookSettings, names: tuple[str, ...]
) -> tuple[list[Application], list[Application]]:
    """Those of these names (all that the installation looks after, where there are none), and all that were read."""
    namespace = settings.namespace
    names = tuple(instance_name(*place_of(name, namespace), namespace) for name in names)
    also = [place_of(name, namespace)[0] for name in names]
    listed = await list_applications(cluster, namespace, settings.application_namespaces, also=also)
    apps = [read_application(msgspec.json.decode(raw), clusters, home=namespace) for raw in listed]
    known = {app.name: app for app in apps}
    if missing := [name for name in names if name not in known]:
        raise KildeError("there is no such application", about=f"{namespace}/{missing[0]}", hint="kilde app list")
    apps.sort(key=lambda app: app.name)
    return [known[name] for name in dict.fromkeys(names)] if names else apps, apps


def _kept(path: Path) -> bytes:
    """What the last plan left; nothing where that cannot be read."""
    try:
        return path.read_bytes() if path.stat().st_size <= _LARGEST else b""
    except OSError:
        return b""


def _keep(path: Path, raw: bytes) -> None:
    """Without it the next plan is only slower."""
    with contextlib.suppress(KildeError):
        written(path, raw)


def written(path: Path, raw: bytes) -> None:
    """Writes a file of its owner's, whole or not at all. Raises KildeError."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        unfinished.touch(mode=0o600)
        unfinished.write_bytes(raw)
        unfinished.replace(path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise KildeError(f"cannot be written: {error.strerror}", about=str(path)) from error
