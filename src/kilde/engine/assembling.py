"""Assembling: the parts of a running engine are made, and told of each other, as the Context of the Applications' own cluster."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from kilde.core.apps.application import Application
from kilde.core.apps.source_blocks import check_scheme
from kilde.core.objects.ref import ObjectRef
from kilde.core.source.chart_index import is_pinned
from kilde.core.source.chart_place import parse_place
from kilde.core.source.credentials import named_repository
from kilde.engine.context import Context
from kilde.engine.deletion.budgets import DeletionBudgets
from kilde.engine.fleet.applications import Config, Fleet
from kilde.engine.fleet.projects import Projects
from kilde.engine.fleet.targets import Changed
from kilde.engine.records.accounts import Accounts
from kilde.engine.report import Reporter
from kilde.engine.settings import EngineSettings
from kilde.engine.sources.rendering import Renderer
from kilde.engine.sources.repositories import Repositories
from kilde.engine.sources.signatures import Signatures
from kilde.engine.tasks import TaskOwner
from kilde.engine.view.live import LiveView
from kilde.engine.view.orphans import Orphans
from kilde.engine.view.schemas import Schemas
from kilde.engine.view.survey import Surveyor
from kilde.engine.world import World
from kilde.ports.sources import Credentials

ChooseCredentials = Callable[[str, str, Config], Credentials]  # URL, project


@dataclass(frozen=True, slots=True, kw_only=True)
class Ears:
    """What the parts call: who is told of each change, and asked for a pass or a heal. `tracked`: objects, over all clusters."""

    application: Callable[[str, Application | None], None]
    config: Callable[[], None]
    project: Callable[[str], None]
    object: Changed
    fetched: Callable[[str], None]
    wake: Callable[[str, float], None]
    heal: Callable[[str, ObjectRef], None]
    tracked: Callable[[], int]


def assembled(
    world: World,
    settings: EngineSettings,
    tasks: TaskOwner,
    ears: Ears,
    *,
    choose: ChooseCredentials,
    report: Callable[..., Reporter],
) -> Context:
    """Nothing of it runs yet."""
    cluster, clock = world.cluster, world.clock
    fleet = Fleet(cluster, settings.namespace, ears.application)
    config = Config(cluster, settings.namespace, ears.config)
    live = LiveView(cluster, tasks, lambda *told: ears.object(context, *told))
    schemas = Schemas(cluster)
    projects = Projects(cluster, settings.namespace, clock, ears.project)
    repositories = Repositories(
        world.sources,
        clock,
        poll=settings.poll,
        credentials=lambda url, project: choose(url, project, config),
        scope=config.scope,
        idle=lambda url: _is_idle(context, url),
        on_fetched=ears.fetched,
        start=tasks.start,
    )
    context = Context(
        world=world,
        home=cluster,
        settings=settings,
        fleet=fleet,
        config=config,
        live=live,
        repositories=repositories,
        renderer=_renderer(world, repositories, projects, config),
        schemas=schemas,
        projects=projects,
        signatures=Signatures(world.sources, projects, config),
        surveyor=Surveyor(live, schemas, projects),
        reporter=(reporter := report(cluster, fleet, clock, manager=settings.manager)),
        accounts=(accounts := Accounts(world.records, clock, home=settings.namespace)),
        deletion_budgets=DeletionBudgets(
            cluster=cluster,
            clock=clock,
            live=live,
            tracked=ears.tracked,
            projects=projects,
            reporter=reporter,
            accounts=accounts,
            settings=settings,
            undo=world.undo,
        ),
        orphans=Orphans(
            cluster=cluster,
            clock=clock,
            fleet=fleet,
            projects=projects,
            tracking=lambda: live.tracking,
            managed=lambda name: rt.held_refs if (rt := context.runtimes.get(name)) else frozenset(),
            start=tasks.start,
            wake=ears.wake,
        ),
        wake=ears.wake,
        heal=ears.heal,
        start=tasks.start,
        slots=asyncio.Semaphore(settings.parallel_passes),
    )
    return context


def _renderer(world: World, repositories: Repositories, projects: Projects, config: Config) -> Renderer:
    async def download(url: str) -> bytes:
        """A file of values. The protocols that are allowed are in argocd-cm."""
        check_scheme(url, config.data("argocd-cm"))
        assert world.downloads is not None
        return await world.downloads.get(url)

    return Renderer(
        world.sources,
        fetch=lambda project, url: repositories.ensure(url, project),
        allow_remote=projects.allows_remote,
        allow_chart=projects.allows_chart,
        named=lambda project, name: named_repository(name, config.secrets, project),
        programs=world.programs,
        download=download if world.downloads is not None else None,
    )


def _is_idle(ctx: Context, url: str) -> bool:
    """Whether polling a chart repository tells nothing new: all who use it want a certain version, and have it."""
    users = [(app, source) for app in ctx.fleet.all() for source in app.sources if source.url == url]
    return bool(users and parse_place(url)) and all(
        is_pinned(source.target_revision) and not ctx.runtime(app.name).render_error for app, source in users
    )
