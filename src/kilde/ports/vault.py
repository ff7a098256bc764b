"""Vault: what Kilde asks of HashiCorp Vault or OpenBao: entries of key/value engines (version 2), and keys that wrap (transit)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from kilde.core.secrets.vault.failures import Reason, VaultError
from kilde.core.secrets.vault.place import Place

__all__ = ["Entry", "Place", "Reason", "Vault", "VaultError"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One version of an entry."""

    data: Mapping[str, Any] = field(repr=False)
    version: int


class Vault(Protocol):
    """Promises.

    * Every failure is a VaultError whose reason says which; no message holds a token, a value or a part of one.
    * What is not there is NOT_FOUND, also a version that was deleted or destroyed; what cannot be reached is never an empty answer.
    * A request is tried again while Vault is sealed, busy or away, for a few seconds; then it fails, and whoever asked tries again later.
    * A token that is refused is replaced by a new login where there is one, and the request goes on.
    """

    async def read(self, place: Place, version: int = 0) -> Entry:
        """An entry at a version; 0: the newest."""
        ...

    async def newest(self, place: Place) -> int:
        """The newest version's number, from the entry's metadata; 0 where there is no entry. Deleted versions count."""
        ...

    async def list(self, place: Place) -> tuple[str, ...]:
        """The names right below a place, folders with a slash at the end; nothing where there is none."""
        ...

    async def write(self, place: Place, data: Mapping[str, Any], *, newest: int) -> int:
        """Writes a version; gives its number. CONFLICT unless `newest` is the newest one there (0: there is none)."""
        ...

    async def encrypt(self, key: Place, plain: bytes) -> str:
        """Text that only this transit key opens."""
        ...

    async def decrypt(self, key: Place, text: str) -> bytes: ...

    async def rewrap(self, key: Place, text: str) -> str:
        """The same, wrapped by the newest version of the key; what is inside does not leave Vault."""
        ...

    async def key_version(self, key: Place) -> int:
        """The newest version of a transit key."""
        ...

    async def run(self) -> None:
        """Keeps the token from running out; never ends by itself. Not needed for what takes seconds."""
        ...

    async def close(self) -> None:
        """Gives up the token, if a login made it, and the connections."""
        ...
