"""The archive of an export: a ZIP file without compression, in which every byte follows from the files in it.

So a changed byte is either in the content of a file, which its own checks find, or is not what it must be.
"""

from __future__ import annotations

import struct
import zlib
from typing import BinaryIO, Iterator, NamedTuple  # noqa: UP035  # Python 3.8 reads it

_LOCAL, _ENTRY, _END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_FIXED = struct.pack("<HHHHH", 20, 0x800, 0, 0, 0x21)  # version, UTF-8 names, stored, 1980-01-01 00:00
_CHUNK = 1 << 20


class Wrong(Exception):
    """The archive cannot be read on: what and where."""


class Member(NamedTuple):
    """A file in the archive: its content is `size` bytes from `begin`."""

    name: str
    begin: int
    size: int


def local_header(name: str, crc: int, size: int) -> bytes:
    raw = name.encode()
    return _LOCAL + _FIXED + struct.pack("<IIIHH", crc, size, size, len(raw), 0) + raw


def directory(members: list[tuple[str, int, int]]) -> bytes:
    """The end of the archive; `members`: name, CRC-32 and size, in their order."""
    entries, at = b"", 0
    for name, crc, size in members:
        raw = name.encode()
        entries += (
            _ENTRY
            + struct.pack("<H", 0x314)
            + _FIXED
            + struct.pack("<IIIHHHHHII", crc, size, size, len(raw), 0, 0, 0, 0, 0o644 << 16, at)
            + raw
        )
        at += len(local_header(name, crc, size)) + size
    count = len(members)
    return entries + _END + struct.pack("<HHHHIIH", 0, 0, count, count, len(entries), at, 0)


def read_members(file: BinaryIO, length: int) -> tuple[list[Member], list[str]]:
    """The members, once every byte between them is what it must be; and the names of those whose content is not. Raises Wrong."""
    found: list[tuple[str, int, int]] = []
    members: list[Member] = []
    spoilt: list[str] = []
    at = 0
    while True:
        file.seek(at)
        head = file.read(30)
        if head[:4] != _LOCAL or len(head) < 30:
            break
        crc, size, again, name_length, extra = struct.unpack("<IIIHH", head[14:])
        raw = file.read(min(name_length, 200))
        begin = at + 30 + name_length
        try:
            name = raw.decode()
        except UnicodeDecodeError:
            raise Wrong(f"byte {at}: the name of a file in the archive is damaged") from None
        if head + raw != local_header(name, crc, size) or again != size or extra or begin + size > length:
            raise Wrong(
                f"bytes {at} to {begin}: the header of file {len(found) + 1} in the archive ({name!r}) is damaged"
            )
        if crc_of(file, begin, size) != crc:
            spoilt.append(name)
        members.append(Member(name, begin, size))
        found.append((name, crc, size))
        at = begin + size
    file.seek(at)
    expected, tail = directory(found), file.read(length - at)
    if tail != expected:
        place = next((n for n, (a, b) in enumerate(zip(tail, expected)) if a != b), min(len(tail), len(expected)))  # noqa: B905
        raise Wrong(f"byte {at + place}: the archive's directory is damaged, or a file's header or end before it")
    return members, spoilt


def crc_of(file: BinaryIO, begin: int, size: int) -> int:
    crc = 0
    for chunk in chunks(file, begin, size):
        crc = zlib.crc32(chunk, crc)
    return crc


def chunks(file: BinaryIO, begin: int, size: int) -> Iterator[bytes]:
    file.seek(begin)
    while size > 0:
        chunk = file.read(min(_CHUNK, size))
        if not chunk:
            return
        size -= len(chunk)
        yield chunk
