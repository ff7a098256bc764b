"""WebFiles: single files over http(s), for `kilde build`: bounded, redirected to nothing but http(s)."""

import base64
import time
import urllib.error
import urllib.parse
import urllib.request
from http.client import HTTPException
from typing import IO, Any

from kilde.core.basics.errors import LimitExceeded, SourceUnavailable
from kilde.core.render.outside import NotServed
from kilde.core.source.repository_url import redact

_SECONDS = 27.0  # until an answer begins, and for each of its parts; kustomize sets no limit here
_SECONDS_ALTOGETHER = 120.0
_LARGEST = 64 << 20  # bytes, as a file on disk may have
_CHUNK = 1 << 16


class _OnlyWeb(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, req: Any, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str) -> Any:
        if not newurl.lower().startswith(("http://", "https://")):
            raise urllib.error.URLError(f"it redirects to '{redact(newurl)}', which is not http")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class WebFiles:
    """Each address is asked once: what was answered first stays true."""

    def __init__(self, *, seconds: float = _SECONDS, largest: int = _LARGEST) -> None:
        self._seconds, self._largest = seconds, largest
        self._read: dict[str, bytes] = {}

    def file(self, url: str) -> bytes:
        """The body of the answer. Raises NotServed for a status that is no success, SourceUnavailable, LimitExceeded."""
        if url not in self._read:
            self._read[url] = self._get(url)
        return self._read[url]

    def _get(self, url: str) -> bytes:
        about = redact(url)
        opener = urllib.request.build_opener(_OnlyWeb)
        try:
            with opener.open(_request(url), timeout=self._seconds) as answer:
                return self._body(answer, about)
        except urllib.error.HTTPError as error:
            error.close()
            raise NotServed(f"the server answers {error.code} ({error.reason})", about=about) from None
        except urllib.error.URLError as error:
            raise SourceUnavailable(f"it cannot be reached: {redact(str(error.reason))}", about=about) from None
        except (OSError, ValueError, HTTPException) as error:
            raise SourceUnavailable(f"it cannot be fetched: {redact(str(error))}", about=about) from None

    def _body(self, answer: Any, about: str) -> bytes:
        body, end = bytearray(), time.monotonic() + _SECONDS_ALTOGETHER
        while chunk := answer.read1(_CHUNK):
            body += chunk
            if len(body) > self._largest:
                raise LimitExceeded(f"is more than {self._largest} bytes", about=about)
            if time.monotonic() > end:
                raise SourceUnavailable(f"it is not there after {_SECONDS_ALTOGETHER:g} s", about=about)
        return bytes(body)


def _request(url: str) -> urllib.request.Request:
    """A GET; user and password of the URL go into the header that HTTP has for them."""
    parts = urllib.parse.urlsplit(url)
    headers = {"User-Agent": "kilde"}
    if "@" in parts.netloc:
        user, password = urllib.parse.unquote(parts.username or ""), urllib.parse.unquote(parts.password or "")
        headers["Authorization"] = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        parts = parts._replace(netloc=parts.netloc.rpartition("@")[2])
    clean = urllib.parse.urlunsplit(parts._replace(path=urllib.parse.quote(parts.path, safe="/%:@!$&'()*+,;=~-._")))
    return urllib.request.Request(clean, headers=headers)  # noqa: S310 - only http(s) addresses come here
