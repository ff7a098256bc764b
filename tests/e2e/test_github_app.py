"""A private repository that a GitHub App opens, on both clusters; its key and its tokens are in the Secret and nowhere else."""

from pathlib import Path

import pytest

from adapters.git import https
from adapters.git.github import APP, INSTALLATION, TOKEN, github, pem
from e2e.stage import Stage
from e2e.test_canary import make
from real.certificates import Authority

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(120),
    pytest.mark.skipif(not https.AVAILABLE, reason="no git-http-backend on this machine"),
]
MENU = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: menu}}\ndata: {{soup: {}}}\n"


def test_a_github_app_opens_a_private_repository(stage: Stage, tmp_path: Path) -> None:
    stage.create_repository({"shop/menu.yaml": MENU.format("lentil")})
    (tmp_path / "ca").mkdir()
    authority = Authority(tmp_path / "ca")
    pair = authority.serving("server", ["127.0.0.1"], ["localhost"])
    space = f"{stage.space}-shop"[-60:].lstrip("-")
    with https.serve(stage.folder, pair=pair) as git, github(pair, git, lasts=301.0) as hub:
        git.wanted = "Bearer nobody has it"
        stage.options = ("--poll", "1s")
        stage.start()
        keys = {
            "githubAppID": APP,
            "githubAppInstallationID": INSTALLATION,
            "githubAppPrivateKey": pem(),
            "githubAppEnterpriseBaseUrl": hub.api,
        }
        data = {"stringData": {"type": "git", "url": f"https://localhost:{git.server_port}", **keys}}
        make(stage, "Secret", "forge", data, {"argocd.argoproj.io/secret-type": "repo-creds"})
        ca = authority.pair.certificate.read_text()
        make(stage, "ConfigMap", "argocd-tls-certs-cm", {"data": {"localhost": ca}})
        source = {"repoURL": git.url("config.git"), "path": "shop", "targetRevision": "main"}
        stage.application("shop", "shop", space, source=source)
        stage.until(lambda: stage.is_well("shop"), "the private repository's objects are there")
        stage.until(lambda: hub.given > 1, "a token that ends soon is not used any more")
        sha = stage.commit({"shop/menu.yaml": MENU.format("pea")})
        stage.until(lambda: stage.is_well("shop", sha), "a commit comes by the next token")
        said = stage.kilde("doctor", "--namespace", stage.space, "--kubeconfig", str(stage.kubeconfig), codes=(0, 1, 2))
        assert "localhost" in said
        assert "no token" not in said
        kept = stage.kubectl("get", "applications,events,configmaps", "-A", "-o", "yaml", "--show-managed-fields")
        stage.stop()
    for text in (stage.log(), said, kept):
        assert TOKEN not in text
        assert pem().splitlines()[1] not in text
    files = [path for path in stage.data.rglob("*") if path.is_file()]
    assert [path for path in files if TOKEN.encode() in path.read_bytes()] == []
