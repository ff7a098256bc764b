"""JSON values as Python sees them, and the one canonical text of them.

A manifest read from Git or from a cluster is such a value. Nothing in the core changes one in place: what differs is built anew.
"""

import hashlib
from typing import Any, TypeAlias

import msgspec

Json: TypeAlias = Any  # dict[str, Json] | list[Json] | str | int | float | bool | None; mypy cannot bear it recursive
Object: TypeAlias = dict[str, Any]

_canonical = msgspec.json.Encoder(order="deterministic")


def canonical(value: Json) -> bytes:
    """Compact JSON with sorted keys: equal values have equal bytes, on every machine."""
    return _canonical.encode(value)


def digest(value: Json) -> str:
    """SHA-256 of the canonical text, in hex."""
    return hashlib.sha256(canonical(value)).hexdigest()
