"""Keys: where the private keys lie that open sealed Secrets."""

from collections.abc import AsyncIterator
from typing import Protocol

from kilde.core.secrets.stored import StoredKey

__all__ = ["KeyStore", "StoredKey"]


class KeyStore(Protocol):
    """Promises.

    * `load` gives every active key; one that cannot be read is given all the same: who reads it skips it and says so.
    * `add` is durable when it returns; no key is ever removed. `retire` puts one out of use: `load` does not give it until `revive`,
      or until it is added again.
    * `changes` never ends by itself and yields whenever what `load` gives may differ, once at the start too.
    * What cannot be reached is a failure and never an empty answer: a new key would be made, and the old ones forgotten.
    * Failures are ClusterErrors, or whatever KildeError tells of the technology; no message holds a part of a key.
    """

    async def load(self) -> list[StoredKey]: ...

    async def add(self, private: bytes, certificate: bytes) -> str:
        """Stores a new key; gives its name."""
        ...

    def changes(self) -> AsyncIterator[None]: ...

    async def retire(self, name: str) -> None:
        """Puts a key out of use. Nothing happens where it is already."""
        ...

    async def revive(self, name: str) -> None:
        """Puts a retired key into use again. A failure where there is no key of that name."""
        ...
