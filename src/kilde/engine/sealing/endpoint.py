"""What kubeseal asks a controller: its certificate, whether it can open, and to seal anew to the newest key."""

import asyncio
import contextlib

from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.values import Object
from kilde.core.secrets import documents, json_text
from kilde.core.secrets.opening import DoesNotOpen, open_sealed
from kilde.core.secrets.resealing import resealed
from kilde.core.secrets.sealing import Sealer
from kilde.engine.sealing.controller import SealingController

_FIRST_KEY = 30.0  # seconds that a request waits for a controller that is making its first key


class Endpoint:
    """One controller, asked."""

    def __init__(self, controller: SealingController) -> None:
        self._controller = controller
        self.metrics = controller.metrics

    async def certificate(self) -> bytes | None:
        """The newest certificate, PEM; None while there is no key."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_FIRST_KEY):
                await self._controller.keyring.usable.wait()
        newest = self._controller.keyring.newest
        return newest.pem if newest else None

    async def opens(self, body: bytes) -> bool:
        """Whether a SealedSecret opens, templates and all. InvalidInput if the body is not one SealedSecret."""
        sealed = _one(body)
        keyring, old_form = self._controller.keyring, self._controller.settings.old_form
        try:
            await asyncio.to_thread(open_sealed, sealed, keyring.private, self._controller.render, old_form=old_form)
        except DoesNotOpen:
            return False
        return True

    async def rotated(self, body: bytes) -> bytes:
        """The SealedSecret sealed to the newest key, as JSON. InvalidInput if it is none, or does not open."""
        sealed = _one(body)
        keyring = self._controller.keyring
        if keyring.newest is None:
            raise InvalidInput("there is no key yet")
        sealer = Sealer(keyring.newest.private.public_key(), keyring.dice)
        found = await asyncio.to_thread(resealed, sealed, keyring.private, sealer)
        return json_text.write(found, indent=None).encode()


def _one(body: bytes) -> Object:
    found = documents.read(body, file="request")
    if len(found) != 1:
        raise InvalidInput("one SealedSecret is needed", about="request")
    if not found[0].get("kind") or not found[0].get("apiVersion"):
        raise InvalidInput("names neither kind nor apiVersion", about="request")
    return documents.sealed_secret(found[0], about="request")
