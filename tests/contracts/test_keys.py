"""What every store of private keys promises (ports.keys): Secrets of a cluster, and a locked file."""

import asyncio
import contextlib
import json
import os
import stat
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.secrets.keys_at_hand import sealing_key
from kilde.adapters.clock import SystemClock
from kilde.adapters.keys.cluster_secrets import ClusterSecretKeys
from kilde.adapters.keys.encrypted_file import EncryptedFileKeys
from kilde.core.basics.errors import KildeError
from kilde.core.secrets.keys import write_private_key
from kilde.engine.sealing.keyring import Keyring
from kilde.engine.sealing.settings import SealingSettings
from kilde.ports.keys import KeyStore
from kilde.testing.cluster import FakeCluster

pytestmark = pytest.mark.anyio
PASSPHRASE = b"c4nary-passphrase-5ecret"
CHEAP = 1 << 14
ONE, TWO = ((write_private_key(key.private), key.pem) for key in (sealing_key(0), sealing_key(1, days=1)))


def file_keys(path: Path, passphrase: bytes = PASSPHRASE) -> EncryptedFileKeys:
    return EncryptedFileKeys(path, passphrase, SystemClock(), cost=CHEAP, look=0.05)


@dataclass
class Place:
    """`open_` opens the store as another process would."""

    open_: Callable[[], KeyStore]


@pytest.fixture(params=["secrets", "file"])
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "file":
        return Place(lambda: file_keys(tmp_path / "keys.locked"))
    cluster = FakeCluster(SystemClock())
    return Place(lambda: ClusterSecretKeys(cluster, "kube-system"))


async def held(store: KeyStore) -> dict[str, tuple[bytes, bytes]]:
    return {key.name: (key.private, key.certificate) for key in await store.load()}


async def test_an_empty_store_has_no_keys(place: Place) -> None:
    assert await held(place.open_()) == {}


async def test_what_is_added_is_there_for_another_process(place: Place) -> None:
    first = await place.open_().add(*ONE)
    second = await place.open_().add(*TWO)
    assert await held(place.open_()) == {first: ONE, second: TWO}


async def test_changes_tell_at_the_start_and_of_another_process(place: Place) -> None:
    store = place.open_()
    seen: asyncio.Queue[set[str]] = asyncio.Queue()

    async def follow() -> None:
        async for _ in store.changes():
            seen.put_nowait(set(await held(store)))

    async with asyncio.timeout(30), running(follow):
        assert await seen.get() == set()
        name = await place.open_().add(*ONE)
        while await seen.get() != {name}:
            pass


@contextlib.asynccontextmanager
async def running(job: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    task = asyncio.ensure_future(job())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_no_key_is_shown(place: Place) -> None:
    await place.open_().add(*ONE)
    assert "PRIVATE" not in repr(await place.open_().load())


# what the file alone promises


async def test_keys_added_to_a_file_at_once_are_all_there(tmp_path: Path) -> None:
    stores = [file_keys(tmp_path / "keys.locked") for _ in range(2)]
    names = await asyncio.gather(*(store.add(*key) for store, key in zip(stores, (ONE, TWO), strict=True)))
    assert await held(stores[0]) == dict(zip(names, (ONE, TWO), strict=True))


async def test_a_file_is_private_and_holds_no_readable_key(tmp_path: Path) -> None:
    path = tmp_path / "keys.locked"
    await file_keys(path).add(*ONE)
    data = path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sorted(json.loads(data)) == ["ciphertext", "cost", "format", "nonce", "salt"]
    assert not any(word in data for word in (PASSPHRASE, b"BEGIN", ONE[0][40:80], ONE[1][40:80]))
    assert sorted(each.name for each in tmp_path.iterdir()) == [".keys.locked.lock", "keys.locked"]


@pytest.mark.parametrize("spoil", ["passphrase", "bit", "cost", "cut", "dear"])
async def test_a_file_that_does_not_open_is_left_as_it_is(tmp_path: Path, spoil: str) -> None:
    path = tmp_path / "keys.locked"
    await file_keys(path).add(*ONE)
    file = json.loads(path.read_bytes())
    if spoil == "bit":
        text = file["ciphertext"]
        file["ciphertext"] = ("B" if text[0] == "A" else "A") + text[1:]
    if spoil in ("cost", "dear"):
        file["cost"] = CHEAP * 2 if spoil == "cost" else 1 << 30
    path.write_text(json.dumps(file)[: -20 if spoil == "cut" else None])
    before = path.read_bytes()
    store = file_keys(path, b"c4nary-another-5ecret" if spoil == "passphrase" else PASSPHRASE)
    told = []
    for attempt in (store.load, lambda: store.add(*TWO)):
        with pytest.raises(KildeError) as error:
            await attempt()
        told.append(error.value.what)
    wanted = {
        "cut": "is not a file of sealing keys, or was cut off",
        "dear": "asks for a cost of 1073741824, which no file of ours has",
    }
    assert told == [wanted.get(spoil, "does not open: another passphrase, or the file was changed")] * 2
    assert path.read_bytes() == before


async def test_a_short_passphrase_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "keys.locked"
    with pytest.raises(KildeError, match="shorter than 12 characters"):
        await file_keys(path, b"too short").add(*ONE)
    assert not path.exists()


async def test_a_folder_that_is_not_there_is_a_failure_and_no_empty_store(tmp_path: Path) -> None:
    with pytest.raises(KildeError, match="its folder is not there"):
        await file_keys(tmp_path / "not-mounted" / "keys.locked").load()


async def test_a_keyring_keeps_its_keys_while_the_file_is_gone_and_makes_no_new_one(tmp_path: Path) -> None:
    path = tmp_path / "keys.locked"
    store = file_keys(path)
    await store.add(*ONE)
    made: list[int] = []

    def make(bits: int) -> object:
        made.append(bits)
        raise AssertionError("a key was made")

    ring = Keyring(
        store,
        SystemClock(),
        SealingSettings(renew_period=0.0),
        make_key=make,  # type: ignore[arg-type]  # never called
        dice=os.urandom,
        on_change=lambda: None,
    )
    await ring.refresh()
    before = [key.fingerprint for key in ring.keys]
    aside = path.rename(tmp_path / "aside")
    with pytest.raises(KildeError, match="is not there any more"):
        await ring.refresh()
    with pytest.raises(KildeError, match="is not there any more"):
        await store.add(*TWO)
    assert [key.fingerprint for key in ring.keys] == before == [sealing_key(0).fingerprint]
    aside.rename(path)
    await ring.refresh()
    assert ([key.fingerprint for key in ring.keys], made) == (before, [])
