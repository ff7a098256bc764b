"""Session: a token for Vault: taken from where it lies or by a login, renewed before it runs out, replaced when it is refused."""

import asyncio
from pathlib import Path
from typing import Any

import structlog

from kilde.adapters.vault.transport import Transport
from kilde.core.secrets.vault.settings import Login
from kilde.ports.clock import Clock
from kilde.ports.vault import Reason, VaultError

log = structlog.get_logger()

_LARGEST = 64 << 10  # bytes of a token's file
_EARLY = 1 / 3  # of its time to live is left when a token is renewed
_LEAST, _MOST = 1.0, 3600.0  # seconds between two looks at it
_PATIENCE = 5.0


class Session:
    """One identity. `token` gives what to send; `refused` says whether another one is at hand after a 403."""

    def __init__(self, transport: Transport, login: Login, clock: Clock) -> None:
        self._transport, self._login, self._clock = transport, login, clock
        self._lock = asyncio.Lock()
        self._token = ""
        self._ends: float | None = None  # by the monotonic clock; None: never, or not known
        self._life = 0.0
        self._renewable = False
        self._told = False
        self.logins = 0

    async def token(self) -> str:
        """A token that is good for now. VaultError."""
        async with self._lock:
            if not self._token:
                await self._begin()
            elif self._left() is not None and self._left_is_short():
                await self._renew()
            return self._token

    async def refused(self, token: str) -> bool:
        """After a 403: whether to try again, with another token. VaultError (EXPIRED) where this one is over and there is no other."""
        async with self._lock:
            if self._token and self._token != token:
                return True  # somebody else has replaced it meanwhile
            try:
                if self._token:  # else somebody else has found that it is over
                    await self._transport.send("GET", "auth/token/lookup-self", token=token)
                    return False  # the token is good, so what was asked is not allowed
            except VaultError as error:
                if error.reason is not Reason.DENIED:
                    raise
            self._token = ""
            await self._begin(but=token)
            return True

    async def run(self) -> None:
        """Renews while nobody asks; never ends."""
        while True:
            left = self._left()
            wait = _MOST if left is None else min(max(left - self._life * _EARLY, _LEAST), _MOST)
            await self._clock.sleep(wait)
            if not self._token or not self._left_is_short():
                continue
            try:
                await self.token()
            except VaultError as error:
                log.warning("the token for Vault cannot be renewed yet", problem=str(error))
                await self._clock.sleep(_PATIENCE)

    async def close(self) -> None:
        """Revokes what a login made."""
        token, self._token = self._token, ""
        if token and self._login.method != "token":
            try:
                await self._transport.send("POST", "auth/token/revoke-self", token=token, again=False)
            except VaultError as error:
                log.debug("a token for Vault was not revoked", problem=error.what)

    def _left(self) -> float | None:
        """Seconds until the token ends; None: it does not, as far as is known."""
        return None if self._ends is None else self._ends - self._clock.monotonic()

    def _left_is_short(self) -> bool:
        left = self._left()
        return left is not None and left <= self._life * _EARLY

    async def _begin(self, *, but: str = "") -> None:
        """A first or another token; `but`: one that is known to be over."""
        if self._login.method == "token":
            await self._take(but)
            return
        body, path = await asyncio.to_thread(_credentials, self._login)
        try:
            answer = await self._transport.send("POST", path, body=body)
        except VaultError as error:
            is_refused = error.reason in (Reason.DENIED, Reason.REFUSED)
            if is_refused or "invalid" in error.what:  # Vault 1.13 says 500 to a secret id that is none
                what = f"the login by {self._login.method} is refused"
                raise VaultError(
                    Reason.EXPIRED, what, about=f"Vault: {path}", hint="look at its role and credentials"
                ) from None
            raise
        auth = answer.body.get("auth")
        if not isinstance(auth, dict) or not isinstance(auth.get("client_token"), str):
            what = f"there is no login by {self._login.method} at this mount"
            raise VaultError(Reason.EXPIRED, what, about=f"Vault: {path}", hint="look at auth.mount")
        self.logins += 1
        self._keep(auth["client_token"], auth.get("lease_duration"), auth.get("renewable"))

    async def _take(self, but: str) -> None:
        token = self._login.token or await asyncio.to_thread(_read, self._login.token_file)
        if token == but:
            hint = "put a new one where it lies" if self._login.token_file else "give a new one"
            raise VaultError(Reason.EXPIRED, "the token is not valid, or not any more", about="Vault", hint=hint)
        self._keep(token, None, None)
        try:
            answer = await self._transport.send("GET", "auth/token/lookup-self", token=token)
        except VaultError as error:
            if error.reason is Reason.DENIED:
                return  # its policy may forbid just this; what is asked next tells
            self._token = ""
            raise
        self._keep(token, answer.data.get("ttl"), answer.data.get("renewable"))

    async def _renew(self) -> None:
        """Renews, or logs in anew; a token that is still good is kept where Vault does not answer."""
        left = self._left() or 0.0
        if self._renewable and left > 0:
            try:
                answer = await self._transport.send(
                    "POST", "auth/token/renew-self", token=self._token, body={}, again=False
                )
            except VaultError as error:
                if error.reason not in (Reason.DENIED, Reason.REFUSED):
                    return
            else:
                auth = answer.body.get("auth")
                held = auth if isinstance(auth, dict) else {}
                life = self._life
                self._keep(self._token, held.get("lease_duration"), held.get("renewable"), whole=life)
                if not self._left_is_short():
                    return
        if self._login.method != "token":
            try:
                await self._begin()
            except VaultError:
                if left <= 0:
                    raise
            return
        await self._renewed_elsewhere()

    async def _renewed_elsewhere(self) -> None:
        """A token that cannot be renewed is replaced by whoever put it there; its end is told once."""
        if self._login.token_file:
            token = await asyncio.to_thread(_read, self._login.token_file)
            if token != self._token:
                self._told = False
                await self._take("")
                return
        if not self._told:
            self._told = True
            log.warning("the token for Vault ends soon and cannot be renewed", seconds=int(self._left() or 0))

    def _keep(self, token: str, life: Any, renewable: Any, *, whole: float = 0.0) -> None:
        """Puts a token down. `life`: its time to live in seconds, 0 or nothing: without end; `whole`: what it had at its first."""
        seconds = float(life) if isinstance(life, (int, float)) and not isinstance(life, bool) and life > 0 else 0.0
        self._token, self._renewable = token, renewable is True
        self._life = max(whole, seconds)
        self._ends = self._clock.monotonic() + seconds if seconds else None


def _credentials(login: Login) -> tuple[dict[str, str], str]:
    """What to log in with, and where. VaultError where a file cannot be read."""
    if login.method == "approle":
        return {"role_id": login.role, "secret_id": _read(login.secret_file)}, f"auth/{login.mount}/login"
    return {"role": login.role, "jwt": _read(login.token_file)}, f"auth/{login.mount}/login"


def _read(file: str) -> str:
    try:
        with Path(file).open("rb") as opened:
            found = opened.read(_LARGEST + 1)
    except OSError as error:
        raise VaultError(Reason.EXPIRED, f"cannot be read: {error.strerror}", about=file) from None
    try:
        text = found.decode("ascii").strip()
    except UnicodeDecodeError:
        text = ""
    if not text or len(found) > _LARGEST or not text.isprintable():
        raise VaultError(Reason.EXPIRED, "holds no token", about=file)
    return text
