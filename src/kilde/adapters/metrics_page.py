"""Pages of metrics from anywhere on the network: etcd's, our own controller's. Bounded in size and time; no redirects."""

import ssl
from pathlib import Path

import aiohttp

from kilde.core.basics.errors import KildeError

_LARGEST = 32 << 20
_PATIENCE = 20.0
_FOREIGN = (aiohttp.ClientError, TimeoutError, ssl.SSLError, OSError, ValueError)


class PageError(KildeError):
    """A page of metrics could not be had."""

    code = "metrics-unavailable"


async def read_page(
    url: str, *, ca: Path | None = None, certificate: Path | None = None, key: Path | None = None
) -> str:
    """The text at a URL (`/metrics` is added where it has no path), over TLS with these PEM files where they are given. PageError."""
    if "://" not in url:
        url = f"http://{url}"
    if url.count("/") == 2:
        url += "/metrics"
    try:
        tls: ssl.SSLContext | bool = True
        if url.startswith("https://"):
            tls = ssl.create_default_context(cafile=ca)
            if certificate is not None:
                tls.load_cert_chain(certificate, key)
        timeout = aiohttp.ClientTimeout(total=_PATIENCE)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(url, ssl=tls, allow_redirects=False) as answer,
        ):
            if answer.status != 200:
                raise PageError(f"answered {answer.status} {answer.reason or ''}".strip(), about=url)
            body = bytearray()
            async for chunk in answer.content.iter_chunked(1 << 16):
                body += chunk
                if len(body) > _LARGEST:
                    raise PageError("is larger than 32 MiB", about=url)
            return body.decode("utf-8", "replace")
    except _FOREIGN as error:
        why = str(error) or type(error).__name__
        raise PageError(
            f"could not be read: {why}", about=url, hint="is that the address where it serves /metrics?"
        ) from error
