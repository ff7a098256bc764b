"""Overrides: kubectl's client flags over what a kubeconfig says."""

import base64
from dataclasses import dataclass, field, replace
from pathlib import Path

from kilde.adapters.cluster.access import Access, Credential, Fixed
from kilde.core.basics.errors import InvalidInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """The flags that were given; "" for those that were not. `cluster` and `user` name entries of the kubeconfig."""

    cluster: str = ""
    user: str = ""
    server: str = ""
    namespace: str = ""
    certificate_authority: str = ""
    insecure: bool = False
    tls_server_name: str = ""
    proxy_url: str = ""
    client_certificate: str = ""
    client_key: str = ""
    token: str = field(default="", repr=False)
    username: str = ""
    password: str = field(default="", repr=False)
    impersonate: tuple[tuple[str, str], ...] = ()

    def over(self, access: Access) -> Access:
        """The Access with them applied. InvalidInput for a file that cannot be read."""
        changes: dict[str, object] = {}
        if self.server:
            changes["server"] = (self.server if "://" in self.server else f"http://{self.server}").rstrip("/")
        if self.certificate_authority:
            changes["ca"] = _read(self.certificate_authority)
        if self.insecure:
            changes |= {"insecure": True, "ca": b""}
        if self.tls_server_name:
            changes["tls_server_name"] = self.tls_server_name
        if self.proxy_url:
            changes["proxy_url"] = self.proxy_url
        if self.namespace:
            changes["namespace"] = self.namespace
        if self.impersonate:
            changes["headers"] = (*access.headers, *self.impersonate)
        if (credential := self._credential()) is not None:
            changes["credentials"] = Fixed(credential)
        return replace(access, **changes)  # type: ignore[arg-type]  # fields of Access, by name

    def _credential(self) -> Credential | None:
        if bool(self.client_certificate) != bool(self.client_key):
            raise InvalidInput("--client-certificate and --client-key belong together; one is missing")
        authorization = f"Bearer {self.token}" if self.token else ""
        if not authorization and self.username:
            pair = f"{self.username}:{self.password}"
            authorization = f"Basic {base64.b64encode(pair.encode()).decode()}"
        if not authorization and not self.client_key:
            return None
        pair_of_files = [_read(file) if file else b"" for file in (self.client_certificate, self.client_key)]
        return Credential(authorization, *pair_of_files)


def _read(file: str) -> bytes:
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise InvalidInput(f"cannot be read: {error.strerror}", about=file) from error
