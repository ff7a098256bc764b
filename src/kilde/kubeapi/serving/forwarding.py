"""A request handed on to what is behind a Service, without the caller's credentials."""

from collections.abc import Mapping

import aiohttp
from yarl import URL

from kilde.kubeapi.interface import ApiError
from kilde.kubeapi.serving.http import Request, Response

_LARGEST = 16 << 20  # bytes of an answer
_TIMES = aiohttp.ClientTimeout(total=60.0, sock_connect=3.0)
_PASSED_ON = ("accept", "content-type", "user-agent")


async def forward(request: Request, url: str) -> Response:
    """The answer of what is at that address (encoded). ApiError where there is none."""
    headers = _kept(request.headers)
    body = await request.body()
    try:
        async with (
            aiohttp.ClientSession(
                timeout=_TIMES, auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar()
            ) as session,
            session.request(
                request.method, URL(url, encoded=True), headers=headers, data=body or None, allow_redirects=False
            ) as answer,
        ):
            found = await answer.content.read(_LARGEST) if answer.content_length is None else await answer.read()
            kept = [(key.lower().encode(), value.encode()) for key, value in answer.headers.items() if _goes_back(key)]
            return Response(answer.status, found, answer.headers.get("Content-Type", ""), kept)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise ApiError(503, "ServiceUnavailable", f"error trying to reach service: {type(error).__name__}") from error


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that are passed on: never the caller's credentials."""
    return {name: headers[name] for name in _PASSED_ON if name in headers}


def _goes_back(name: str) -> bool:
    return name.lower() == "retry-after" or name.lower().startswith("x-ratelimit-")
