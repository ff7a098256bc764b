"""The promises of ports.vault, kept by the client against the contract server and, where it is built, against the real Vault."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contracts.vault_server import VaultServer
from contracts.vaults import KINDS, Vault, service_account, vault_of
from kilde.adapters.vault.client import VaultClient
from kilde.core.secrets.vault.settings import Login
from kilde.ports.vault import Place, Reason, VaultError
from kilde.testing.clock import FakeClock

pytestmark = pytest.mark.anyio
CANARY = "c4nary-value-5ecret"
DB = Place("secret", "shop/db")
KEY = Place("transit", "kilde")


@pytest.fixture(params=KINDS)
def vault(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Vault]:
    with vault_of(request.param, tmp_path) as found:
        yield found


@pytest.fixture
def contract(tmp_path: Path) -> Iterator[Vault]:
    with vault_of("contract", tmp_path) as found:
        yield found


@pytest.fixture
async def client(vault: Vault) -> AsyncIterator[VaultClient]:
    found = vault.client()
    yield found
    await found.close()


async def fails(work: Awaitable[Any]) -> tuple[Reason, str]:
    with pytest.raises(VaultError) as caught:
        await work
    assert not any(word in f"{caught.value} {caught.value!r}" for word in ("c4nary", "hvs.", "Traceback"))
    return caught.value.reason, caught.value.what


async def test_entries_have_versions(vault: Vault, client: VaultClient) -> None:
    assert (await client.newest(DB), await client.list(Place("secret", "shop"))) == (0, ())
    numbers = [await client.write(DB, {"password": f"{CANARY}-{n}"}, newest=n) for n in range(3)]
    assert numbers == [1, 2, 3]
    found = [await client.read(DB, version) for version in (0, 1, 3)]
    assert [(each.version, each.data) for each in found] == [
        (3, {"password": f"{CANARY}-2"}),
        (1, {"password": f"{CANARY}-0"}),
        (3, {"password": f"{CANARY}-2"}),
    ]
    assert "c4nary" not in repr(found)
    await client.write(Place("secret", "shop/more/deep"), {"a": "b"}, newest=0)
    assert (await client.newest(DB), await client.list(Place("secret", "shop"))) == (3, ("db", "more/"))
    assert await fails(client.write(DB, {"password": CANARY}, newest=1)) == (
        Reason.CONFLICT,
        "was written by somebody else meanwhile",
    )


async def test_what_is_not_there_is_told_apart(vault: Vault, client: VaultClient) -> None:
    for n in range(3):
        vault.put("shop/db", password=f"{CANARY}-{n}")
    vault.admin("POST", "secret/delete/shop/db", {"versions": [2, 3]})
    vault.admin("PUT", "secret/destroy/shop/db", {"versions": [1]})
    asked = [(DB, 0), (DB, 1), (DB, 2), (DB, 9), (Place("secret", "none"), 0)]
    assert [await fails(client.read(place, version)) for place, version in asked] == [
        (Reason.NOT_FOUND, "version 3 was deleted"),
        (Reason.NOT_FOUND, "version 1 was destroyed"),
        (Reason.NOT_FOUND, "version 2 was deleted"),
        (Reason.NOT_FOUND, "has no version 9"),
        (Reason.NOT_FOUND, "there is no such entry"),
    ]


async def test_a_mount_that_is_not_there_or_of_another_kind_is_no_empty_one(vault: Vault, client: VaultClient) -> None:
    nowhere = Place("nowhere", "shop")
    wanted = (Reason.REFUSED, "there is no key/value engine of version 2 at this mount")
    works: list[Callable[[Place], Awaitable[Any]]] = [client.list, client.newest, client.read]
    assert [await fails(work(nowhere)) for work in works] == [wanted] * 3
    assert (await fails(client.write(Place("old", "shop"), {"a": CANARY}, newest=0)))[0] is Reason.REFUSED
    assert (await fails(client.encrypt(Place("secret", "kilde"), CANARY.encode())))[0] in (
        Reason.NOT_FOUND,
        Reason.REFUSED,
    )


async def test_what_transit_wraps_it_opens_and_nothing_else_does(vault: Vault, client: VaultClient) -> None:
    text = await client.encrypt(KEY, CANARY.encode())
    assert text.startswith("vault:v1:")
    assert (await client.decrypt(KEY, text), await client.key_version(KEY)) == (CANARY.encode(), 1)
    vault.admin("POST", "transit/keys/kilde/rotate", {})
    again = await client.rewrap(KEY, text)
    assert (await client.key_version(KEY), again[:9], await client.decrypt(KEY, again)) == (
        2,
        "vault:v2:",
        CANARY.encode(),
    )
    assert await client.decrypt(KEY, text) == CANARY.encode()
    vault.admin("POST", "transit/keys/kilde/config", {"min_decryption_version": 2})
    assert (await fails(client.decrypt(KEY, text)))[0] is Reason.REFUSED
    assert (await fails(client.decrypt(KEY, again[:-6] + "AAAA==")))[0] is Reason.REFUSED
    vault.admin("POST", "transit/keys/other", {})
    assert (await fails(client.decrypt(Place("transit", "other"), again)))[0] is Reason.REFUSED
    assert (await fails(client.decrypt(Place("transit", "none"), again)))[0] is Reason.REFUSED
    assert await fails(client.key_version(Place("transit", "none"))) == (
        Reason.NOT_FOUND,
        "there is no such transit key",
    )


async def test_a_policy_that_does_not_allow_it_is_told_as_that(vault: Vault) -> None:
    vault.put("shop/db", password=CANARY)
    vault.policy_of("shop", {"secret/data/shop/*": ["read"]})
    client = vault.client(Login(token=vault.token("shop")))
    try:
        assert (await client.read(DB)).version == 1
        denied = (Reason.DENIED, "permission denied")
        assert await fails(client.read(Place("secret", "bank/db"))) == denied
        assert await fails(client.write(DB, {"password": CANARY}, newest=1)) == denied
        assert await fails(client.encrypt(KEY, CANARY.encode())) == denied
    finally:
        await client.close()


async def test_a_sealed_vault_says_so_and_goes_on_when_it_is_unsealed(vault: Vault, client: VaultClient) -> None:
    vault.put("shop/db", password=CANARY)
    assert (await client.read(DB)).version == 1
    vault.seal()
    assert await fails(client.read(DB)) == (Reason.SEALED, "is sealed")
    assert await fails(client.list(DB)) == (Reason.SEALED, "is sealed")
    vault.unseal()
    async with asyncio.timeout(30):
        while await trouble(client.read(DB)) is not None:  # the real one needs a moment
            await asyncio.sleep(0.05)


async def trouble(work: Awaitable[Any]) -> Reason | None:
    try:
        await work
    except VaultError as error:
        return error.reason
    return None


async def test_a_token_that_is_over_is_told_as_that_and_a_login_is_done_anew(vault: Vault, tmp_path: Path) -> None:
    vault.put("shop/db", password=CANARY)
    vault.policy_of("shop", {"secret/data/shop/*": ["read"]})
    file = tmp_path / "token"
    file.write_text(vault.token("shop") + "\n")
    role, secret = vault.app_role("shop", "shop")
    (tmp_path / "secret-id").write_text(secret)
    given, filed, login = (
        vault.client(each)
        for each in (
            Login(token=file.read_text().strip()),
            Login(token_file=str(file)),
            Login(method="approle", mount="approle", role=role, secret_file=str(tmp_path / "secret-id")),
        )
    )
    try:
        for client in (given, filed, login):
            assert (await client.read(DB)).version == 1
        vault.revoke(file.read_text().strip())
        over = (Reason.EXPIRED, "the token is not valid, or not any more")
        assert [await fails(client.read(DB)) for client in (given, filed)] == [over, over]
        file.write_text(vault.token("shop"))
        assert (await filed.read(DB)).version == 1
        vault.revoke(await login.session.token())
        assert ((await login.read(DB)).version, login.session.logins) == (1, 2)
        (tmp_path / "secret-id").write_text("c4nary-wrong")
        vault.revoke(await login.session.token())
        assert await fails(login.read(DB)) == (Reason.EXPIRED, "the login by approle is refused")
    finally:
        for client in (given, filed, login):
            await client.close()


async def test_a_login_is_given_up_at_the_end(vault: Vault, tmp_path: Path) -> None:
    role, secret = vault.app_role("shop", "default")
    (tmp_path / "secret-id").write_text(secret)
    client = vault.client(Login(method="approle", mount="approle", role=role, secret_file=str(tmp_path / "secret-id")))
    token = await client.session.token()
    vault.admin("GET", "auth/token/lookup-self", token=token)
    await client.close()
    with pytest.raises(AssertionError, match="403"):
        vault.admin("GET", "auth/token/lookup-self", token=token)


async def test_kubernetes_logs_in_by_the_service_accounts_token(contract: Vault, tmp_path: Path) -> None:
    contract.put("shop/db", password=CANARY)
    contract.policy_of("shop", {"secret/data/shop/*": ["read"]})
    bound = {"bound_service_account_names": ["kilde"], "bound_service_account_namespaces": ["argocd"]}
    contract.admin("POST", "auth/kubernetes/role/kilde", {**bound, "token_policies": ["shop"]})
    file = tmp_path / "token"
    file.write_text(service_account("argocd", "kilde"))
    login = Login(method="kubernetes", mount="kubernetes", role="kilde", token_file=str(file))
    client, other = contract.client(login), contract.client(login)
    try:
        assert (await client.read(DB)).version == 1
        file.write_text(service_account("argocd", "mallory"))
        assert await fails(other.read(DB)) == (Reason.EXPIRED, "the login by kubernetes is refused")
        file.unlink()
        assert await fails(other.read(DB)) == (Reason.EXPIRED, "cannot be read: No such file or directory")
    finally:
        await client.close()
        await other.close()


def timed(contract: Vault, login: Login) -> tuple[VaultClient, FakeClock]:
    """A client whose clock, and the server's, stand until they are moved on."""
    clock = FakeClock()
    assert contract.server is not None
    contract.server.state.now = clock.monotonic
    return VaultClient(contract.settings(login), clock), clock


async def ticking(clock: FakeClock, seconds: float, until: Callable[[], bool]) -> None:
    """Lets time pass in steps, and requests be answered in between."""
    for _ in range(int(seconds)):
        await clock.advance(1.0)
        await asyncio.sleep(0.005)
    async with asyncio.timeout(20):
        while not until():
            await asyncio.sleep(0.01)


async def test_a_token_is_renewed_in_time_while_nobody_asks(contract: Vault) -> None:
    assert contract.server is not None
    token = contract.token("default", ttl="30s")
    client, clock = timed(contract, Login(token=token))
    contract.server.state.tokens[token].ends = 30.0
    await client.session.token()
    job = asyncio.ensure_future(client.run())
    try:
        await ticking(clock, 100, lambda: True)
        assert contract.server.state.tokens[token].ends is not None
        assert contract.server.state.tokens[token].ends > 100
        assert 3 <= contract.server.asked.count(("POST", "auth/token/renew-self")) <= 8
    finally:
        job.cancel()
        await asyncio.gather(job, return_exceptions=True)
        await client.close()


async def test_a_token_at_its_longest_life_is_replaced_by_a_login(contract: Vault, tmp_path: Path) -> None:
    role, secret = contract.app_role("shop", "default", token_ttl="30s", token_max_ttl="50s")
    (tmp_path / "secret-id").write_text(secret)
    login = Login(method="approle", mount="approle", role=role, secret_file=str(tmp_path / "secret-id"))
    client, clock = timed(contract, login)
    assert contract.server is not None
    await client.session.token()
    job = asyncio.ensure_future(client.run())
    try:
        await ticking(clock, 120, lambda: client.session.logins >= 3)
        token = await client.session.token()
        assert contract.server.state.tokens[token].ends is not None
    finally:
        job.cancel()
        await asyncio.gather(job, return_exceptions=True)
        await client.close()


@pytest.mark.parametrize("faults", [[500, 502, 429], [503, 503, 503]])
async def test_trouble_that_passes_is_waited_for(contract: Vault, faults: list[int]) -> None:
    assert contract.server is not None
    contract.put("shop/db", password=CANARY)
    client = contract.client()
    await client.session.token()
    words = {503: "Vault is sealed"}
    contract.server.faults = [(each, {"errors": [words.get(each, "internal error")]}, {}) for each in faults]
    assert (await client.read(DB)).version == 1
    await client.close()


@pytest.mark.parametrize(
    ("status", "words", "reason", "what"),
    [
        (500, f"{CANARY} is broken", Reason.UNREACHABLE, "answered 500"),
        (500, "it is broken", Reason.UNREACHABLE, "answered 500: it is broken"),
        (400, f"no such thing: {CANARY}", Reason.REFUSED, "answered 400"),
        (400, "no such\x1b[31m thing", Reason.REFUSED, "answered 400: no such [31m thing"),
        (429, "slow down", Reason.BUSY, "too many requests"),
        (472, "standby", Reason.UNREACHABLE, "the node that answers is not ready (472)"),
        (307, "", Reason.UNREACHABLE, "answers with a redirect, which is not followed"),
    ],
)
async def test_trouble_that_stays_is_told_without_what_was_sent(
    contract: Vault, status: int, words: str, reason: Reason, what: str
) -> None:
    assert contract.server is not None
    client = contract.client()
    await client.session.token()
    location = {"Location": "https://127.0.0.1:1/"} if status == 307 else {}
    contract.server.faults = [(status, {"errors": [words]}, location)] * 9
    assert await fails(client.write(DB, {"password": CANARY}, newest=0)) == (reason, what)
    contract.server.faults = []
    await client.close()


async def test_a_vault_that_is_gone_or_not_trusted_or_none_is_told(contract: Vault, tmp_path: Path) -> None:
    gone = vault_at(contract, "https://127.0.0.1:1")
    assert (await fails(gone.read(DB)))[1].startswith("cannot be reached: ")
    strange = VaultClient(replace(contract.settings(), ca_file=""), FastClock())
    assert await fails(strange.read(DB)) == (Reason.UNREACHABLE, "its certificate is not trusted")
    plain = VaultServer()
    try:
        spoken = vault_at(contract, plain.address.replace("http://", "https://"))
        assert (await fails(spoken.read(DB)))[0] is Reason.UNREACHABLE
        await spoken.close()
    finally:
        plain.close()
    assert contract.server is not None
    slow = vault_at(contract, contract.address, timeout=0.0001)
    assert await fails(slow.read(DB)) == (Reason.UNREACHABLE, "no answer within 0.0001 s")
    for each in (gone, strange, slow):
        await each.close()


async def test_the_namespace_goes_with_every_request(contract: Vault) -> None:
    assert contract.server is not None
    client = contract.client(namespace="team/shop")
    contract.server.namespaces.clear()
    await fails(client.read(DB))
    assert contract.server.namespaces == {"team/shop"}
    await client.close()


class FastClock:
    """Sleeps a thousandth of what it is asked to."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / 1000)

    def dice(self) -> float:
        return 0.0


def vault_at(contract: Vault, address: str, **more: Any) -> VaultClient:
    return VaultClient(replace(contract.settings(**more), address=address), FastClock())
