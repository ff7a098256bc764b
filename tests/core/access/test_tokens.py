"""Tokens of roles: what is signed can be read, and nothing else can."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest

from kilde.core.access.project import read_project
from kilde.core.access.roles import Token
from kilde.core.access.tokens import Claims, claims_of, may, signed
from kilde.core.basics.errors import InvalidInput

KEY = b"not-a-real-key"
NOW = 1_800_000_000
TOKEN = Token("one", NOW, NOW + 60)


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).rstrip(b"=").decode()


def forged(header: Any, claims: Any, key: bytes = KEY) -> str:
    text = f"{part(header)}.{part(claims)}"
    mark = hmac.new(key, text.encode(), hashlib.sha256).digest()
    return f"{text}.{base64.urlsafe_b64encode(mark).rstrip(b'=').decode()}"


HEADER = {"alg": "HS256", "typ": "JWT"}
CLAIMS: dict[str, Any] = {"iss": "argocd", "sub": "proj:team:ci", "exp": NOW + 60, "nbf": NOW, "iat": NOW, "jti": "one"}


def test_it_is_the_token_that_argo_cd_makes() -> None:
    text = signed("team", "ci", TOKEN, KEY)
    assert text == forged(HEADER, CLAIMS)
    assert claims_of(f"{text}\n", KEY, now=NOW) == Claims("team", "ci", "one", NOW)
    for_ever = signed("team", "ci", Token("two", NOW), KEY)
    assert "exp" not in json.loads(base64.urlsafe_b64decode(for_ever.split(".")[1] + "=="))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "this is not a token"),
        ("a.b", "this is not a token"),
        ("a.b.c", "this is not a token"),
        ("ÿ.b.c", "this is not a token"),
        (f"{part([])}.{part(CLAIMS)}.AA", "this is not a token"),
        ("x" * 10_000, "this is not a token"),
        (f"{part({'alg': 'none'})}.{part(CLAIMS)}.", "the token is signed in another way than HS256"),
        (forged({**HEADER, "crit": ["x"]}, CLAIMS), "the token is signed in another way than HS256"),
        (forged(HEADER, CLAIMS, b"another"), "the token's signature is not of this installation's key"),
        (forged(HEADER, {**CLAIMS, "iss": "me"}), "the token was made by another issuer"),
        (forged(HEADER, {**CLAIMS, "exp": NOW}), "the token has expired"),
        (forged(HEADER, {**CLAIMS, "exp": "never"}), "this is not a token"),
        (forged(HEADER, {**CLAIMS, "exp": 1e300}), "this is not a token"),
        (forged(HEADER, {**CLAIMS, "nbf": NOW + 5}), "the token is not good yet"),
        (forged(HEADER, {**CLAIMS, "sub": "admin:login"}), "the token is of no project's role"),
        (forged(HEADER, {**CLAIMS, "sub": "proj:team:"}), "the token is of no project's role"),
    ],
    ids=range(16),
)
def test_what_is_no_good_token_is_refused_and_not_repeated(text: str, why: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        claims_of(text, KEY, now=NOW)
    assert str(caught.value) == why


def test_a_token_may_what_its_role_may_while_its_project_has_it() -> None:
    role = {"name": "ci", "policies": ["p, proj:team:ci, applications, sync, team/*, allow"]}

    def project(*tokens: dict[str, Any], name: str = "team") -> Any:
        return read_project({"metadata": {"name": name}, "spec": {"roles": [{**role, "jwtTokens": list(tokens)}]}})

    claims = Claims("team", "ci", "one", NOW)
    there = project({"iat": NOW, "id": "one"})
    assert may(there, claims, "sync", "team/shop")
    assert not may(there, claims, "delete", "team/shop")
    assert not may(there, claims, "sync", "team/shop", resource="logs")
    assert not may(project({"iat": NOW, "id": "other"}), claims, "sync", "team/shop")
    assert not may(there, Claims("team", "ops", "one", NOW), "sync", "team/shop")
    assert not may(project({"iat": NOW, "id": "one"}, name="other"), claims, "sync", "other/shop")
