"""VaultClient: ports.vault.Vault over HTTP: key/value version 2 and transit, with a session's token."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from kilde.adapters.vault.session import Session
from kilde.adapters.vault.transport import Answer, Transport
from kilde.core.basics.backoff import Backoff
from kilde.core.secrets.vault.settings import VaultSettings
from kilde.ports.clock import Clock
from kilde.ports.vault import Entry, Place, Reason, VaultError

_OLD_KV = "is no key/value engine of version 2"
_CAS = "check-and-set"


class VaultClient:
    """One server and one identity."""

    def __init__(self, settings: VaultSettings, clock: Clock, *, backoff: Backoff | None = None) -> None:
        self._transport = Transport(settings, clock, **({"backoff": backoff} if backoff else {}))
        self.session = Session(self._transport, settings.login, clock)

    async def read(self, place: Place, version: int = 0) -> Entry:
        query = f"?version={version}" if version else ""
        answer = await self._ask("GET", f"{place.mount}/data/{place.name}", query=query)
        found, metadata = answer.data.get("data"), answer.data.get("metadata")
        if answer.status == 404:
            raise _not_there(place, version, metadata, answer)
        number = metadata.get("version") if isinstance(metadata, dict) else None
        if not isinstance(found, dict) or not isinstance(number, int):
            raise VaultError(Reason.REFUSED, _OLD_KV, about=f"Vault: {place.mount}")
        return Entry(found, number)

    async def newest(self, place: Place) -> int:
        answer = await self._ask("GET", f"{place.mount}/metadata/{place.name}")
        if answer.status == 404:
            _refuse_no_engine(answer, place.mount)
            return 0
        number = answer.data.get("current_version")
        if not isinstance(number, int):
            raise VaultError(Reason.REFUSED, _OLD_KV, about=f"Vault: {place.mount}")
        return number

    async def list(self, place: Place) -> tuple[str, ...]:
        answer = await self._ask("GET", f"{place.mount}/metadata/{place.name}/", query="?list=true")
        if answer.status == 404:
            _refuse_no_engine(answer, place.mount)
            return ()
        keys = answer.data.get("keys")
        if not isinstance(keys, list):
            raise VaultError(Reason.REFUSED, _OLD_KV, about=f"Vault: {place.mount}")
        return tuple(str(key) for key in keys)

    async def write(self, place: Place, data: Mapping[str, Any], *, newest: int) -> int:
        body = {"options": {"cas": newest}, "data": data}
        try:
            answer = await self._ask("POST", f"{place.mount}/data/{place.name}", body=body)
        except VaultError as error:
            if error.reason is Reason.REFUSED and _CAS in error.what:
                raise VaultError(
                    Reason.CONFLICT, "was written by somebody else meanwhile", about=f"Vault: {place}"
                ) from None
            raise
        number = answer.data.get("version")
        if answer.status == 404 or not isinstance(number, int):
            raise VaultError(Reason.REFUSED, _OLD_KV, about=f"Vault: {place.mount}")
        return number

    async def encrypt(self, key: Place, plain: bytes) -> str:
        body = {"plaintext": base64.b64encode(plain).decode()}
        return self._text(await self._ask("POST", f"{key.mount}/encrypt/{key.name}", body=body), "ciphertext", key)

    async def decrypt(self, key: Place, text: str) -> bytes:
        answer = await self._ask("POST", f"{key.mount}/decrypt/{key.name}", body={"ciphertext": text})
        try:
            return base64.b64decode(self._text(answer, "plaintext", key), validate=True)
        except (binascii.Error, ValueError):
            raise VaultError(Reason.REFUSED, "did not answer with a plaintext", about=f"Vault: {key}") from None

    async def rewrap(self, key: Place, text: str) -> str:
        return self._text(
            await self._ask("POST", f"{key.mount}/rewrap/{key.name}", body={"ciphertext": text}), "ciphertext", key
        )

    async def key_version(self, key: Place) -> int:
        answer = await self._ask("GET", f"{key.mount}/keys/{key.name}")
        number = answer.data.get("latest_version")
        if answer.status == 404 or not isinstance(number, int):
            raise VaultError(Reason.NOT_FOUND, "there is no such transit key", about=f"Vault: {key}")
        return number

    async def run(self) -> None:
        await self.session.run()

    async def close(self) -> None:
        await self.session.close()
        await self._transport.close()

    def _text(self, answer: Answer, field: str, key: Place) -> str:
        found = answer.data.get(field)
        if answer.status == 404 or not isinstance(found, str):
            raise VaultError(
                Reason.NOT_FOUND, "there is no such transit key, or no transit engine", about=f"Vault: {key}"
            )
        return found

    async def _ask(self, method: str, path: str, *, body: Any = None, query: str = "") -> Answer:
        """One request with the session's token; another try with another token where this one is over."""
        token = await self.session.token()
        try:
            return await self._transport.send(method, path, token=token, body=body, query=query)
        except VaultError as error:
            if error.reason is not Reason.DENIED or not await self.session.refused(token):
                raise
        return await self._transport.send(method, path, token=await self.session.token(), body=body, query=query)


def _not_there(place: Place, version: int, metadata: Any, answer: Answer) -> VaultError:
    """Why a version is not to be had."""
    about = f"Vault: {place}"
    _refuse_no_engine(answer, place.mount)
    if isinstance(metadata, dict):
        word = "destroyed" if metadata.get("destroyed") is True else "deleted"
        number = metadata.get("version")
        return VaultError(
            Reason.NOT_FOUND, f"version {number if isinstance(number, int) else version} was {word}", about=about
        )
    return VaultError(
        Reason.NOT_FOUND, f"has no version {version}" if version else "there is no such entry", about=about
    )


def _refuse_no_engine(answer: Answer, mount: str) -> None:
    """A 404 with words in it is of a mount that is not there: never to be taken for an empty one."""
    if any("no handler" in each or "unsupported" in each for each in answer.errors) or _warns(answer):
        raise VaultError(
            Reason.REFUSED, "there is no key/value engine of version 2 at this mount", about=f"Vault: {mount}"
        )


def _warns(answer: Answer) -> bool:
    """Version 1 of the engine warns that a path of version 2 was asked."""
    warnings = answer.body.get("warnings")
    return isinstance(warnings, list) and any("Invalid path for a versioned K/V" in str(each) for each in warnings)
