"""Remote bases and files: what kustomize clones and fetches, we do, by object id and without a checkout."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.git import https, sshd
from adapters.git.upstream import Special, Upstream
from cli.both import Both, both, write
from cli.test_build_charts import CHART, ONE
from cli.test_build_charts import helm as helm

C = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\n"
BASE: dict[str, str | bytes | Special] = {
    "base/kustomization.yaml": "resources: [c.yaml, ../shared]\nconfigMapGenerator: [{name: g, files: [t.txt]}]\n",
    "base/c.yaml": C % "c",
    "base/t.txt": "text",
    "shared/kustomization.yaml": "resources: [s.yaml]\nnamePrefix: s-\n",
    "shared/s.yaml": C % "s",
    "part/kustomization.yaml": "kind: Component\nnameSuffix: -part\n",
    "out/kustomization.yaml": "resources: [../../x]\n",
    "link": Special("120000", "base"),
    "away/kustomization.yaml": "resources: [c.yaml]\n",
    "away/c.yaml": Special("120000", "../base/c.yaml"),
    "gone": Special("120000", "../../etc"),
    "itself/kustomization.yaml": "resources: ['ITSELF//itself']\n",
    "root/kustomization.yaml": "resources: [/etc/hostname]\n",
}
LOCAL = {"app/c.yaml": C % "local"}


@pytest.fixture
def remote(tmp_path: Path) -> Upstream:
    upstream = Upstream(tmp_path / "up")
    files = {
        path: text.replace("ITSELF", upstream.url) if isinstance(text, str) else text for path, text in BASE.items()
    }
    upstream.commit(files)
    upstream.git("tag", "v1")
    upstream.commit({"base/c.yaml": C % "newer"}, keep=True)
    upstream.commit({"base/c.yaml": C % "branch"}, branch="feature/x")
    return upstream


def here_with(folder: Path, kustomization: str, **variables: str) -> Both:
    return both(folder, {**LOCAL, "app/kustomization.yaml": kustomization}, **variables)


# what follows the repository's address in the field, whether it builds
REFERENCES = {
    "a folder": ("resources: ['URL//base']", True),
    "a tag": ("resources: ['URL//base?ref=v1']", True),
    "an older spelling": ("resources: ['URL//base?version=v1']", True),
    "a branch that has a slash": ("resources: ['URL//base?ref=feature/x', c.yaml]", False),
    "a commit": ("resources: ['URL//base?ref=COMMIT']", True),
    "behind .git": ("resources: ['URL/base']", True),
    "forced": ("resources: ['git::URL//base']", True),
    "a deprecated field": ("bases: ['URL//base']", True),
    "twice under two prefixes": ("resources: [a, b]", True),
    "a component": ("resources: [c.yaml]\ncomponents: ['URL//part']", True),
    "a component among the resources": ("resources: ['URL//part']", False),
    "a base among the components": ("components: ['URL//base']", False),
    "a link to a folder": ("resources: ['URL//link']", True),
    "a link out of the repository": ("resources: ['URL//gone']", False),
    "a file that is linked from another folder": ("resources: ['URL//away']", False),
    "a file and not a folder": ("resources: ['URL//base/c.yaml']", False),
    "a folder that is not there": ("resources: ['URL//none']", False),
    "a root without a kustomization": ("resources: ['URL']", False),
    "a branch that is not there": ("resources: ['URL//base?ref=none']", False),
    "a repository that is not there": ("resources: ['URLx//base']", False),
    "a base that leaves the repository": ("resources: ['URL//out']", False),
    "a base that names itself": ("resources: ['URL//itself']", False),
    "an absolute path in a clone": ("resources: ['URL//root']", False),
    "with origins": ("resources: ['URL//base?ref=v1']\nnamePrefix: o-\nbuildMetadata: [originAnnotations, transformerAnnotations]", True),
    "a link with origins": ("resources: ['URL//link']\nbuildMetadata: [originAnnotations]", True),
}  # fmt: skip


@pytest.mark.parametrize("name", REFERENCES)
def test_a_remote_base_is_built_as_kustomize_builds_it(tmp_path: Path, remote: Upstream, name: str) -> None:
    kustomization, builds = REFERENCES[name]
    commit = remote.git("rev-parse", "v1")
    here = here_with(tmp_path, kustomization.replace("URL", remote.url).replace("COMMIT", commit))
    for overlay in "ab":
        write(
            tmp_path,
            {f"app/{overlay}/kustomization.yaml": f"resources: ['{remote.url}//base']\nnamePrefix: {overlay}-\n"},
        )
    said = here.same("app", "--load-restrictor", "LoadRestrictionsNone")
    assert (said.code == 0) is builds


def test_a_ref_is_no_option_for_git(tmp_path: Path, remote: Upstream) -> None:
    # kustomize runs the program
    reference = f"{remote.url}//base?ref=--upload-pack=touch {tmp_path}/owned"
    here = here_with(tmp_path, f"resources: ['{reference}']\n")
    assert here.ours("app").code == 1
    assert not (tmp_path / "owned").exists()


def test_nothing_is_left_behind(tmp_path: Path, remote: Upstream) -> None:
    (tmp_path / "temporary").mkdir()
    here = here_with(tmp_path, f"resources: ['{remote.url}//base']\n", TMPDIR=str(tmp_path / "temporary"))
    assert here.ours("app").code == 0
    assert list((tmp_path / "temporary").iterdir()) == []


def test_the_address_itself_can_be_built(tmp_path: Path, remote: Upstream) -> None:
    here = here_with(tmp_path, "namePrefix: x\n")
    assert here.same(f"{remote.url}//base?ref=v1").code == 0
    assert here.same(f"{remote.url}//none").code == 1


def test_what_was_fetched_is_among_the_inputs(tmp_path: Path, remote: Upstream) -> None:
    here = here_with(tmp_path, f"resources: ['{remote.url}//base?ref=v1']\n")
    commit = remote.git("rev-parse", "v1^{commit}")
    assert f"{commit} {remote.url}//base?ref=v1" in here.ours("app", "--explain").err.splitlines()


def test_an_error_names_the_address_and_the_file_in_it(tmp_path: Path, remote: Upstream) -> None:
    remote.commit({"base/c.yaml": "a: b\n  c: d\n"}, keep=True)
    here = here_with(tmp_path, f"resources: ['{remote.url}//base']\n")
    said = here.same("app").err
    assert said == f"Error: {remote.url}//base: base/c.yaml:2:4: mapping values are not allowed in this context\n"


@pytest.mark.parametrize(
    ("query", "allowed", "code"),
    [("", "file", 0), ("?submodules=false", "file", 1), ("", "", 1), ("?submodules=true&timeout=20", "file", 0)],
)
def test_submodules_are_in_their_places(tmp_path: Path, query: str, allowed: str, code: int) -> None:
    deep = Upstream(tmp_path / "up", "deep.git")
    inner = Upstream(tmp_path / "up", "inner.git")
    outer = Upstream(tmp_path / "up", "outer.git")
    deepest = deep.commit({"d.yaml": C % "deep", "kustomization.yaml": "resources: [d.yaml]"})
    deep.commit({"d.yaml": C % "later"})
    modules = f'[submodule "d"]\npath = lib/deep\nurl = {deep.url}\n'
    inside = inner.commit(
        {
            ".gitmodules": modules,
            "lib/deep": Special("160000", deepest),
            "base/kustomization.yaml": "resources: [../lib/deep]",
        }
    )
    outer.commit(
        {
            ".gitmodules": '[submodule "vendor/inner"]\n\tpath = vendor/inner\n\turl = ../inner.git\n',
            "vendor/inner": Special("160000", inside),
            "app/kustomization.yaml": "resources: [../vendor/inner/base]\nnamePrefix: o-\n",
        }
    )
    variables = {"GIT_ALLOW_PROTOCOL": allowed} if allowed else {}
    here = both(tmp_path, {"app/kustomization.yaml": f"resources: ['{outer.url}//app{query}']\n"}, **variables)
    assert here.same("app").code == code


def test_a_protocol_that_the_user_forbids_is_not_used(tmp_path: Path, remote: Upstream) -> None:
    here = here_with(tmp_path, f"resources: ['{remote.url}//base']\n", GIT_ALLOW_PROTOCOL="https")
    assert "the protocol 'file' is not allowed" in here.same("app").err


def test_charts_and_functions_of_a_remote_base_find_their_files(tmp_path: Path, remote: Upstream, helm: str) -> None:
    config = "apiVersion: e/v1\nkind: F\nmetadata:\n  name: f\n  annotations:\n    config.kubernetes.io/function: 'exec: {path: ./f.sh}'\n"
    files: dict[str, str | bytes | Special] = {f"base/charts/shop/{path}": text for path, text in CHART.items()}
    files |= {
        "base/kustomization.yaml": f"{ONE}  valuesFile: v.yaml\ntransformers: [f.yaml]\n",
        "base/v.yaml": "replicas: 5\n",
        "base/f.yaml": config,
        "base/f.sh": Special("100755", "#!/bin/sh\nsed s/replicas/copies/\n"),
    }
    remote.commit(files, branch="charts")
    here = here_with(tmp_path, f"resources: ['{remote.url}//base?ref=charts']\n")
    said = here.same("app", "--enable-alpha-plugins", "--enable-exec", "--helm-command", helm)
    assert "copies: 5" in said.out


@pytest.fixture
def web(tmp_path: Path, remote: Upstream) -> Iterator[https.GitServer]:
    if not https.AVAILABLE:
        pytest.skip("there is no git http-backend")
    with https.serve(remote.path.parent) as server:
        yield server


def test_an_http_address_that_is_no_file_is_a_repository(tmp_path: Path, web: https.GitServer) -> None:
    here = here_with(tmp_path, f"resources: ['{web.url()}//base?ref=v1']\n")
    assert here.same("app").code == 0


def test_a_password_in_the_address_opens_the_repository_and_is_not_told(tmp_path: Path, web: https.GitServer) -> None:
    import base64

    web.wanted = "Basic " + base64.b64encode(b"ada:canary").decode()
    address = web.url().replace("://", "://ada:canary@")
    here = here_with(tmp_path, f"resources: ['{address}//base']\n")
    assert here.ours("app").code == 0
    here = here_with(tmp_path, f"resources: ['{address}//none']\n")
    said = here.ours("app", "--explain")
    assert said.code == 1
    assert "canary" not in said.err + said.out


class TestFiles:
    """Single files over http."""

    @pytest.fixture
    def site(self, tmp_path: Path) -> Iterator[str]:
        from functools import partial
        from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
        from threading import Thread

        write(
            tmp_path,
            {
                "site/c.yaml": C % "web",
                "site/page.html": "<html>: <a>\n - b</html>",
                "site/p.yaml": C % "web" + "data: {a: b}",
            },
        )
        write(tmp_path, {"site/org/repo/c.yaml": C % "web", "site/t.txt": "text", "site/s.json": '{"definitions": {}}'})
        server = ThreadingHTTPServer(
            ("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(tmp_path / "site"))
        )
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    @pytest.mark.parametrize(
        ("kustomization", "builds"),
        [
            ("resources: ['SITE/c.yaml']", True),
            ("resources: ['SITE/org/repo/c.yaml']\nbuildMetadata: [originAnnotations]", True),
            ("resources: ['SITE/c.yaml']\nbuildMetadata: [originAnnotations]", True),
            ("resources: ['SITE/gone.yaml']", False),
            ("resources: ['SITE/org/gone/c.yaml']", False),
            ("resources: ['SITE/page.html']", False),
            ("resources: ['SITE/c.yaml', 'SITE/c.yaml']", False),
            ("resources: ['SITE/c.yaml']\npatches: [{path: 'SITE/p.yaml'}]", True),
            ("resources: ['SITE/c.yaml']\npatchesStrategicMerge: ['SITE/p.yaml']", True),
            ("configMapGenerator: [{name: g, files: ['SITE/t.txt']}]", True),
            ("configMapGenerator: [{name: g, files: ['k=SITE/t.txt'], envs: ['SITE/t.txt']}]", True),
            ("resources: ['SITE/c.yaml']\nopenapi: {path: 'SITE/s.json'}", True),
            ("resources: ['http://127.0.0.1:1/c.yaml']", False),
            ("components: ['SITE/c.yaml']", False),
        ],
    )  # fmt: skip
    def test_a_file_is_fetched_wherever_kustomize_fetches_it(
        self, tmp_path: Path, site: str, kustomization: str, builds: bool
    ) -> None:
        here = here_with(tmp_path, kustomization.replace("SITE", site), http_proxy="", no_proxy="127.0.0.1")
        assert (here.same("app").code == 0) is builds


def test_ssh_is_the_users_own(tmp_path: Path, remote: Upstream) -> None:
    if sshd.PROGRAM is None:
        pytest.skip("there is no sshd")
    with sshd.server(tmp_path / "sshd") as server:
        known, key = tmp_path / "known", tmp_path / "key"
        known.write_text(server.known_hosts)
        key.write_text(server.private_key)
        key.chmod(0o600)
        command = f"ssh -F /dev/null -i {key} -o UserKnownHostsFile={known} -o IdentitiesOnly=yes"
        here = here_with(tmp_path, f"resources: ['{server.url(remote.path)}//base']\n", GIT_SSH_COMMAND=command)
        assert here.same("app").code == 0
