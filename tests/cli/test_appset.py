"""`kilde appset`: what a set would make, without a cluster, from a real Git repository; and what is wrong in one sentence."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from kilde.cli.commands.appset.get import command as get
from kilde.cli.main import run

GIT = {
    **{f"GIT_{who}_{what}": "tester" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    "GIT_CONFIG_GLOBAL": "/dev/null",
}


def a_set(generators: object, **spec: object) -> str:
    template = {"metadata": {"name": "{{ .path.basename }}"}, "spec": {"project": "default"}}
    body = {
        "kind": "ApplicationSet",
        "metadata": {"name": "teams"},
        "spec": {"goTemplate": True, "template": template, "generators": generators, **spec},
    }
    return json.dumps({"apiVersion": "argoproj.io/v1alpha1", **body})


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "config"
    for team in ("red", "blue"):
        (folder / "teams" / team).mkdir(parents=True)
        (folder / "teams" / team / "k").write_text("")
    for line in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "x"]):
        subprocess.run(["git", "-C", str(folder), *line], check=True, env={**os.environ, **GIT})
    return folder


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))


def test_a_set_over_a_repository_needs_no_cluster(
    repository: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    git = {"repoURL": f"file://{repository}", "revision": "main", "directories": [{"path": "teams/*"}]}
    file = tmp_path / "set.json"
    file.write_text(a_set([{"git": git}]))
    assert run(["appset", "generate", str(file), "-o", "json"]) == 0
    made = json.loads(capfd.readouterr().out)
    assert [each["metadata"]["name"] for each in made] == ["blue", "red"]
    assert made[0] == {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "blue", "finalizers": ["resources-finalizer.argocd.argoproj.io"], "namespace": "argocd"},
        "spec": {"project": "default"},
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("kind: ConfigMap\n", "there is no ApplicationSet in it"),
        (a_set([{"git": {"repoURL": "file:///nowhere", "revision": "main", "directories": [{"path": "*"}]}}]), "ApplicationSet teams: error generating params from git"),  # noqa: E501
        (a_set([{"oci": {}}]), "contains unrecognized generators: oci"),
        (a_set([{"list": {"elements": [{}, {"a": "b"}]}}], goTemplateOptions=["missingkey=error"]), 'map has no entry for key "path"'),
        (a_set([{"clusters": {}}]), "kubeconfig"),
        ("a: [", "set.json"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told(text: str, words: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "set.json"
    file.write_text(text)
    assert run(["appset", "generate", str(file)]) == 3
    said = capfd.readouterr()
    assert words in said.err
    assert said.out == ""
    assert "Traceback" not in said.err


def test_help_has_an_example() -> None:
    assert "Example: kilde appset get teams" in CliRunner().invoke(get, ["--help"]).output
