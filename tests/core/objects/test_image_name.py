"""Names of images, as container runtimes read them."""

import pytest

from kilde.core.objects.image_name import HUB, read_image

ASKED = f"registry-1.{HUB}"
DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("text", "host", "path", "reference", "asked"),
    [
        ("nginx", HUB, "library/nginx", "latest", ASKED),
        ("nginx:1.29-alpine", HUB, "library/nginx", "1.29-alpine", ASKED),
        ("acme/shop:2", HUB, "acme/shop", "2", ASKED),
        (f"{HUB}/nginx", HUB, "library/nginx", "latest", ASKED),
        (f"index.{HUB}/acme/shop", HUB, "acme/shop", "latest", ASKED),
        ("registry.example/a/b/c:v1", "registry.example", "a/b/c", "v1", "registry.example"),
        ("registry.example:5000/shop", "registry.example:5000", "shop", "latest", "registry.example:5000"),
        ("localhost/shop:1", "localhost", "shop", "1", "localhost"),
        (f"shop@{DIGEST}", HUB, "library/shop", DIGEST, ASKED),
        (f"registry.example/shop:1@{DIGEST}", "registry.example", "shop", DIGEST, "registry.example"),
    ],
)
def test_where_an_image_is(text: str, host: str, path: str, reference: str, asked: str) -> None:
    found = read_image(text)
    assert found is not None
    assert (*found, found.asked) == (host, path, reference, asked)


@pytest.mark.parametrize(
    "text",
    ["", ":1", "Nginx", "a b", "nginx:", "nginx:a b", "nginx@sha256:1", f"nginx@{DIGEST}x", "../x", "a//b", "http://x/y", "x/" + "a" * 300,
     "registry.example/../secret", "user:pw@host/shop", "host.example:x/shop"],
)  # fmt: skip
def test_what_is_none(text: str) -> None:
    assert read_image(text) is None
