"""Faults on demand: requests that match are slow, refused, cut off, or told that their resourceVersion is gone; for tests of clients.

A fault: {"match": {"verbs": […], "resources": ["pods", "deployments.apps", "pods/status"], "namespaces": […], "names": […], "agents": […]},
and of latency "200ms", status 429 (reason, message, retryAfter), expire true, dropWatch "2s", abort true; times 3, every 2}.
What is matched are globs; nothing given matches everything. Faults never touch /kilde, where they are set.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from kilde.core.basics.reading import Reader, did_you_mean
from kilde.core.basics.values import Object
from kilde.kubeapi.interface import ApiError
from kilde.kubeapi.logic import failures
from kilde.kubeapi.logic.rbac import Attributes
from kilde.kubeapi.serving.http import Send

_REASONS = {
    400: ("BadRequest", "the server rejected our request for an unknown reason"),
    401: ("Unauthorized", "Unauthorized"),
    403: ("Forbidden", "forbidden: simulated"),
    404: ("NotFound", "the server could not find the requested resource"),
    409: ("Conflict", "the object has been modified; please apply your changes to the latest version and try again"),
    410: ("Expired", "The resourceVersion for the provided watch is too old."),
    429: ("TooManyRequests", "the server has received too many requests and has asked us to try again later"),
    500: ("InternalError", "Internal error occurred: simulated"),
    502: ("", "bad gateway"),
    503: ("ServiceUnavailable", "the server is currently unable to handle the request"),
    504: (
        "Timeout",
        "the server was unable to return a response in the time allotted, but may still be processing the request",
    ),
}
_MATCH = ("verbs", "resources", "namespaces", "names", "agents")
_EFFECTS = ("latency", "status", "expire", "dropWatch", "abort")
_encode = msgspec.json.Encoder().encode
Act = Callable[[], Awaitable[None]]


@dataclass(slots=True)
class Fault:
    """One fault; `met` counts the requests that matched, `hits` those that felt it."""

    match: Mapping[str, tuple[str, ...]]
    latency: float = 0.0
    status: int = 0
    reason: str = ""
    message: str = ""
    retry_after: int = 0
    expire: bool = False
    drop_watch: float | None = None
    abort: bool = False
    times: int | None = None
    every: int = 1
    raw: Object = field(default_factory=dict)
    met: int = 0
    hits: int = 0

    def strikes(self, wanted: Attributes, agent: str) -> bool:
        """Whether this request feels it; counts."""
        values = (wanted.verb, "", wanted.namespace, wanted.name, agent)
        for name, value in zip(_MATCH, values, strict=True):
            globs = self.match.get(name)
            names = resource_names(wanted) if name == "resources" else (value,)
            if globs and not any(fnmatchcase(one, glob) for glob in globs for one in names):
                return False
        if (self.expire or self.drop_watch is not None) and wanted.verb not in ("watch", "list"):
            return False
        self.met += 1
        if (self.times is not None and self.hits >= self.times) or self.met % self.every:
            return False
        self.hits += 1
        return True

    def refusal(self) -> ApiError | None:
        """The answer it gives instead of the server's own."""
        if not self.status:
            return None
        reason, message = _REASONS.get(self.status, ("", "simulated"))
        details: Object = {"retryAfterSeconds": self.retry_after} if self.retry_after else {}
        return ApiError(self.status, self.reason or reason, self.message or message, details)


def resource_names(wanted: Attributes) -> tuple[str, ...]:
    """How a fault may name what is asked for: plural, plural.group, with its sub-resource if there is one."""
    qualified = f"{wanted.resource}.{wanted.group}" if wanted.group else wanted.resource
    tail = f"/{wanted.subresource}" if wanted.subresource else ""
    return (wanted.resource + tail, qualified + tail)


def read_fault(raw: Any, where: str) -> Fault:
    """A fault as it was sent. Raises InvalidInput that names every mistake."""
    reader = Reader(raw, where)
    match = reader.mapping("match")
    _no_others(match, _MATCH)
    _no_others(reader, ("match", *_EFFECTS, "reason", "message", "retryAfter", "times", "every"))
    status, every, times = reader.number("status", 0), reader.number("every", 1), reader.number("times", -1)
    if status and not 400 <= status <= 599:
        reader.problem("status", "must be between 400 and 599")
    if every < 1:
        reader.problem("every", "must be at least 1")
    fault = Fault(
        match={name: match.texts(name) for name in _MATCH},
        latency=max(0.0, reader.seconds("latency", 0.0)),
        status=status,
        reason=reader.text("reason"),
        message=reader.text("message"),
        retry_after=reader.number("retryAfter", 0),
        expire=reader.flag("expire"),
        drop_watch=max(0.0, reader.seconds("dropWatch", 0.0)) if reader.has("dropWatch") else None,
        abort=reader.flag("abort"),
        times=None if times < 0 else times,
        every=max(1, every),
        raw=dict(reader.raw),
    )
    if not any(reader.has(name) for name in _EFFECTS):
        reader.problem("", f"does nothing; give {', '.join(_EFFECTS[:-1])} or {_EFFECTS[-1]}")
    reader.finish("")
    return fault


def _no_others(reader: Reader, known: tuple[str, ...]) -> None:
    for name in reader.raw:
        if name not in known:
            reader.problem(str(name), f"is not known{did_you_mean(str(name), known)}")


class Faults:
    """The faults that are set now."""

    def __init__(self) -> None:
        self._set: list[Fault] = []

    def put(self, faults: list[Fault], *, replace: bool) -> None:
        self._set = [*([] if replace else self._set), *faults]

    def shown(self) -> list[Object]:
        return [{**fault.raw, "met": fault.met, "hits": fault.hits} for fault in self._set]

    async def serve(
        self, wanted: Attributes, agent: str, act: Act, send: Send, abort: Callable[[], None] | None
    ) -> None:
        """Lets `act` answer, unless a fault comes before, between or instead. ApiError for a refusal."""
        found = [fault for fault in self._set if fault.strikes(wanted, agent)] if self._set else []
        for fault in found:
            await asyncio.sleep(fault.latency)
        if abort is not None and any(fault.abort for fault in found):
            abort()
            return
        for fault in found:
            refusal = fault.refusal()
            if refusal is not None:
                raise refusal
        if any(fault.expire for fault in found):
            await _expire(wanted, send)
            return
        drops = [fault.drop_watch for fault in found if fault.drop_watch is not None and wanted.verb == "watch"]
        if not drops:
            await act()
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(drops)):
                await act()
            return
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _expire(wanted: Attributes, send: Send) -> None:
    """410 as a server tells it: as the answer to a list, as the one event of a watch."""
    error = failures.expired("too old resource version: simulated")
    if wanted.verb != "watch":
        raise error
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-cache, private")]
    body = _encode({"type": "ERROR", "object": failures.status(error)}) + b"\n"
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
