"""POST /api/webhook: a forge says that a repository has changed. Size and time are bounded before anything is looked at."""

import asyncio

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kilde.web.api import PushVerdict, WebApi

LARGEST = 25 << 20  # bytes; what GitHub sends at most
PATIENCE = 30.0  # seconds until the whole body must be here
_STATUS = {
    PushVerdict.ACCEPTED: 202,
    PushVerdict.IGNORED: 200,
    PushVerdict.REFUSED: 401,
    PushVerdict.NOT_UNDERSTOOD: 400,
}


class _Refused(Exception):
    """The request is answered with this status and reason."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status, self.reason = status, reason


def routes(api: WebApi, *, largest: int = LARGEST, patience: float = PATIENCE) -> list[Route]:
    async def webhook(request: Request) -> Response:
        try:
            _check_head(request, largest)
            body = await asyncio.wait_for(_body(request, largest), patience)
        except _Refused as refused:
            return _answer(refused.status, "refused", refused.reason)
        except TimeoutError:
            return _answer(408, "refused", f"the body did not come within {patience:g} s")
        except ClientDisconnect:
            return Response(status_code=400)
        outcome = await api.on_push({name.lower(): value for name, value in request.headers.items()}, body)
        return _answer(_STATUS[outcome.verdict], str(outcome.verdict), outcome.message, outcome.applications)

    return [Route("/api/webhook", webhook, methods=["POST"])]


def _check_head(request: Request, largest: int) -> None:
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json" and not content_type.endswith("+json"):
        raise _Refused(415, "the content type must be application/json")
    length = request.headers.get("content-length", "0")
    if length.isdigit() and int(length) > largest:
        raise _Refused(413, f"the body is larger than {largest} bytes")


async def _body(request: Request, largest: int) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > largest:
            raise _Refused(413, f"the body is larger than {largest} bytes")
        parts.append(part)
    return b"".join(parts)


def _answer(status: int, verdict: str, message: str, applications: tuple[str, ...] = ()) -> Response:
    said = {"verdict": verdict, "message": message, "applications": list(applications)}
    return JSONResponse({key: value for key, value in said.items() if value}, status)
