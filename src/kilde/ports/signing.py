"""Signing: the key that a ledger's checkpoints are signed with."""

from typing import Protocol


class SigningKey(Protocol):
    """Promises: an Ed25519 key that only its owner can read; `next` is durable before it is given, and `advance` puts it in place."""

    @property
    def public(self) -> bytes: ...

    def sign(self, message: bytes) -> bytes: ...

    def next(self) -> "SigningKey":
        """A new key beside this one, or the one that an earlier call left there."""
        ...

    def advance(self) -> "SigningKey":
        """Makes the key of `next` the key, and gives it."""
        ...
