"""What Go's encoding/asn1 says of bytes that are no PKCS#10 request: the same reading, down to the first fault, and its words."""

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

_LONGEST, _LARGEST_PART = 1 << 23, (1 << 31) - 1
_PARAMETERS = (
    "{{optional:false explicit:false application:false private:false defaultValue:<nil> tag:{tag} stringType:0 timeType:0"
    " set:false omitEmpty:false}}"
)


class Fault(ValueError):
    """Why it cannot be read, as Go says it."""


class _Type(NamedTuple):
    """A type of Go's: its name, the tag it is written with (None: any), and the fields of a struct, or the one type of its elements."""

    name: str
    tag: int | None
    fields: "tuple[_Type, ...]" = ()
    optional: bool = False
    context: bool = False  # has a tag of its own, of the context's class
    repeated: bool = False


_INT, _OID, _BITS, _ANY = _Type("int", 2), _Type("ObjectIdentifier", 6), _Type("BitString", 3), _Type("RawValue", None)
_ALGORITHM = _Type("AlgorithmIdentifier", 16, (_OID, _ANY._replace(optional=True)))
_KEY = _Type("publicKeyInfo", 16, (_ALGORITHM, _BITS))
_ATTRIBUTES = _Type("", 0, (_ANY,), context=True, repeated=True)
_ASKED = _Type("tbsCertificateRequest", 16, (_INT, _ANY, _KEY, _ATTRIBUTES))
_REQUEST = _Type("certificateRequest", 16, (_ASKED, _ALGORITHM, _BITS))
_VALUE = _Type("interface", None)  # read as what it says it is
_PAIR = _Type("AttributeTypeAndValue", 16, (_OID, _VALUE))
_SUBJECT = _Type(
    "RDNSequence", 16, (_Type("RelativeDistinguishedNameSET", 17, (_PAIR,), repeated=True),), repeated=True
)


def check_request(der: bytes) -> bytes:
    """The public key of a request (SubjectPublicKeyInfo). Fault if Go reads none there: its structure, its key's and its subject's."""
    if _read(der, 0, _REQUEST) < len(der):
        raise _syntax("trailing data")
    _, subject, key = islice(_elements(next(_inside(der))), 3)  # what follows may be anything
    _read(subject, 0, _SUBJECT)
    return key


class _Head(NamedTuple):
    kind: int
    tag: int
    length: int
    compound: bool

    def __str__(self) -> str:
        return f"{{class:{self.kind} tag:{self.tag} length:{self.length} isCompound:{str(self.compound).lower()}}}"


def _read(data: bytes, begin: int, wanted: _Type) -> int:
    """Where what is of this type ends."""
    if begin == len(data):
        if wanted.optional:
            return begin
        raise _syntax("sequence truncated")
    head, at = _head(data, begin)
    if not _fits(head, wanted):
        if wanted.optional:
            return begin
        given = _PARAMETERS.format(tag="0xc000000000" if wanted.context else "<nil>")  # an address there
        raise _structure(f"tags don't match ({wanted.tag} vs {head}) {given} {wanted.name} @{at}")
    end = at + head.length
    if end > len(data):
        raise _syntax("data truncated")
    content = data[at:end]
    if wanted is _VALUE:
        _check_value(head, content)
    elif wanted.repeated:
        _read_all(content, wanted.fields[0])
    elif wanted.fields:
        inner = 0
        for field in wanted.fields:
            inner = _read(content, inner, field)
    else:
        _check_content(content, wanted)
    return end


def _fits(head: _Head, wanted: _Type) -> bool:
    if wanted.tag is None:
        return True
    kind = 2 if wanted.context else 0
    return (head.kind, head.tag, head.compound) == (kind, wanted.tag, bool(wanted.fields))


def _read_all(data: bytes, element: _Type) -> None:
    at = 0
    while at < len(data):
        head, at = _head(data, at)
        if not _fits(head, element):
            raise _structure("sequence tag mismatch")
        at += head.length
        if at > len(data):
            raise _syntax("truncated sequence")
    at = 0
    while at < len(data):
        at = _read(data, at, element)


def _head(data: bytes, at: int) -> tuple[_Head, int]:
    first = data[at]
    kind, compound, tag = first >> 6, bool(first & 0x20), first & 0x1F
    at += 1
    if tag == 0x1F:
        tag, at = _base128(data, at)
        if tag < 0x1F:
            raise _syntax("non-minimal tag")
    if at >= len(data):
        raise _syntax("truncated tag or length")
    length = data[at]
    at += 1
    if length & 0x80:
        length, at = _long_length(data, at, length & 0x7F)
    return _Head(kind, tag, length, compound), at


def _long_length(data: bytes, at: int, count: int) -> tuple[int, int]:
    if not count:
        raise _syntax("indefinite length found (not DER)")
    length = 0
    for _ in range(count):
        if at >= len(data):
            raise _syntax("truncated tag or length")
        if length >= _LONGEST:
            raise _structure("length too large")
        length = length << 8 | data[at]
        at += 1
        if not length:
            raise _structure("superfluous leading zeros in length")
    if length < 0x80:
        raise _structure("non-minimal length")
    return length, at


def _base128(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for count in range(len(data) - at):
        if count == 5:
            raise _structure("base 128 integer too large")
        byte = data[at]
        if not count and byte == 0x80:
            raise _syntax("integer is not minimally encoded")
        value = value << 7 | byte & 0x7F
        at += 1
        if not byte & 0x80:
            if value > _LARGEST_PART:
                raise _structure("base 128 integer too large")
            return value, at
    raise _syntax("truncated base 128 integer")


def _check_content(content: bytes, of: _Type) -> None:
    check = _CONTENTS.get(of)
    if check is not None:
        check(content)


def _check_integer(content: bytes) -> None:
    if not content:
        raise _structure("empty integer")
    if content[0] in (0, 0xFF) and len(content) > 1 and (content[0] ^ content[1]) < 0x80:
        raise _structure("integer not minimally-encoded")
    if len(content) > 8:
        raise _structure("integer too large")


def _check_identifier(content: bytes) -> None:
    if not content:
        raise _syntax("zero length OBJECT IDENTIFIER")
    at = 0
    while at < len(content):
        _, at = _base128(content, at)


def _check_bits(content: bytes) -> None:
    if not content:
        raise _syntax("zero length BIT STRING")
    padding = content[0]
    if padding > 7 or (len(content) == 1 and padding) or content[-1] & ((1 << padding) - 1):
        raise _syntax("invalid padding bits in BIT STRING")


_CONTENTS = {_INT: _check_integer, _OID: _check_identifier, _BITS: _check_bits}


def _check_value(head: _Head, content: bytes) -> None:
    """Of what a subject has, texts and numbers."""
    if head.compound or head.kind:
        return
    if head.tag == 12:
        try:
            content.decode()
        except UnicodeDecodeError as error:
            raise Fault("asn1: invalid UTF-8 string") from error
    elif head.tag == 19 and not set(content) <= _PRINTABLE:
        raise _syntax("PrintableString contains invalid character")
    elif head.tag == 22 and max(content, default=0) > 0x7F:
        raise _syntax("IA5String contains invalid character")
    elif head.tag == 18 and not set(content) <= _NUMERIC:
        raise _syntax("NumericString contains invalid character")
    elif head.tag in _PLAIN:
        _check_content(content, _PLAIN[head.tag])


_NUMERIC = frozenset(b"0123456789 ")
_PRINTABLE = _NUMERIC | frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'()+,-./:=?*&")
_PLAIN = {2: _INT, 3: _BITS, 6: _OID}


def _elements(data: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        head, begins = _head(data, at)
        end = begins + head.length
        yield data[at:end]
        at = end


def _inside(data: bytes) -> Iterator[bytes]:
    """The contents of the elements of a sequence."""
    head, at = _head(data, 0)
    for one in _elements(data[at : at + head.length]):
        _, begins = _head(one, 0)
        yield one[begins:]


def _structure(what: str) -> Fault:
    return Fault(f"asn1: structure error: {what}")


def _syntax(what: str) -> Fault:
    return Fault(f"asn1: syntax error: {what}")
