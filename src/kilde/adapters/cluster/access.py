"""Access: where an API server is and how we may enter, as plain values."""

from dataclasses import dataclass, field
from typing import Protocol

from kilde.core.basics.errors import ClusterError


@dataclass(frozen=True, slots=True)
class Credential:
    """What proves who we are: a value of the Authorization header ("" for none), a client certificate and key in PEM."""

    authorization: str = field(default="", repr=False)
    certificate: bytes = field(default=b"", repr=False)
    key: bytes = field(default=b"", repr=False)


class CredentialSource(Protocol):
    """Gives the credential to use now. Raises ClusterError (status 0) where it cannot."""

    async def current(self, *, refused: Credential | None = None) -> Credential:
        """The credential; `refused` is one the server has just answered 401 to, so it must not be given from memory."""
        ...


@dataclass(frozen=True, slots=True)
class Fixed:
    """A credential that never changes."""

    credential: Credential = field(default_factory=Credential)

    async def current(self, *, refused: Credential | None = None) -> Credential:
        del refused
        return self.credential


@dataclass(frozen=True, slots=True)
class Refused:
    """There is no credential, and this is why: no call is ever sent."""

    what: str
    about: str
    hint: str = ""

    async def current(self, *, refused: Credential | None = None) -> Credential:
        del refused
        raise ClusterError(self.what, about=self.about, hint=self.hint, reason="Refused")


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """One API server as one user. `ca` is a PEM bundle (b"": the system's); `headers` are the impersonation headers."""

    server: str
    ca: bytes = field(default=b"", repr=False)
    insecure: bool = False
    tls_server_name: str = ""
    proxy_url: str = field(default="", repr=False)
    credentials: CredentialSource = field(default_factory=Fixed, repr=False)
    headers: tuple[tuple[str, str], ...] = ()
    namespace: str = "default"
    context: str = ""
