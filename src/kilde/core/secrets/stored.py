"""StoredKey: a private key as text, on its way from or to where it lies."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key as it is stored, in PEM, under the name that its store gave it; `retired`: out of use."""

    name: str
    private: bytes = field(repr=False)
    certificate: bytes
    retired: bool = False
