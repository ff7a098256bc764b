"""Record: one entry of the ledger, and the hash that ties it to the one before."""

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from kilde.core.basics.values import canonical

GENESIS = "0" * 64
"""What the first record holds as the hash of the one before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One entry. `at` is RFC 3339 in UTC with milliseconds, `previous` and `hash` are SHA-256 in hex.

    `body` is plain JSON and holds no secret value: whoever writes a record leaves them out.
    """

    number: int
    at: str
    kind: str
    body: dict[str, Any] = field(hash=False)
    previous: str
    hash: str


def record_hash(*, number: int, at: str, kind: str, body: dict[str, Any], previous: str) -> str:
    """SHA-256 over the canonical JSON (sorted keys, no blanks, UTF-8) of everything a record says but its own hash."""
    said = {"at": at, "body": body, "kind": kind, "number": number, "previous": previous}
    return hashlib.sha256(canonical(said)).hexdigest()


def next_record(head: Record | None, kind: str, body: dict[str, Any], *, at: float) -> Record:
    """The record that follows `head` (None: the first). `at`: seconds since the epoch."""
    number, previous = (head.number + 1, head.hash) if head else (1, GENESIS)
    moment = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    said = record_hash(number=number, at=moment, kind=kind, body=body, previous=previous)
    return Record(number=number, at=moment, kind=kind, body=body, previous=previous, hash=said)
