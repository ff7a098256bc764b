"""The protobuf wire format, read and written: a message as its fields, in order. It knows nothing of Kubernetes."""

import struct
from collections.abc import Iterator

from kilde.core.basics.errors import InvalidInput

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5

Value = int | bytes


class NotProtobuf(InvalidInput):
    """The bytes are not a protobuf message of the type they should be."""

    code = "not-protobuf"


def fields(data: bytes) -> Iterator[tuple[int, int, Value]]:
    """(field number, wire type, value) of each field; of BYTES the bytes, of the others the unsigned integer that was sent."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, wire = key >> 3, key & 7
        if number == 0:
            raise NotProtobuf(f"a field has the number 0 at byte {at}")
        if wire == VARINT:
            value: Value
            value, at = _varint(data, at)
        elif wire in (FIXED64, FIXED32):
            size = 8 if wire == FIXED64 else 4
            value, at = int.from_bytes(_taken(data, at, size), "little"), at + size
        elif wire == BYTES:
            size, at = _varint(data, at)
            value, at = _taken(data, at, size), at + size
        else:
            raise NotProtobuf(f"a field has the wire type {wire} at byte {at}")
        yield number, wire, value


def _taken(data: bytes, at: int, size: int) -> bytes:
    if at + size > len(data):
        raise NotProtobuf("the message ends in the middle of a field")
    return data[at : at + size]


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """The number that begins here, below 2^64, and where it ends."""
    value = shift = 0
    while shift < 70:
        if at >= len(data):
            raise NotProtobuf("the message ends in the middle of a number")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, at
        shift += 7
    raise NotProtobuf(f"a number is longer than 10 bytes at byte {at}")


def signed(value: int) -> int:
    """A varint as a signed 64-bit integer."""
    return value - (1 << 64) if value >= 1 << 63 else value


def double(value: int) -> float:
    """The 64 bits of a fixed64 as a float."""
    found: float = struct.unpack("<d", value.to_bytes(8, "little"))[0]
    return found


def packed_varints(data: bytes) -> Iterator[int]:
    """The numbers of a packed repeated field."""
    at = 0
    while at < len(data):
        value, at = _varint(data, at)
        yield value


_SHORT = tuple(bytes((value,)) for value in range(128))


def varint(value: int) -> bytes:
    """An integer of up to 64 bits, negative ones as their two's complement."""
    if 0 <= value < len(_SHORT):
        return _SHORT[value]
    value &= 0xFFFFFFFFFFFFFFFF
    made = bytearray()
    while value > 0x7F:
        made.append(value & 0x7F | 0x80)
        value >>= 7
    made.append(value)
    return bytes(made)


def key(number: int, wire: int) -> bytes:
    """What a field begins with."""
    return varint(number << 3 | wire)


def sized(start: bytes, data: bytes) -> bytes:
    """A field of BYTES, after its key."""
    size = len(data)
    return start + (_SHORT[size] if size < len(_SHORT) else varint(size)) + data


def doubled(value: float) -> bytes:
    """A float as a fixed64."""
    return struct.pack("<d", value)
