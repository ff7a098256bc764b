"""The ASGI application: who asks, what for, and the answer or the refusal."""

import time
from collections.abc import MutableMapping
from typing import Any
from urllib.parse import unquote

import structlog

from kilde.kubeapi.call import User
from kilde.kubeapi.interface import ApiError
from kilde.kubeapi.logic import failures
from kilde.kubeapi.logic.path import route
from kilde.kubeapi.serving.about import About
from kilde.kubeapi.serving.http import Receive, Request, Send, query_of, refusal
from kilde.kubeapi.serving.identity import ANONYMOUS, Authenticator
from kilde.kubeapi.serving.metrics import Metrics
from kilde.kubeapi.serving.resources import Resources

_log = structlog.get_logger("kilde.kubeapi")
_OPEN = ("/healthz", "/livez", "/readyz", "/version")


class App:
    """One ASGI callable for the whole API."""

    def __init__(self, resources: Resources, about: About, who: Authenticator, metrics: Metrics) -> None:
        self._resources, self._about, self._who, self._metrics = resources, about, who, metrics

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        path = unquote(scope["path"])
        request = Request(scope["method"], path, query_of(scope["query_string"]), headers, receive, ANONYMOUS)
        started = False

        async def sending(message: MutableMapping[str, Any]) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                self._metrics.answered(request.method, message["status"], time.perf_counter() - began)
            await send(message)

        try:
            request.user = self._user(scope, request)
            await self._serve(request, sending)
        except ApiError as error:
            if not started:
                await refusal(error).send(request, sending)
        except Exception as error:  # noqa: BLE001 - a fault of ours is told as 500 and logged; the server goes on
            _log.exception("a request failed", method=request.method, path=request.path)
            if not started:
                await refusal(failures.internal(f"{type(error).__name__}: {error}")).send(request, sending)

    def _user(self, scope: MutableMapping[str, Any], request: Request) -> User:
        certificate = scope.get("extensions", {}).get("tls", {}).get("client_cert")
        found = self._who.user(certificate, request.headers.get("authorization", ""))
        if found is not None:
            return found
        if request.path.startswith(_OPEN):
            return ANONYMOUS
        raise ApiError(401, "Unauthorized", "Unauthorized")

    async def _serve(self, request: Request, send: Send) -> None:
        found = route(request.path)
        if found is None or not found.plural:
            await self._about.serve(request).send(request, send)
        else:
            await self._resources.serve(request, found, send)
