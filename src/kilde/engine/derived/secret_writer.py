"""SecretWriter: a derived Secret brought in step with what it is made from, and put back where somebody changed it."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec
import structlog

from kilde.core.basics.errors import ClusterError, InvalidInput
from kilde.core.basics.values import Object, canonical
from kilde.core.objects.ref import ObjectRef
from kilde.core.plan.difference import differences, writer_of
from kilde.core.plan.fight import FightBook
from kilde.core.secrets.taking_over import PARTS, held, same, wanted
from kilde.engine.derived.events import Events
from kilde.ports.clock import Clock
from kilde.ports.cluster import Cluster, Resource

log = structlog.get_logger()

SECRETS = Resource("", "v1", "Secret", "secrets", True)
Key = tuple[str, str]  # namespace, name
Tell = Callable[
    [ObjectRef, list[str], list[str]], None
]  # for the ledger: a Secret put back, its fields, who had changed them
IMMUTABLE = "field is immutable when `immutable` is set"
_CONFLICTS = 5  # attempts to write a Secret that somebody else writes too


class NotOurs(InvalidInput):
    """A Secret of that name is there, and this object may not touch it."""

    code = "secret-not-ours"


@dataclass(slots=True)
class Memory:
    """What is known of one source between two looks; no plain value is in it."""

    version: str = ""  # resourceVersion of the Secret as we wrote or found it right
    print: bytes = b""  # keyed hash of what the Secret has to hold
    basis: bytes = b""  # the same of what it was made from
    failed: str = ""
    failures: int = 0
    book: FightBook = field(default_factory=FightBook)


class SecretWriter:
    """Writes with one manager's name. `salt`: of the keyed hashes, made anew at each start."""

    def __init__(
        self, cluster: Cluster, clock: Clock, events: Events, *, manager: str, salt: bytes, tell: Tell
    ) -> None:
        self._cluster, self._clock, self._events = cluster, clock, events
        self._manager, self._salt, self._tell = manager, salt, tell

    async def live(self, key: Key) -> Object | None:
        """The Secret as it is. ClusterError."""
        raw = await self._cluster.get(SECRETS, *key)
        return None if raw is None else {"apiVersion": "v1", "kind": "Secret", **msgspec.json.decode(raw, type=dict)}

    def is_right(self, memory: Memory, live: Object) -> bool:
        """Whether a Secret holds what it did when it was right last; if so, this version of it is remembered."""
        if not memory.print or memory.print != self.print_of(held(live)):
            return False
        memory.version = live["metadata"]["resourceVersion"]
        return True

    def pause(self, memory: Memory) -> float:
        """Seconds that a Secret somebody fights over waits."""
        return memory.book.delay(list(memory.book.heals), now=self._clock.monotonic())

    async def bring(self, source: Object, made: Object, live: Object | None, memory: Memory, *, basis: bytes) -> bool:
        """Writes the Secret if it differs; whether it did. `basis`: a print of what it is made from. NotOurs, ClusterError."""
        key = (source["metadata"]["namespace"], source["metadata"]["name"])
        for attempt in range(_CONFLICTS):
            try:
                if live is None:
                    written = (await self._cluster.create(SECRETS, made, manager=self._manager)).raw
                    self._remember(memory, msgspec.json.decode(written), basis)
                    return True
                goal = wanted(live, made, source)
                if goal is None:
                    raise NotOurs(f'Resource "{key[1]}" already exists and is not managed by {source["kind"]}')
                if same(live, goal):
                    self._remember(memory, live, basis)
                    return False
                was_right = memory.basis == basis and bool(memory.version)
                written = (await self._cluster.replace(SECRETS, goal, manager=self._manager)).raw
                if was_right:
                    await self._put_back(source, live, goal, memory)
                self._remember(memory, msgspec.json.decode(written), basis)
                return True
            except ClusterError as error:
                if error.status not in (404, 409) or attempt == _CONFLICTS - 1 or is_gone(error):
                    raise
            live = await self.live(key)
        raise AssertionError("the last attempt returns or raises")

    async def _put_back(self, source: Object, live: Object, goal: Object, memory: Memory) -> None:
        """Somebody had changed the Secret: who, and which fields; never what they held."""
        paths = [part for part in PARTS for part in _changed(live, goal, part)]
        fields = [".".join(path) for path in paths]
        writers = [writer_of(live, path, but=self._manager) for path in paths]
        names = list(dict.fromkeys(str(writer) for writer in writers if writer is not None))
        memory.book.healed(fields, now=self._clock.monotonic())
        who = ", ".join(names) or "somebody"
        log.info("put a Secret back", about=name_of(source), changed_by=who, fields=fields)
        ref = ObjectRef("", "Secret", live["metadata"]["namespace"], live["metadata"]["name"])
        self._tell(ref, fields, names)
        await self._events.say(live, "Restored", f"{', '.join(fields)} had been changed by {who}", warning=True)

    def _remember(self, memory: Memory, secret: Object, basis: bytes) -> None:
        memory.version = str(secret["metadata"].get("resourceVersion"))
        memory.print = self.print_of(held(secret))
        memory.basis = basis

    def print_of(self, value: Object) -> bytes:
        """A hash that tells nothing to who does not have this process's salt."""
        return hashlib.blake2b(canonical(value), key=self._salt, digest_size=16).digest()


def _changed(live: Object, goal: Object, part: tuple[str, ...]) -> list[tuple[str, ...]]:
    a, b = held(live), held(goal)
    for step in part:
        a, b = a[step], b[step]
    found = [tuple(str(step) for step in path) for path, _, _ in differences(a, b)]
    return list(dict.fromkeys((*part, *path[:1]) for path in found))


def is_passing(error: ClusterError) -> bool:
    """Whether trying again may help."""
    return error.status in (0, 409, 429) or error.status >= 500 or is_gone(error)


def is_gone(error: ClusterError) -> bool:
    """Whether the namespace is on its way out or not there yet: nothing to tell of a Secret in it."""
    return error.status == 404


def told(problem: str, key: Key) -> str:
    """A refusal in the words of an event; that of an immutable Secret is explained."""
    if not problem.endswith(IMMUTABLE):
        return problem
    return (
        f"Error updating {key[0]}/{key[1]}: the target Secret is immutable. Once a Secret is marked as immutable, it is not "
        "possible to revert this change nor to mutate the contents of the data field. You can only delete and recreate the Secret."
    )


def name_of(source: Object) -> str:
    """For messages: namespace/name."""
    return f"{source['metadata'].get('namespace')}/{source['metadata'].get('name')}"
