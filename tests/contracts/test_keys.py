"""What every store of private keys promises (ports.keys): Secrets of a cluster, a locked file, and Vault."""

import asyncio
import contextlib
import json
import os
import stat
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from contracts.vaults import KINDS, Vault, vault_of
from core.secrets.keys_at_hand import sealing_key
from kilde.adapters.clock import SystemClock
from kilde.adapters.keys.cluster_secrets import ClusterSecretKeys
from kilde.adapters.keys.encrypted_file import EncryptedFileKeys
from kilde.adapters.keys.vault import VaultKeys
from kilde.adapters.vault.client import VaultClient
from kilde.core.basics.errors import KildeError
from kilde.core.secrets.keys import write_private_key
from kilde.core.secrets.vault.settings import Login
from kilde.engine.sealing.keyring import Keyring
from kilde.engine.sealing.settings import SealingSettings
from kilde.ports.keys import KeyStore
from kilde.ports.vault import Place as VaultPlace
from kilde.testing.cluster import FakeCluster

pytestmark = pytest.mark.anyio
PASSPHRASE = b"c4nary-passphrase-5ecret"
CHEAP = 1 << 14
HOME, TRANSIT = VaultPlace("secret", "kilde/sealing-keys"), VaultPlace("transit", "kilde")
ONE, TWO = ((write_private_key(key.private), key.pem) for key in (sealing_key(0), sealing_key(1, days=1)))


def file_keys(path: Path, passphrase: bytes = PASSPHRASE) -> EncryptedFileKeys:
    return EncryptedFileKeys(path, passphrase, SystemClock(), cost=CHEAP, look=0.05)


@dataclass
class Place:
    """`open_` opens the store as another process would."""

    open_: Callable[[], KeyStore]


@pytest.fixture(params=["secrets", "file", *(f"vault-{kind}" for kind in KINDS)])
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Place]:
    if request.param == "file":
        yield Place(lambda: file_keys(tmp_path / "keys.locked"))
    elif request.param == "secrets":
        cluster = FakeCluster(SystemClock())
        yield Place(lambda: ClusterSecretKeys(cluster, "kube-system"))
    else:
        with vault_of(request.param.removeprefix("vault-"), tmp_path) as vault:
            client = vault.client()
            yield Place(lambda: vault_keys(client))
            await client.close()


def vault_keys(client: VaultClient) -> VaultKeys:
    return VaultKeys(client, HOME, TRANSIT, SystemClock(), look=0.05)


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


async def test_a_retired_key_is_not_given_until_it_is_revived_or_added_again(place: Place) -> None:
    store = place.open_()
    first, second = await store.add(*ONE), await store.add(*TWO)
    await store.retire(first)
    await store.retire(first)
    assert await held(place.open_()) == {second: TWO}
    await store.revive(first)
    assert await held(place.open_()) == {first: ONE, second: TWO}
    for change in (store.retire, store.revive):
        with pytest.raises(KildeError):
            await change("key-that-is-none")


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


# what Vault alone promises


@pytest.fixture(params=KINDS)
def vault(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Vault]:
    with vault_of(request.param, tmp_path) as found:
        yield found


async def whole_of(store: VaultKeys, client: VaultClient) -> list[str]:
    return [json.dumps((await client.read(HOME.below(name))).data) for name in await client.list(HOME)]


async def test_a_copy_of_the_entries_opens_nothing_without_transit(vault: Vault) -> None:
    client = vault.client()
    store = vault_keys(client)
    name = await store.add(*ONE)
    [text] = await whole_of(store, client)
    assert (sorted(json.loads(text)), name in text) == (["format", "state", "wrapped"], False)
    assert not any(word in text for word in ("BEGIN", ONE[0][40:80].decode(), ONE[1][40:80].decode()))
    vault.policy_of("thief", {"secret/*": ["read", "list"]})
    thief = vault.client(Login(token=vault.token("thief")))
    with pytest.raises(KildeError, match="permission denied"):
        await vault_keys(thief).load()
    await thief.close()
    await client.close()


async def test_entries_that_were_swapped_or_spoilt_do_not_open(vault: Vault) -> None:
    client = vault.client()
    store = vault_keys(client)
    names = [await store.add(*key) for key in (ONE, TWO)]
    one, two = [await client.read(HOME.below(name)) for name in names]
    await client.write(HOME.below(names[0]), two.data, newest=1)
    assert await held(store) == {names[0]: (b"", b""), names[1]: TWO}
    await client.write(HOME.below(names[0]), {"format": "another"}, newest=2)
    assert await held(store) == {names[0]: (b"", b""), names[1]: TWO}
    await client.write(HOME.below(names[0]), one.data, newest=3)
    vault.admin("DELETE", f"secret/data/{HOME.name}/{names[1]}")
    assert await held(store) == {names[0]: ONE}
    await client.close()


async def test_a_newer_transit_key_wraps_all_of_them_anew(vault: Vault) -> None:
    client = vault.client()
    store = vault_keys(client)
    names = sorted([await store.add(*key) for key in (ONE, TWO)])
    await store.retire(names[0])
    assert await store.rewrap() == []
    vault.admin("POST", "transit/keys/kilde/rotate", {})
    assert (await store.rewrap(), await store.rewrap()) == (names, [])
    vault.admin("POST", "transit/keys/kilde/config", {"min_decryption_version": 2})
    await store.revive(names[0])
    assert sorted(await held(vault_keys(client))) == names
    await client.close()


async def test_a_keyring_keeps_its_keys_while_vault_gives_none_and_makes_no_new_one(vault: Vault) -> None:
    client = vault.client()
    store = vault_keys(client)
    await store.add(*ONE)

    def make(bits: int) -> object:
        raise AssertionError(f"a key of {bits} bits was made")

    ring = Keyring(
        store,
        SystemClock(),
        SealingSettings(renew_period=0.0),
        make_key=make,  # type: ignore[arg-type]  # never called
        dice=os.urandom,
        on_change=lambda: None,
    )
    await ring.refresh()
    vault.admin("POST", "transit/keys/kilde/config", {"deletion_allowed": True})
    kept = vault.admin("GET", f"secret/data/{HOME.name}/{ring.keys[0].name}")["data"]["data"]

    async def still(match: str) -> None:
        for attempt in (ring.refresh, lambda: store.add(*TWO)):
            with pytest.raises(KildeError, match=match):
                await attempt()
        assert [key.fingerprint for key in ring.keys] == [sealing_key(0).fingerprint]

    vault.admin("DELETE", f"secret/metadata/{HOME.name}/{ring.keys[0].name}")
    await still("the keys are not there any more")
    vault.put(f"{HOME.name}/{ring.keys[0].name}", **kept)
    await ring.refresh()
    vault.admin("DELETE", "transit/keys/kilde")
    await still("none of 1 keys opens with transit key transit/kilde")
    vault.seal()
    await still("is sealed")
    await client.close()


async def test_keys_are_read_again_after_a_failure(tmp_path: Path) -> None:
    with vault_of("contract", tmp_path) as vault:
        client = vault.client()
        store = vault_keys(client)
        name = await store.add(*ONE)
        vault.seal()
        seen: asyncio.Queue[object] = asyncio.Queue()

        async def follow() -> None:
            async for _ in store.changes():
                try:
                    seen.put_nowait(set(await held(store)))
                except KildeError as error:
                    seen.put_nowait(error.what)

        async with asyncio.timeout(30), running(follow):
            assert await seen.get() == "is sealed"
            vault.unseal()
            while await seen.get() != {name}:
                pass
        await client.close()
