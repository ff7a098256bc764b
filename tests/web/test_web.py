"""What the HTTP interface answers, over a real socket."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

import aiohttp
import pytest
from prometheus_client import CollectorRegistry, Counter
from starlette.applications import Starlette

from kilde.web.api import PushOutcome, PushVerdict
from kilde.web.app import make_app
from kilde.web.routes import webhook
from kilde.web.server import CannotListen, serve, serving

pytestmark = pytest.mark.anyio


@dataclass
class Program:
    """A WebApi that answers what it is told and keeps what it hears."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    reason: str = ""
    outcome: PushOutcome = field(default_factory=lambda: PushOutcome(PushVerdict.IGNORED))
    heard: list[tuple[Mapping[str, str], bytes]] = field(default_factory=list)

    def not_ready(self) -> str:
        return self.reason

    async def on_push(self, headers: Mapping[str, str], body: bytes) -> PushOutcome:
        self.heard.append((headers, body))
        return self.outcome


@pytest.fixture
def program() -> Program:
    return Program()


@pytest.fixture
async def url(program: Program) -> AsyncIterator[str]:
    async with serving(make_app(program), "127.0.0.1", 0) as address:
        yield address


async def ask(method: str, url: str, **more: object) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.request(method, url, **more) as answer:
        return answer.status, await answer.text()


async def test_it_is_alive_and_says_why_it_is_not_ready(program: Program, url: str) -> None:
    program.reason = "the watch of Applications has not begun"
    waiting = await ask("GET", f"{url}/readyz")
    program.reason = ""

    assert waiting == (503, "not ready: the watch of Applications has not begun\n")
    assert await ask("GET", f"{url}/readyz") == (200, "ok\n")
    assert await ask("GET", f"{url}/healthz") == (200, "ok\n")
    assert await ask("GET", f"{url}/livez") == (200, "ok\n")


async def test_metrics_are_those_of_the_registry(program: Program, url: str) -> None:
    Counter("kilde_things", "Things.", registry=program.registry).inc(3)

    status, text = await ask("GET", f"{url}/metrics")

    lines = [line for line in text.splitlines() if not line.startswith("kilde_things_created")]
    assert (status, lines[:3]) == (
        200,
        ["# HELP kilde_things_total Things.", "# TYPE kilde_things_total counter", "kilde_things_total 3.0"],
    )


@pytest.mark.parametrize(
    ("outcome", "status", "said"),
    [
        (
            PushOutcome(PushVerdict.ACCEPTED, "2 applications", ("a", "b")),
            202,
            {"verdict": "accepted", "message": "2 applications", "applications": ["a", "b"]},
        ),
        (PushOutcome(PushVerdict.IGNORED), 200, {"verdict": "ignored"}),
        (
            PushOutcome(PushVerdict.REFUSED, "bad signature"),
            401,
            {"verdict": "refused", "message": "bad signature"},
        ),
        (
            PushOutcome(PushVerdict.NOT_UNDERSTOOD, "unknown sender"),
            400,
            {"verdict": "not-understood", "message": "unknown sender"},
        ),
    ],
)
async def test_a_webhook_is_handed_over_whole_and_its_verdict_told(
    program: Program, url: str, outcome: PushOutcome, status: int, said: dict[str, object]
) -> None:
    program.outcome = outcome
    headers = {"Content-Type": "application/json; charset=utf-8", "X-Some-Event": "push"}

    answer = await ask("POST", f"{url}/api/webhook", data=b'{"a": 1}', headers=headers)

    assert (answer[0], json.loads(answer[1])) == (status, said)
    [(heard, body)] = program.heard
    assert (heard["x-some-event"], body) == ("push", b'{"a": 1}')


async def test_a_webhook_of_another_content_type_is_refused_unread(program: Program, url: str) -> None:
    answer = await ask("POST", f"{url}/api/webhook", data={"payload": "{}"})

    said = {"verdict": "refused", "message": "the content type must be application/json"}
    assert (answer[0], json.loads(answer[1]), program.heard) == (415, said, [])


@pytest.mark.parametrize("told", [True, False])
async def test_a_webhook_that_is_too_large_is_refused(program: Program, told: bool) -> None:
    async def parts() -> AsyncIterator[bytes]:
        for _ in range(4):
            yield b"x" * 500

    app = Starlette(routes=webhook.routes(program, largest=1000))
    async with serving(app, "127.0.0.1", 0) as url:
        data = b"x" * 2000 if told else parts()
        answer = await ask("POST", f"{url}/api/webhook", data=data, headers={"Content-Type": "application/json"})

    said = {"verdict": "refused", "message": "the body is larger than 1000 bytes"}
    assert (answer[0], json.loads(answer[1]), program.heard) == (413, said, [])


async def test_a_webhook_that_does_not_come_is_given_up(program: Program) -> None:
    async def parts() -> AsyncIterator[bytes]:
        yield b"x"
        await asyncio.sleep(30)

    app = Starlette(routes=webhook.routes(program, patience=0.1))
    async with serving(app, "127.0.0.1", 0) as url:
        answer = await ask("POST", f"{url}/api/webhook", data=parts(), headers={"Content-Type": "application/json"})

    said = {"verdict": "refused", "message": "the body did not come within 0.1 s"}
    assert (answer[0], json.loads(answer[1]), program.heard) == (408, said, [])


@pytest.mark.parametrize(
    ("method", "path", "status", "said"),
    [
        ("GET", "/nothing", 404, "GET /nothing: not found"),
        ("GET", "/api/webhook", 405, "GET /api/webhook: method not allowed"),
        ("DELETE", "/readyz", 405, "DELETE /readyz: method not allowed"),
    ],
)
async def test_what_is_not_there_is_told(url: str, method: str, path: str, status: int, said: str) -> None:
    answer = await ask(method, url + path)

    assert (answer[0], json.loads(answer[1])) == (status, {"error": said})


async def test_an_address_in_use_is_told(program: Program) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotListen) as caught:
            await serve(make_app(program), "127.0.0.1", port, asyncio.Event())

    assert (
        str(caught.value)
        == f"127.0.0.1:{port}: cannot listen: Address already in use (choose another address with --listen)"
    )


async def test_it_ends_in_time_with_a_request_under_way(program: Program) -> None:
    begun = asyncio.Event()

    async def parts() -> AsyncIterator[bytes]:
        yield b"x"
        begun.set()
        await asyncio.sleep(30)

    async with asyncio.timeout(20):
        async with serving(make_app(program), "127.0.0.1", 0) as url:
            headers = {"Content-Type": "application/json"}
            asking = asyncio.ensure_future(ask("POST", f"{url}/api/webhook", data=parts(), headers=headers))
            await begun.wait()
        await asyncio.wait([asking])

    assert asking.exception() is not None or asking.result()[0] == 500


async def test_a_failure_behind_it_is_logged_and_told_without_a_traceback(program: Program) -> None:
    class Broken(Program):
        async def on_push(self, headers: Mapping[str, str], body: bytes) -> PushOutcome:
            raise ValueError("the secret is hunter2")

    async with serving(make_app(Broken()), "127.0.0.1", 0) as url:
        answer = await ask("POST", f"{url}/api/webhook", data=b"{}", headers={"Content-Type": "application/json"})

    assert (answer[0], json.loads(answer[1])) == (
        500,
        {"error": "POST /api/webhook: failed; the log says why"},
    )
