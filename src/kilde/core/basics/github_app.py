"""GitHub Apps: how one introduces itself to GitHub, and the token that it gets (docs.github.com, "Authenticating as a GitHub App")."""

import base64
from dataclasses import dataclass, field

import msgspec

from kilde.core.basics.moment import parse

API = "https://api.github.com/"
_TEN_MINUTES, _MINUTE = 540, 60  # an introduction may last ten; clocks differ


@dataclass(frozen=True, slots=True, kw_only=True)
class GitHubApp:
    """`private_key`: PEM of its RSA key. `installation`: "" where the repository tells. `api` ends with a slash. Its repr shows no key."""

    id: str
    private_key: str = field(repr=False)
    installation: str = ""
    api: str = API


@dataclass(frozen=True, slots=True)
class InstallationToken:
    """What opens an installation's repositories, as user `x-access-token`, until `ends` (seconds since the epoch; 0: not told)."""

    text: str = field(repr=False)
    ends: float


def introduction(app: str, private_key: str, now: float) -> str:
    """The JSON Web Token (RS256) that an app introduces itself with. ValueError, without the key, where it is no RSA key."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    claims = {"iss": app, "iat": int(now) - _MINUTE, "exp": int(now) + _TEN_MINUTES}
    text = ".".join(_url64(msgspec.json.encode(each)) for each in ({"alg": "RS256", "typ": "JWT"}, claims))
    try:
        private = load_pem_private_key(private_key.encode(), password=None)
    except (ValueError, TypeError):
        private = None
    if not isinstance(private, rsa.RSAPrivateKey):
        raise ValueError("no RSA key in PEM")  # noqa: TRY004  # it is the text that is wrong
    return f"{text}.{_url64(private.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def installation_token(body: bytes) -> InstallationToken | None:
    """What `POST app/installations/ID/access_tokens` answered; None where no token is in it."""
    try:
        answer = msgspec.json.decode(body)
        token, ends = answer["token"], answer.get("expires_at")
    except (msgspec.DecodeError, KeyError, TypeError, AttributeError):
        return None
    return InstallationToken(token, parse(ends) or 0.0) if isinstance(token, str) and token else None


def _url64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
