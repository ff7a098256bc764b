"""What `kilde app resources --orphaned` looks with: one application, its project, and what lies about in its namespace."""

import contextlib
from collections.abc import Iterable

import msgspec

from kilde.core.access.kind_filter import read_kind_filter
from kilde.core.access.project import read_project
from kilde.core.apps.application import read_application
from kilde.core.basics.errors import KildeError
from kilde.core.basics.values import Object
from kilde.core.objects.ref import ObjectRef
from kilde.core.plan.tracking import read_tracking
from kilde.engine.fleet.applications import CONFIG_MAPS
from kilde.engine.fleet.projects import PROJECTS
from kilde.engine.sources.wishes import owned_refs
from kilde.engine.view.orphans import orphans_now
from kilde.wiring.cluster import open_cluster
from kilde.wiring.reaching import destinations
from kilde.wiring.settings import LookSettings

_decode = msgspec.json.Decoder(dict).decode


async def app_orphans(settings: LookSettings, body: Object, names: Iterable[str]) -> tuple[ObjectRef, ...]:
    """The orphans of an application, orphaned for all that is known of the applications `names`. Raises KildeError."""
    cluster, stack = open_cluster(settings.kubeconfig, context=settings.context), contextlib.AsyncExitStack()
    try:
        there = await stack.enter_async_context(destinations(cluster, settings.namespace))
        app = read_application(body, there.clusters, home=settings.namespace)
        raw = await cluster.get(PROJECTS, settings.namespace, app.project)
        project = read_project(_decode(raw)) if raw else None
        if project is None or project.orphans is None:
            what = f"its project {app.project} does not ask about orphaned resources"
            hint = "give the AppProject spec.orphanedResources; {} is enough"
            raise KildeError(what, about=app.name, hint=hint)
        raw = await cluster.get(CONFIG_MAPS, settings.namespace, "argocd-cm")
        data = (_decode(raw).get("data") or {}) if raw else {}
        kinds = read_kind_filter(data)
        kinds.check()
        return await orphans_now(
            there.of(app),
            app,
            project,
            managed=owned_refs(app),
            is_app=frozenset(names).__contains__,
            tracking=read_tracking(data),
            kinds=kinds,
        )
    finally:
        await stack.aclose()
        await cluster.close()
