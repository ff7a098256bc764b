"""World: the ports the engine runs against, together."""

from collections.abc import Callable
from dataclasses import dataclass

from kilde.core.basics.values import Object
from kilde.core.render.outside import NOTHING_OUTSIDE, Outside
from kilde.engine.sources.sops import NO_KEYS, SopsKeys
from kilde.ports.clock import Clock
from kilde.ports.cluster import Cluster
from kilde.ports.downloads import Downloads
from kilde.ports.records import Records
from kilde.ports.sources import Sources
from kilde.ports.undo import UndoStore
from kilde.ports.web import Web


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything outside."""

    cluster: Cluster
    sources: Sources
    records: Records
    clock: Clock
    web: Web
    reach: Callable[
        [Object], Cluster
    ]  # opens the cluster that a Secret names; what is wrong with the Secret, its calls say
    sops: SopsKeys = NO_KEYS
    programs: Outside = NOTHING_OUTSIDE  # helm, jsonnet: what needs one is refused without it
    downloads: Downloads | None = None  # values at addresses are refused without it
    undo: UndoStore | None = None  # nothing that is deleted is kept without it
