"""The controller of Applications, put together: its ledger, its mirrors and what renders."""

import contextlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from kilde.adapters.aws.identities import AwsIdentities
from kilde.adapters.clock import SystemClock
from kilde.adapters.cluster.client import KubeCluster
from kilde.adapters.keys.age import unwrapper
from kilde.adapters.web_client import WebClient
from kilde.core.secrets.vault.settings import VaultSettings
from kilde.core.source.credentials import choose
from kilde.engine.controller import Controller
from kilde.engine.fleet.applications import Config
from kilde.engine.records.witnessing import Witnessing
from kilde.engine.settings import EngineSettings
from kilde.engine.sources.sops import SopsKeys
from kilde.engine.world import World
from kilde.ports.sources import Credentials
from kilde.ports.vault import Vault
from kilde.wiring.ledgers import open_ledger
from kilde.wiring.programs import programs
from kilde.wiring.reaching import reacher
from kilde.wiring.sourcing import AllSources, open_downloads, open_sources
from kilde.wiring.undo_store import open_undo
from kilde.wiring.witnesses import open_witness


@dataclass(frozen=True, slots=True, kw_only=True)
class ControllerSettings:
    """Its ledger and mirrors are below `data_dir`. `helm` and `plugins` as `programs` has them."""

    data_dir: Path
    engine: EngineSettings = field(default_factory=EngineSettings)
    helm: str = ""
    plugins: str = ""
    cluster_programs: tuple[str, ...] = ()  # credential plugins that cluster Secrets may run
    vault: VaultSettings | None = None  # where values of VaultSecrets and wrapped SOPS files come from
    witnesses: tuple[str, ...] = ()  # who is handed the ledger's checkpoints; see ledgers.open_witness
    witness_period: float = 300.0


def credentials_for(url: str, project: str, config: Config) -> Credentials:
    """What opens a repository, from Argo CD's labelled Secrets and ConfigMaps."""
    return choose(url, config.secrets, config.config_maps.values(), project=project)


async def _credentials_of_running(made: Controller, sources: AllSources, url: str) -> Credentials:
    await made.context.config.synced.wait()
    return await sources.opened(url, credentials_for(url, "", made.context.config))


@contextlib.asynccontextmanager
async def controller(
    settings: ControllerSettings, cluster: KubeCluster, vault: Vault | None = None
) -> AsyncIterator[Controller]:
    """A controller put together, not yet running."""
    clock = SystemClock()
    with contextlib.ExitStack() as stack:
        ledger, notary = stack.enter_context(open_ledger(settings.data_dir, clock))
        sources = open_sources(settings.data_dir, "git", clock)
        web, downloads = WebClient(AwsIdentities(clock, os.environ)), open_downloads()
        world = World(
            cluster=cluster,
            sources=sources,
            records=ledger,
            clock=clock,
            web=web,
            sops=SopsKeys(unwrapper, vault, settings.vault.sops if settings.vault else ()),
            programs=programs(settings.helm, settings.plugins),
            downloads=downloads,
            reach=reacher(cluster, programs=settings.cluster_programs),
            undo=stack.enter_context(open_undo(settings.data_dir)),
        )
        made = Controller(world, settings.engine, credentials_for)
        opens = partial(_credentials_of_running, made, sources)
        witnesses = [stack.enter_context(open_witness(w, settings.data_dir, clock, opens)) for w in settings.witnesses]
        witnessing = Witnessing(ledger, notary, witnesses, clock, period=settings.witness_period)
        made.context.start("witnessing", witnessing.run())
        try:
            yield made
        finally:
            await made.close()
            await witnessing.last_words()
            await sources.close()
            await web.close()
            await downloads.close()
