"""Chart repositories over HTTP: what helm packs and indexes is what we fetch; credentials reach whom they are for; nothing is believed."""

import base64
import hashlib
import tarfile
from pathlib import Path

import pytest

from adapters.charts.servers import Answers, answering, archive, chart, helm, index
from kilde.adapters.charts.limits import ChartLimits
from kilde.adapters.charts.sources import ChartSources
from kilde.core.basics.errors import KildeError, RevisionNotFound, SourceError, SourceUnavailable
from kilde.core.source.chart_place import ChartPlace
from kilde.core.source.tree import EntryKind, Tree
from kilde.ports.sources import Credentials
from real.certificates import Authority

pytestmark = pytest.mark.anyio
NOBODY = Credentials()
SOMEBODY = Credentials(username="ci", password="hunter2")
BASIC = "Basic " + base64.b64encode(b"ci:hunter2").decode()


def place(server: Answers, name: str = "shop", *, passes: bool = False, base: str = "/charts") -> str:
    return ChartPlace(repository=server.url(base), chart=name, pass_credentials=passes).key


def files(tree: Tree, folder: str = "") -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for entry in tree.list(folder):
        path = f"{folder}/{entry.name}" if folder else entry.name
        found |= files(tree, path) if entry.kind is EntryKind.FOLDER else {path: tree.read(path)}
    return found


def by_hand(
    server: Answers, content: bytes, *, url: str = "shop-1.0.0.tgz", digest: str = "", base: str = "/charts"
) -> None:
    """An index of one version."""
    told = digest or hashlib.sha256(content).hexdigest()
    text = f"apiVersion: v1\nentries:\n  shop:\n  - name: shop\n    version: 1.0.0\n    digest: '{told}'\n    urls: ['{url}']\n"
    server.pages[f"{base}/index.yaml"] = text.encode()
    server.pages[f"{base}/shop-1.0.0.tgz"] = content


@pytest.mark.parametrize("program", ["helm", "helm4"])
async def test_a_range_resolves_to_the_version_and_the_files_that_helm_pulls(
    sources: ChartSources, server: Answers, tmp_path: Path, real_programs: None, program: str
) -> None:
    for version in ("1.2.0", "1.10.0", "1.11.0-rc.1", "2.0.0"):
        chart(tmp_path, "shop", version)
    chart(tmp_path, "shop-extra", "9.0.0")
    index(server, tmp_path)
    await sources.fetch(place(server), NOBODY)
    for word in ("1.2.0", "^1.0.0", ">=1.0.0-0 <2.0.0", "*", "1.x"):
        into = tmp_path / program / word.replace(" ", "")
        into.mkdir(parents=True)
        helm(
            "pull",
            "shop",
            "--repo",
            server.url("/charts"),
            "--version",
            word,
            "--destination",
            str(into),
            home=into,
            program=program,
        )
        [pulled] = into.glob("*.tgz")
        version = await sources.resolve(place(server), word)
        assert pulled.name == f"shop-{version}.tgz"
        with tarfile.open(pulled) as tar:
            theirs = {m.name.partition("/")[2]: tar.extractfile(m).read() for m in tar if m.isfile()}  # type: ignore[union-attr]
        assert files(await sources.tree(place(server), version)) == theirs


async def test_a_version_that_is_not_there_and_a_chart_that_is_not_there_are_told(
    sources: ChartSources, server: Answers
) -> None:
    by_hand(server, archive({"shop/Chart.yaml": b"name: shop\n"}))
    await sources.fetch(place(server), NOBODY)
    with pytest.raises(RevisionNotFound, match=r"no version fits '\^2' among 1"):
        await sources.resolve(place(server), "^2")
    assert (
        await sources.resolve(place(server), "3.0.0") == "3.0.0"
    )  # Argo CD asks the index for it only when it is fetched
    with pytest.raises(RevisionNotFound, match=r"there is no version '3\.0\.0'"):
        await sources.tree(place(server), "3.0.0")
    await sources.fetch(place(server, "other"), NOBODY)
    with pytest.raises(RevisionNotFound, match="chart 'other' is not in the index"):
        await sources.resolve(place(server, "other"), "*")
    with pytest.raises(SourceUnavailable, match="its index: the server answers 404"):
        await sources.fetch(place(server, base="/nowhere"), NOBODY)


async def test_an_index_that_has_not_changed_is_not_sent_again_and_an_archive_is_fetched_once(
    sources: ChartSources, server: Answers, tmp_path: Path
) -> None:
    by_hand(server, archive({"shop/Chart.yaml": b"name: shop\n"}))
    for _ in range(2):
        await sources.fetch(place(server), NOBODY)
        assert files(await sources.tree(place(server), "1.0.0")) == {"Chart.yaml": b"name: shop\n"}
    assert [path for path, _ in server.asked] == ["/charts/index.yaml", "/charts/shop-1.0.0.tgz", "/charts/index.yaml"]
    again = ChartSources(tmp_path / "archives")  # after a restart it is still there
    await again.fetch(place(server), NOBODY)
    await again.tree(place(server), "1.0.0")
    await again.close()
    assert [path for path, _ in server.asked].count("/charts/shop-1.0.0.tgz") == 1
    [kept] = (tmp_path / "archives").glob("*.tgz")
    kept.write_bytes(b"damaged")
    by_hand(server, archive({"shop/Chart.yaml": b"name: shop\n"}))
    third = ChartSources(tmp_path / "archives")
    await third.fetch(place(server), NOBODY)
    assert files(await third.tree(place(server), "1.0.0")) == {"Chart.yaml": b"name: shop\n"}
    await third.close()


async def test_an_archive_that_is_not_what_the_index_says_is_refused(sources: ChartSources, server: Answers) -> None:
    by_hand(server, archive({"shop/Chart.yaml": b"name: shop\n"}), digest="0" * 64)
    await sources.fetch(place(server), NOBODY)
    with pytest.raises(SourceError, match="not what the index says"):
        await sources.tree(place(server), "1.0.0")


async def test_credentials_go_to_the_repository_and_to_another_host_only_when_passed_on(
    sources: ChartSources, server: Answers
) -> None:
    content = archive({"shop/Chart.yaml": b"name: shop\n"})
    with answering() as elsewhere:
        elsewhere.pages["/a.tgz"] = content
        server.wanted = BASIC
        by_hand(server, content, url=elsewhere.url("/a.tgz", host="127.0.0.1"))
        with pytest.raises(SourceUnavailable, match="answers 401"):
            await sources.fetch(place(server), NOBODY)
        await sources.fetch(place(server), SOMEBODY)
        await sources.tree(place(server), "1.0.0")
        assert elsewhere.asked == [("/a.tgz", "")]
        by_hand(
            server,
            content + b"\0",
            url=elsewhere.url("/a.tgz", host="127.0.0.1"),
            digest=hashlib.sha256(content).hexdigest(),
        )
        passing = place(server, passes=True)
        again = ChartSources(Path(str(sources._folder) + "-2"))
        await again.fetch(passing, SOMEBODY)
        await again.tree(passing, "1.0.0")
        await again.close()
        assert elsewhere.asked[1:] == [("/a.tgz", BASIC)]


async def test_a_redirect_is_followed_without_the_credentials_to_another_host_and_not_for_ever(
    sources: ChartSources, server: Answers
) -> None:
    content = archive({"shop/Chart.yaml": b"name: shop\n"})
    with answering() as elsewhere:
        elsewhere.pages["/a.tgz"] = content
        by_hand(server, content)
        server.redirects["/charts/shop-1.0.0.tgz"] = elsewhere.url("/a.tgz", host="127.0.0.1")
        await sources.fetch(place(server), SOMEBODY)
        await sources.tree(place(server), "1.0.0")
        assert elsewhere.asked == [("/a.tgz", "")]
    server.redirects["/charts/index.yaml"] = server.url("/charts/index.yaml")
    with pytest.raises(SourceUnavailable, match="more than 5 redirects"):
        await sources.fetch(place(server), NOBODY)
    server.redirects["/charts/index.yaml"] = "file:///etc/passwd"
    with pytest.raises(SourceUnavailable, match="redirects to file instead of https"):
        await sources.fetch(place(server), NOBODY)


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "[fe80::1]", "[::ffff:169.254.169.254]", "0.0.0.0", "[fd00:ec2::254]"]
)
async def test_an_address_of_the_link_is_not_asked_wherever_it_comes_from(
    sources: ChartSources, server: Answers, host: str
) -> None:
    with pytest.raises(SourceUnavailable, match="link-local"):
        await sources.fetch(ChartPlace(repository=f"http://{host}/x", chart="shop").key, NOBODY)
    server.redirects["/charts/index.yaml"] = f"http://{host}/latest/meta-data"
    with pytest.raises(SourceUnavailable, match="link-local"):
        await sources.fetch(place(server), NOBODY)


async def test_certificates_are_checked_and_a_client_shows_its_own(
    sources: ChartSources, tmp_path: Path, authority: Authority
) -> None:
    ca = authority.pair.certificate
    pair, client = authority.serving("server", ["127.0.0.1"], ["localhost"]), authority.client("ci", [])
    with answering(pair, client_ca=ca) as server:
        by_hand(server, archive({"shop/Chart.yaml": b"name: shop\n"}))
        with pytest.raises(SourceUnavailable, match="certificate is not trusted"):
            await sources.fetch(place(server), NOBODY)
        trusting = Credentials(
            tls_ca=ca.read_text(), tls_client_cert=client.certificate.read_text(), tls_client_key=client.key.read_text()
        )
        with pytest.raises(SourceUnavailable):
            await sources.fetch(place(server), Credentials(tls_ca=ca.read_text()))
        await sources.fetch(place(server), trusting)
        assert files(await sources.tree(place(server), "1.0.0")) == {"Chart.yaml": b"name: shop\n"}


async def test_what_is_too_large_or_no_index_is_refused(server: Answers, tmp_path: Path) -> None:
    small = ChartSources(
        tmp_path, limits=ChartLimits(index_bytes=1000, package_bytes=1000, unpacked_bytes=5000, members=20)
    )
    for body in (b"x" * 2000, b"[" * 900, b"entries: [", b"hello: world\n"):
        server.pages["/charts/index.yaml"] = body
        with pytest.raises(SourceUnavailable):
            await small.fetch(place(server), NOBODY)
    for content in (
        b"y" * 2000,
        archive({"shop/zeros": b"\0" * 6000}),
        archive({f"shop/{n}": b"" for n in range(30)}),
        archive({"../evil": b"x"}),
        archive({"/etc/evil": b"x"}),
        archive({"shop/../../evil": b"x"}),
        archive({"Chart.yaml": b"name: shop\n"}),
        archive({}),
        b"no archive",
        archive({"shop/Chart.yaml": b"name: shop\n"})[:-20],
    ):
        by_hand(server, content)
        await small.fetch(place(server), NOBODY)
        with pytest.raises(KildeError):
            await small.tree(place(server), "1.0.0")
    await small.close()


async def test_a_symlink_is_a_symlink_and_is_not_followed_out(sources: ChartSources, server: Answers) -> None:
    by_hand(server, archive({"shop/a": b"x"}, links={"shop/in": "a", "shop/out": "../../etc/passwd"}))
    await sources.fetch(place(server), NOBODY)
    tree = await sources.tree(place(server), "1.0.0")
    assert [(e.name, e.kind.value) for e in tree.list("")] == [("a", "file"), ("in", "symlink"), ("out", "symlink")]


async def test_no_secret_is_in_any_word(sources: ChartSources, server: Answers) -> None:
    server.wanted = "nobody"
    url = ChartPlace(repository=server.url("/charts").replace("//", "//ci:hunter2@"), chart="shop").key
    with pytest.raises(SourceUnavailable) as caught:
        await sources.fetch(url, NOBODY)
    assert "hunter2" not in str(caught.value)
    assert server.asked[-1] == ("/charts/index.yaml", BASIC)
