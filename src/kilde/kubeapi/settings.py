"""Settings of the embedded API server."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Controllers(StrEnum):
    """What moves in the cluster: nothing, the controllers of a control plane, or also scheduler, kubelet and pretend nodes."""

    OFF = "off"
    ON = "on"
    SIMULATE = "simulate"


@dataclass(frozen=True, slots=True)
class Settings:
    """`data_dir` None keeps everything in memory (--ephemeral). `port` 0 takes a free one.

    `kubeconfig` None writes DATA_DIR/kubeconfig (nothing if there is no data_dir). `tls` False is for tests on loopback only.
    """

    data_dir: Path | None = None
    host: str = "127.0.0.1"
    port: int = 0
    kubeconfig: Path | None = None
    controllers: Controllers = Controllers.SIMULATE
    nodes: int = 2
    tls: bool = True
    service_range: str = "10.0.0.0/16"
