"""Rebuilds what an operation applied, from Git and what the ledger says of it, and compares the digests."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kilde.core.apps.sources import read_source
from kilde.core.basics.errors import KildeError, SourceError
from kilde.core.basics.reading import Reader
from kilde.core.basics.values import Object, digest
from kilde.core.ledger.operation import OperationView
from kilde.core.objects.manifest import Manifest
from kilde.core.objects.ref import GroupKind
from kilde.core.plan.desired import prepare
from kilde.core.plan.masking import masked
from kilde.core.plan.tracking import Tracking
from kilde.core.render import Surroundings
from kilde.core.render.kustomize.settings import KustomizeSettings
from kilde.engine.runtime import digest_inputs
from kilde.engine.sources.rendering import Renderer
from kilde.ports.sources import Sources


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """The objects in the order their digest is taken, without secret values; `problem` says why they are not those of then."""

    objects: tuple[Object, ...]
    digest: str = ""
    problem: str = ""


async def rebuild(sources: Sources, view: OperationView) -> Rebuilt:
    """Renders the commit of an operation anew. Never raises for what cannot be rebuilt: `problem` tells."""
    if not view.rendering:
        return Rebuilt((), problem="an older version wrote this record: it does not say how the source was rendered")
    if unkept := view.rendering.get("unkept"):
        return Rebuilt((), problem=f"it was made of {unkept}, of which the ledger does not keep enough")
    if view.rendering.get("patched"):
        return Rebuilt((), problem="the Application had patches of its own, which the ledger does not keep")
    made = []
    try:
        manifests = await _rendered(sources, view)
        for name in _names(view):
            objects = _desired(manifests, view, name)
            found = digest(list(objects))
            if found == view.rendered_digest:
                return Rebuilt(objects, found)
            made.append(Rebuilt(objects, found, "these are not the manifests of then: their digest differs"))
    except KildeError as error:
        return Rebuilt((), problem=str(error))
    return made[0]


def _names(view: OperationView) -> tuple[str, ...]:
    """What tracking may have called the application: records do not say which namespace was the controller's, the digest does."""
    namespace, found, name = view.application.partition("/")
    return (name, f"{namespace}_{name}") if found else (namespace,)


async def _rendered(sources: Sources, view: OperationView) -> tuple[Manifest, ...]:
    raw = {**view.source, **(view.rendering.get("blocks") or {})}
    source = read_source(Reader(raw, "source"), several=False)
    if source is None:
        raise SourceError("its source cannot be read any more", about=view.application)
    renderer = Renderer(
        sources, fetch=_never, allow_remote=lambda project, url: True, allow_chart=lambda project, url: False
    )
    flags = KustomizeSettings(options=str(view.rendering.get("buildOptions") or ""))
    try:
        result, _ = await renderer.render(
            (source,), (view.revision.get("sha", ""),), (), around=Surroundings(kustomize=flags)
        )
    finally:
        renderer.close()
    assert result.parts is not None
    [rendered] = result.parts
    return rendered.manifests


def _desired(manifests: tuple[Manifest, ...], view: OperationView, name: str) -> tuple[Object, ...]:
    wide = {_kind(str(text)) for text in view.rendering.get("clusterWide") or ()}
    desired = prepare(
        manifests,
        app=name,
        namespace=view.destination.get("namespace", ""),
        scope=lambda kind: kind not in wide,
        tracking=_tracking(view.rendering.get("tracking")),
        lenient=True,
    )
    return tuple(masked(body) for body in digest_inputs(desired))


async def _never(project: str, url: str) -> None:
    """Nothing is fetched: what the mirrors have must do."""


def _kind(text: str) -> GroupKind:
    group, _, kind = text.rpartition("/")
    return GroupKind(group, kind)


def _tracking(raw: Any) -> Tracking:
    return Tracking(**raw) if isinstance(raw, Mapping) else Tracking()
