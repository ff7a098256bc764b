"""ComponentStatuses: what an API server says of the other parts of a control plane, which it asks each time and keeps nowhere."""

from collections.abc import Mapping

from kilde.core.basics.values import Object
from kilde.kubeapi.kinds import COMPONENTS
from kilde.kubeapi.settings import Controllers
from kilde.kubeapi.storage.records import Key, Record, encode

_PORTS = {"scheduler": 10259, "controller-manager": 10257}


def statuses(mode: Controllers) -> Mapping[str, Record]:
    """The parts that are there, by name; of one that this mode does not run a real server says that nobody answers."""
    runs = {"scheduler": mode == Controllers.SIMULATE, "controller-manager": mode != Controllers.OFF, "etcd-0": True}
    return {
        name: Record(Key(COMPONENTS, "", name), 0, encode(_status(name, runs=there)), None)
        for name, there in runs.items()
    }


def _status(name: str, *, runs: bool) -> Object:
    condition = {"type": "Healthy", "status": "True", "message": "ok"}
    if not runs:
        at = f"127.0.0.1:{_PORTS[name]}"
        why = f'Get "https://{at}/healthz": dial tcp {at}: connect: connection refused'
        condition = {**condition, "status": "False", "message": why}
    return {"apiVersion": "v1", "kind": "ComponentStatus", "metadata": {"name": name}, "conditions": [condition]}
