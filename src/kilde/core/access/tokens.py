"""Tokens of project roles: JSON Web Tokens as Argo CD signs them (RFC 7519, HS256), made, read and judged.

The token is a secret: it is in no exception, and nothing here keeps it. What is kept in the AppProject is its id and its times.
"""

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Any, Final

from kilde.core.access.project import Project
from kilde.core.access.roles import Role, Token
from kilde.core.basics.errors import InvalidInput

ISSUER: Final = "argocd"
_LARGEST = 8192  # characters: a token of ours has some three hundred
_HEADER: Final = {"alg": "HS256", "typ": "JWT"}


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says, once its signature is known to be good."""

    project: str
    role: str
    id: str
    issued_at: int


def signed(project: str, role: str, token: Token, key: bytes) -> str:
    """The token in writing."""
    claims: dict[str, Any] = {"iss": ISSUER, "sub": f"proj:{project}:{role}"}
    if token.expires_at:
        claims["exp"] = token.expires_at
    claims |= {"nbf": token.issued_at, "iat": token.issued_at, "jti": token.id}
    text = f"{_part(_HEADER)}.{_part(claims)}"
    return f"{text}.{_encoded(_mark(text, key))}"


def claims_of(text: str, key: bytes, *, now: float) -> Claims:
    """What a token says. InvalidInput where it is none, is not of this key, is not good yet or no longer, or is of no project's role."""
    parts = text.strip().split(".") if len(text) <= _LARGEST else []
    if len(parts) != 3:
        raise InvalidInput("this is not a token")
    header, claims = _object(parts[0]), _object(parts[1])
    if header.get("alg") != _HEADER["alg"] or "crit" in header:
        raise InvalidInput("the token is signed in another way than HS256")
    if not hmac.compare_digest(_decoded(parts[2]), _mark(f"{parts[0]}.{parts[1]}", key)):
        raise InvalidInput("the token's signature is not of this installation's key")
    if claims.get("iss") != ISSUER:
        raise InvalidInput("the token was made by another issuer")
    if _time(claims, "exp", default=now + 1) <= now:
        raise InvalidInput("the token has expired")
    if _time(claims, "nbf", default=now) > now:
        raise InvalidInput("the token is not good yet")
    subject = str(claims.get("sub", "")).split(":")
    if len(subject) != 3 or subject[0] != "proj" or not all(subject):
        raise InvalidInput("the token is of no project's role")
    return Claims(subject[1], subject[2], str(claims.get("jti") or ""), int(_time(claims, "iat", default=-1)))


def may(project: Project, claims: Claims, action: str, app: str, *, resource: str = "applications") -> bool:
    """Whether the holder of a token may do this; `app`: `PROJECT/APPLICATION`, with its namespace between where that is another one.

    A token that was deleted from its project is good for nothing, whatever it says itself.
    """
    role = holder(project, claims)
    return role is not None and role.permits(project.name, resource, action, app)


def holder(project: Project, claims: Claims) -> Role | None:
    """The role that a token is of; None where the project has no such role, or no such token any more."""
    if claims.project != project.name:
        return None
    role = project.role(claims.role)
    return role if role is not None and role.token(claims.id, claims.issued_at) is not None else None


def _part(value: dict[str, Any]) -> str:
    return _encoded(json.dumps(value, separators=(",", ":")).encode())


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise InvalidInput("this is not a token") from None


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(_decoded(text))
    except (ValueError, RecursionError):
        raise InvalidInput("this is not a token") from None
    if not isinstance(found, dict):
        raise InvalidInput("this is not a token")
    return found


def _mark(text: str, key: bytes) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def _time(claims: dict[str, Any], name: str, *, default: float) -> float:
    found = claims.get(name)
    if found is None:
        return default
    if isinstance(found, bool) or not isinstance(found, (int, float)) or not abs(found) < 1e15:
        raise InvalidInput("this is not a token")
    return float(found)
