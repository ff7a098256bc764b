"""What moves in the embedded cluster: the controllers of a control plane, a scheduler, and pretended nodes."""

from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum

from kilde.kubeapi.controllers.bootstrap import bootstrap
from kilde.kubeapi.controllers.clock import Clock, RealClock
from kilde.kubeapi.controllers.loop import Loop
from kilde.kubeapi.controllers.registry import control_plane, simulator
from kilde.kubeapi.interface import Api


class Mode(StrEnum):
    """How much moves: nothing, the controllers of a control plane, or also a scheduler, kubelets and what a cloud gives."""

    OFF = "off"
    ON = "on"
    SIMULATE = "simulate"


def jobs(
    api: Api, *, mode: str = Mode.SIMULATE, nodes: int = 2, clock: Clock | None = None, ca: str = ""
) -> Mapping[str, Callable[[], Awaitable[None]]]:
    """The coroutines to run side by side for as long as the server serves, by name; `bootstrap` ends by itself.

    `nodes` is the number of pretended nodes, `ca` the PEM of the authority that signed the server's certificate (it goes
    into every namespace's kube-root-ca.crt). An idle cluster causes no writes.
    """
    first = {"bootstrap": lambda: bootstrap(api, ca)}
    if mode == Mode.OFF:
        return first
    controllers = [*control_plane(ca=ca, simulated=mode == Mode.SIMULATE)]
    if mode == Mode.SIMULATE:
        controllers += simulator(nodes=nodes)
    return {**first, **Loop(api, controllers, clock if clock is not None else RealClock()).jobs()}


__all__ = ["Mode", "jobs"]
