"""A repository as teams have them (apps with bases and overlays for each environment and region, components, operators, CRDs,
clusters): every kustomization in it prints what kustomize prints, or is refused by both."""

import subprocess
from pathlib import Path

import pytest
from build_real import where

from kilde.adapters.folder import FolderTree
from kilde.core.basics.errors import KildeError
from kilde.core.render import BuildOptions, RenderCache, kustomize_build

REPOSITORY = Path(__file__).with_name("repository")
FOLDERS = sorted(str(path.parent.relative_to(REPOSITORY)) for path in REPOSITORY.rglob("kustomization.yaml"))


@pytest.fixture(scope="module")
def cache() -> RenderCache:
    """One for all: what is built first must not change what is built later."""
    return RenderCache()


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_kustomization_prints_what_kustomize_prints(folder: str, cache: RenderCache) -> None:
    if not where("kustomize").exists():
        pytest.skip("kustomize is not built (make real)")
    real = subprocess.run(
        [where("kustomize"), "build", REPOSITORY / folder], capture_output=True, text=True, check=False
    )
    try:
        found: str | None = kustomize_build(FolderTree(REPOSITORY), folder, BuildOptions(), cache=cache).text()
    except KildeError:
        found = None
    assert found == (real.stdout if real.returncode == 0 else None)


def test_only_components_are_refused_alone() -> None:
    for folder in FOLDERS:
        try:
            assert kustomize_build(FolderTree(REPOSITORY), folder, BuildOptions()).text()
        except KildeError:
            assert folder.startswith("components/"), folder
