"""Growth: the next record of a ledger and what its tree becomes, worked out once for every store."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kilde.core.basics.errors import LedgerError
from kilde.core.ledger.merkle import Edge, Node, grown, leaf_hash
from kilde.core.ledger.record import GENESIS, Record, next_record


@dataclass(frozen=True, slots=True)
class Head:
    """Where a ledger ends: its last record's number and hash, and the edge of its tree."""

    number: int = 0
    hash: str = GENESIS
    edge: Edge = ()


def grow(head: Head, kind: str, body: Mapping[str, Any], *, at: float) -> tuple[Record, Head, list[Node]]:
    """The record that follows, the head it makes, and the nodes to store. Raises LedgerError for what is not JSON."""
    last = Record(number=head.number, at="", kind="", body={}, previous="", hash=head.hash) if head.number else None
    try:
        record = next_record(last, kind, dict(body), at=at)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise LedgerError(f"a record of kind '{kind}' is not JSON: {error}") from error
    edge, nodes = grown(head.edge, head.number, leaf_of(record.hash))
    return record, Head(record.number, record.hash, edge), nodes


def leaf_of(hash_: str) -> bytes:
    """The leaf of a record with that hash; of what is no hash, a leaf that no honest record has."""
    try:
        return leaf_hash(bytes.fromhex(hash_))
    except ValueError:
        return leaf_hash(b"not a hash: " + hash_.encode("utf-8", "surrogatepass"))
