"""The ASGI application: all routes over one WebApi."""

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from kilde.web.api import WebApi
from kilde.web.routes import metrics, probes, webhook

log = structlog.get_logger()


def make_app(api: WebApi) -> Starlette:
    """The application that kilde.web.server runs."""
    routes = [*probes.routes(api), *metrics.routes(api), *webhook.routes(api)]
    return Starlette(routes=routes, exception_handlers={HTTPException: _told, Exception: _failed})


async def _told(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    said = {"error": f"{request.method} {request.url.path}: {error.detail.lower()}"}
    return JSONResponse(said, error.status_code, headers=error.headers)


async def _failed(request: Request, error: Exception) -> Response:
    log.error("a request failed", method=request.method, path=request.url.path, exc_info=error)
    return JSONResponse({"error": f"{request.method} {request.url.path}: failed; the log says why"}, 500)
