"""How workloads are printed: deployments, the sets, their revisions."""

from kilde.core.basics.values import Object
from kilde.kubeapi.resources.printers.column import (
    AGE,
    NAME,
    NONE,
    Column,
    Printer,
    containers_of,
    field,
    get,
    labels_text,
    selector_text,
    wide,
)

_TEMPLATE = containers_of("spec", "template", "spec")
_SELECTOR = wide("Selector", lambda obj, now: selector_text(get(obj, "spec", "selector")))


def _count(name: str, *path: str, kind: str = "integer") -> Column:
    return Column(name, field(*path, default=0), kind)


def _ready(obj: Object, now: float) -> str:
    return f"{get(obj, 'status', 'readyReplicas', default=0)}/{get(obj, 'spec', 'replicas', default=0)}"


def _controller(obj: Object, now: float) -> str:
    """`statefulset.apps/db`."""
    owners = get(obj, "metadata", "ownerReferences", default=())
    for owner in owners:
        if owner.get("controller"):
            group = str(owner.get("apiVersion", "")).rpartition("/")[0]
            kind = str(owner.get("kind", "")).lower()
            return f"{kind}.{group}/{owner.get('name')}" if group else f"{kind}/{owner.get('name')}"
    return NONE


_REPLICAS = (
    NAME,
    _count("Desired", "spec", "replicas"),
    _count("Current", "status", "replicas"),
    _count("Ready", "status", "readyReplicas"),
    AGE,
    *_TEMPLATE,
)

DEPLOYMENT = Printer(
    (
        NAME,
        Column("Ready", _ready),
        _count("Up-to-date", "status", "updatedReplicas", kind="string"),
        _count("Available", "status", "availableReplicas", kind="string"),
        AGE,
        *_TEMPLATE,
        wide("Selector", lambda obj, now: selector_text(get(obj, "spec", "selector"), empty="")),
    )
)
STATEFUL_SET = Printer((NAME, Column("Ready", _ready), AGE, *_TEMPLATE))
REPLICA_SET = Printer((*_REPLICAS, _SELECTOR))
REPLICATION_CONTROLLER = Printer(
    (*_REPLICAS, wide("Selector", lambda obj, now: labels_text(get(obj, "spec", "selector"))))
)
DAEMON_SET = Printer(
    (
        NAME,
        _count("Desired", "status", "desiredNumberScheduled"),
        _count("Current", "status", "currentNumberScheduled"),
        _count("Ready", "status", "numberReady"),
        _count("Up-to-date", "status", "updatedNumberScheduled"),
        _count("Available", "status", "numberAvailable"),
        Column("Node Selector", lambda obj, now: labels_text(get(obj, "spec", "template", "spec", "nodeSelector"))),
        AGE,
        *_TEMPLATE,
        _SELECTOR,
    )
)
CONTROLLER_REVISION = Printer(
    (NAME, Column("Controller", _controller), Column("Revision", field("revision", default=0)), AGE)
)
SCALE = Printer(
    (
        Column("Name", NAME.cell, description=NAME.description),
        _count("Desired", "spec", "replicas"),
        _count("Available", "status", "replicas"),
        AGE,
    ),
)
