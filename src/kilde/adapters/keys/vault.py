"""VaultKeys: ports.keys.KeyStore in Vault: each key an entry of a key/value engine, wrapped by a transit key.

Who copies the entries has nothing without the transit key, which does not leave Vault; and who may use the transit key has nothing without
the entries. A key's name is within what is wrapped: an entry put in another's place does not open.
"""

import hashlib
from collections.abc import AsyncIterator

import msgspec

from kilde.core.basics.errors import ClusterError
from kilde.core.secrets.stored import StoredKey
from kilde.ports.clock import Clock
from kilde.ports.vault import Place, Reason, Vault, VaultError

FORMAT = "kilde-sealing-key/v1"
_LOOK = 15.0  # seconds between two looks
_ATTEMPTS = 5  # to write what somebody else writes too
_ACTIVE, _RETIRED = "active", "retired"


class _Wrapped(msgspec.Struct):
    name: str
    private: bytes
    certificate: bytes


class VaultKeys:
    """The keys below one place, wrapped by one transit key; `look` seconds pass between two looks."""

    def __init__(self, vault: Vault, place: Place, transit: Place, clock: Clock, *, look: float = _LOOK) -> None:
        self._vault, self._place, self._transit, self._clock, self._look = vault, place, transit, clock, look
        self._seen = self._failed = False

    async def load(self) -> list[StoredKey]:
        """Every active key; none where none was ever stored. VaultError; ClusterError where keys that were there are gone."""
        self._failed = True
        names = await self._names()
        if self._seen and not names:
            hint = "put them back; until then the keys at hand are used, and no new one is made"
            raise ClusterError(
                "the keys are not there any more", about=f"Vault: {self._place}", hint=hint, reason="VaultKeys"
            )
        found = [stored for name in names if (stored := await self._load(name)) is not None]
        if found and not any(key.private for key in found):
            hint = "look at the transit key and its min_decryption_version; nothing was changed, and no new key is made"
            what = f"none of {len(found)} keys opens with transit key {self._transit}"
            raise ClusterError(what, about=f"Vault: {self._place}", hint=hint, reason="VaultKeys")
        self._seen, self._failed = self._seen or bool(names), False
        return found

    async def add(self, private: bytes, certificate: bytes) -> str:
        """Stores a key, or makes one of the same certificate active again; gives its name. VaultError."""
        if self._seen:
            await self.load()  # a store that was emptied is none to add to
        name = f"key-{hashlib.sha256(certificate).hexdigest()[:16]}"
        plain = msgspec.json.encode(_Wrapped(name, private, certificate))
        wrapped = await self._vault.encrypt(self._transit, plain)
        await self._put(name, {"format": FORMAT, "state": _ACTIVE, "wrapped": wrapped})
        self._seen = True
        return name

    async def retire(self, name: str) -> None:
        """Marks a key; it stays where it is. VaultError."""
        await self._say(name, _RETIRED)

    async def revive(self, name: str) -> None:
        """Marks a key as active again. VaultError."""
        await self._say(name, _ACTIVE)

    async def rewrap(self) -> list[str]:
        """Wraps every key, retired ones too, by the newest version of the transit key; gives the names of what changed. VaultError."""
        version = await self._vault.key_version(self._transit)
        changed = []
        for name in await self._names():
            entry = await self._vault.read(self._place.below(name))
            wrapped = str(entry.data.get("wrapped", ""))
            if not wrapped.startswith(f"vault:v{version}:"):
                made = await self._vault.rewrap(self._transit, wrapped)
                await self._vault.write(self._place.below(name), {**entry.data, "wrapped": made}, newest=entry.version)
                changed.append(name)
        return changed

    async def changes(self) -> AsyncIterator[None]:
        """At the start, and whenever an entry came, went or was written since the last look."""
        before: object = None
        while True:
            now = await self._mark()
            if now != before or (self._failed and not isinstance(now, Reason)):
                before = now
                yield None
            await self._clock.sleep(self._look)

    async def _mark(self) -> object:
        try:
            return [(name, await self._vault.newest(self._place.below(name))) for name in await self._names()]
        except VaultError as error:
            return error.reason  # whoever reads the keys now is told

    async def _names(self) -> list[str]:
        return sorted(name for name in await self._vault.list(self._place) if not name.endswith("/"))

    async def _load(self, name: str) -> StoredKey | None:
        """An active key; one that cannot be read is given empty, so that it is told of. VaultError where Vault is the reason."""
        try:
            entry = await self._vault.read(self._place.below(name))
        except VaultError as error:
            if error.reason is Reason.NOT_FOUND:
                return None  # its newest version was deleted
            raise
        if entry.data.get("format") != FORMAT:
            return StoredKey(name, b"", b"")
        if entry.data.get("state") != _ACTIVE:
            return None
        try:
            plain = await self._vault.decrypt(self._transit, str(entry.data.get("wrapped", "")))
            found = msgspec.json.decode(plain, type=_Wrapped)
        except VaultError as error:
            if error.reason is not Reason.REFUSED:
                raise
            return StoredKey(name, b"", b"")  # wrapped by another key, or spoilt
        except msgspec.DecodeError:
            return StoredKey(name, b"", b"")
        return StoredKey(name, found.private, found.certificate) if found.name == name else StoredKey(name, b"", b"")

    async def _say(self, name: str, state: str) -> None:
        place = self._place.below(name)
        for attempt in range(_ATTEMPTS):
            entry = await self._vault.read(place)
            if entry.data.get("state") == state:
                return
            try:
                await self._vault.write(place, {**entry.data, "state": state}, newest=entry.version)
                return
            except VaultError as error:
                if error.reason is not Reason.CONFLICT or attempt == _ATTEMPTS - 1:
                    raise

    async def _put(self, name: str, data: dict[str, str]) -> None:
        """Writes a key's entry; over a retired or deleted one of the same name, too."""
        place = self._place.below(name)
        for attempt in range(_ATTEMPTS):
            try:
                await self._vault.write(place, data, newest=await self._vault.newest(place))
                return
            except VaultError as error:
                if error.reason is not Reason.CONFLICT or attempt == _ATTEMPTS - 1:
                    raise
