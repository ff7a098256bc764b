"""Hostile and broken clients: whatever they send, the server answers or closes, keeps nothing, and goes on."""

import asyncio
import contextlib
import json
import os
import random
import re
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from kilde.kubeapi.settings import Controllers, Settings
from kubeapi.client import CONFIG_MAPS, config_map, running
from robustness.malformed import request
from robustness.soak import Server, server, soak

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.timeout(600)]

_MALFORMED = int(os.environ.get("KILDE_MALFORMED", "2000"))
_SOAK_SECONDS = float(os.environ.get("KILDE_SOAK_SECONDS", "15"))


@pytest.fixture
async def hostile(tmp_path: Path) -> AsyncIterator[Server]:
    async with server(tmp_path) as found:
        yield found


class Line:
    """One raw TLS connection to the server, opened again whenever the server has closed it."""

    def __init__(self, found: Server) -> None:
        self._address = urlsplit(found.url)
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, data: bytes, *, whole: bool) -> tuple[int, bytes]:
        """(status, body) of the answer; (0, b"") if the server closed without one."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(
                self._address.hostname, self._address.port, ssl=ssl._create_unverified_context()
            )
        reader, writer = self._streams
        writer.write(data)
        if not whole:
            writer.write_eof() if writer.can_write_eof() else None
        try:
            async with asyncio.timeout(20 if whole else 1.0):
                return await self._answer(reader, head=data.startswith(b"HEAD"))
        except TimeoutError:
            assert not whole, f"no answer to {data[:300]!r}"
            await self.close()
            return 0, b""
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            await self.close()
            return 0, b""
        finally:
            if not whole:
                await self.close()  # what follows would be read as the rest of it

    async def _answer(self, reader: asyncio.StreamReader, *, head: bool) -> tuple[int, bytes]:
        text = await reader.readuntil(b"\r\n\r\n")
        status = int(text.split()[1])
        if status == 100:
            return await self._answer(reader, head=head)
        length = re.search(rb"(?i)content-length: *(\d+)", text)
        body = await reader.readexactly(int(length[1])) if length and not head else b""
        if length is None or b"connection: close" in text.lower():
            await self.close()
        return status, body

    async def close(self) -> None:
        if self._streams is not None:
            self._streams[1].transport.abort()
            self._streams = None


async def test_malformed_requests_cause_no_fault_no_hang_and_no_growth(hostile: Server) -> None:
    token = yaml.safe_load((hostile.log.parent / "data" / "kubeconfig").read_text())["users"][0]["user"]["token"]
    dice, line = random.Random(20), Line(hostile)
    seen: dict[int, int] = {}
    settled = 0
    for number in range(_MALFORMED):
        made = request(dice, token)
        if b"watch" in made.data:
            made = made._replace(whole=False)  # a stream has no end to wait for
        status, body = await line.send(made.data, whole=made.whole)
        seen[status] = seen.get(status, 0) + 1
        if status >= 500 and status not in (501, 504):
            message = json.loads(body)["message"]
            # a real server answers some refusals with 500 and no reason; a fault of ours says so
            assert not message.startswith("Internal error"), (message, made.data[:600])
        if number == _MALFORMED // 3:
            settled = hostile.memory()
    await line.close()
    log = hostile.log.read_text()
    assert "Traceback" not in log, log[-3000:]
    assert "a request failed" not in log
    assert hostile.memory() < settled + (24 << 20), f"{settled >> 20} MiB, then {hostile.memory() >> 20} MiB"
    assert (await hostile.ask("GET", CONFIG_MAPS))[0] == 200
    assert sum(count for status, count in seen.items() if 400 <= status < 500) > _MALFORMED / 2, seen


@pytest.fixture
def impatient(tmp_path: Path) -> Settings:
    return Settings(kubeconfig=tmp_path / "kubeconfig", controllers=Controllers.OFF, tls=False, patience=0.3)


async def _closed_within(reader: asyncio.StreamReader, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            with contextlib.suppress(ConnectionError):
                while await reader.read(65536):
                    pass
    except TimeoutError:
        return False
    return True


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET /api",
        b"GET /version HTTP/1.1\r\nHost: x\r\nX-A: b",
        b"POST /api/v1/namespaces HTTP/1.1\r\nContent-Length: 100\r\n\r\n{",
    ],
    ids=["nothing", "half a line", "half a head", "half a body"],
)
async def test_a_client_that_stalls_is_shed(impatient: Settings, sent: bytes) -> None:
    async with running(impatient) as client:
        host, port = client.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(sent)
        closed = await _closed_within(reader, 8)
        writer.transport.abort()
        assert closed
        assert (await client.ask("GET", "/readyz"))[0] == 200


async def test_a_client_that_drips_is_shed_all_the_same(impatient: Settings) -> None:
    async with running(impatient) as client:
        host, port = client.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        closing = asyncio.ensure_future(_closed_within(reader, 8))
        with contextlib.suppress(ConnectionError):
            for _ in range(60):
                if closing.done():
                    break
                writer.write(b"GET /" if _ == 0 else b"a")
                await writer.drain()
                await asyncio.sleep(0.05)
        assert await closing
        writer.transport.abort()


async def test_half_closed_connections_are_let_go(tmp_path: Path) -> None:
    async with server(tmp_path) as found:
        before = found.descriptors()
        address = urlsplit(found.url)
        held = []
        for _ in range(100):
            one = socket.create_connection((address.hostname, address.port))
            one.sendall(b"\x16\x03\x01")  # a handshake that does not go on
            one.shutdown(socket.SHUT_WR)
            held.append(one)
        await asyncio.sleep(1.5)
        after = found.descriptors()
        for one in held:
            one.close()
        assert after <= before + 5


async def test_a_head_without_end_is_cut_off(tmp_path: Path) -> None:
    settings = Settings(kubeconfig=tmp_path / "kubeconfig", controllers=Controllers.OFF, tls=False)
    async with running(settings) as client:
        host, port = client.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET / HTTP/1.1\r\n")
        with contextlib.suppress(ConnectionError):
            for number in range(3000):
                writer.write(b"X-%d: %b\r\n" % (number, b"y" * 1000))
                await writer.drain()
        assert await _closed_within(reader, 5)
        writer.transport.abort()


async def test_five_hundred_watches_see_a_write(tmp_path: Path) -> None:
    async with server(tmp_path) as found:

        async def watch() -> str:
            async with found.session.get(f"{found.url}{CONFIG_MAPS}?watch=1") as answer:
                opened.release()
                line = await answer.content.readline()
                return str(json.loads(line)["object"]["metadata"]["name"])

        opened = asyncio.Semaphore(0)
        watching = [asyncio.ensure_future(watch()) for _ in range(500)]
        for _ in watching:
            await opened.acquire()
        held = found.descriptors()
        assert (await found.ask("POST", CONFIG_MAPS, config_map("seen")))[0] == 201
        names = await asyncio.wait_for(asyncio.gather(*watching), 60)
        assert names == ["seen"] * 500
        assert held >= 500


async def test_a_watcher_that_does_not_read_is_ended_with_410_and_costs_little(tmp_path: Path) -> None:
    async with server(tmp_path, "--durability", "normal") as found:
        reader = await found.session.get(f"{found.url}{CONFIG_MAPS}?watch=1&labelSelector=big%3Dyes")
        reader.content._protocol.pause_reading()  # type: ignore[union-attr]
        before = found.memory()
        body = config_map("big", big="yes")
        body["data"]["a"] = "x" * 900_000
        await found.ask("POST", CONFIG_MAPS, body)
        for number in range(40):
            body["data"]["b"] = str(number)
            assert (await found.ask("PUT", f"{CONFIG_MAPS}/big", body))[0] == 200
        grown = found.memory() - before
        reader.content._protocol.resume_reading()  # type: ignore[union-attr]
        data = b""
        with contextlib.suppress(Exception):
            async with asyncio.timeout(10):
                data = await reader.content.read()
        reader.close()
        assert grown < 140 << 20
        last = data.splitlines()[-1] if data else b""
        assert not last or json.loads(last)["object"].get("code") == 410 or not data.endswith(b"\n")
        assert len(data.splitlines()) < 41


async def test_memory_and_descriptors_stay_flat(tmp_path: Path) -> None:
    samples = await soak(tmp_path, _SOAK_SECONDS, rate=60, watches=20, every=_SOAK_SECONDS / 10)
    memory = [one[1] for one in samples]
    descriptors = [one[2] for one in samples]
    assert memory[-1] < memory[0] + (96 << 20), memory  # the history and SQLite's cache fill up to their limits
    assert descriptors[-1] <= 40, descriptors
