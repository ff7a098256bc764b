"""One bounded request to whoever gives out keys: the security token service, the machine's metadata, a container's agent."""

import asyncio
import re
from collections.abc import Mapping
from html import unescape
from typing import Any

import aiohttp
import msgspec

from kilde.core.basics.aws_signature import Keys
from kilde.core.basics.moment import parse
from kilde.ports.aws import AwsError

_MOST = 1 << 18  # bytes of an answer
_CODE = re.compile(r"<Code>([A-Za-z.]{1,60})</Code>")
_GOOD = 200
Held = tuple[Keys, float | None]
"""Keys, and when they end (None: never)."""


async def ask(
    url: str,
    *,
    about: str,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    patience: float = 30.0,
    proxies: bool = False,
) -> str:
    """The text of a good answer; AwsError for any other, without a word of what was sent. `proxies`: as the environment says."""
    try:
        async with (
            asyncio.timeout(patience),
            aiohttp.ClientSession(trust_env=proxies) as session,
            session.request(
                method, url, headers=dict(headers or {}), data=body or None, allow_redirects=False
            ) as answer,
        ):
            text = await _text(answer, about)
            if answer.status == _GOOD:
                return text
            code = _CODE.search(text)
            told = f"refuses: {answer.status}" + (f" {code.group(1)}" if code else "")
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        raise AwsError(f"cannot be asked: {type(error).__name__}", about=about) from None
    raise AwsError(told, about=about)


async def _text(answer: aiohttp.ClientResponse, about: str) -> str:
    parts, size = [], 0
    async for part in answer.content.iter_chunked(1 << 16):
        size += len(part)
        if size > _MOST:
            raise AwsError(f"its answer has more than {_MOST} bytes", about=about)
        parts.append(part)
    return b"".join(parts).decode("utf-8", "replace")


def of_json(text: str, about: str) -> Held:
    """The keys that a machine or a container's agent answers with."""
    try:
        found = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise AwsError("its answer is no JSON object", about=about)
    return _held({key: found.get(key) for key in ("AccessKeyId", "SecretAccessKey", "Token", "Expiration")}, about)


def of_xml(text: str, about: str) -> Held:
    """The keys that the security token service answers with."""

    def element(name: str) -> str:
        begin, end = text.find(f"<{name}>"), text.find(f"</{name}>")
        return unescape(text[begin + len(name) + 2 : end]).strip() if 0 <= begin < end else ""

    found = {name: element(name) for name in ("AccessKeyId", "SecretAccessKey", "Expiration")}
    return _held({**found, "Token": element("SessionToken")}, about)


def _held(found: Mapping[str, Any], about: str) -> Held:
    access, secret, token = (str(found.get(key) or "") for key in ("AccessKeyId", "SecretAccessKey", "Token"))
    expiration = found.get("Expiration")
    ends = parse(str(expiration)) if expiration else None
    if not access or not secret or (expiration and ends is None):
        raise AwsError("its answer holds no keys", about=about)
    if not all(part.isascii() and part.isprintable() for part in (access, secret, token)):
        raise AwsError("its answer holds what no key can be", about=about)
    return Keys(access=access, secret=secret, token=token), ends
