"""Settings of the embedded API server."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from kilde.core.objects.manifest import Manifest
from kilde.kubeapi.controllers.node_marks import Marks
from kilde.kubeapi.local_services import LocalServices
from kilde.kubeapi.logic.audit import Policy
from kilde.kubeapi.resources.release import Release, release
from kilde.kubeapi.serving.rotating import Rotation
from kilde.kubeapi.storage.journal import Durability


class Controllers(StrEnum):
    """What moves in the cluster: nothing, the controllers of a control plane, or also scheduler, kubelet and pretend nodes."""

    OFF = "off"
    ON = "on"
    SIMULATE = "simulate"


@dataclass(frozen=True, slots=True)
class AuditLog:
    """The file of the audit log, appended to, what is written there, and when it is put aside."""

    path: Path
    policy: Policy
    rotation: Rotation = field(default_factory=Rotation)


@dataclass(frozen=True, slots=True)
class Settings:
    """`data_dir` None keeps everything in memory (--ephemeral), and so does `in_memory` beside a folder for the kubeconfig.

    `port` 0 takes a free one.

    `speed` is that of the cluster's time: 0 stands still until it is moved. `rules` serves SimulationRule,
    `load` is applied before it is ready. `kubeconfig` None writes DATA_DIR/kubeconfig (nothing if there is no data_dir).
    `cloud` pretends what a cloud gives beside nodes: addresses, volumes, and load that is measured.
    `marks` are the labels and taints with which pretend nodes register, by node's name.
    `release` is the Kubernetes version that is served.
    `tls` False is for tests on loopback only.
    `patience` is how many seconds a client has for a request's head; for its body it has six times as long.
    """

    data_dir: Path | None = None
    in_memory: bool = False
    host: str = "127.0.0.1"
    port: int = 0
    kubeconfig: Path | None = None
    controllers: Controllers = Controllers.SIMULATE
    nodes: int = 2
    cloud: bool = True
    marks: Mapping[str, Marks] = field(default_factory=dict)
    tls: bool = True
    service_range: str = "10.0.0.0/16"
    speed: float = 1.0
    rules: bool = False
    load: tuple[Manifest, ...] = ()
    services: LocalServices = field(default_factory=LocalServices)
    durability: Durability = Durability.FULL
    patience: float = 10.0
    audit: AuditLog | None = None
    release: Release = field(default_factory=release)
