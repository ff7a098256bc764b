"""Images: whether their registries have them. Only heads of manifests are asked for (distribution-spec), and nothing is pulled."""

import asyncio
import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from kilde.adapters.charts.limits import ChartLimits
from kilde.adapters.charts.registry import Registry
from kilde.adapters.charts.web import Fetcher
from kilde.core.basics.errors import InvalidInput, SourceError
from kilde.core.objects.image_name import HUB, ImageName, read_image
from kilde.core.source.chart_place import ChartPlace
from kilde.core.source.credentials import Credentials

MOST = 200  # images
_AT_ONCE = 8
_LARGEST = 1 << 20  # bytes of a file of credentials
_HUB_KEYS = (HUB, f"https://index.{HUB}/v1/", f"index.{HUB}", f"registry-1.{HUB}")


class Presence(StrEnum):
    """What is known of an image."""

    THERE = "there"
    MISSING = "missing"
    NOT_A_NAME = "not a name"
    UNKNOWN = "unknown"


class Looked(NamedTuple):
    """One image as it was looked for; `why` where it is not known."""

    presence: Presence
    why: str = ""


class Images:
    """Asks registries, each image once. `plain`: hosts (with port) that are asked without TLS."""

    def __init__(self, auths: Mapping[str, Credentials], limits: ChartLimits, *, plain: Iterable[str] = ()) -> None:
        self._auths, self._limits, self._plain = auths, limits, frozenset(plain)
        self._fetcher = Fetcher(limits)
        self._gate = asyncio.Semaphore(_AT_ONCE)

    async def look(self, images: Iterable[str]) -> dict[str, Looked]:
        """Of each image; nothing is raised."""
        wanted = list(dict.fromkeys(images))
        found = await asyncio.gather(*map(self._one, wanted[:MOST]))
        left = dict.fromkeys(wanted[MOST:], Looked(Presence.UNKNOWN, f"more than {MOST} images are not looked for"))
        return dict(zip(wanted, found, strict=False)) | left

    async def _one(self, text: str) -> Looked:
        name = read_image(text)
        if name is None:
            return Looked(Presence.NOT_A_NAME)
        place = ChartPlace(repository=f"{name.asked}/{name.path}", chart="")
        try:
            async with self._gate:
                registry = Registry(self._fetcher, place, self._credentials(name), self._limits)
                return Looked(Presence.THERE if await registry.has(name.reference) else Presence.MISSING)
        except SourceError as error:
            return Looked(Presence.UNKNOWN, error.what)

    def _credentials(self, name: ImageName) -> Credentials:
        """Those of the longest key that the image begins with, as container runtimes choose."""
        full = f"{name.host}/{name.path}"
        keys = [key for key in self._auths if full == key or full.startswith(f"{key}/")]
        found = self._auths[max(keys, key=len)] if keys else Credentials()
        return replace(found, plain_http=True) if name.host in self._plain else found

    async def close(self) -> None:
        await self._fetcher.close()


def read_auths(path: Path) -> dict[str, Credentials]:
    """The `auths` of a Docker configuration, by host and path; helpers are not run. InvalidInput; no message holds a value."""
    try:
        with path.open("rb") as file:
            raw = file.read(_LARGEST)
    except OSError as error:
        raise InvalidInput(f"cannot be read: {error.strerror}", about=str(path)) from None
    try:
        auths = msgspec.json.decode(raw, type=dict[str, Any]).get("auths") or {}
        return {_key(key): _entry(entry) for key, entry in auths.items()}
    except (msgspec.DecodeError, AttributeError, TypeError, ValueError, binascii.Error):
        hint = 'write it as docker login does: {"auths": {"HOST": {"auth": …}}}'
        raise InvalidInput("is no configuration of Docker with auths", about=str(path), hint=hint) from None


def _entry(entry: dict[str, Any]) -> Credentials:
    user, password = str(entry.get("username") or ""), str(entry.get("password") or "")
    if entry.get("auth"):
        user, _, password = base64.b64decode(str(entry["auth"]), validate=True).decode().partition(":")
    if any(each in user + password for each in "\r\n\0"):
        raise ValueError
    return Credentials(username=user, password=password)


def _key(key: str) -> str:
    if key in _HUB_KEYS:
        return HUB
    bare = key.partition("://")[2] or key
    return bare.rstrip("/").removesuffix("/v1").removesuffix("/v2")
