"""Keyring: the private keys at hand, read again whenever they change, and renewed when the newest gets old."""

import asyncio
import datetime
from collections.abc import Callable

import structlog
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from kilde.core.basics.errors import InvalidInput, KildeError
from kilde.core.secrets import keys
from kilde.core.secrets.keys import SealingKey
from kilde.engine.sealing.settings import SealingSettings
from kilde.ports.clock import Clock
from kilde.ports.keys import KeyStore, StoredKey

log = structlog.get_logger()

MakeKey = Callable[[int], RSAPrivateKey]  # bits → a new key; runs in a thread
Dice = Callable[[int], bytes]
_PATIENCE = 10.0  # seconds between two attempts to store a new key


class Keyring:
    """The keys of one store, newest first. `on_change` is called when other keys open than before."""

    def __init__(
        self,
        store: KeyStore,
        clock: Clock,
        settings: SealingSettings,
        *,
        make_key: MakeKey,
        dice: Dice,
        on_change: Callable[[], None],
    ) -> None:
        self._store, self._clock, self._settings = store, clock, settings
        self._make_key, self.dice, self._on_change = make_key, dice, on_change
        self._keys: tuple[SealingKey, ...] = ()
        self._bad: frozenset[str] = frozenset()
        self._changed, self._reading = asyncio.Event(), asyncio.Lock()
        self.loaded, self.usable = asyncio.Event(), asyncio.Event()

    @property
    def keys(self) -> tuple[SealingKey, ...]:
        return self._keys

    @property
    def private(self) -> tuple[RSAPrivateKey, ...]:
        """What is tried, in this order."""
        return tuple(key.private for key in self._keys)

    @property
    def newest(self) -> SealingKey | None:
        return self._keys[0] if self._keys else None

    async def follow(self) -> None:
        """Reads the keys, and again whenever they change; never ends."""
        async for _ in self._store.changes():
            try:
                await self.refresh()
            except KildeError as error:
                log.warning("the sealing keys cannot be read", problem=str(error))

    async def refresh(self) -> None:
        """Reads the keys now. ClusterError. One that cannot be read is skipped and told of, once."""
        async with self._reading:
            await self._refresh()

    async def _refresh(self) -> None:
        before = {key.name: key for key in self._keys}
        found: dict[str, SealingKey] = {}
        bad: set[str] = set()
        for stored in await self._store.load():
            old = before.get(stored.name)
            try:
                if old is None or not _is(old, stored):
                    old = await asyncio.to_thread(_read, stored)  # the check of a key takes half a second
                found[stored.name] = old
            except InvalidInput as error:
                bad.add(stored.name)
                if stored.name not in self._bad:
                    log.warning("a sealing key cannot be read and is passed over", key=stored.name, problem=error.what)
        self._bad = frozenset(bad)
        self._keys = keys.in_order(tuple(found.values()))
        self.loaded.set()
        if self._keys:
            self.usable.set()
        if set(found) != set(before) or any(found[name] is not before[name] for name in found):
            log.info("sealing keys", names=[key.name for key in self._keys])
            self._changed.set()
            self._on_change()

    async def renew(self) -> None:
        """Makes a key where there is none, where the newest is from before the cut-off, and whenever it gets old; never ends."""
        await self.loaded.wait()
        cutoff = datetime.datetime.fromtimestamp(self._settings.cutoff, datetime.UTC)
        if self.newest is None or self.newest.not_before < cutoff:
            await self._make_patiently()
        while True:
            self._changed.clear()
            wait = self._due()
            if wait is not None and wait <= 0:
                await self._make_patiently()
                continue
            try:
                async with asyncio.timeout(None if wait is None else min(wait, 86_400.0)):
                    await self._changed.wait()
            except TimeoutError:
                continue

    async def renew_when(self, wish: asyncio.Event) -> None:
        """Makes a key whenever somebody wishes for one; never ends."""
        while True:
            await wish.wait()
            wish.clear()
            await self._make_patiently()

    def _due(self) -> float | None:
        """Seconds until a new key is due; None: never."""
        if self.newest is None:
            return 0.0
        period = self._settings.renew_period
        return None if period <= 0 else self.newest.not_before.timestamp() + period - self._clock.now()

    async def _make_patiently(self) -> None:
        while True:
            try:
                await self.make()
                return
            except KildeError as error:
                log.warning("a new sealing key cannot be stored", problem=str(error))
                await self._clock.sleep(_PATIENCE)

    async def make(self) -> str:
        """Makes and stores a new key now; gives its name. ClusterError."""
        settings = self._settings
        private = await asyncio.to_thread(self._make_key, settings.key_size)
        now = datetime.datetime.fromtimestamp(self._clock.now(), datetime.UTC)
        certificate = keys.make_certificate(
            private,
            now=now,
            seconds=settings.key_ttl,
            serial=self.dice(keys.SERIAL),
            common_name=settings.common_name,
        )
        made = SealingKey(private, certificate)
        name = await self._store.add(keys.write_private_key(private), made.pem)
        log.info("made a new sealing key", key=name)
        await self.refresh()
        return name


def _read(stored: StoredKey) -> SealingKey:
    private = keys.read_private_key(stored.private, about=stored.name)
    return SealingKey(private, keys.read_certificate(stored.certificate, about=stored.name), stored.name)


def _is(key: SealingKey, stored: StoredKey) -> bool:
    """Whether a key that was read is what is stored now; comparing certificates is enough, they name the public key."""
    return key.pem.strip() == stored.certificate.strip()
