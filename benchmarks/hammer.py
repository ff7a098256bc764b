"""Many clients that only write requests and read answers: a client that costs a twentieth of a server does not measure itself."""

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Server:
    """Where requests go, and the header that says who asks."""

    url: str
    tls: ssl.SSLContext
    headers: dict[str, str]

    def request(self, method: str, path: str, body: bytes, media: str) -> bytes:
        """One request as it goes over the wire."""
        host = urlsplit(self.url).netloc
        lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", "Accept: application/json", f"Content-Type: {media}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body

    async def _client(self, requests: Sequence[bytes], expected: bytes) -> None:
        where = urlsplit(self.url)
        reader, writer = await asyncio.open_connection(where.hostname, where.port, ssl=self.tls)
        for request in requests:
            writer.write(request)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            size = head.partition(b"content-length:")[2].partition(b"\r")[0]
            body = await reader.readexactly(int(size)) if size else await _chunks(reader)
            assert head[9:12] == expected, (head, body)
        writer.close()

    async def hammer(self, requests: Sequence[bytes], clients: int, expected: int) -> None:
        """Sends them all, by so many clients that each wait for one answer at a time; every answer has that status."""
        parts = [requests[at::clients] for at in range(clients)]
        await asyncio.gather(*(self._client(part, str(expected).encode()) for part in parts))


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    found = b""
    while size := int(await reader.readline(), 16):
        found += (await reader.readexactly(size + 2))[:-2]
    await reader.readline()
    return found
