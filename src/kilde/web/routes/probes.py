"""/healthz and /livez: the process answers. /readyz: it can do its work, or says why not."""

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from kilde.web.api import WebApi


def routes(api: WebApi) -> list[Route]:
    async def alive(request: Request) -> Response:
        del request
        return PlainTextResponse("ok\n")

    async def ready(request: Request) -> Response:
        del request
        reason = api.not_ready()
        return PlainTextResponse(f"not ready: {reason}\n", 503) if reason else PlainTextResponse("ok\n")

    return [Route("/healthz", alive), Route("/livez", alive), Route("/readyz", ready)]
