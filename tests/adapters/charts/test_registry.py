"""Charts in OCI registries: a real registry that the real helm pushed to; token authentication by a server of the test's own."""

import base64
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.charts.servers import REGISTRY, Answers, answering, archive, chart, helm, registry
from adapters.charts.test_repository import files
from kilde.adapters.charts.sources import ChartSources
from kilde.core.basics.errors import RevisionNotFound, SourceError, SourceUnavailable
from kilde.core.source.chart_place import ChartPlace
from kilde.ports.sources import Credentials
from real.certificates import Authority

pytestmark = pytest.mark.anyio
PASSWORDS = "ci:$2b$04$tkzGPTY693WKdCvC6DdEreRMiBRH1xuWCaNQfOl2pDxyj9/uo/0y.\n"  # hunter2
LAYER = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"


@pytest.fixture
def real_registry(tmp_path: Path, authority: Authority, real_programs: None) -> Iterator[str]:
    if REGISTRY is None:
        reason = "no docker-registry (Debian's package docker-registry)"
        if os.environ.get("KILDE_REQUIRE_REAL") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    pair = authority.serving("server", ["127.0.0.1"], ["localhost"])
    with registry(tmp_path, pair, passwords=PASSWORDS) as host:
        ca = str(authority.pair.certificate)
        helm(
            "registry",
            "login",
            host,
            "--username",
            "ci",
            "--password-stdin",
            "--ca-file",
            ca,
            home=tmp_path,
            stdin="hunter2",
        )
        for version in ("1.0.0", "1.4.0+build.7", "2.0.0"):
            made = chart(tmp_path, "shop", version)
            helm("push", str(made), f"oci://{host}/team", "--ca-file", ca, home=tmp_path)
        yield host


async def test_a_range_of_tags_resolves_and_the_files_are_those_that_were_pushed(
    sources: ChartSources, real_registry: str, authority: Authority, tmp_path: Path
) -> None:
    opens = Credentials(username="ci", password="hunter2", tls_ca=authority.pair.certificate.read_text())
    for repository, more in (
        (f"{real_registry}/team", {}),
        (f"oci://{real_registry}/team", {}),
        (f"https://{real_registry}/team", {"enable_oci": True}),
    ):
        url = ChartPlace(repository=repository, chart="shop").key
        credentials = Credentials(username=opens.username, password=opens.password, tls_ca=opens.tls_ca, **more)
        await sources.fetch(url, credentials)
        assert await sources.resolve(url, "^1") == "1.4.0+build.7"
        with pytest.raises(RevisionNotFound, match=r"no version fits '\^3' among 3"):
            await sources.resolve(url, "^3")
        tree = files(await sources.tree(url, "1.4.0+build.7"))
        assert b"version: 1.4.0+build.7" in tree["Chart.yaml"]
        source = tmp_path / "shop-1.4.0+build.7-source" / "shop"
        assert tree["templates/cm.yaml"] == (source / "templates" / "cm.yaml").read_bytes()
        with pytest.raises(RevisionNotFound, match=r"there is no version '9\.0\.0'"):
            await sources.tree(url, await sources.resolve(url, "9.0.0"))


async def test_without_credentials_nobody_is_let_in_and_that_is_said(
    sources: ChartSources, real_registry: str, authority: Authority
) -> None:
    url, ca = ChartPlace(repository=f"{real_registry}/team", chart="shop").key, authority.pair.certificate.read_text()
    with pytest.raises(SourceUnavailable, match="tags: the registry answers 401"):
        await sources.fetch(url, Credentials(tls_ca=ca))
    await sources.fetch(url, Credentials(tls_ca=ca, username="ci", password="hunter2"))
    with pytest.raises(SourceUnavailable, match="tags: the registry answers 401"):
        await sources.fetch(url, Credentials(tls_ca=ca, username="ci", password="wrong"))
    assert await sources.resolve(url, "*") == "2.0.0"  # as it was


async def test_a_chart_is_an_artifact_too_whose_revision_is_its_digest(
    sources: ChartSources, real_registry: str, authority: Authority
) -> None:
    url = ChartPlace(repository=f"oci://{real_registry}/team/shop", chart="").key
    opens = Credentials(username="ci", password="hunter2", tls_ca=authority.pair.certificate.read_text())
    await sources.fetch(url, opens)
    digest = await sources.resolve(url, "1.*")
    assert digest.startswith("sha256:")
    assert digest == await sources.resolve(url, digest)
    assert b"version: 1.4.0+build.7" in files(await sources.tree(url, digest))["Chart.yaml"]


def artifact(server: Answers, content: bytes, *, kind: str = LAYER, layers: int = 1) -> str:
    """A registry of one artifact `team/shop` with the tag 1.0.0; gives the digest of its layer."""
    digest = "sha256:" + hashlib.sha256(content).hexdigest()
    manifest = {"schemaVersion": 2, "layers": [{"mediaType": kind, "digest": digest, "size": len(content)}] * layers}
    server.pages["/v2/team/shop/tags/list?n=1000"] = json.dumps({"tags": ["1.0.0"]}).encode()
    server.pages["/v2/team/shop/manifests/1.0.0"] = json.dumps(manifest).encode()
    server.pages[f"/v2/team/shop/blobs/{digest}"] = content
    return digest


def at(server: Answers) -> str:
    return ChartPlace(repository=f"localhost:{server.server_port}/team", chart="shop").key


async def test_a_token_is_asked_for_with_the_credentials_and_the_blob_comes_from_elsewhere_without_it(
    sources: ChartSources, server: Answers
) -> None:
    content = archive({"shop/Chart.yaml": b"name: shop\n"})
    digest = artifact(server, content)
    with answering() as tokens, answering() as storage:
        basic = "Basic " + base64.b64encode(b"ci:hunter2").decode()
        tokens.wanted, server.wanted = basic, "Bearer good"
        realm = tokens.url("/token", host="127.0.0.1")
        for path in server.pages:
            server.headers[path] = {
                "WWW-Authenticate": f'Bearer realm="{realm}",service="tests",scope="repository:team/shop:pull"'
            }
        tokens.pages["/token?service=tests&scope=repository%3Ateam%2Fshop%3Apull"] = b'{"token": "good"}'
        storage.pages["/x"] = content
        server.redirects[f"/v2/team/shop/blobs/{digest}"] = storage.url("/x", host="127.0.0.1")
        opens = Credentials(username="ci", password="hunter2", plain_http=True)
        await sources.fetch(at(server), opens)
        assert await sources.resolve(at(server), "*") == "1.0.0"
        assert files(await sources.tree(at(server), "1.0.0")) == {"Chart.yaml": b"name: shop\n"}
        assert storage.asked == [("/x", "")]
        assert {given for _, given in server.asked} == {"", "Bearer good"}
        assert {given for _, given in tokens.asked} == {basic}
        tokens.pages.clear()
        with pytest.raises(SourceUnavailable, match="token: the registry answers 404"):
            await sources.fetch(at(server), opens)


async def test_what_is_not_what_its_digest_says_or_no_chart_is_refused(sources: ChartSources, server: Answers) -> None:
    plain = Credentials(plain_http=True)
    digest = artifact(server, b"one")
    server.pages[f"/v2/team/shop/blobs/{digest}"] = b"another"
    await sources.fetch(at(server), plain)
    with pytest.raises(SourceError, match="not what its digest says"):
        await sources.tree(at(server), "1.0.0")
    artifact(server, b"one", kind="application/vnd.oci.image.layer.v1.tar+gzip")
    with pytest.raises(SourceError, match="has no chart among its layers"):
        await sources.tree(at(server), "1.0.0")
    server.pages["/v2/team/shop/manifests/1.0.0"] = b"[]"
    with pytest.raises(SourceUnavailable, match="no JSON object"):
        await sources.tree(at(server), "1.0.0")


async def test_tags_come_in_pages_of_the_same_host_alone(sources: ChartSources, server: Answers) -> None:
    plain = Credentials(plain_http=True)
    artifact(server, b"one")
    first, second = "/v2/team/shop/tags/list?n=1000", "/v2/team/shop/tags/list?last=1.0.0"
    server.headers[first] = {"Link": f'<{second}>; rel="next"'}
    server.pages[second] = b'{"tags": ["1.1.0_x"]}'
    await sources.fetch(at(server), plain)
    assert await sources.resolve(at(server), "*") == "1.1.0+x"
    server.headers[first] = {"Link": '<http://elsewhere.example/v2/>; rel="next"'}
    with pytest.raises(SourceUnavailable, match="goes on at another host"):
        await sources.fetch(at(server), plain)


async def test_an_index_may_lead_to_a_registry(sources: ChartSources, server: Answers) -> None:
    artifact(server, archive({"shop/Chart.yaml": b"name: shop\n"}))
    text = f"entries: {{shop: [{{name: shop, version: 1.0.0, urls: ['oci://localhost:{server.server_port}/team/shop:1.0.0']}}]}}"
    server.pages["/charts/index.yaml"] = text.encode()
    url = ChartPlace(repository=server.url("/charts"), chart="shop").key
    await sources.fetch(url, Credentials(plain_http=True))
    assert files(await sources.tree(url, await sources.resolve(url, "^1"))) == {"Chart.yaml": b"name: shop\n"}
