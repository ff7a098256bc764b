"""`kilde init` gives a repository that works; `kilde install --crds` what a cluster needs for it."""

import subprocess
from pathlib import Path

import pytest
import yaml
from build_real import where

from cli.command_line import Kilde, Said
from kilde.crds import definitions

FILES = [
    "README.md",
    "apps/base/deployment.yaml",
    "apps/base/kustomization.yaml",
    "apps/base/service.yaml",
    "apps/overlays/production/kustomization.yaml",
    "apps/overlays/production/resources.yaml",
    "apps/overlays/staging/kustomization.yaml",
    "argocd-apps/cluster-config.yaml",
    "argocd-apps/hello-production.yaml",
    "argocd-apps/hello-staging.yaml",
    "cluster-config/namespaces.yaml",
    "cluster-config/roles.yaml",
]


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True, text=True).stdout


def test_init_writes_and_commits_a_config_repository(kilde: Kilde, tmp_path: Path) -> None:
    folder = tmp_path / "config repo"

    said = kilde("init", folder)

    url = f"file://{str(folder).replace(' ', '%20')}"
    assert said == Said(
        0,
        f"wrote 12 files and committed them to branch main in {folder}\n"
        f"the Applications in {folder}/argocd-apps deploy from {url}\n",
        "",
    )
    assert git(folder, "ls-tree", "-r", "--name-only", "main").splitlines() == FILES
    assert git(folder, "status", "--porcelain") == ""
    apps = [yaml.safe_load(file.read_text()) for file in sorted((folder / "argocd-apps").iterdir())]
    assert [
        (app["metadata"]["name"], app["spec"]["source"]["repoURL"], app["spec"]["source"]["path"]) for app in apps
    ] == [
        ("cluster-config", url, "cluster-config"),
        ("hello-production", url, "apps/overlays/production"),
        ("hello-staging", url, "apps/overlays/staging"),
    ]


def test_init_takes_the_url_it_is_given_whatever_is_in_it(kilde: Kilde, tmp_path: Path) -> None:
    url = "git@git.example.org:team/a: 'b\" #c.git"

    assert kilde("init", tmp_path / "repo", "--repo-url", url).code == 0

    app = yaml.safe_load((tmp_path / "repo/argocd-apps/hello-staging.yaml").read_text())
    assert app["spec"]["source"]["repoURL"] == url


def test_init_leaves_a_folder_with_content_alone(kilde: Kilde, tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("mine")

    said = kilde("init", tmp_path)

    assert said == Said(
        3, "", f"error: {tmp_path}: the folder is not empty\nhint: name a folder that is new or empty\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["notes"]


def test_init_without_git_says_so(kilde: Kilde, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))

    assert kilde("init", tmp_path / "repo") == Said(
        3, "", "error: git: not found\nhint: install git; the files are written already\n"
    )


@pytest.mark.parametrize("overlay", ["staging", "production"])
def test_what_init_writes_builds_as_kustomize_builds_it(kilde: Kilde, tmp_path: Path, overlay: str) -> None:
    kilde("init", tmp_path / "repo")
    folder = tmp_path / "repo/apps/overlays" / overlay

    said = kilde("build", folder)

    kinds = [(one["kind"], one["metadata"]["namespace"]) for one in yaml.safe_load_all(said.out)]
    assert kinds == [(kind, f"hello-{overlay}") for kind in ("ConfigMap", "Service", "Deployment")]
    if where("kustomize").exists():
        real = subprocess.run([where("kustomize"), "build", folder], capture_output=True, text=True, check=True)
        assert said.out == real.stdout


def test_install_prints_the_definitions_as_yaml(kilde: Kilde) -> None:
    said = kilde("install", "--crds")

    assert (said.code, said.err) == (0, "")
    assert list(yaml.safe_load_all(said.out)) == definitions()
