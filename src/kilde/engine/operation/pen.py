"""The pen: what single writes of an operation or a heal need, and in which way it writes an object."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kilde.core.basics.errors import ClusterError
from kilde.core.basics.values import Object
from kilde.core.health.assess import assess
from kilde.core.health.health import Health
from kilde.core.objects.ref import ObjectRef
from kilde.core.objects.typed.node import Node
from kilde.core.plan.ignore import IgnoreRule
from kilde.core.plan.policy import SyncPolicy, own_options
from kilde.engine.view.live import LiveView
from kilde.ports.clock import Clock
from kilde.ports.cluster import Cluster


@dataclass(frozen=True, slots=True)
class Way:
    """How one object is written."""

    replace: bool
    force: bool
    server_side: bool

    @property
    def impossible(self) -> str:
        """Why no write can be made in this way, in Argo CD's words; "" where it can."""
        if self.force and self.server_side and not self.replace:
            return "error validating options: --force cannot be used with --server-side"
        return ""

    def check(self) -> None:
        """Raises ClusterError where no write can be made in this way."""
        if self.impossible:
            raise ClusterError(self.impossible, status=422)


def way_of(policy: SyncPolicy, body: Object, live: Object | None, *, force: bool = False) -> Way:
    """How an object is to be written; `force`: the operation itself asks for it.

    That it is replaced, or forced, what is there may ask for, too (`live`), as with Argo CD: the last commit may have taken the word away.
    """
    asks, there = policy.asks, own_options(live or {})
    return Way(
        replace=asks("Replace", body) or there.is_on("Replace"),
        force=force or asks("Force", body) or there.is_on("Force"),
        server_side=asks("ServerSideApply", body),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Pen:
    """What single writes need.

    `body` gives an object's manifest as it is written, `node` the schema of its kind; `force`: the operation itself asks for it.
    """

    cluster: Cluster
    live: LiveView
    clock: Clock
    manager: str
    policy: SyncPolicy
    body: Callable[[ObjectRef], Object]
    node: Callable[[ObjectRef, str], Node | None]
    force: bool = False
    ignore: Sequence[IgnoreRule] = ()
    assess: Callable[[Object], Health | None] = assess

    def way(self, body: Object, live: Object | None = None) -> Way:
        """How this object is to be written, over what is there."""
        return way_of(self.policy, body, live, force=self.force)
