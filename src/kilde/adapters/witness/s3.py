"""S3Witness: checkpoints in an S3-compatible object store, each an object of its own under object lock (nobody can remove it in time).

Four verbs of one service need no library of a hundred megabytes.
"""

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import unescape
from urllib.parse import quote

import aiohttp
from yarl import URL

from kilde.core.basics.aws_signature import Keys, Signer, canonical_query
from kilde.core.basics.errors import LedgerError
from kilde.ports.clock import Clock

_SECONDS = 30.0
_MOST = 1 << 20  # bytes of an answer
_KEYS = re.compile(r"<Key>([^<]*)</Key>")
_MORE = re.compile(r"<NextContinuationToken>([^<]*)</NextContinuationToken>")
_CODE = re.compile(r"<Code>([A-Za-z]{1,60})</Code>")


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Place:
    """Where, and with which key. `days`: how long object lock holds each checkpoint (0: no lock asked for)."""

    endpoint: str
    bucket: str
    prefix: str = ""
    region: str = "us-east-1"
    keys: Keys = field(default_factory=Keys, repr=False)
    days: int = 3650


class S3Witness:
    """Keeps the promises of ports.witness."""

    def __init__(self, place: S3Place, clock: Clock) -> None:
        self._place, self._clock = place, clock

    @property
    def name(self) -> str:
        return f"s3 {self._place.bucket}/{self._place.prefix}"

    async def publish(self, note: str, *, size: int) -> None:
        body = note.encode()
        # the digest in the name: another note of the same size is another object, and both stay
        path = f"{self._prefix}{size:020d}-{hashlib.sha256(body).hexdigest()[:16]}"
        headers = {"Content-MD5": base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()}
        if self._place.days:
            until = datetime.fromtimestamp(self._clock.now(), UTC) + timedelta(days=self._place.days)
            headers["x-amz-object-lock-mode"] = "COMPLIANCE"
            headers["x-amz-object-lock-retain-until-date"] = until.strftime("%Y-%m-%dT%H:%M:%SZ")
        headers["If-None-Match"] = "*"
        await self._ask("PUT", path, body=body, headers=headers, fine=(200, 412))

    async def notes(self) -> list[str]:
        found, token = [], ""
        while True:
            query = {"list-type": "2", "prefix": self._prefix, **({"continuation-token": token} if token else {})}
            listing = await self._ask("GET", "", query=query)
            found += [await self._ask("GET", unescape(key)) for key in _KEYS.findall(listing)]
            more = _MORE.search(listing)
            if more is None:
                return found
            token = unescape(more.group(1))

    @property
    def _prefix(self) -> str:
        return f"{self._place.prefix.strip('/')}/" if self._place.prefix.strip("/") else ""

    async def _ask(
        self,
        verb: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        fine: tuple[int, ...] = (200,),
    ) -> str:
        place = f"/{quote(self._place.bucket)}/{quote(path, safe='/~')}" if path else f"/{quote(self._place.bucket)}"
        asked = canonical_query(query or {})
        url = self._place.endpoint.rstrip("/") + place + (f"?{asked}" if asked else "")
        signer = Signer(keys=self._place.keys, region=self._place.region, service="s3")
        signed = signer.headers(self._clock.now(), method=verb, url=url, headers=headers or {}, body=body)
        try:
            timeout = aiohttp.ClientTimeout(total=_SECONDS)
            async with aiohttp.ClientSession(timeout=timeout, auto_decompress=False) as session:
                target = URL(url, encoded=True)
                async with session.request(
                    verb, target, data=body or None, headers=signed, allow_redirects=False
                ) as answer:
                    text = (await answer.content.read(_MOST)).decode("utf-8", "replace")
                    if answer.status in fine:
                        return text
                    code = _CODE.search(text)
                    said = f"{answer.status} {code.group(1) if code else answer.reason}"
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise LedgerError(f"the witness cannot be reached: {type(error).__name__}", about=self.name) from None
        raise LedgerError(f"the witness refuses: {said}", about=self.name)
