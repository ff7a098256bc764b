"""The HTTP face of the sealing controller: /v1/cert.pem, /v1/verify, /v1/rotate, /healthz, /readyz, /metrics, as the real one answers."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog
from prometheus_client.exposition import choose_encoder
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from kilde.core.basics.errors import KildeError
from kilde.engine.sealing.endpoint import Endpoint

log = structlog.get_logger()

LARGEST = 3 << 20  # bytes of a body
_PEM = "application/x-pem-file"
_PLAIN = "text/plain; charset=utf-8"
Answer = Callable[[Request], Awaitable[Response]]


@dataclass(slots=True)
class Limit:
    """So many requests a second, and so many at once on top; one bucket for all who ask, whatever their headers say."""

    rate: float
    burst: int
    _left: float = field(init=False)
    _at: float | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._left = self.size

    @property
    def size(self) -> float:
        return float(self.burst + 1)

    def take(self, now: float) -> bool:
        """Whether one more request may pass. `now`: seconds on a clock that never goes back."""
        if self._at is not None:
            self._left = min(self.size, self._left + (now - self._at) * self.rate)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True

    def refusal(self) -> Response:
        headers = {"Retry-After": "1", "X-Ratelimit-Limit": str(int(self.size)), "X-Ratelimit-Remaining": "0"}
        return Response("limit exceeded\n", 429, {**headers, "X-Ratelimit-Reset": "1"}, _PLAIN)


class SealingApp:
    """An ASGI application over one Endpoint."""

    def __init__(self, endpoint: Endpoint, *, rate: float = 2.0, burst: int = 2) -> None:
        self._endpoint = endpoint
        self._limits = {path: Limit(rate, burst) for path in ("/v1/verify", "/v1/rotate")}
        self._answers: dict[str, Answer] = {
            "/v1/cert.pem": self._certificate,
            "/v1/verify": self._verify,
            "/v1/rotate": self._rotate,
            "/healthz": self._health,
            "/readyz": self._health,
            "/metrics": self._metrics,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        path, began = scope["path"], time.perf_counter()
        answer = self._answers.get(path)
        if answer is None:
            response = Response("404 page not found\n", 404, media_type=_PLAIN)
        elif (limit := self._limits.get(path)) is not None and not limit.take(time.monotonic()):
            response = limit.refusal()
        else:
            response = await self._answered(answer, request)
        if answer is not None:
            metrics = self._endpoint.metrics
            method = request.method if request.method in ("GET", "POST", "PUT", "HEAD", "DELETE", "PATCH") else "other"
            metrics.http.labels(path=path, code=str(response.status_code), method=method).inc()
            metrics.seconds.labels(path=path, method=method).observe(time.perf_counter() - began)
        await response(scope, receive, send)

    async def _answered(self, answer: Answer, request: Request) -> Response:
        try:
            return await answer(request)
        except KildeError as error:
            log.info("a request was refused", path=request.url.path, problem=error.what)
        except ClientDisconnect:
            pass
        except Exception as error:  # noqa: BLE001  # whatever a body does to us, its words must not reach anybody
            log.warning("a request failed", path=request.url.path, fault=type(error).__name__)
        return Response(status_code=500)

    async def _certificate(self, request: Request) -> Response:
        del request
        pem = await self._endpoint.certificate()
        return Response(status_code=503) if pem is None else Response(pem, headers={"content-type": _PEM})

    async def _verify(self, request: Request) -> Response:
        return Response(status_code=200 if await self._endpoint.opens(await _body(request)) else 409)

    async def _rotate(self, request: Request) -> Response:
        return Response(await self._endpoint.rotated(await _body(request)), media_type=_PLAIN)

    async def _health(self, request: Request) -> Response:
        del request
        return Response("ok\n", media_type=_PLAIN)

    async def _metrics(self, request: Request) -> Response:
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(self._endpoint.metrics.registry), headers={"content-type": content_type})


async def _body(request: Request) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > LARGEST:
            raise KildeError(f"the body is larger than {LARGEST} bytes")
        parts.append(part)
    return b"".join(parts)
