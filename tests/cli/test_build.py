"""`kilde build` in the place of `kustomize build`: the same output, the same exit codes."""

import json
import subprocess
from pathlib import Path

import pytest
from build_real import where

from cli.command_line import Kilde
from kilde.core.source.object_id import blob_id

OVERLAY = "resources: [../base]\nnamePrefix: o-\ncommonLabels: {env: test}\n"
CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {b: two, a: one}\n"
BUILT = """apiVersion: v1
data:
  a: one
  b: two
kind: ConfigMap
metadata:
  labels:
    env: test
  name: o-c
"""


@pytest.fixture
def overlay(tmp_path: Path) -> Path:
    (tmp_path / "base").mkdir()
    (tmp_path / "over").mkdir()
    (tmp_path / "base/kustomization.yaml").write_text("resources: [c.yaml]\n")
    (tmp_path / "base/c.yaml").write_text(CONFIG_MAP)
    (tmp_path / "over/kustomization.yaml").write_text(OVERLAY)
    return tmp_path / "over"


def test_the_objects_are_on_standard_output_and_warnings_are_not(kilde: Kilde, overlay: Path) -> None:
    said = kilde("build", overlay)
    assert (said.code, said.out) == (0, BUILT)
    assert said.err.startswith("# Warning: 'commonLabels' is deprecated. Please use 'labels' instead.")


def test_the_inputs_are_explained_in_words_and_as_data(
    kilde: Kilde, overlay: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(overlay.parent)
    (overlay / "kustomization.yaml").write_text("resources: [../base]\nnamePrefix: o-\n")
    ids = {
        path: blob_id((overlay.parent / path).read_bytes())
        for path in ("base/c.yaml", "base/kustomization.yaml", "over/kustomization.yaml")
    }
    expected = [
        {"path": "base/Kustomization", "state": "absent", "id": ""},
        {"path": "base/c.yaml", "state": "file", "id": ids["base/c.yaml"]},
        {"path": "base/kustomization.yaml", "state": "file", "id": ids["base/kustomization.yaml"]},
        {"path": "base/kustomization.yml", "state": "absent", "id": ""},
        {"path": "over/Kustomization", "state": "absent", "id": ""},
        {"path": "over/kustomization.yaml", "state": "file", "id": ids["over/kustomization.yaml"]},
        {"path": "over/kustomization.yml", "state": "absent", "id": ""},
    ]
    said = kilde("build", "over", "--explain", "-o", "json")
    assert (said.code, json.loads(said.out), said.err) == (0, expected, "")
    told = kilde("build", "over", "--explain")
    assert told.out == kilde("build", "over").out
    assert told.err.splitlines() == [f"{(one['id'] or one['state']):40} {one['path']}" for one in expected]


def test_the_inputs_of_a_build_that_fails_are_explained_too(
    kilde: Kilde, overlay: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(overlay.parent)
    (overlay.parent / "base/c.yaml").unlink()
    said = kilde("build", "over", "--explain")
    assert (said.code, said.out) == (1, "")
    assert f"{'absent':40} base/c.yaml" in said.err.splitlines()


def test_without_a_folder_the_present_one_is_built(
    kilde: Kilde, overlay: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(overlay)
    assert kilde("build").out == BUILT


def test_output_goes_to_a_file_or_to_a_folder_of_files(kilde: Kilde, overlay: Path, tmp_path: Path) -> None:
    assert kilde("build", overlay, "-o", tmp_path / "all.yaml").out == ""
    (tmp_path / "many").mkdir()
    kilde("build", overlay, "--output", tmp_path / "many")
    assert (tmp_path / "all.yaml").read_text() == BUILT
    assert {file.name: file.read_text() for file in (tmp_path / "many").iterdir()} == {"v1_configmap_o-c.yaml": BUILT}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "Error: 'nowhere' doesn't exist"),
        (["--no-such-flag"], "No such option"),
        (["--reorder", "x"], "Error: illegal flag value --reorder x"),
        (["--load-restrictor", "x"], "Error: illegal flag value --load-restrictor x"),
        (["a", "b"], "Error: specify one path to kustomization.yaml"),
        (["--enable-helm=maybe"], "Invalid value for '--enable-helm': 'maybe' is neither true nor false"),
    ],
)
def test_used_wrongly_it_ends_with_1_as_kustomize_does(kilde: Kilde, arguments: list[str], message: str) -> None:
    said = kilde("build", *arguments)
    assert (said.code, said.out) == (1, "")
    assert message in said.err


def test_an_error_names_the_file_as_seen_from_here(
    kilde: Kilde, overlay: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (overlay.parent / "base/c.yaml").write_text(CONFIG_MAP + "data: {}\n")
    monkeypatch.chdir(overlay)
    said = kilde("build")
    assert (said.code, said.out) == (1, "")
    assert said.err.splitlines()[1:] == ["Error: ../base/c.yaml:5:1: mapping key 'data' already defined"]


def test_files_outside_of_the_folder_need_a_flag(kilde: Kilde, overlay: Path, tmp_path: Path) -> None:
    (overlay / "kustomization.yaml").write_text("resources: [../base/c.yaml]\n")
    assert kilde("build", overlay).code == 1
    assert "name: c" in kilde("build", overlay, "--load-restrictor", "LoadRestrictionsNone").out
    (tmp_path / "secret.yaml").write_text(CONFIG_MAP)
    (overlay / "link.yaml").symlink_to(tmp_path / "secret.yaml")
    (overlay / "kustomization.yaml").write_text("resources: [link.yaml]\n")
    assert "must lie in or below the folder" in kilde("build", overlay).err
    assert "name: c" in kilde("build", overlay, "--load-restrictor", "LoadRestrictionsNone").out


def test_explain_lists_what_was_read_and_what_was_missed(
    kilde: Kilde, overlay: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(overlay)
    lines = {
        line.split()[1]: line.split()[0]
        for line in kilde("build", "--explain").err.splitlines()
        if not line.startswith("#")
    }
    assert set(lines) >= {"kustomization.yaml", "../base/kustomization.yaml", "../base/c.yaml", "Kustomization"}
    assert lines["Kustomization"] == "absent"
    assert len(lines["../base/c.yaml"]) == 40


@pytest.mark.parametrize("flags", [[], ["--reorder", "none"], ["-o", "all.yaml"], ["--enable-managedby-label"]])
def test_it_does_what_kustomize_does(
    kilde: Kilde, overlay: Path, flags: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if not where("kustomize").exists():
        pytest.skip("kustomize is not built (make real)")
    monkeypatch.chdir(overlay)
    real = subprocess.run([where("kustomize"), "build", ".", *flags], capture_output=True, text=True, check=True)
    written = (overlay / "all.yaml").read_text() if "-o" in flags else ""
    said = kilde("build", ".", *flags)
    assert (said.code, said.out.replace("v5.8.1", "VERSION"), said.err) == (
        0,
        real.stdout.replace("v5.8.1", "VERSION"),
        real.stderr,
    )
    assert written == ((overlay / "all.yaml").read_text() if "-o" in flags else "")
