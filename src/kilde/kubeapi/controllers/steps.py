"""What a controller is: a pure function from what is to the writes that are due, and the moment to look again."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, NamedTuple, Protocol, TypeAlias

from kilde.core.basics.backoff import Backoff
from kilde.core.basics.values import Object

CONTROLLER_MANAGER = "kube-controller-manager"
KUBELET = "kubelet"
SCHEDULER = "kube-scheduler"


class Key(NamedTuple):
    """Which object a controller is asked to look at; `namespace` is "" for cluster-scoped ones."""

    namespace: str
    name: str


class Load(NamedTuple):
    """What is on a node: how many unfinished pods, and what they ask for in all, by resource."""

    pods: int
    asked: Mapping[str, Fraction]


class Objects(Protocol):
    """Objects by name, and all of a resource. Resources are named like `deployments.apps`."""

    def get(self, resource: str, namespace: str, name: str) -> Object | None: ...

    def every(self, resource: str, namespace: str | None = None) -> Iterable[Object]:
        """All objects of a resource, or those of one namespace."""
        ...


class View(Objects, Protocol):
    """What is, as far as the watch and our own writes have told."""

    def owned(self, resource: str, uid: str) -> Iterable[Object]:
        """The objects whose controlling owner has that uid."""
        ...

    def orphans(self, resource: str, namespace: str) -> Iterable[Object]:
        """The objects of a namespace that no owner controls."""
        ...

    def on_node(self, node: str) -> Iterable[Object]:
        """The pods that are bound to a node; "" gives those that are bound to none."""
        ...

    def nominated(self, node: str) -> Iterable[Object]:
        """The pods that are bound to no node and wait for this one to have room."""
        ...

    def repelling(self) -> Iterable[Object]:
        """The bound pods that must not have some others near."""
        ...

    def load(self, node: str) -> Load:
        """What the unfinished pods of a node ask for."""
        ...


@dataclass(frozen=True, slots=True)
class Moment:
    """When a step is taken (seconds since the epoch), and the number it may throw dice with, in [0, 1).

    `memo` is what the last step of this key left (None: there was none, or the server has started anew since): times finer
    than the whole seconds of the API. What a step must not lose belongs into the object.
    """

    now: float
    dice: float = 0.0
    memo: Any = None


@dataclass(frozen=True, slots=True)
class Create:
    """Create `body`. With `told` given, a refusal ends the step: the writes after it are not tried."""

    resource: str
    body: Object
    told: "Emit | None" = None  # the event to write when it worked; `{name}` is the name the server chose


@dataclass(frozen=True, slots=True)
class Update:
    """Replace the object (or its sub-resource) by `body`, which carries the resourceVersion it was made from."""

    resource: str
    body: Object
    subresource: str = ""


@dataclass(frozen=True, slots=True)
class Apply:
    """Server-side apply `body` to the object that it names (or to its sub-resource), by force."""

    resource: str
    body: Object
    subresource: str = ""


@dataclass(frozen=True, slots=True)
class Patch:
    """Merge-patch the object."""

    resource: str
    namespace: str
    name: str
    change: Object


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete the object if it still has that uid. `grace` in seconds (None: the object's own)."""

    resource: str
    namespace: str
    name: str
    uid: str
    grace: int | None = None
    propagation: str = "Background"
    told: "Emit | None" = None


@dataclass(frozen=True, slots=True)
class Bind:
    """Bind a pod to a node, as the scheduler does."""

    namespace: str
    name: str
    uid: str
    node: str
    told: "Emit | None" = None


@dataclass(frozen=True, slots=True)
class Emit:
    """An Event about an object. `action` marks the newer form of events.k8s.io that the scheduler writes."""

    about: Object
    reason: str
    message: str
    component: str
    kind: str = "Normal"
    host: str = ""
    action: str = ""
    field_path: str = ""


Write: TypeAlias = Create | Update | Apply | Patch | Delete | Bind | Emit


class Refusal(NamedTuple):
    """A write that the server refused, and its words."""

    write: Write
    message: str


Refusals: TypeAlias = tuple[Refusal, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """Writes in order; `wake` is the time to look again without being told (None: not needed).

    `then` looks again at once, after the writes, and is told what was refused: it is where statuses are computed, so
    that they count what has just been written.
    """

    writes: tuple[Write, ...] = ()
    wake: float | None = None
    memo: Any = None
    then: "Callable[[View, Moment, Refusals], Step] | None" = None


NOTHING = Step()

Reduce: TypeAlias = Callable[[Key, View, Moment], Step]
Trigger: TypeAlias = Callable[[Object, View], Iterable[Key]]


_RETRY = Backoff(first=0.05, factor=2.0, ceiling=60.0)


@dataclass(frozen=True, slots=True)
class Controller:
    """One controller: which changes wake it for which keys, and what it does about a key.

    `manager` is the field manager of its writes. `workers` steps of different keys may run at the same time. `retry` says how long what
    was refused waits.
    """

    name: str
    reduce: Reduce
    triggers: Mapping[str, Trigger]
    manager: str = CONTROLLER_MANAGER
    workers: int = 2
    component: str = field(default="")
    retry: Backoff = _RETRY


def itself(obj: Object, view: View) -> Iterable[Key]:
    """The trigger of a controller's own kind."""
    meta: dict[str, Any] = obj["metadata"]
    return (Key(meta.get("namespace", ""), meta["name"]),)


def earliest(*moments: float | None) -> float | None:
    """The first of the moments that are given."""
    return min((moment for moment in moments if moment is not None), default=None)
