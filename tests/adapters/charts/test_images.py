"""Images are looked for in a real registry, with and without who we are; what cannot be known is said to be unknown."""

import base64
import hashlib
import json
import os
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.charts.servers import REGISTRY, answering, registry
from adapters.charts.test_registry import PASSWORDS
from kilde.adapters.charts.images import MOST, Images, Looked, Presence, read_auths
from kilde.adapters.charts.limits import ChartLimits
from kilde.core.basics.errors import InvalidInput

pytestmark = pytest.mark.anyio
BASIC = base64.b64encode(b"ci:hunter2").decode()


def asked(method: str, url: str, body: bytes = b"", kind: str = "application/octet-stream") -> str:
    """One request to the registry; gives the Location of the answer."""
    request = urllib.request.Request(
        url, body, {"Authorization": f"Basic {BASIC}", "Content-Type": kind}, method=method
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        return str(answer.headers.get("Location", ""))


def push(host: str, name: str, tag: str) -> str:
    """An image without layers; gives its digest."""
    config = b"{}"
    digest = "sha256:" + hashlib.sha256(config).hexdigest()
    place = asked("POST", f"http://{host}/v2/{name}/blobs/uploads/")
    asked("PUT", f"{place}&digest={digest}", config)
    kind = "application/vnd.oci.image.manifest.v1+json"
    blob = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest, "size": len(config)}
    manifest = json.dumps({"schemaVersion": 2, "mediaType": kind, "config": blob, "layers": []}).encode()
    asked("PUT", f"http://{host}/v2/{name}/manifests/{tag}", manifest, kind)
    return "sha256:" + hashlib.sha256(manifest).hexdigest()


@pytest.fixture
def real_registry(tmp_path: Path) -> Iterator[str]:
    if REGISTRY is None:
        reason = "no docker-registry (Debian's package docker-registry)"
        if os.environ.get("KILDE_REQUIRE_REAL") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    with registry(tmp_path, None, passwords=PASSWORDS) as host:
        yield host


def docker_config(folder: Path, *hosts: str) -> Path:
    file = folder / "config.json"
    file.write_text(json.dumps({"auths": {host: {"auth": BASIC} for host in hosts}, "credsStore": "never-run"}))
    return file


async def look(config: Path | None, host: str, *names: str) -> list[Looked]:
    images = Images(read_auths(config) if config else {}, ChartLimits(seconds=20), plain=[host])
    try:
        found = await images.look(names)
        return [found[name] for name in names]
    finally:
        await images.close()


async def test_what_is_there_and_what_is_not(real_registry: str, tmp_path: Path) -> None:
    host, there, missing = real_registry, Looked(Presence.THERE), Looked(Presence.MISSING)
    digest = push(host, "team/shop", "1.0")
    names = (
        f"{host}/team/shop:1.0",
        f"{host}/team/shop@{digest}",
        f"{host}/team/shop:2.0",
        f"{host}/team/none",
        "Not a name",
    )
    for key in (host, f"http://{host}", f"https://{host}/v2/", f"{host}/team"):
        config = docker_config(tmp_path, key, "elsewhere.example")
        assert await look(config, host, *names) == [there, there, missing, missing, Looked(Presence.NOT_A_NAME)], key
    for config in (None, docker_config(tmp_path, f"{host}/other", "elsewhere.example")):
        assert [each.presence for each in await look(config, host, names[0])] == [Presence.UNKNOWN]


async def test_only_heads_are_asked_for_and_nobody_else_gets_what_opens_a_registry(tmp_path: Path) -> None:
    with answering() as server:
        host = server.url().partition("://")[2]
        config = docker_config(tmp_path, "elsewhere.example")
        [found] = await look(config, host, f"{host}/team/shop:1.0")
    assert found.presence is Presence.UNKNOWN  # that server knows no HEAD
    assert server.asked == []


async def test_registries_that_do_not_answer_and_more_images_than_are_looked_for() -> None:
    [gone] = await look(None, "localhost:1", "localhost:1/shop")
    assert gone.presence is Presence.UNKNOWN
    assert gone.why.startswith("cannot be reached")
    images = Images({}, ChartLimits(seconds=1))
    try:
        found = await images.look([f"Not a name {number}" for number in range(MOST + 3)])
    finally:
        await images.close()
    assert sum(1 for each in found.values() if each.presence is Presence.UNKNOWN) == 3


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"auths": [1]}', '{"auths": {"h": 3}}', '{"auths": {"h": {"auth": "canary!"}}}',
             '{"auths": {"h": {"username": "a\\nb"}}}'],
)  # fmt: skip
async def test_a_file_of_credentials_that_is_none(text: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(InvalidInput) as refused:
        read_auths(tmp_path / "config.json")
    assert "canary" not in str(refused.value)
