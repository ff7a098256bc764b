"""The promises of ports.web, kept by the real client against a real server, and by the fake."""

import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from kilde.adapters.aws.identities import AwsIdentities
from kilde.adapters.clock import SystemClock
from kilde.adapters.web_client import LARGEST, WebClient
from kilde.core.sets.failures import GeneratorFailed
from kilde.ports.web import Request
from kilde.testing.web import FakeWeb
from real.certificates import Authority

pytestmark = pytest.mark.anyio


async def _answer(request: web.Request) -> web.StreamResponse:
    where = request.path
    if where == "/echo":
        said = {
            "method": request.method,
            "token": request.headers.get("Authorization", ""),
            "body": await request.text(),
        }
        return web.json_response(said, headers={"X-Next-Page": "2"})
    if where == "/here":
        return web.Response(status=302, headers={"Location": "/echo"})
    if where == "/away":
        return web.Response(status=302, headers={"Location": "http://127.0.0.2:1/steal"})
    if where == "/round":
        return web.Response(status=302, headers={"Location": "/round"})
    if where == "/large":
        return web.Response(body=b"x" * (LARGEST + 1))
    if where == "/slow":
        import asyncio

        await asyncio.sleep(3)
    return web.json_response({"message": "not here"}, status=404)


@pytest.fixture
async def root() -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", _answer)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert site._server is not None
    yield f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"  # type: ignore[attr-defined]
    await runner.cleanup()


@pytest.fixture
async def client() -> AsyncIterator[WebClient]:
    made = WebClient(AwsIdentities(SystemClock(), {}))
    yield made
    await made.close()


async def test_what_is_asked_and_answered(client: WebClient, root: str) -> None:
    asked = Request(url=f"{root}/echo?x=1", method="POST", headers={"Authorization": "Bearer canary"}, body=b"hello")
    answer = await client.request(asked)
    assert (answer.status, answer.headers["x-next-page"]) == (200, "2")
    assert answer.body == b'{"method": "POST", "token": "Bearer canary", "body": "hello"}'
    assert (await client.request(Request(url=f"{root}/nothing"))).status == 404
    fake = FakeWeb()
    fake.answers(f"{root}/echo?x=1", {"a": 1}, method="POST", headers={"x-next-page": "2"})
    told = await fake.request(asked)
    assert (told.status, told.headers["x-next-page"], told.body) == (200, "2", b'{"a":1}')
    assert (await fake.request(Request(url=f"{root}/nothing"))).status == 404


async def test_a_proxy_is_asked_instead(client: WebClient, root: str) -> None:
    answer = await client.request(Request(url="http://forge.example/echo", proxy=root))
    assert (answer.status, answer.body) == (200, b'{"method": "GET", "token": "", "body": ""}')


async def test_redirects_are_followed_on_the_same_host_only(client: WebClient, root: str) -> None:
    asked: dict[str, Any] = {"headers": {"Authorization": "Bearer canary"}}
    assert (await client.request(Request(url=f"{root}/here", **asked))).status == 200
    assert (await client.request(Request(url=f"{root}/away", **asked))).status == 302
    with pytest.raises(GeneratorFailed, match="more than 5 redirects"):
        await client.request(Request(url=f"{root}/round", **asked))


@pytest.mark.parametrize(
    ("where", "words"), [("/large", "the answer has more than"), ("/slow", r"no answer within 0\.2 s")]
)
async def test_an_answer_is_bounded(client: WebClient, root: str, where: str, words: str) -> None:
    with pytest.raises(GeneratorFailed, match=words) as told:
        await client.request(Request(url=f"{root}{where}?token=canary", timeout=0.2 if where == "/slow" else 30.0))
    assert "canary" not in str(told.value)


async def test_nobody_there_is_told_in_one_sentence(client: WebClient) -> None:
    with pytest.raises(GeneratorFailed, match="cannot be reached") as told:
        await client.request(Request(url="http://127.0.0.1:1/x?token=canary", headers={"Authorization": "canary"}))
    assert "canary" not in str(told.value)
    fake = FakeWeb()
    fake.down = "cannot be reached"
    with pytest.raises(GeneratorFailed, match="cannot be reached"):
        await fake.request(Request(url="http://127.0.0.1:1/x"))


async def test_a_certificate_is_checked_unless_the_request_says_otherwise(client: WebClient, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    pair = authority.serving("web", ["127.0.0.1"], ["localhost"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", _answer)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    assert site._server is not None
    url = f"https://127.0.0.1:{site._server.sockets[0].getsockname()[1]}/echo"  # type: ignore[attr-defined]
    try:
        with pytest.raises(GeneratorFailed, match="its certificate is not trusted"):
            await client.request(Request(url=url))
        assert (await client.request(Request(url=url, insecure=True))).status == 200
        trusted = Request(url=url, authority=authority.pair.certificate.read_text())
        assert (await client.request(trusted)).status == 200
        by_file = Request(url=url, authority_file=str(authority.pair.certificate))
        assert (await client.request(by_file)).status == 200
        nowhere = Request(url=url, authority_file=str(tmp_path / "nothing.pem"))
        with pytest.raises(GeneratorFailed, match="its certificate is not trusted"):
            await client.request(nowhere)
        assert (await client.request(replace(nowhere, authority=trusted.authority))).status == 200
    finally:
        await runner.cleanup()
