"""MemoryRecords: the ledger as lists; keeps the promises of ports.records but the one about crashes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from secrets import token_bytes

from kilde.core.basics.errors import LedgerError
from kilde.core.basics.values import canonical
from kilde.core.ledger.chain import Anchor, Verdict
from kilde.core.ledger.checkpoint import PublicKey
from kilde.core.ledger.evidence import ERASED, NOTICES, PRUNED, Evidence, Note, Row, judge
from kilde.core.ledger.growth import Head, grow, leaf_of
from kilde.core.ledger.merkle import Tiles
from kilde.core.ledger.people import KEY_BYTES, Person, hidden, reference
from kilde.core.ledger.record import Record


class MemoryRecords:
    """See ports.records.Ledger."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self._given_up: list[str] = []
        self._end = Head()
        self._nodes: dict[tuple[int, int], bytes] = {}
        self._people: dict[str, Person] = {}
        self._checkpoints: dict[int, str] = {}

    def append(self, kind: str, body: dict[str, object], *, at: float) -> Record:
        made, self._end, nodes = grow(self._end, kind, hidden(body, self._refer), at=at)
        self.records.append(made)
        self._nodes |= {(level, place): hash_ for level, place, hash_ in nodes}
        return made

    def read(self, *, first: int = 1, last: int | None = None) -> Iterator[Record]:
        gone = len(self._given_up)
        yield from self.records[max(0, first - 1 - gone) : None if last is None else max(0, last - gone)]

    def head(self) -> Record | None:
        return self.records[-1] if self.records else None

    def open_operations(self) -> list[Record]:
        closed = {record.body.get("operation") for record in self.records if record.kind == "operation-closed"}
        return [r for r in self.records if r.kind == "operation-opened" and r.number not in closed]

    def notices(self) -> list[Record]:
        return [record for record in self.records if record.kind in NOTICES]

    def end(self) -> Head:
        return self._end

    def node(self, level: int, place: int) -> bytes:
        return Tiles(self._stored)(level, place)

    def pruned(self) -> int:
        return len(self._given_up)

    def people(self) -> Mapping[str, Person]:
        return dict(self._people)

    def checkpoints(self) -> list[str]:
        return [self._checkpoints[size] for size in sorted(self._checkpoints)]

    def checkpoint(self, size: int) -> str | None:
        return self._checkpoints.get(size)

    def keep_checkpoint(self, size: int, note: str) -> None:
        self._checkpoints.setdefault(size, note)

    def verify(
        self, known: Iterable[Anchor] = (), *, notes: Iterable[Note] = (), trusted: PublicKey | None = None
    ) -> Verdict:
        end = self._end
        evidence = Evidence(
            rows=lambda: map(_row, self.records),
            anchors=[*([Anchor(end.number, end.hash, exact=True)] if end.number else []), *known],
            edge=end.edge,
            nodes=self._nodes,
            pruned=self._given_up,
            people=self._people,
            notes=[*(Note("the ledger itself", note) for note in self.checkpoints()), *notes],
            trusted=trusted,
        )
        return judge(evidence)

    def erase(self, ref: str, *, reason: str, by: str, at: float) -> Record:
        if ref not in self._people:
            raise LedgerError("nobody is known by this reference", about=ref)
        made = self.append(ERASED, {"person": ref, "reason": reason, "by": by}, at=at)
        del self._people[ref]
        return made

    def prune(self, last: int, *, checkpoint: str, kept: list[object], reason: str, by: str, at: float) -> Record:
        first = len(self._given_up) + 1
        opened = [record.number for record in self.open_operations() if record.number <= last]
        if opened:
            raise LedgerError(f"operation {opened[0]} is still open", hint="keep it")
        if not first <= last < self._end.number:
            raise LedgerError(f"records {first} to {last} cannot be given up")
        body = {"first": first, "last": last, "checkpoint": checkpoint, "kept": kept, "reason": reason, "by": by}
        made = self.append(PRUNED, body, at=at)
        self._given_up += [record.hash for record in self.records[: last - first + 1]]
        del self.records[: last - first + 1]
        named = " ".join(canonical(record.body).decode() for record in self.records)
        self._people = {ref: person for ref, person in self._people.items() if ref in named}
        return made

    def _refer(self, text: str) -> str:
        for ref, person in self._people.items():
            if person.text == text:
                return ref
        key = token_bytes(KEY_BYTES)
        ref = reference(key, text)
        self._people[ref] = Person(key.hex(), text)
        return ref

    def _stored(self, level: int, begin: int, end: int) -> Sequence[bytes]:
        if level:
            return [
                hash_ for (high, place), hash_ in sorted(self._nodes.items()) if high == level and begin <= place < end
            ]
        return [leaf_of(hash_) for hash_ in [*self._given_up, *(record.hash for record in self.records)][begin:end]]


def _row(record: Record) -> Row:
    body = canonical(record.body).decode()
    return record.number, record.at, record.kind, body, record.previous, record.hash
