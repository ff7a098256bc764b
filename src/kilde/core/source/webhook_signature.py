"""How a webhook proves who sent it: an HMAC over its body, a token, or a password; compared in constant time."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping

from kilde.core.basics.errors import InvalidInput
from kilde.core.basics.values import Object

SECRET_NAME = "argocd-secret"  # noqa: S105 - where Argo CD keeps them


class SignatureMismatch(InvalidInput):
    """The webhook was not sent by who has the secret."""

    code = "signature-mismatch"


def webhook_secrets(secret: Object | None) -> dict[str, str]:
    """The `webhook.*` values of the Secret argocd-secret; those that cannot be read are left out."""
    found: dict[str, str] = {}
    for key, encoded in ((secret or {}).get("data") or {}).items():
        if key.startswith("webhook."):
            try:
                found[key] = base64.b64decode(str(encoded), validate=True).decode().strip()
            except (binascii.Error, ValueError):
                continue
    return {key: value for key, value in found.items() if value}


def check_hmac(secret: str, body: bytes, given: str, *, about: str) -> bool:
    """HMAC-SHA256 over the body in hex, with or without `sha256=` before it. See `_told`."""
    wanted = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return _told(secret, wanted, given.strip().lower().removeprefix("sha256="), about)


def check_token(secret: str, given: str, *, about: str) -> bool:
    """A token that is sent as it is. See `_told`."""
    return _told(secret, secret, given, about)


def check_basic(user: str, password: str, authorization: str, *, about: str) -> bool:
    """HTTP basic authentication (RFC 7617). See `_told`."""
    secret = f"{user}:{password}" if user or password else ""
    scheme, _, encoded = authorization.partition(" ")
    given = encoded.strip() if scheme.lower() == "basic" else ""
    return _told(secret, base64.b64encode(secret.encode()).decode(), given, about)


def header(headers: Mapping[str, str], *names: str) -> str:
    """The first of these headers that is there; `headers` has lower-case names."""
    return next((headers[name.lower()] for name in names if headers.get(name.lower())), "")


def _told(secret: str, wanted: str, given: str, about: str) -> bool:
    """True: proved. False: no secret is configured, so nothing can be proved (Argo CD takes it then: it only causes a look at Git).

    Raises SignatureMismatch.
    """
    if not secret:
        return False
    if not hmac.compare_digest(wanted.encode(), given.encode("utf-8", "replace")):
        raise SignatureMismatch(
            "the webhook is not signed with our secret" if given else "the webhook is not signed",
            about=about,
            hint=f"give the sender the value that the Secret {SECRET_NAME} has",
        )
    return True
