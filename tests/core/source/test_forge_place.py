"""Which forge is asked about a repository, as its Secret says."""

import base64
from typing import Any

import pytest

from kilde.core.source.forge_place import ForgePlace, forge_of


def secret(
    name: str, url: str, *, kind: str = "repository", data: dict[str, str] | None = None, **annotations: str
) -> dict[str, Any]:
    values = {"url": url, **(data or {})}
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    marks = {f"kilde.dev/{key.replace('_', '-')}": value for key, value in annotations.items()}
    return {
        "metadata": {"name": name, "labels": {"argocd.argoproj.io/secret-type": kind}, "annotations": marks},
        "data": encoded,
    }


def place(url: str, *secrets: dict[str, Any]) -> ForgePlace | None:
    return forge_of(url, secrets, "default")


def test_the_public_forge_with_the_password_or_a_token_of_its_own() -> None:
    url = "https://github.com/acme/shop.git"
    opens = secret("shop", url, data={"password": "x"}, forge="github")
    made = ForgePlace(kind="github", api="", path="acme/shop", host="github.com", secret="shop", key="password")
    assert place(url, opens) == made
    assert (
        place(url, secret("shop", url, data={"password": "x", "forgeToken": "y"}, forge="github")).key == "forgeToken"
    )  # type: ignore[union-attr]
    assert place(url, secret("shop", url, forge="github")).key == ""  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("url", "forge", "api", "path"),
    [
        ("git@git.example:acme/team/shop.git", "gitlab", "https://git.example", "acme/team/shop"),
        ("https://git.example/scm/acme/shop.git", "bitbucketServer", "https://git.example/rest", "scm/acme/shop"),
    ],
)
def test_a_forge_of_ones_own(url: str, forge: str, api: str, path: str) -> None:
    found = place(url, secret("s", url, forge=forge))
    assert found is not None
    assert (found.kind, found.api, found.path, found.host) == (forge, api, path, "git.example")


def test_an_address_that_is_written_and_a_template_of_credentials() -> None:
    url = "https://git.example/acme/shop"
    found = place(
        url,
        secret(
            "all",
            "https://git.example/",
            kind="repo-creds",
            data={"password": "x"},
            forge="gitea",
            forge_api="https://api.example/git",
        ),
    )
    assert found is not None
    assert (found.api, found.secret, found.key) == ("https://api.example/git", "all", "password")


def test_nobody_is_asked_where_no_secret_says_so() -> None:
    assert place("https://github.com/acme/shop", secret("shop", "https://github.com/acme/shop")) is None
    assert place("https://github.com/acme/shop") is None
    assert place("not a url", secret("shop", "not a url", forge="github")) is None
