"""The same trees through kustomize itself and through the recorded cases: equal bytes, equal refusals."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from build_real import where

from core.render.generated_trees import generated
from core.render.sandbox import Files, tree
from core.render.test_kustomize_features import FEATURES
from core.render.test_kustomize_refusals import REFUSALS
from kilde.adapters.folder import FolderTree
from kilde.core.basics.errors import KildeError
from kilde.core.render import BuildOptions, kustomize_build
from kilde.core.source.tree import MemoryTree

TREES = 60  # generated ones; each takes kustomize a tenth of a second
_VERSION = re.compile(r"managed-by: kustomize-\S+")


@pytest.fixture(scope="session")
def kustomize() -> str:
    if not where("kustomize").exists():
        pytest.skip("kustomize is not built (make real)")
    return str(where("kustomize"))


def real(program: str, folder: Path, source: MemoryTree, files: Files, top: str, *flags: str) -> str | None:
    """What kustomize prints; None if it refuses."""
    for path in files:
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read(path))
    done = subprocess.run([program, "build", str(folder / top), *flags], capture_output=True)
    return done.stdout.decode() if done.returncode == 0 else None


def ours(source: MemoryTree, top: str, reorder: str) -> str | None:
    try:
        return kustomize_build(source, top, BuildOptions(reorder=reorder)).text()
    except KildeError:
        return None


@pytest.mark.parametrize("name", FEATURES)
def test_every_feature_prints_what_kustomize_prints(kustomize: str, tmp_path: Path, name: str) -> None:
    files, _ = FEATURES[name]
    source = tree(files)
    assert ours(source, "", "none") == real(kustomize, tmp_path, source, files, ".", "--reorder", "none")


@pytest.mark.parametrize("name", REFUSALS)
def test_kustomize_refuses_it_too(kustomize: str, tmp_path: Path, name: str) -> None:
    files, path, _ = REFUSALS[name]
    assert real(kustomize, tmp_path, tree(files), files, path) is None


@pytest.mark.parametrize("seed", range(TREES))
def test_a_generated_tree_prints_what_kustomize_prints(kustomize: str, tmp_path: Path, seed: int) -> None:
    files = generated(seed)
    source = MemoryTree({path: text.encode() for path, text in files.items()})
    expected = real(kustomize, tmp_path, source, files, "top")
    assert _unversioned(ours(source, "top", "")) == _unversioned(expected)


def _unversioned(text: str | None) -> str | None:
    """The output without the version that managedByLabel names: it depends on how kustomize was built."""
    return text if text is None else _VERSION.sub("managed-by: kustomize-(test)", text)


def _cases(shared: Path) -> list[Path]:
    return sorted(path.parent for path in (shared / "conformance/kustomize/cases").glob("*/meta.json"))


def test_every_recorded_case_gives_its_recorded_output(shared: Path) -> None:
    failed = []
    for case in _cases(shared):
        meta = json.loads((case / "meta.json").read_text())
        flags = meta["flags"]
        options = BuildOptions(
            reorder=flags[flags.index("--reorder") + 1] if "--reorder" in flags else "",
            restricted="LoadRestrictionsNone" not in flags,
        )
        folder = (case / "input" / meta["target"]).resolve()
        try:
            found = kustomize_build(FolderTree("/"), str(folder).strip("/"), options).text()
        except KildeError:
            found = None
        expected = (case / "expected.yaml").read_text() if meta["expect"] == "yaml" else None
        if _unversioned(found) != expected:
            failed.append(case.name)
    assert failed == []
