"""AWS's Signature Version 4, in headers and in an address: the one place that signs requests to AWS and to what is compatible with S3."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

_METHOD = "AWS4-HMAC-SHA256"
_NOTHING = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Who asks. Its repr shows none of it."""

    access: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)
    token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Signs for one service in one region, with one identity."""

    keys: Keys
    region: str
    service: str

    def headers(
        self, now: float, *, method: str, url: str, headers: Mapping[str, str], body: bytes = b""
    ) -> dict[str, str]:
        """The headers with the signature. `url` as it is sent, its query in order; `now`: seconds since the epoch."""
        payload = hashlib.sha256(body).hexdigest() if body else _NOTHING
        sent = {**headers, "x-amz-date": _stamp(now), "x-amz-content-sha256": payload}
        if self.keys.token:
            sent["x-amz-security-token"] = self.keys.token
        query = urlsplit(url).query
        names, signature = self._signature(now, method=method, url=url, query=query, headers=sent, payload=payload)
        credential = f"{self.keys.access}/{self._scope(now)}"
        sent["Authorization"] = f"{_METHOD} Credential={credential}, SignedHeaders={names}, Signature={signature}"
        return sent

    def address(self, now: float, *, url: str, query: Mapping[str, str], headers: Mapping[str, str]) -> str:
        """The address of a GET that bears its own proof; who sends it must send `headers`, too."""
        asked = {
            **query,
            "X-Amz-Algorithm": _METHOD,
            "X-Amz-Credential": f"{self.keys.access}/{self._scope(now)}",
            "X-Amz-Date": _stamp(now),
            "X-Amz-SignedHeaders": ";".join(sorted(("host", *(name.lower() for name in headers)))),
        }
        if self.keys.token:
            asked["X-Amz-Security-Token"] = self.keys.token
        text = canonical_query(asked)
        _, signature = self._signature(now, method="GET", url=url, query=text, headers=headers, payload=_NOTHING)
        return f"{url}?{text}&X-Amz-Signature={signature}"

    def _signature(
        self, now: float, *, method: str, url: str, query: str, headers: Mapping[str, str], payload: str
    ) -> tuple[str, str]:
        """The names of the headers that are signed, and the signature."""
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        told = {name.lower(): value.strip() for name, value in {**headers, "host": host}.items()}
        names = ";".join(sorted(told))
        lines = "".join(f"{name}:{told[name]}\n" for name in sorted(told))
        request = f"{method}\n{parts.path or '/'}\n{query}\n{lines}\n{names}\n{payload}"
        scope = self._scope(now)
        text = f"{_METHOD}\n{_stamp(now)}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
        key = f"AWS4{self.keys.secret}".encode()
        for part in scope.split("/"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        return names, hmac.new(key, text.encode(), hashlib.sha256).hexdigest()

    def _scope(self, now: float) -> str:
        return f"{_stamp(now)[:8]}/{self.region}/{self.service}/aws4_request"


def canonical_query(query: Mapping[str, str]) -> str:
    """A query in the order and the spelling that are signed."""
    return "&".join(f"{quote(key, safe='~')}={quote(value, safe='~')}" for key, value in sorted(query.items()))


def _stamp(now: float) -> str:
    return datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
