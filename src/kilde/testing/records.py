"""MemoryRecords: the ledger as a list; keeps the promises of ports.records but the one about crashes."""

from collections.abc import Iterator

from kilde.core.ledger.record import Record, next_record


class MemoryRecords:
    """See ports.records."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    def append(self, kind: str, body: dict[str, object], *, at: float) -> Record:
        made = next_record(self.head(), kind, body, at=at)
        self.records.append(made)
        return made

    def read(self, *, first: int = 1, last: int | None = None) -> Iterator[Record]:
        yield from self.records[first - 1 : last]

    def head(self) -> Record | None:
        return self.records[-1] if self.records else None

    def open_operations(self) -> list[Record]:
        closed = {record.body.get("operation") for record in self.records if record.kind == "operation-closed"}
        return [r for r in self.records if r.kind == "operation-opened" and r.number not in closed]
