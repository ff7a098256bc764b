"""The ledger in PostgreSQL: one for several replicas, each of which appends behind a lock on the head. Needs the extra `postgres`.

The port is synchronous, for the engine must not go on before a record is durable. asyncpg runs on a loop of its own, in a thread.
"""

import asyncio
import secrets
import threading
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import urlsplit

from kilde.adapters.store import postgres_schema as schema
from kilde.core.basics.errors import LedgerError
from kilde.core.basics.values import canonical
from kilde.core.ledger.chain import Anchor, Verdict
from kilde.core.ledger.checkpoint import PublicKey
from kilde.core.ledger.evidence import ERASED, NOTICES, PRUNED, Evidence, Note, Row, judge, record_of
from kilde.core.ledger.growth import Head, grow, leaf_of
from kilde.core.ledger.merkle import Tiles, packed, unpacked
from kilde.core.ledger.people import KEY_BYTES, Person, hidden, reference
from kilde.core.ledger.record import GENESIS, Record

_COLUMNS = "number, at, kind, body, previous, hash"
_BATCH = 500
_PATIENCE = 30.0  # seconds for one statement, and to connect
_LOCK = 0x6B696C64  # of pg_advisory_xact_lock: one replica makes the tables
_T = TypeVar("_T")

Entry = tuple[str, dict[str, Any], float]


class PostgresLedger:
    """Keeps the promises of ports.records.Ledger. Use from one thread at a time; any number of processes may append."""

    def __init__(self, dsn: str) -> None:
        """Connects, and makes the tables where there are none. Raises LedgerError, which never holds the password."""
        self._dsn, self._about = dsn, _told_dsn(dsn)
        self._connection: Any = None
        self._tiles: Tiles | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="ledger", daemon=True)
        self._thread.start()
        try:
            self._run(self._prepare)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "PostgresLedger":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connection and the thread."""
        if self._loop.is_closed():
            return
        if self._connection is not None and not self._connection.is_closed():
            asyncio.run_coroutine_threadsafe(self._connection.close(timeout=5), self._loop).exception(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def append(self, kind: str, body: dict[str, object], *, at: float) -> Record:
        """Adds one record. Raises LedgerError when it could not be made durable."""
        return self.append_all([(kind, dict(body), at)])[0]

    def append_all(self, entries: Sequence[Entry]) -> list[Record]:
        """Adds records together, all or none, in one transaction."""
        return self._write(lambda run: self._add(run, entries))

    def read(self, *, first: int = 1, last: int | None = None) -> Iterator[Record]:
        return map(record_of, self._rows(first, last))

    def head(self) -> Record | None:
        query = f"SELECT {_COLUMNS} FROM kilde_records ORDER BY number DESC LIMIT 1"  # noqa: S608
        return next(map(record_of, self._query(query)), None)

    def open_operations(self) -> list[Record]:
        found = self._query(
            f"SELECT {_COLUMNS} FROM kilde_records AS opened WHERE kind = 'operation-opened' AND NOT EXISTS ("  # noqa: S608
            " SELECT 1 FROM kilde_records AS closed"
            " WHERE closed.kind = 'operation-closed' AND closed.operation = opened.number) ORDER BY number"
        )
        return list(map(record_of, found))

    def notices(self) -> list[Record]:
        query = f"SELECT {_COLUMNS} FROM kilde_records WHERE kind = ANY($1) ORDER BY number"  # noqa: S608
        return list(map(record_of, self._query(query, sorted(NOTICES))))

    def end(self) -> Head:
        return self._head(self._query(_HEAD))

    def node(self, level: int, place: int) -> bytes:
        if self._tiles is None:
            self._tiles = Tiles(self._stored)
        return self._tiles(level, place)

    def pruned(self) -> int:
        return int(self._query("SELECT coalesce(max(number), 0) FROM kilde_given_up")[0][0])

    def people(self) -> Mapping[str, Person]:
        return {ref: Person(key, text) for ref, key, text in self._query("SELECT ref, key, text FROM kilde_people")}

    def checkpoints(self) -> list[str]:
        return [note for (note,) in self._query("SELECT note FROM kilde_checkpoints ORDER BY size")]

    def checkpoint(self, size: int) -> str | None:
        return next((note for (note,) in self._query("SELECT note FROM kilde_checkpoints WHERE size = $1", size)), None)

    def keep_checkpoint(self, size: int, note: str) -> None:
        self._query("INSERT INTO kilde_checkpoints (size, note) VALUES ($1, $2) ON CONFLICT DO NOTHING", size, note)

    def verify(
        self, known: Iterable[Anchor] = (), *, notes: Iterable[Note] = (), trusted: PublicKey | None = None
    ) -> Verdict:
        """Judges everything in one snapshot."""
        self._query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        try:
            rows = self._query(_HEAD)
            number, hash_, edge = rows[0] if rows else (0, "", b"")
            evidence = Evidence(
                rows=lambda: self._rows(1, None),
                anchors=[*([Anchor(number, hash_, exact=True)] if number else []), *known],
                edge=unpacked(edge, number),
                nodes={(a, b): c for a, b, c in self._query("SELECT level, place, hash FROM kilde_nodes")},
                pruned=[one for (one,) in self._query("SELECT hash FROM kilde_given_up ORDER BY number")],
                people=self.people(),
                notes=[*(Note("the ledger itself", note) for note in self.checkpoints()), *notes],
                trusted=trusted,
            )
            return judge(evidence)
        finally:
            self._query("ROLLBACK")

    def erase(self, ref: str, *, reason: str, by: str, at: float) -> Record:
        async def erase(run: Any) -> list[Record]:
            if not await run.fetchval("SELECT 1 FROM kilde_people WHERE ref = $1", ref):
                raise LedgerError("nobody is known by this reference", about=ref)
            added = await self._add(run, [(ERASED, {"person": ref, "reason": reason, "by": by}, at)])
            await run.execute("DELETE FROM kilde_people WHERE ref = $1", ref)
            return added

        return self._write(erase)[0]

    def prune(self, last: int, *, checkpoint: str, kept: list[object], reason: str, by: str, at: float) -> Record:
        opened = [record.number for record in self.open_operations() if record.number <= last]
        if opened:
            raise LedgerError(f"operation {opened[0]} is still open", about=self._about, hint="keep it")

        async def prune(run: Any) -> list[Record]:
            first = 1 + await run.fetchval("SELECT coalesce(max(number), 0) FROM kilde_given_up")
            if not first <= last < await run.fetchval("SELECT number FROM kilde_head"):
                raise LedgerError(f"records {first} to {last} cannot be given up", about=self._about)
            body = {"first": first, "last": last, "checkpoint": checkpoint, "kept": kept, "reason": reason, "by": by}
            added = await self._add(run, [(PRUNED, body, at)])
            between = "FROM kilde_records WHERE number BETWEEN $1 AND $2"
            await run.execute(f"INSERT INTO kilde_given_up SELECT number, hash {between}", first, last)
            await run.execute(f"DELETE {between}", first, last)
            await run.execute(
                "DELETE FROM kilde_people AS p"
                " WHERE NOT EXISTS (SELECT 1 FROM kilde_records AS r WHERE strpos(r.body, p.ref) > 0)"
            )
            return added

        return self._write(prune)[0]

    async def _add(self, run: Any, entries: Iterable[Entry]) -> list[Record]:
        """Within a transaction that holds the head's lock."""
        head, added, nodes = self._head([await run.fetchrow(f"{_HEAD} FOR UPDATE")]), [], []
        known = {text: ref for ref, text in await run.fetch("SELECT ref, text FROM kilde_people")}
        new: list[tuple[str, str, str]] = []
        for kind, body, at in entries:
            record, head, done = grow(head, kind, hidden(body, lambda text: _refer(known, new, text)), at=at)
            added.append(record)
            nodes += done
        rows = [(r.number, r.at, r.kind, canonical(r.body).decode(), r.previous, r.hash) for r in added]
        await run.executemany("INSERT INTO kilde_people (ref, key, text) VALUES ($1, $2, $3)", new)
        insert = f"INSERT INTO kilde_records ({_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6)"  # noqa: S608
        await run.executemany(insert, rows)
        await run.executemany("INSERT INTO kilde_nodes (level, place, hash) VALUES ($1, $2, $3)", nodes)
        if added:
            update = "UPDATE kilde_head SET number = $1, hash = $2, edge = $3"
            await run.execute(update, head.number, head.hash, packed(head.edge))
        return added

    def _head(self, rows: Sequence[Any]) -> Head:
        edge = unpacked(rows[0][2], rows[0][0]) if rows and rows[0] else None
        if edge is None:
            raise LedgerError("its head is missing", about=self._about, hint="kilde ledger verify says more")
        return Head(rows[0][0], rows[0][1], edge)

    def _rows(self, first: int, last: int | None) -> Iterator[Row]:
        """A page at a time: no cursor stays open between two of them."""
        query = (
            f"SELECT {_COLUMNS} FROM kilde_records WHERE number >= $1 AND number <= $2 ORDER BY number LIMIT {_BATCH}"  # noqa: S608
        )
        while rows := self._query(query, first, 2**62 if last is None else last):
            for row in rows:
                yield tuple(row)
            first = rows[-1][0] + 1

    def _stored(self, level: int, begin: int, end: int) -> list[bytes]:
        if level:
            query = "SELECT hash FROM kilde_nodes WHERE level = $1 AND place >= $2 AND place < $3 ORDER BY place"
            return [hash_ for (hash_,) in self._query(query, level, begin, end)]
        where = "WHERE number > $1 AND number <= $2"
        query = (
            f"SELECT number, hash FROM kilde_given_up {where} UNION ALL SELECT number, hash FROM kilde_records {where}"  # noqa: S608
        )
        return [leaf_of(hash_) for _, hash_ in sorted(map(tuple, self._query(query, begin, end)))]

    def _query(self, query: str, *values: object) -> list[Any]:
        async def ask() -> list[Any]:
            connection = await self._connected()
            found: list[Any] = await connection.fetch(query, *values)
            return found

        return self._run(ask)

    def _write(self, work: "Callable[[Any], Coroutine[Any, Any, _T]]") -> _T:
        async def write() -> _T:
            connection = await self._connected()
            async with connection.transaction():
                return await work(connection)

        try:
            return self._run(write)
        finally:
            self._tiles = None

    async def _connected(self) -> Any:
        """The connection; a new one where the last was lost."""
        if self._connection is None or self._connection.is_closed():
            asyncpg = _asyncpg()
            self._connection = await asyncpg.connect(self._dsn, timeout=_PATIENCE, command_timeout=_PATIENCE)
            await self._connection.execute("SET synchronous_commit = on")
        return self._connection

    async def _prepare(self) -> None:
        connection = await self._connected()
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
            if await connection.fetchval("SELECT to_regclass('kilde_ledger_version')") is None:
                await connection.execute(schema.TABLES)
                for name in schema.NAMES:
                    await connection.execute(schema.NO_TRUNCATE.format(name))
                await connection.execute("INSERT INTO kilde_head (number, hash, edge) VALUES (0, $1, '')", GENESIS)
                await connection.execute("INSERT INTO kilde_ledger_version (version) VALUES ($1)", schema.VERSION)
            version = await connection.fetchval("SELECT version FROM kilde_ledger_version")
        if version != schema.VERSION:
            known = f"this kilde reads version {schema.VERSION}"
            raise LedgerError(
                f"it is a ledger of version {version}, {known}", about=self._about, hint="use a newer kilde"
            )

    def _run(self, work: "Callable[[], Coroutine[Any, Any, _T]]") -> _T:
        with _told(self._about):
            return asyncio.run_coroutine_threadsafe(self._guarded(work), self._loop).result()

    async def _guarded(self, work: "Callable[[], Coroutine[Any, Any, _T]]") -> _T:
        """A connection that failed otherwise than by the server's word is in no known state: the next call has a new one."""
        try:
            return await work()
        except (_asyncpg().PostgresError, LedgerError):
            raise
        except BaseException:
            if self._connection is not None:
                self._connection.terminate()
                self._connection = None
            raise


_HEAD = "SELECT number, hash, edge FROM kilde_head"


def _refer(known: dict[str, str], new: list[tuple[str, str, str]], text: str) -> str:
    if text not in known:
        key = secrets.token_bytes(KEY_BYTES)
        known[text] = reference(key, text)
        new.append((known[text], key.hex(), text))
    return known[text]


def _told_dsn(dsn: str) -> str:
    """Host and database: what may be shown."""
    try:
        url = urlsplit(dsn)
        return f"postgresql://{url.hostname or ''}{f':{url.port}' if url.port else ''}{url.path}"
    except ValueError:
        return "postgresql"


def _asyncpg() -> Any:
    try:
        import asyncpg
    except ImportError:
        raise LedgerError("PostgreSQL needs asyncpg", hint="pip install 'kilde[postgres]'") from None
    return asyncpg


@contextmanager
def _told(about: str) -> Iterator[None]:
    """asyncpg's and the network's errors, as the ledger's."""
    asyncpg = _asyncpg()
    try:
        yield
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
        raise LedgerError(f"it cannot be used: {type(error).__name__}: {error}", about=about) from None
    except (OSError, TimeoutError) as error:
        raise LedgerError(f"it cannot be reached: {type(error).__name__}", about=about) from None
    except ValueError as error:
        raise LedgerError(f"it cannot be used: {type(error).__name__}", about=about) from None
