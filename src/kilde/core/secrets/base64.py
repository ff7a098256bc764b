"""Standard base64 as Go's encoding/base64 reads it: line breaks are skipped, everything else that is wrong has an offset."""

import binascii
import re

_LINE_BREAKS = str.maketrans("", "", "\r\n")
_WHOLE = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?", re.ASCII)
_ALPHABET = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
_PAD = ord("=")
_BREAKS = b"\r\n"


class IllegalBase64(ValueError):
    """What is wrong, in Go's words; they tell an offset and nothing of the text."""


def decode(text: str) -> bytes:
    """The bytes of a base64 text with padding. IllegalBase64 names the first input byte (of UTF-8) that is wrong."""
    plain = text.translate(_LINE_BREAKS)
    if _WHOLE.fullmatch(plain) is None:
        raise IllegalBase64(f"illegal base64 data at input byte {_offset(text.encode())}")
    return binascii.a2b_base64(plain)


def encode(data: bytes) -> str:
    """The base64 text with padding, on one line."""
    return binascii.b2a_base64(data, newline=False).decode()


def _offset(data: bytes) -> int:
    """Where Go's decoder gives up; for data that it does not take."""
    at, in_quantum = 0, 0
    while at < len(data):
        byte = data[at]
        at += 1
        if byte in _BREAKS:
            continue
        if byte == _PAD:
            return _bad_padding(data, at, in_quantum)
        if byte not in _ALPHABET:
            return at - 1
        in_quantum = (in_quantum + 1) % 4
    return at - in_quantum


def _bad_padding(data: bytes, at: int, in_quantum: int) -> int:
    """`at` is just behind the first `=` of a quantum that has `in_quantum` letters."""
    if in_quantum < 2:
        return at - 1
    if in_quantum == 2:
        at = _after_breaks(data, at)
        if at == len(data):
            return at
        if data[at] != _PAD:
            return at - 1
        at += 1
    return _after_breaks(data, at)


def _after_breaks(data: bytes, at: int) -> int:
    while at < len(data) and data[at] in _BREAKS:
        at += 1
    return at
