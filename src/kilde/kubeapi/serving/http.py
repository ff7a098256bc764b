"""Request and Response: one HTTP exchange, without ASGI's dictionaries."""

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs

import msgspec

from kilde.core.basics.values import Json
from kilde.core.objects.yaml_writer import write_document
from kilde.kubeapi.call import User
from kilde.kubeapi.interface import ApiError
from kilde.kubeapi.logic import failures, negotiate
from kilde.kubeapi.logic.negotiate import Form
from kilde.kubeapi.logic.options import Query
from kilde.kubeapi.resources import protobuf_writer

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
LONGEST_BODY = 3_145_728
_GZIP_FROM = 128 * 1024
_PACKED_AT_ONCE = 512 * 1024  # some five milliseconds
_encode = msgspec.json.Encoder().encode
_NO_CACHE = (b"cache-control", b"no-cache, private")


@dataclass(slots=True)
class Request:
    """What a client asked. `headers` have lower-case names; of several equal ones the last counts."""

    method: str
    path: str
    query: Query
    headers: Mapping[str, str]
    receive: Receive
    user: User
    warnings: list[str] = field(default_factory=list)
    shed: Callable[[], None] = lambda: (
        None
    )  # ends the connection of a client that does not read, after what is sent last

    async def body(self) -> bytes:
        """The whole body; 413 if it is longer than a real server takes."""
        parts, size = [], 0
        while True:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise failures.bad_request("the client went away")
            part = message.get("body", b"")
            size += len(part)
            if size > LONGEST_BODY:
                what = f"Request entity too large: limit is {LONGEST_BODY}"
                raise ApiError(413, "RequestEntityTooLarge", what)
            parts.append(part)
            if not message.get("more_body"):
                return b"".join(parts)


@dataclass(slots=True)
class Response:
    """A whole answer. It tells of the store up to resourceVersion `version` (None: as it is now), which must be committed first."""

    status: int
    body: bytes
    content_type: str = negotiate.JSON
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    version: int | None = None

    async def send(self, request: Request, send: Send) -> None:
        """Sends it, compressed if it is long and the client takes gzip."""
        headers = [*self.headers]
        if self.content_type:
            headers.append((b"content-type", self.content_type.encode()))
        body = self.body
        if len(body) >= _GZIP_FROM and "gzip" in request.headers.get("accept-encoding", ""):
            body = await _packed(body)
            headers.append((b"content-encoding", b"gzip"))
            headers.append((b"vary", b"Accept-Encoding"))
        if self.status != 204:
            headers.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if request.method == "HEAD" else body})


async def _packed(body: bytes) -> bytes:
    """The body in gzip; others are served in between."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    parts, rest = [], memoryview(body)
    while rest:
        parts.append(packer.compress(rest[:_PACKED_AT_ONCE]))
        rest = rest[_PACKED_AT_ONCE:]
        await asyncio.sleep(0)
    return b"".join((*parts, packer.flush()))


@lru_cache(maxsize=256)  # a client that writes often says the same each time
def query_of(raw: bytes) -> Query:
    """The query parameters of a URL; nobody changes them."""
    return parse_qs(raw.decode("latin-1"), keep_blank_values=True) if raw else {}


def written(value: Json, form: Form = negotiate.PLAIN) -> bytes:
    """A value as this form writes it."""
    if form.media == negotiate.YAML:
        return write_document(value).encode()
    if form.media == negotiate.PROTOBUF:
        return protobuf_writer.encode(value)
    return _encode(value) + b"\n"


def answer(status: int, value: Json, form: Form = negotiate.PLAIN, warnings: list[str] | None = None) -> Response:
    """An object as an answer."""
    return as_answer(status, written(value, form), form, warnings)


def as_answer(status: int, body: bytes, form: Form = negotiate.PLAIN, warnings: list[str] | None = None) -> Response:
    """Bytes as an answer."""
    headers = [_NO_CACHE, *warning_headers(warnings or ())]
    return Response(status, body, form.content_type, headers)


def warning_headers(warnings: Iterable[str]) -> list[tuple[bytes, bytes]]:
    """The headers that tell a client of warnings."""
    return [(b"warning", f"299 - {failures.quoted(text)}".encode()) for text in warnings]


def refusal(error: ApiError, warnings: list[str] | None = None, accept: str = "") -> Response:
    """A refusal as an answer, in the form that the client takes first of ours; in JSON if there is none."""
    found = answer(error.status, failures.status(error), negotiate.status_form(accept), warnings)
    seconds = (error.details or {}).get("retryAfterSeconds")
    if seconds:
        found.headers.append((b"retry-after", str(seconds).encode()))
    return found


def text(status: int, body: str) -> Response:
    """Plain text as an answer."""
    return Response(
        status, body.encode(), "text/plain; charset=utf-8", [_NO_CACHE, (b"x-content-type-options", b"nosniff")]
    )


NOT_FOUND = "404 page not found\n"
