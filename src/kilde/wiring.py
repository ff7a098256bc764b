"""The composition root: settings in, a running Kilde out. The only module that picks concrete classes."""

import asyncio
import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kilde.adapters.clock import SystemClock
from kilde.adapters.cluster.client import KubeCluster
from kilde.adapters.cluster.kubeconfig import load_kubeconfig
from kilde.adapters.git.sources import GitSources
from kilde.adapters.store.sqlite_ledger import SqliteLedger
from kilde.core.source.credentials import choose
from kilde.engine.controller import Controller
from kilde.engine.fleet import Config
from kilde.engine.settings import EngineSettings
from kilde.engine.world import World
from kilde.ports.sources import Credentials


@dataclass(frozen=True, slots=True, kw_only=True)
class UpSettings:
    """What `kilde up` was asked for. Without `kubeconfig` the embedded cluster is started."""

    data_dir: Path
    kubeconfig: Path | None = None
    context: str = ""
    host: str = "127.0.0.1"
    port: int = 8480
    api_port: int = 0
    poll: float = 120.0
    namespace: str = "argocd"
    controllers: str = "simulate"
    nodes: int = 2
