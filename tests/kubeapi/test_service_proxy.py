"""services/NAME/proxy of the embedded API: to a registered listener, to a pod's endpoint, and what it refuses."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kilde.kubeapi.settings import Controllers, Settings
from kubeapi.client import Client, running

pytestmark = pytest.mark.anyio
SERVICES = "/api/v1/namespaces/default/services"
HEADERS = "HTTP/1.1 409 Conflict\r\nContent-Type: text/x\r\nRetry-After: 7\r\nX-Other: no\r\n"


class Behind:
    """A listener that keeps what it was asked and answers 409."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.port = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next(
            (int(line.split(":")[1]) for line in head.split("\r\n") if line.lower().startswith("content-length")), 0
        )
        body = await reader.readexactly(length)
        self.asked.append(f"{head.splitlines()[0]} {body.decode()} {'authorization' in head.lower()}")
        writer.write(f"{HEADERS}Content-Length: 3\r\nConnection: close\r\n\r\nyes".encode())
        await writer.drain()
        writer.close()


@pytest.fixture
async def behind() -> AsyncIterator[Behind]:
    made = Behind()
    server = await asyncio.start_server(made.answer, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()
    await server.wait_closed()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(kubeconfig=tmp_path / "kubeconfig", controllers=Controllers.OFF, tls=False)


def service(name: str, *ports: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": {"ports": list(ports)}}


async def test_a_registered_listener_is_asked_without_our_credentials(settings: Settings, behind: Behind) -> None:
    settings.services.register("default", "web", "127.0.0.1", behind.port)
    async with running(settings) as client:
        await client.ask("POST", SERVICES, service("web", {"name": "http", "port": 80}))
        answers = [
            await client.ask(*one)
            for one in (
                ("GET", f"{SERVICES}/http:web:http/proxy/v1/a%20b?x=1&x=2"),
                ("POST", f"{SERVICES}/web/proxy/v1/c", {"k": "v"}),
                ("GET", f"{SERVICES}/web:80/proxy"),
            )
        ]
    assert answers == [(409, "yes")] * 3
    assert behind.asked == [
        "GET /v1/a%20b?x=1&x=2 HTTP/1.1  False",
        'POST /v1/c HTTP/1.1 {"k": "v"} False',
        "GET / HTTP/1.1  False",
    ]


async def refusals(client: Client) -> list[tuple[int, str]]:
    found = []
    for path in ("none", "web", "web:http", "web:other", "ftp:web:http", "a:b:c:d"):
        status, body = await client.ask("GET", f"{SERVICES}/{path}/proxy/")
        found.append((status, body["message"]))
    return found


async def test_what_cannot_be_reached_is_said_as_a_real_api_server_says_it(settings: Settings) -> None:
    async with running(settings) as client:
        await client.ask("POST", SERVICES, service("web", {"name": "http", "port": 80}))
        assert await refusals(client) == [
            (404, 'services "none" not found'),
            (503, 'no endpoints available for service "web"'),
            (503, 'no endpoints available for service "web:http"'),
            (503, 'no service port "other" found for service "web"'),
            (400, 'invalid service request "ftp:web:http"'),
            (400, 'invalid service request "a:b:c:d"'),
        ]


async def test_an_endpoint_counts_only_if_it_is_a_pod_of_that_address(settings: Settings) -> None:
    async with running(settings) as client:
        await client.ask("POST", SERVICES, service("web", {"name": "http", "port": 80}))
        address = {"ip": "192.0.2.7", "targetRef": {"kind": "Pod", "namespace": "default", "name": "p"}}
        subsets = [{"addresses": [address], "ports": [{"name": "http", "port": 1}]}]
        body = {"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": "web"}, "subsets": subsets}
        status, _ = await client.ask("POST", "/api/v1/namespaces/default/endpoints", body)
        assert status == 201
        status, answer = await client.ask("GET", f"{SERVICES}/web/proxy/")
        assert (status, answer["message"]) == (503, 'no endpoints available for service "web"')


async def test_a_listener_that_is_gone_is_503(settings: Settings, behind: Behind) -> None:
    moved = replace(settings)
    moved.services.register("default", "web", "127.0.0.1", 1)
    async with running(moved) as client:
        await client.ask("POST", SERVICES, service("web", {"port": 80}))
        status, answer = await client.ask("GET", f"{SERVICES}/web/proxy/")
    assert status == 503
    assert answer["message"].startswith("error trying to reach service: ")
