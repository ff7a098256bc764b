"""What goes over the wire, and what of an answer comes back: headers, TLS, credentials, warnings, limits."""

import asyncio
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from adapters.cluster.api import ScriptedApi
from kilde import __version__
from kilde.adapters.clock import SystemClock
from kilde.adapters.cluster.access import Access, Credential, Fixed
from kilde.adapters.cluster.client import KubeCluster
from kilde.adapters.cluster.limits import ClientLimits
from kilde.core.basics.errors import ClusterError
from kilde.ports.cluster import Applied, Resource
from real.certificates import Authority, Pair

pytestmark = pytest.mark.anyio

CONFIG_MAP = Resource("", "v1", "ConfigMap", "configmaps", namespaced=True)
ROLE = Resource("rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles", namespaced=False)
PATH = "/api/v1/namespaces/shop/configmaps/a"
BODY = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "shop"}}
VERSION = {"/version": {"gitVersion": "v1.30.0"}}


def client(access: Access, **limits: Any) -> KubeCluster:
    return KubeCluster(access, SystemClock(), limits=ClientLimits(**limits))


async def test_each_verb_asks_as_kubernetes_documents_it() -> None:
    async with ScriptedApi({PATH: BODY, f"{PATH}/status": BODY, "/api/v1/namespaces/shop/configmaps": BODY}) as api:
        cluster = client(Access(server=api.url))
        await cluster.get(CONFIG_MAP, "shop", "a")
        await cluster.apply(CONFIG_MAP, BODY, manager="kilde", dry_run=True)
        await cluster.create(CONFIG_MAP, BODY, manager="kilde")
        await cluster.replace(CONFIG_MAP, BODY, manager="kilde")
        await cluster.patch(CONFIG_MAP, "shop", "a", [], kind="json", manager="kilde", subresource="status")
        await cluster.delete(CONFIG_MAP, "shop", "a", uid="u", resource_version="7", propagation="Orphan")
        await cluster.list(CONFIG_MAP, "shop", label_selector="a=b,c in (d,e)")
        await cluster.close()
    seen = [(a.method, a.path, a.query, a.headers.get("content-type"), a.body) for a in api.asked]
    options = {
        "kind": "DeleteOptions",
        "apiVersion": "v1",
        "propagationPolicy": "Orphan",
        "preconditions": {"uid": "u", "resourceVersion": "7"},
    }
    kilde = {"fieldManager": "kilde"}
    folder = "/api/v1/namespaces/shop/configmaps"
    assert seen == [
        ("GET", PATH, {}, None, None),
        ("PATCH", PATH, {**kilde, "force": "true", "dryRun": "All"}, ["application/apply-patch+yaml"], BODY),
        ("POST", folder, kilde, ["application/json"], BODY),
        ("PUT", PATH, kilde, ["application/json"], BODY),
        ("PATCH", f"{PATH}/status", kilde, ["application/json-patch+json"], []),
        ("DELETE", PATH, {}, ["application/json"], options),
        ("GET", folder, {"limit": "500", "labelSelector": "a=b,c in (d,e)"}, None, None),
    ]
    for asked in api.asked:
        assert asked.headers["user-agent"] == [f"kilde/{__version__}"]
        assert asked.headers["accept-encoding"] == ["identity"]


async def test_a_server_below_a_prefix_and_an_odd_name_are_addressed_right() -> None:
    async with ScriptedApi({}) as api:
        cluster = client(Access(server=f"{api.url}/k8s/clusters/c-1"))
        assert await cluster.get(ROLE, "", "system:node é?") is None
        await cluster.close()
    assert [asked.path for asked in api.asked] == [
        "/k8s/clusters/c-1/apis/rbac.authorization.k8s.io/v1/clusterroles/system:node é?"
    ]


async def test_impersonation_headers_go_with_every_request() -> None:
    headers = (("Impersonate-User", "ann"), ("Impersonate-Group", "g1"), ("Impersonate-Group", "g2"))
    async with ScriptedApi(VERSION) as api:
        cluster = client(Access(server=api.url, headers=headers, credentials=Fixed(Credential("Bearer t"))))
        assert await cluster.version() == "v1.30.0"
        await cluster.close()
    asked = api.asked[0].headers
    assert (asked["impersonate-user"], asked["impersonate-group"]) == (["ann"], ["g1", "g2"])
    assert asked["authorization"] == ["Bearer t"]


async def test_warnings_of_the_server_are_handed_on() -> None:
    headers = [("Warning", '299 - "policy/v1beta1 is \\"deprecated\\""'), ("Warning", '199 - "other"')]
    answers = {PATH: lambda _: web.json_response(BODY, status=201, headers=headers)}
    async with ScriptedApi(answers) as api:
        cluster = client(Access(server=api.url))
        applied = await cluster.apply(CONFIG_MAP, BODY, manager="kilde")
        await cluster.close()
    assert applied == Applied(applied.raw, created=True, warnings=('policy/v1beta1 is "deprecated"',))


@dataclass
class Renewed:
    """A credential source that has a new token each time the old one is refused."""

    tokens: list[str]

    async def current(self, *, refused: Credential | None = None) -> Credential:
        if refused == Credential(f"Bearer {self.tokens[0]}") and len(self.tokens) > 1:
            self.tokens.pop(0)
        return Credential(f"Bearer {self.tokens[0]}")


def only(token: str) -> Callable[[web.Request], web.Response]:
    def answer(request: web.Request) -> web.Response:
        good = request.headers.get("Authorization") == f"Bearer {token}"
        return web.json_response({"gitVersion": "v1.30.0"} if good else {}, status=200 if good else 401)

    return answer


async def test_a_refused_credential_is_renewed_once() -> None:
    async with ScriptedApi({"/version": only("new")}) as api:
        cluster = client(Access(server=api.url, credentials=Renewed(["old", "new"])))
        assert await cluster.version() == "v1.30.0"
        assert len(api.asked) == 2
        await cluster.close()


@pytest.mark.parametrize(("tokens", "requests"), [(["old"], 1), (["old", "older"], 2)])
async def test_a_credential_that_stays_refused_is_told(tokens: list[str], requests: int) -> None:
    async with ScriptedApi({"/version": only("new")}) as api:
        cluster = client(Access(server=api.url, credentials=Renewed(tokens)))
        with pytest.raises(ClusterError) as caught:
            await cluster.version()
        await cluster.close()
        assert len(api.asked) == requests
    assert (caught.value.status, caught.value.reason) == (401, "Unauthorized")
    assert str(caught.value) == (
        "version: the server has asked for the client to provide credentials "
        "(the server does not accept the kubeconfig's credentials)"
    )


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"[1]", "the answer is not a JSON object"),
        (b"{", "the answer is not a JSON object"),
        (b"[" * 100_000, "the answer is not a JSON object"),
    ],
    ids=["a list", "half", "deep"],
)
async def test_nonsense_is_told_as_nonsense(body: bytes, what: str) -> None:
    async with ScriptedApi({"/version": body}) as api:
        cluster = client(Access(server=api.url))
        with pytest.raises(ClusterError) as caught:
            await cluster.version()
        await cluster.close()
    assert (caught.value.what, caught.value.reason) == (what, "Invalid")


async def test_an_answer_beyond_the_limit_is_not_kept() -> None:
    async with ScriptedApi({PATH: b"x" * 3000}) as api:
        cluster = client(Access(server=api.url), largest_answer=1000)
        with pytest.raises(ClusterError) as caught:
            await cluster.get(CONFIG_MAP, "shop", "a")
        await cluster.close()
    assert caught.value.what == "the answer is larger than 1000 bytes"


async def test_a_message_without_end_is_cut() -> None:
    said = {"kind": "Status", "message": "x" * 100_000, "code": 422, "reason": "Invalid"}
    async with ScriptedApi({PATH: lambda _: web.json_response(said, status=422)}) as api:
        cluster = client(Access(server=api.url))
        with pytest.raises(ClusterError) as caught:
            await cluster.get(CONFIG_MAP, "shop", "a")
        await cluster.close()
    assert len(caught.value.what) == 2002


async def test_a_closed_client_says_so() -> None:
    cluster = client(Access(server="http://127.0.0.1:1"))
    await cluster.close()
    with pytest.raises(ClusterError, match="the client is closed"):
        await cluster.version()


async def test_no_more_requests_than_connections_are_under_way() -> None:
    most = now = 0

    async def slow(request: web.Request) -> web.Response:
        nonlocal most, now
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.02)
        now -= 1
        return web.json_response(BODY)

    app = web.Application()
    app.router.add_get(PATH, slow)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    cluster = client(Access(server=f"http://127.0.0.1:{runner.addresses[0][1]}"), connections=3)
    await asyncio.gather(*(cluster.get(CONFIG_MAP, "shop", "a") for _ in range(12)))
    await cluster.close()
    await runner.cleanup()
    assert most == 3


async def test_requests_beyond_the_rate_wait() -> None:
    async with ScriptedApi(VERSION) as api:
        cluster = client(Access(server=api.url), rate=20.0, burst=5)
        begun = time.monotonic()
        await asyncio.gather(*(cluster.version() for _ in range(9)))
        spent = time.monotonic() - begun
        await cluster.close()
    assert 0.2 <= spent < 2.0


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def serving(authority: Authority, pair: Pair) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    context.load_verify_locations(authority.pair.certificate)
    context.verify_mode = ssl.CERT_OPTIONAL
    return context


def pem(pair: Pair) -> Credential:
    return Credential("", pair.certificate.read_bytes(), pair.key.read_bytes())


async def test_a_client_certificate_proves_who_we_are(authority: Authority) -> None:
    context = serving(authority, authority.serving("by address", ["127.0.0.1"], []))
    ca = authority.pair.certificate.read_bytes()
    async with ScriptedApi(VERSION, tls=context) as api:
        for name in ("ann", "bob"):
            cluster = client(Access(server=api.url, ca=ca, credentials=Fixed(pem(authority.client(name, [])))))
            await cluster.version()
            await cluster.close()
    names = [dict(part[0] for part in found["subject"])["commonName"] for found in api.certificates]
    assert names == ["ann", "bob"]


@dataclass
class Rotating:
    """A source whose certificate changes."""

    credentials: list[Credential]

    async def current(self, *, refused: Credential | None = None) -> Credential:
        return self.credentials.pop(0) if len(self.credentials) > 1 else self.credentials[0]


async def test_a_new_certificate_is_used_from_the_next_request_on(authority: Authority) -> None:
    context = serving(authority, authority.serving("by address", ["127.0.0.1"], []))
    pairs = [pem(authority.client(name, [])) for name in ("old", "new")]
    ca = authority.pair.certificate.read_bytes()
    async with ScriptedApi(VERSION, tls=context) as api:
        cluster = client(Access(server=api.url, ca=ca, credentials=Rotating(pairs)))
        for _ in range(3):
            await cluster.version()
        await cluster.close()
    names = [dict(part[0] for part in found["subject"])["commonName"] for found in api.certificates]
    assert names == ["old", "new", "new"]


async def test_only_a_server_we_trust_is_spoken_to(authority: Authority, tmp_path: Path) -> None:
    context = serving(authority, authority.serving("by name", [], ["inner.example.com"]))
    ca, other = authority.pair.certificate.read_bytes(), Authority(tmp_path).pair.certificate.read_bytes()
    async with ScriptedApi(VERSION, tls=context) as api:
        good = Access(server=api.url, ca=ca, tls_server_name="inner.example.com")
        told = []
        for access in (
            good,
            replace(good, ca=b"", insecure=True, tls_server_name=""),
            replace(good, tls_server_name=""),
            replace(good, ca=other),
        ):
            cluster = client(access)
            try:
                told.append(await cluster.version())
            except ClusterError as error:
                told.append(f"{error.reason}: {error.what.removeprefix(f'no trusted connection to {api.url}: ')}")
            await cluster.close()
    assert told == [
        "v1.30.0",
        "v1.30.0",
        "Untrusted: IP address mismatch, certificate is not valid for '127.0.0.1'",
        "Untrusted: certificate signature failure",
    ]


@pytest.mark.parametrize(
    ("access", "what"),
    [
        (Access(server="https://127.0.0.1:1", ca=b"no"), "the certificate authority is not PEM"),
        (
            Access(server="https://127.0.0.1:1", credentials=Fixed(Credential("", b"no", b"no"))),
            "the client certificate and its key are not a pair in PEM",
        ),
    ],
)
async def test_unusable_material_is_told(access: Access, what: str) -> None:
    cluster = client(access)
    with pytest.raises(ClusterError) as caught:
        await cluster.version()
    await cluster.close()
    assert str(caught.value) == f"https://127.0.0.1:1: {what}"


async def test_a_proxy_is_gone_through() -> None:
    async with ScriptedApi(VERSION) as proxy:
        cluster = client(Access(server="http://api.invalid:6443", proxy_url=proxy.url))
        assert await cluster.version() == "v1.30.0"
        await cluster.close()
    assert proxy.asked[0].headers["host"] == ["api.invalid:6443"]
