"""Store: every object in memory as bytes, one global resourceVersion, and a change for each write that watchers are told at once."""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterator

from kilde.core.basics.values import Object
from kilde.kubeapi.storage.history import History
from kilde.kubeapi.storage.journal import Entry, Journal, NoJournal
from kilde.kubeapi.storage.records import Change, Key, Record, encode, record

_LEAP = 1000  # a restart skips so many versions: those told to a client but lost in a kill are never given twice


class Expired(Exception):
    """That resourceVersion is older than the history reaches."""


class _Table:
    """The objects of one resource, and their (namespace, name) in order."""

    __slots__ = ("order", "rows")

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], Record] = {}
        self.order: list[tuple[str, str]] = []


class Store:
    """Single-threaded: a caller reads, decides and writes without giving way, so nothing comes between."""

    def __init__(self, journal: Journal | None = None) -> None:
        """Reads what the journal has kept."""
        self._journal = journal or NoJournal()
        self._tables: dict[str, _Table] = {}
        self._listeners: dict[str, list[Callable[[Change], None]]] = {}
        self.version = 0
        self._replay()
        self.history = History(start=self.version)

    def _replay(self) -> None:
        for entries in (self._journal.snapshot(), self._journal.tail()):
            for version, text, value in entries:
                key = Key.parse(text)
                if value is None:
                    self._remove(key)
                else:
                    self._put(record(key, version, value))
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
        """Keeps an object under the next resourceVersion, which is written into it. The object is the store's from here on."""
        version = self.version + 1
        obj["metadata"]["resourceVersion"] = str(version)
        new = Record(key, version, encode(obj), obj["metadata"].get("labels") or None)
        before = self.get(key)
        self._journal.append(Entry(version, str(key), new.data))
        self._put(new)
        self._tell(Change(version, key, before, new))
        return new

    def delete(self, key: Key, last: Object) -> Record:
        """Forgets an object; `last` is its final state, which gets the resourceVersion of the deletion. KeyError if it is not there."""
        before = self.get(key)
        if before is None:
            raise KeyError(key)
        version = self.version + 1
        last["metadata"]["resourceVersion"] = str(version)
        final = Record(key, version, encode(last), last["metadata"].get("labels") or None)
        self._journal.append(Entry(version, str(key), None))
        self._remove(key)
        self._tell(Change(version, key, before, None, final))
        return final

    def _tell(self, change: Change) -> None:
        self.version = change.version
        self.history.add(change)
        for name in (change.key.resource, ""):
            for listener in tuple(self._listeners.get(name, ())):
                listener(change)

    def listen(self, resource: str, listener: Callable[[Change], None]) -> Callable[[], None]:
        """Tells the listener each change of a resource ("": of all) as it is made; the answer ends that."""
        self._listeners.setdefault(resource, []).append(listener)
        return lambda: self._listeners[resource].remove(listener)

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

    def close(self) -> None:
        """Writes what is left to disk."""
        self._journal.close()
