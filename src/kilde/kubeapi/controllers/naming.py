"""Names as Kubernetes makes them: hashes that cannot be read as words, and numbers with percent signs."""

from math import ceil, floor
from typing import Any

from kilde.core.basics.values import Object, canonical
from kilde.kubeapi.resources.go_dump import of_template

_SAFE = "bcdfghjklmnpqrstvwxz2456789"


def fnv32a(data: bytes) -> int:
    """The 32-bit FNV-1a hash."""
    value = 0x811C9DC5
    for byte in data:
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return value


def fnv128a(data: bytes) -> int:
    """The 128-bit FNV-1a hash."""
    value = 0x6C62272E07BB014262B821756295C58D
    for byte in data:
        value = (value ^ byte) * ((1 << 88) + 0x13B) % (1 << 128)
    return value


def fnv32(data: bytes) -> int:
    """The 32-bit FNV-1 hash."""
    value = 0x811C9DC5
    for byte in data:
        value = ((value * 0x01000193) & 0xFFFFFFFF) ^ byte
    return value


def safe(text: str) -> str:
    """As apimachinery's rand.SafeEncodeString: each character becomes one that forms no words."""
    return "".join(_SAFE[byte % len(_SAFE)] for byte in text.encode())


def template_hash(template: Object, collisions: int = 0) -> str:
    """The hash of a pod template, as in pod-template-hash: 8 to 10 safe characters."""
    data = of_template(template).encode()
    if collisions:
        data += collisions.to_bytes(8, "little")
    return safe(str(fnv32a(data)))


def revision_hash(data: Any, collisions: int = 0) -> str:
    """The hash of a StatefulSet's revision, as upstream has it: FNV-1 over the JSON as Go writes it, and the collisions."""
    text = canonical(data).decode()
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return safe(str(fnv32(text.encode() + str(collisions).encode())))


def safe_suffix(dice: float, length: int = 5) -> str:
    """A random suffix of safe characters."""
    number, text = int(dice * len(_SAFE) ** length), ""
    for _ in range(length):
        number, index = divmod(number, len(_SAFE))
        text += _SAFE[index]
    return text


def scaled(value: Any, total: int, *, round_up: bool) -> int:
    """An int-or-percent of `total` ("25%", 1); 0 where it is neither."""
    if isinstance(value, bool) or value is None:
        return 0
    if isinstance(value, int):
        return value
    text = str(value)
    if text.endswith("%") and text[:-1].isdigit():
        part = int(text[:-1]) * total / 100
        return ceil(part) if round_up else floor(part)
    return int(text) if text.isdigit() else 0
