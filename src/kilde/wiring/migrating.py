"""What `kilde migrate` needs: a client of the cluster, and files of a config repository."""

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from kilde.adapters.clock import SystemClock
from kilde.adapters.cluster.client import KubeCluster
from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.values import Object
from kilde.core.migrate.argocd import move_argocd
from kilde.core.migrate.flux import move_flux
from kilde.core.migrate.model import Moved
from kilde.core.objects.yaml_writer import write_document
from kilde.engine.migration.flux.moving import FluxMover
from kilde.engine.migration.flux.reading import read_flux
from kilde.engine.migration.moving import Mover
from kilde.engine.migration.reading import read_argocd
from kilde.wiring.cluster import open_cluster
from kilde.wiring.reaching import destinations
from kilde.wiring.settings import LookSettings


async def plan_move(settings: LookSettings) -> Moved:
    """What would become of the Argo CD installation of this namespace. Raises KildeError."""
    async with _opened(settings) as cluster:
        return move_argocd(await read_argocd(cluster, settings.namespace, await _place(cluster)))


async def plan_flux(settings: LookSettings) -> Moved:
    """What would become of the Flux installation of this cluster. Raises KildeError."""
    async with _opened(settings) as cluster:
        return move_flux(await read_flux(cluster, settings.namespace, await _place(cluster)))


async def take_over(settings: LookSettings, tell: Callable[[str], None], *, accept: bool) -> None:
    """Raises KildeError."""
    async with _mover(settings, tell) as mover:
        await mover.take_over(accept=accept)


async def hand_back(settings: LookSettings, tell: Callable[[str], None]) -> None:
    """Raises KildeError."""
    async with _mover(settings, tell) as mover:
        await mover.hand_back()


async def take_over_flux(settings: LookSettings, tell: Callable[[str], None], *, accept: bool) -> None:
    """Raises KildeError."""
    async with _opened(settings) as cluster:
        await FluxMover(cluster, SystemClock(), settings.namespace, tell).take_over(accept=accept)


async def hand_back_flux(settings: LookSettings, tell: Callable[[str], None]) -> None:
    """Raises KildeError."""
    async with _opened(settings) as cluster:
        await FluxMover(cluster, SystemClock(), settings.namespace, tell).hand_back()


@contextlib.asynccontextmanager
async def _mover(settings: LookSettings, tell: Callable[[str], None]) -> AsyncIterator[Mover]:
    async with _opened(settings) as cluster, destinations(cluster, settings.namespace) as there:
        yield Mover(cluster, SystemClock(), settings.namespace, tell, there)


@contextlib.asynccontextmanager
async def _opened(settings: LookSettings) -> AsyncIterator[KubeCluster]:
    cluster = open_cluster(settings.kubeconfig, context=settings.context)
    try:
        yield cluster
    finally:
        await cluster.close()


async def _place(cluster: KubeCluster) -> str:
    """Its address and version, for people."""
    return f"{urlsplit(cluster.access.server).netloc} ({await cluster.version()})"


def write_files(folder: Path, files: Mapping[str, Object]) -> None:
    """Writes manifests into a folder. InvalidInput where one is there that says something else: then nothing is written."""
    texts = {folder / name: write_document(body) for name, body in files.items()}
    try:
        for path, text in texts.items():
            if path.exists() and path.read_bytes() != text.encode():
                hint = "move it away, or give another folder"
                raise InvalidInput("is there and says something else; nothing was written", about=str(path), hint=hint)
        for path, text in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
    except OSError as error:
        raise InvalidInput(f"cannot be written: {error.strerror}", about=str(folder)) from error
