"""Failures: whatever goes wrong on the wire → ClusterError. No aiohttp or ssl error leaves this folder."""

import asyncio
import os
import ssl
from collections.abc import Mapping
from typing import Any, Final

import aiohttp
import msgspec

from kilde.core.basics.errors import ClusterError

_LONGEST: Final = 2000  # characters of a message we keep
_HINTS: Final = {
    401: "the server does not accept the kubeconfig's credentials",
    403: "the kubeconfig's user is not allowed to do this",
}

# What answers without a Status object mean, as client-go reads them (an API server's own mux answers 404 in plain text).
_BARE: Final = {
    401: ("Unauthorized", "the server has asked for the client to provide credentials"),
    403: ("Forbidden", ""),
    404: ("NotFound", "the server could not find the requested resource"),
    409: ("Conflict", ""),
    429: ("TooManyRequests", "the server has received too many requests and has asked us to try again later"),
    500: ("InternalError", ""),
    503: ("ServiceUnavailable", ""),
    504: ("Timeout", ""),
}


class _Cause(msgspec.Struct, gc=False):
    reason: str = ""
    message: str = ""
    field: str = ""


class _Details(msgspec.Struct, gc=False):
    causes: list[_Cause] | None = None
    retryAfterSeconds: float = 0  # noqa: N815  # the wire's own name


class Status(msgspec.Struct, gc=False):
    """Kubernetes' Status object, as far as we read it."""

    kind: str = ""
    message: str = ""
    reason: str = ""
    code: int = 0
    details: _Details | None = None


_decode_status = msgspec.json.Decoder(Status).decode


def from_answer(status: int, headers: Mapping[str, str], body: bytes, about: str) -> ClusterError:
    """The error of an answer that is no success: its Status object's words, else the HTTP status and a little text."""
    try:
        said = _decode_status(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        said = Status()
    if said.kind != "Status":
        reason, words = _BARE.get(status, ("", ""))
        text = _bounded(body[: 4 * 200].decode("utf-8", "replace").strip(), 200)
        said = Status(message=words or f"HTTP {status}" + (f": {text}" if text else ""), reason=reason)
    return from_status(said, about, status=status, retry_after=_seconds(headers.get("Retry-After", "")))


def from_status(said: Status, about: str, *, status: int = 0, retry_after: float | None = None) -> ClusterError:
    """The error a Status object tells, whether an answer's body or an ERROR event's object."""
    code = status or said.code
    causes: tuple[dict[str, str], ...] = ()
    if said.details is not None:
        causes = tuple(
            {"reason": cause.reason, "message": _bounded(cause.message), "field": cause.field}
            for cause in (said.details.causes or [])[:100]
        )
        if retry_after is None and said.details.retryAfterSeconds > 0:
            retry_after = said.details.retryAfterSeconds
    what = _bounded(said.message) or said.reason or f"HTTP {code}"
    hint = _HINTS.get(code, "")
    return ClusterError(
        what, about=about, hint=hint, status=code, reason=said.reason, retry_after=retry_after, causes=causes
    )


def from_exception(error: BaseException, server: str, about: str) -> ClusterError:
    """The error of a call that got no (whole) answer: status 0, and one of the reasons below.

    Untrusted, Unreachable, Timeout, Closed (before an answer), Truncated (within one), Invalid (not HTTP as we know it).
    """
    reason, what = _unanswered(error, server)
    return ClusterError(what, about=about, status=0, reason=reason)


def _unanswered(error: BaseException, server: str) -> tuple[str, str]:
    match error:
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientConnectorSSLError():
            return "Untrusted", f"no trusted connection to {server}: {_tls_reason(error)}"
        case aiohttp.ClientProxyConnectionError() | aiohttp.ClientHttpProxyError():
            return "Unreachable", f"the proxy to {server} refuses"
        case aiohttp.ClientConnectorError():
            return "Unreachable", f"cannot connect to {server}: {_why(error.os_error)}"
        case asyncio.TimeoutError():
            return "Timeout", f"no answer from {server} in time"
        case aiohttp.ClientPayloadError():
            return "Truncated", f"the answer of {server} broke off"
        case aiohttp.ServerDisconnectedError() | aiohttp.ClientOSError() | ConnectionError():
            return "Closed", f"{server} closed the connection before it answered"
        case ssl.SSLError():
            return "Untrusted", f"no trusted connection to {server}: {_tls_reason(error)}"
        case _:
            return "Invalid", f"{server} did not answer as an API server does ({type(error).__name__})"


def _why(error: OSError) -> str:
    """The system's words for an errno; asyncio's own text names the address again."""
    return os.strerror(error.errno) if error.errno and error.errno > 0 else str(error.strerror or error)


def _tls_reason(error: BaseException) -> str:
    inner: Any = getattr(error, "certificate_error", None) or getattr(error, "os_error", None) or error
    words = getattr(inner, "verify_message", "") or getattr(inner, "reason", "") or type(inner).__name__
    return str(words).rstrip(".")


def _seconds(text: str) -> float | None:
    """Retry-After in seconds; None for a date or nothing (Kubernetes sends whole seconds)."""
    return float(text) if text.isdigit() and len(text) < 9 else None


def _bounded(text: str, longest: int = _LONGEST) -> str:
    return text if len(text) <= longest else f"{text[:longest]} …"
