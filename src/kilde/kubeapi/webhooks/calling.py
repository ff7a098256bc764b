"""Caller: sends an AdmissionReview to a webhook over https and takes its answer."""

import asyncio
import json
import ssl
from urllib.parse import urlsplit

import aiohttp

from kilde.kubeapi.webhooks.questions import Question, Reply

_MOST_BYTES = 3 * 1024 * 1024
_HEADERS = {
    "Content-Type": "application/json",
    "Accept": "application/json, */*",
    "User-Agent": "kube-apiserver-admission",
}
_NO_JSON = (
    "couldn't get version/kind; json parse error: json: cannot unmarshal string into Go value of type struct "
    '{ APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'
)
_GOOD = range(200, 207)


class Caller:
    """Calls webhooks; a connection for each call. Never raises: what goes wrong is the reply's problem."""

    async def ask(self, question: Question) -> Reply:
        if question.problem:
            return Reply(problem=_post(question, question.problem))
        try:
            async with asyncio.timeout(question.seconds):
                return await self._ask(question)
        except TimeoutError:
            return Reply(problem=_post(question, "context deadline exceeded"))
        except (OSError, aiohttp.ClientError, ValueError) as error:
            return Reply(problem=_post(question, _words(question, error)))

    async def _ask(self, question: Question) -> Reply:
        context = ssl.create_default_context(cadata=question.authority or None)
        target = question.target
        headers = {**_HEADERS, "Host": target.host} if target.host else _HEADERS
        async with (
            aiohttp.ClientSession(auto_decompress=True) as session,
            session.post(
                target.url,
                data=json.dumps(question.review),
                headers=headers,
                ssl=context,
                server_hostname=target.host or None,
                allow_redirects=False,
            ) as answer,
        ):
            raw = await answer.content.read(_MOST_BYTES + 1)
            if len(raw) > _MOST_BYTES:
                return Reply(problem=f"webhook response is larger than {_MOST_BYTES} bytes")
            if answer.status not in _GOOD:
                kind = answer.headers.get("Content-Type", "")
                text = raw[:2048].decode(errors="replace").strip() if not kind or kind.startswith("text/") else ""
                return Reply(problem=_refused(answer.status, text or "unknown"))
            try:
                return Reply(json.loads(raw))
            except ValueError:
                return Reply(problem=_NO_JSON)


def _post(question: Question, problem: str) -> str:
    return f'Post "{question.target.shown}": {problem}'


def _refused(status: int, text: str) -> str:
    if status == 404:
        return "the server could not find the requested resource"
    if status >= 500:
        return f"an error on the server ({json.dumps(text)}) has prevented the request from succeeding"
    return f"the server rejected our request for an unknown reason ({json.dumps(text)})"


def _words(question: Question, error: Exception) -> str:
    """A failure to connect, as Go words it."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"tls: failed to verify certificate: x509: {_certificate(error.certificate_error)}"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"dial tcp: lookup {error.host}: no such host"
    if isinstance(error, aiohttp.ClientConnectorError):
        cause = error.os_error
        what = (
            "connection refused" if isinstance(cause, ConnectionRefusedError) else str(cause.strerror or cause).lower()
        )
        return f"dial tcp {_address(question)}: connect: {what}"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "EOF"
    return str(error) or type(error).__name__


def _certificate(error: Exception) -> str:
    text = str(error)
    if "self-signed" in text or "unable to get local issuer" in text:
        return "certificate signed by unknown authority"
    return (
        "certificate has expired or is not yet valid" if "expired" in text else text.partition(":")[2].strip() or text
    )


def _address(question: Question) -> str:
    parts = urlsplit(question.target.url)
    host = parts.hostname or ""
    return f"{f'[{host}]' if ':' in host else host}:{parts.port or 443}"
