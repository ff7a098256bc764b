"""Whether Flux writes the objects of our Applications: its controllers run, and something of it that is not suspended has them too."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from kilde.core.apps.application import Application, read_application
from kilde.core.migrate.argocd import inventory as listed_by
from kilde.core.migrate.flux import FluxMove, movable
from kilde.core.migrate.flux.reading import inventory, is_suspended
from kilde.engine.fleet.applications import APPLICATIONS
from kilde.engine.migration.flux.reading import GROUPS, read_flux
from kilde.ports.cluster import Cluster, Resource

_HINT = "kilde migrate flux --take-over suspends it and moves what it owns"
_MOST = 3


async def kinds_of(cluster: Cluster) -> list[Resource]:
    """Flux's kinds that write objects, as far as the cluster serves them."""
    discovery = await cluster.discovery()
    found = (discovery.resource(group, kind) for kind, group in GROUPS.items())
    return [resource for resource in found if resource is not None]


async def flux_beside(cluster: Cluster, namespace: str) -> tuple[bool, str]:
    """Whether there is something of Flux at all, and why nothing may be written ("" where it may). Raises ClusterError."""
    if not await kinds_of(cluster):
        return False, ""
    found = await read_flux(cluster, namespace, "")
    there = bool(found.kustomizations or found.releases)
    moves = [move for move in movable(found)[0] if not is_suspended(move.body)]
    if not moves or not any(workload.runs for workload in found.workloads):
        return there, ""
    raws = await cluster.list(APPLICATIONS, namespace)
    return there, told_of_flux(moves, [read_application(msgspec.json.decode(raw)) for raw in raws])


def told_of_flux(moves: Iterable[FluxMove], apps: Iterable[Application]) -> str:
    """What of Flux has the same source as an Application, or an object of it; "" where nothing has."""
    sources = {(one.repo_url, one.path, one.chart): app.name for app in apps for one in app.sources}
    owned = {_key(one): app.name for app in apps for one in listed_by(app)}
    shared = []
    for move in moves:
        objects = ((ref.group, ref.kind, ref.namespace, ref.name) for ref in inventory(move.body))
        name = sources.get(_source(move.made["spec"]["source"])) or next((owned[o] for o in objects if o in owned), "")
        if name:
            shared.append(f"{move.at} has the objects of Application {name}")
    more = f" and {len(shared) - _MOST} more" if len(shared) > _MOST else ""
    return f"Flux runs ({', '.join(shared[:_MOST])}{more}); {_HINT}" if shared else ""


def _source(source: Mapping[str, Any]) -> tuple[str, str, str]:
    return str(source.get("repoURL") or ""), str(source.get("path") or ""), str(source.get("chart") or "")


def _key(listed: Mapping[str, Any]) -> tuple[str, str, str, str]:
    namespace = str(listed.get("namespace") or "")
    return str(listed.get("group") or ""), str(listed["kind"]), namespace, str(listed["name"])
