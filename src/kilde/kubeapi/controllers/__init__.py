"""What moves in the embedded cluster: the controllers of a control plane, a scheduler, and pretended nodes."""

from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from typing import NamedTuple

from kilde.kubeapi.controllers import flow_control
from kilde.kubeapi.controllers.bootstrap import bootstrap
from kilde.kubeapi.controllers.certificates import Certifying
from kilde.kubeapi.controllers.clock import Clock, VirtualClock
from kilde.kubeapi.controllers.loop import Loop
from kilde.kubeapi.controllers.node_marks import Marks
from kilde.kubeapi.controllers.nodes import VERSION
from kilde.kubeapi.controllers.registry import control_plane, simulator
from kilde.kubeapi.interface import Api
from kilde.kubeapi.resources.policies.whole_schemas import Served


class Mode(StrEnum):
    """How much moves: nothing, the controllers of a control plane, or also a scheduler, kubelets and what a cloud gives."""

    OFF = "off"
    ON = "on"
    SIMULATE = "simulate"


class Moving(NamedTuple):
    """The coroutines to run side by side for as long as the server serves, by name, and the loop they drive (if any)."""

    jobs: Mapping[str, Callable[[], Awaitable[None]]]
    loop: Loop | None


def assemble(
    api: Api,
    served: Callable[[], Served],
    *,
    mode: str = Mode.SIMULATE,
    nodes: int = 2,
    cloud: bool = True,
    marks: Mapping[str, Marks] | None = None,
    clock: Clock | None = None,
    ca: str = "",
    certifying: Certifying | None = None,
    version: str = VERSION,
) -> Moving:
    """What is to run; the job `bootstrap` ends by itself.

    `served` tells what the API serves at that moment.
    `nodes` is the number of pretended nodes, `cloud` whether something beside them gives addresses and volumes and measures
    load, `marks` what some nodes register with, `ca` the PEM of the authority that
    signed the server's certificate (it goes into every namespace's kube-root-ca.crt), `certifying` what signs those of others,
    `version` that of all of them. An idle cluster causes no writes.
    """
    first = {"bootstrap": lambda: bootstrap(api, ca, controlled="" if mode == Mode.OFF else version)}
    if mode == Mode.OFF:  # what API servers do by themselves
        own = Loop(api, [flow_control.controller()], clock if clock is not None else VirtualClock())
        return Moving({**first, **own.jobs()}, None)
    clouded = cloud and mode == Mode.SIMULATE
    controllers = [*control_plane(ca=ca, cloud=clouded, served=served, certifying=certifying)]
    if mode == Mode.SIMULATE:
        controllers += simulator(nodes=nodes, cloud=cloud, marks=marks, version=version)
    loop = Loop(api, controllers, clock if clock is not None else VirtualClock())
    return Moving({**first, **loop.jobs()}, loop)


__all__ = ["Mode", "Moving", "assemble"]
