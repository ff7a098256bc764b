"""Store: every object in memory as bytes, one global resourceVersion, and a change for each write that watchers are told at once."""

import asyncio
import contextlib
import time
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable, Iterator

from kilde.core.basics.values import Object
from kilde.kubeapi.storage.history import History
from kilde.kubeapi.storage.journal import Entry, Journal, NoJournal, Recovery, StorageBroken
from kilde.kubeapi.storage.records import Change, Key, Record, encode, labels_of, record

_LEAP = 1000  # a restart skips so many versions: those told to a client but lost in a kill are never given twice
_GROUP = 8  # so many writes of one turn of the loop go to the disk while the rest is judged
_PAUSE = 1.0  # seconds without writes after the disk refused one


class Expired(Exception):
    """That resourceVersion is older than the history reaches."""


class _Table:
    """The objects of one resource, and their (namespace, name) in order."""

    __slots__ = ("order", "rows")

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], Record] = {}
        self.order: list[tuple[str, str]] = []


class Store:
    """Single-threaded: a caller reads, decides and writes without giving way, so nothing comes between.

    A write counts in memory at once and is committed a moment later. What is told to anybody outside waits for that (`settled`, `follow`);
    if the disk does not take it, it is undone, in memory too, with all that came after it.
    """

    def __init__(self, journal: Journal | None = None) -> None:
        """Reads what the journal has kept."""
        self._journal = journal or NoJournal()
        self._tables: dict[str, _Table] = {}
        self._listeners: dict[str, list[Callable[[Change], None]]] = {}
        self._followers: dict[str, list[Callable[[Change], None]]] = {}
        self._pending: deque[Change] = deque()
        self._fresh: list[Entry] = []  # what the journal was not yet given
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiters: deque[tuple[int, asyncio.Future[None]]] = deque()
        self._refusal: StorageBroken | None = None
        self._refuses_until = 0.0
        self.version = 0
        self._replay()
        self.durable = self.version
        self.history = History(start=self.version)
        if isinstance(self._journal, NoJournal):
            self._journal.on_outcome(self.poll)

    @property
    def recovery(self) -> Recovery:
        """What the start found."""
        return self._journal.recovery

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """From here on commits are told in this loop, which is the one that writes. What it writes in one turn is one group."""
        if not isinstance(self._journal, NoJournal):
            self._loop = loop
            self._journal.on_outcome(lambda: _tell(loop, self.poll))

    def _replay(self) -> None:
        for version, text, value in self._journal.entries():
            key = Key.parse(text)
            rows = self._tables.setdefault(key.resource, _Table()).rows  # their order is made at the end
            if value is None:
                rows.pop(key[1:], None)
            else:
                rows[key[1:]] = record(key, version, value)
        for table in self._tables.values():
            table.order = sorted(table.rows)
        kept = self._journal.last()
        if kept:
            self.version = kept + _LEAP
        self._journal.begin(self.version)

    def _put(self, new: Record) -> None:
        table = self._tables.get(new.key.resource)
        if table is None:
            table = self._tables[new.key.resource] = _Table()
        place = new.key[1:]
        if place not in table.rows:
            insort(table.order, place)
        table.rows[place] = new

    def _remove(self, key: Key) -> None:
        table = self._tables.get(key.resource)
        if table is not None and table.rows.pop(key[1:], None) is not None:
            del table.order[bisect_left(table.order, key[1:])]

    def get(self, key: Key) -> Record | None:
        """What is kept under a key; None if nothing is."""
        table = self._tables.get(key.resource)
        return None if table is None else table.rows.get(key[1:])

    def put(self, key: Key, obj: Object) -> Record:
        """Keeps an object under the next resourceVersion, which is written into it. It is the store's from now on. StorageBroken."""
        self._check()
        version = self.version + 1
        obj["metadata"]["resourceVersion"] = str(version)
        new = Record(key, version, encode(obj), labels_of(key, obj))
        before = self.get(key)
        self._put(new)
        self._changed(Change(version, key, before, new), Entry(version, str(key), new.data))
        return new

    def delete(self, key: Key, last: Object) -> Record:
        """Forgets an object; `last` is its final state, which gets the resourceVersion of the deletion. KeyError if it is not there."""
        self._check()
        before = self.get(key)
        if before is None:
            raise KeyError(key)
        version = self.version + 1
        last["metadata"]["resourceVersion"] = str(version)
        final = Record(key, version, encode(last), labels_of(key, last))
        self._remove(key)
        self._changed(Change(version, key, before, None, final), Entry(version, str(key), None))
        return final

    def _changed(self, change: Change, entry: Entry) -> None:
        self.version = change.version
        self.history.add(change)
        self._pending.append(change)
        self._fresh.append(entry)
        if self._loop is None or len(self._fresh) >= _GROUP:
            self._hand_over()
        elif len(self._fresh) == 1:
            self._loop.call_soon(self._hand_over)
        self._announce(change)

    def _hand_over(self) -> None:
        """Gives the journal what was written."""
        if self._fresh:
            fresh, self._fresh = self._fresh, []
            self._journal.append(fresh)

    def listen(self, resource: str, listener: Callable[[Change], None]) -> Callable[[], None]:
        """Tells the listener each change of a resource ("": of all) as it is made; the answer ends that."""
        self._listeners.setdefault(resource, []).append(listener)
        return lambda: self._listeners[resource].remove(listener)

    def follow(self, resource: str, follower: Callable[[Change], None]) -> Callable[[], None]:
        """The same, once a change is committed: never one that is undone."""
        self._followers.setdefault(resource, []).append(follower)
        return lambda: self._followers[resource].remove(follower)

    async def settled(self, version: int | None = None) -> None:
        """Returns when all writes up to this resourceVersion (None: all there are) are committed. StorageBroken if they are not."""
        wanted = self.version if version is None else version
        if wanted > self.durable:
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiters.append((wanted, future))
            await future

    def poll(self) -> None:
        """Takes in what the journal has decided: tells the followers, lets go those who wait, undoes what failed."""
        for outcome in self._journal.outcomes():
            self._committed(outcome.version)
            if outcome.error is not None:
                self._undo(outcome.error)

    def _committed(self, version: int) -> None:
        self.durable = max(self.durable, version)
        while self._pending and self._pending[0].version <= version:
            change = self._pending.popleft()
            for name in (change.key.resource, ""):
                for follower in tuple(self._followers.get(name, ())):
                    follower(change)
        self._release(version)

    def _release(self, version: int, error: StorageBroken | None = None) -> None:
        while self._waiters and (self._waiters[0][0] <= version or error is not None):
            _, future = self._waiters.popleft()
            if future.done():
                continue
            if error is None:
                future.set_result(None)
            else:
                future.set_exception(error)

    def _undo(self, error: Exception) -> None:
        """Takes back every write that is not committed, newest first; for a moment no new one is taken."""
        self._refusal = StorageBroken(self._journal.name, str(error))
        self._refuses_until = time.monotonic() + _PAUSE
        self.history.forget_after(self.durable)
        while self._pending:
            done = self._pending.pop()
            if done.before is None:
                self._remove(done.key)
            else:
                self._put(done.before)
            self.version += 1
            back = Change(self.version, done.key, done.after, done.before, done.last or done.after, undone=True)
            self._announce(back)
        self.durable = self.version
        self._fresh.clear()
        self._release(self.version, self._refusal)
        self._journal.resume()

    def _announce(self, change: Change) -> None:
        for name in (change.key.resource, ""):
            for listener in tuple(self._listeners.get(name, ())):
                listener(change)

    def _check(self) -> None:
        if self._refusal is not None:
            if time.monotonic() < self._refuses_until:
                raise StorageBroken(self._journal.name, self._refusal.why)
            self._refusal = None

    def all(self, resource: str, namespace: str = "") -> Iterator[Record]:
        """The objects of a resource (of one namespace if given) in order of namespace and name."""
        table = self._tables.get(resource)
        if table is None:
            return iter(())
        order = table.order
        if namespace:
            order = order[bisect_left(order, (namespace, "")) : bisect_left(order, (namespace + "\0", ""))]
        return iter([table.rows[place] for place in order])

    def at(self, version: int, resource: str, namespace: str = "") -> list[Record]:
        """The same as it was at an earlier resourceVersion. Expired if the history does not reach that far."""
        if not self.history.reaches(version):
            raise Expired
        undone = self.history.undone(version, resource)
        rows = {found.key[1:]: found for found in self.all(resource, namespace)}
        for place, before in undone.items():
            if namespace and place[0] != namespace:
                continue
            if before is None:
                rows.pop(place, None)
            else:
                rows[place] = before
        return [rows[place] for place in sorted(rows)]

    def resources(self) -> list[str]:
        """The resources of which objects are kept, in order."""
        return sorted(name for name, table in self._tables.items() if table.rows)

    def count(self, resource: str) -> int:
        """How many objects of a resource there are."""
        table = self._tables.get(resource)
        return len(table.rows) if table else 0

    def flush(self) -> None:
        """Waits, without giving way, until all writes are decided."""
        self._hand_over()
        self._journal.flush()
        self.poll()

    def close(self) -> None:
        """Writes what is left to disk."""
        self._hand_over()
        self._journal.on_outcome(lambda: None)
        self._journal.close()
        self.poll()


def _tell(loop: asyncio.AbstractEventLoop, poll: Callable[[], None]) -> None:
    with contextlib.suppress(RuntimeError):  # the loop has ended: nobody waits
        loop.call_soon_threadsafe(poll)
