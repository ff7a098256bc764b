"""The ASGI application: who asks, what for, and the answer or the refusal."""

import time
from collections.abc import MutableMapping
from functools import partial
from typing import Any

import structlog

from kilde.kubeapi.call import User
from kilde.kubeapi.interface import ApiError
from kilde.kubeapi.logic import failures
from kilde.kubeapi.logic.path import Route, route
from kilde.kubeapi.logic.rbac import Attributes
from kilde.kubeapi.serving import control
from kilde.kubeapi.serving.about import About
from kilde.kubeapi.serving.access import Access, attributes
from kilde.kubeapi.serving.audit import SCOPE, Note, Silent
from kilde.kubeapi.serving.control import Control
from kilde.kubeapi.serving.faults import Faults
from kilde.kubeapi.serving.http import Receive, Request, Send, query_of, refusal
from kilde.kubeapi.serving.identity import ANONYMOUS
from kilde.kubeapi.serving.metrics import Metrics
from kilde.kubeapi.serving.resources import Resources
from kilde.kubeapi.storage.store import Store

_SILENT = Silent()
_log = structlog.get_logger("kilde.kubeapi")


class App:
    """One ASGI callable for the whole API."""

    def __init__(
        self,
        resources: Resources,
        about: About,
        access: Access,
        metrics: Metrics,
        store: Store,
        control: Control,
        faults: Faults,
    ) -> None:
        self._resources, self._about, self._access, self._metrics = resources, about, access, metrics
        self._store, self._control, self._faults = store, control, faults

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        path = scope["path"]
        request = Request(scope["method"], path, query_of(scope["query_string"]), headers, receive, ANONYMOUS)
        request.shed = scope.get("extensions", {}).get("kilde", {}).get("shed", request.shed)
        note: Note = scope.get(SCOPE, _SILENT)
        started = False

        async def sending(message: MutableMapping[str, Any]) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                self._metrics.answered(request.method, message["status"], time.perf_counter() - began)
            await send(message)

        try:
            certificate = scope.get("extensions", {}).get("tls", {}).get("client_cert")
            found = route(path)
            wanted = attributes(request.method, path, request.query, found)
            asker = self._known(certificate, request, wanted, note)
            request.user = self._access.admitted(asker, headers, _groups(scope), wanted, note.decided)
            note.admitted(request.user)
            if path.startswith(control.PREFIX + "/"):
                await (await self._control.serve(request)).send(request, sending)
                return
            abort = scope.get("extensions", {}).get("kilde", {}).get("abort")
            act = partial(self._serve, request, found, sending)
            await self._faults.serve(wanted, headers.get("user-agent", ""), act, sending, abort)
        except ApiError as error:
            if not started:
                await refusal(await self._settled(error), request.warnings, headers.get("accept", "")).send(
                    request, sending
                )
        except Exception as error:  # noqa: BLE001 - a fault of ours is told as 500 and logged; the server goes on
            _log.exception("a request failed", method=request.method, path=request.path)
            if not started:
                await refusal(failures.internal(f"{type(error).__name__}: {error}")).send(request, sending)

    def _known(self, certificate: bytes | None, request: Request, wanted: Attributes, note: Note) -> User:
        """Who asks, noted; 401 is noted too."""
        user = None
        try:
            user = self._access.user(certificate, request.headers, request.path)
        finally:
            note.asked(wanted, user)
        return user

    async def _settled(self, error: ApiError) -> ApiError:
        """The refusal, once what it tells of is committed; the disk's own, if it is not."""
        try:
            await self._store.settled()
        except ApiError as broken:
            return broken
        return error

    async def _serve(self, request: Request, found: Route | None, send: Send) -> None:
        if found is None or not found.plural or not self._resources.knows(found):
            await self._about.serve(request).send(request, send)
        else:
            await self._resources.serve(request, found, send)


def _groups(scope: MutableMapping[str, Any]) -> list[str]:
    return [value.decode("latin-1") for name, value in scope["headers"] if name == b"impersonate-group"]
