"""Snapshots: all objects of a store in one file that any later version can read, and back into an empty journal.

gzip of JSON lines: a head, a line for each object in the order of their resourceVersions, and a foot with the SHA-256 of what is before.
"""

import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from kilde.core.basics.errors import KildeError
from kilde.kubeapi.storage.journal import Entry, Journal, StorageBroken
from kilde.kubeapi.storage.store import Store

FORMAT = 1
_LONGEST_LINE = 64 << 20
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class BadSnapshot(KildeError):
    """A file is no snapshot, or not a whole one."""

    code = "bad-snapshot"


class Head(NamedTuple):
    """What a snapshot says of itself: the resourceVersion it was taken at, when (seconds since the epoch), how many objects."""

    version: int
    time: float
    objects: int


class _Line(msgspec.Struct):
    key: str
    version: int
    value: msgspec.Raw


def written(store: Store, time: float) -> bytes:
    """The whole file."""
    rows = sorted(
        (record for resource in store.resources() for record in store.all(resource)), key=lambda row: row.version
    )
    head = {"kind": "kilde-snapshot", "format": FORMAT, "version": store.version, "time": time, "objects": len(rows)}
    packed, digest = io.BytesIO(), hashlib.sha256()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=1, mtime=0) as file:
        lines = (_encode(head), *(_encode(_Line(str(row.key), row.version, msgspec.Raw(row.data))) for row in rows))
        for line in lines:
            digest.update(line)
            file.write(line + b"\n")
        file.write(_encode({"sha256": digest.hexdigest()}) + b"\n")
    return packed.getvalue()


def restored(data: bytes, about: str, journal: Journal) -> Head:
    """Reads a file into a journal that is empty. BadSnapshot before anything is written, if the file is not whole."""
    head = _check(data, about)
    for entry in _entries(data):
        journal.append((entry,))
    journal.flush()
    for outcome in journal.outcomes():
        if outcome.error is not None:
            raise StorageBroken(journal.name, str(outcome.error))
    journal.begin(head.version)
    return head


def _check(data: bytes, about: str) -> Head:
    digest, head, count, last = hashlib.sha256(), None, 0, b""
    try:
        for number, line in enumerate(_lines(data)):
            if number == 0:
                head = _head(_decode(line), about)
            elif last and number > 1:
                _decode_line(last)
                count += 1
            if last:
                digest.update(last)
            last = line
        foot = _decode(last) if last else {}
    except (OSError, EOFError, zlib.error, msgspec.DecodeError, LookupError, TypeError, ValueError) as error:
        raise BadSnapshot(f"cannot be read: {error}", about=about) from error
    if head is None or not isinstance(foot, dict) or foot.get("sha256") != digest.hexdigest() or count != head.objects:
        raise BadSnapshot("is not a whole snapshot", about=about, hint="take it again with kilde cluster snapshot")
    return head


def _head(value: Any, about: str) -> Head:
    if not isinstance(value, dict) or value.get("kind") != "kilde-snapshot":
        raise BadSnapshot("is no snapshot of a Kilde cluster", about=about)
    if value.get("format") != FORMAT:
        raise BadSnapshot(f"has format {value.get('format')}; this Kilde reads {FORMAT}", about=about)
    return Head(int(value["version"]), float(value["time"]), int(value["objects"]))


def _decode_line(line: bytes) -> _Line:
    return msgspec.json.decode(line, type=_Line)


def _lines(data: bytes) -> Iterator[bytes]:
    with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
        while line := file.readline(_LONGEST_LINE):
            yield line.rstrip(b"\n")


def _entries(data: bytes) -> Iterator[Entry]:
    held: bytes | None = None
    for number, line in enumerate(_lines(data)):
        if number > 1 and held is not None:
            found = _decode_line(held)
            yield Entry(found.version, found.key, bytes(found.value))
        held = line
