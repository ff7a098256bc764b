"""`kilde check` on real repositories: what it prints, and its exit codes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from cli.command_line import Kilde
from kilde.core.check.rules import RULES

CONFLICT = "a: 1\n<<<<<<< ours\nb: 2\n=======\nb: 3\n>>>>>>> theirs\n"


CRD = (
    "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: {0}.check.example.com\nspec:\n"
    "  group: check.example.com\n  names: {{kind: Car, plural: {0}}}\n  scope: Namespaced\n  versions:\n    - name: v1\n"
    "      served: true\n      storage: true\n      schema:\n        openAPIV3Schema:\n          type: object\n"
    "          properties:\n            spec:\n"
    "              type: object\n              properties:\n                doors: {{type: integer, maximum: 5}}\n"
)
CAR = "apiVersion: check.example.com/v1\nkind: Car\nmetadata:\n  name: {}\nspec:\n  doors: {}\n"


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=a", "-c", "user.email=a@b.example"]
    done = subprocess.run(["git", *who, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "config"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    return folder


def commit(folder: Path, files: dict[str, str]) -> str:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "change")
    return git(folder, "rev-parse", "HEAD")


def test_a_good_repository_has_nothing(kilde: Kilde, repository: Path) -> None:
    commit(repository, {"README.md": "# Config\n=======\n"})
    said = kilde("check", repository)

    assert (said.code, said.out, said.err) == (0, "nothing found\n", "")


def test_what_is_found_has_file_and_line(kilde: Kilde, repository: Path) -> None:
    commit(repository, {"apps/a.yaml": CONFLICT})
    said = kilde("check", repository)

    assert (said.code, said.out) == (
        1,
        "apps/a.yaml\n"
        "  error       2:1  a merge conflict was committed  [conflict-markers]\n"
        "                   → choose a side, then delete the three marker lines\n"
        "\n"
        "1 error\n",
    )


def test_only_what_changed_since_the_base_is_judged(kilde: Kilde, repository: Path) -> None:
    base = commit(repository, {"old.yaml": CONFLICT})
    good = commit(repository, {"good.yaml": "a: 1\n"})
    bad = commit(repository, {"bad.yaml": CONFLICT})
    assert kilde("check", repository, "--base", base, "--head", good).code == 0
    said = kilde("check", repository, "--base", base, "--head", bad, "-o", "json")

    assert said.code == 1
    assert [one["path"] for one in json.loads(said.out)["findings"]] == ["bad.yaml"]


def test_what_others_brought_to_the_base_since_the_fork_is_theirs(kilde: Kilde, repository: Path) -> None:
    commit(repository, {"a.yaml": "a: 1\n"})
    git(repository, "checkout", "--quiet", "-b", "feature")
    commit(repository, {"mine.yaml": "a: 1\n"})
    git(repository, "checkout", "--quiet", "main")
    commit(repository, {"theirs.yaml": CONFLICT})
    git(repository, "checkout", "--quiet", "feature")

    assert kilde("check", repository, "--base", "main").code == 0


def test_staged_is_what_the_commit_would_have_and_the_working_copy_what_lies_there(
    kilde: Kilde, repository: Path
) -> None:
    commit(repository, {"a.yaml": "a: 1\n"})
    (repository / "a.yaml").write_text(CONFLICT)

    assert kilde("check", repository, "--staged").code == 0
    assert kilde("check", repository).code == 1
    git(repository, "add", "a.yaml")
    assert kilde("check", repository, "--staged").code == 1


def test_a_folder_without_git_is_judged_as_it_is(kilde: Kilde, tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "a.yaml").write_text(CONFLICT)

    assert kilde("check", tmp_path / "plain").code == 1


def test_the_repository_switches_a_rule_with_a_reason_and_a_file_of_ones_own_switches_it_back(
    kilde: Kilde, repository: Path, tmp_path: Path
) -> None:
    entry = "{rule: conflict-markers, severity: %s, reason: the files of this folder are samples}"
    commit(repository, {"a.yaml": CONFLICT, ".kilde.yaml": f"check: {{rules: [{entry % 'off'}]}}\n"})
    mine = tmp_path / "mine.yaml"
    mine.write_text(f"check: {{rules: [{entry % 'warning'}]}}\n")

    assert kilde("check", repository).out == "nothing found\n"
    assert kilde("check", repository, "--config", mine).out.endswith("1 warning\n")
    assert kilde("check", repository, "--config", mine).code == 0
    assert kilde("check", repository, "--config", mine, "--fail-on", "warning").code == 1


def test_a_config_that_is_wrong_is_one_clear_error(kilde: Kilde, repository: Path) -> None:
    commit(repository, {".kilde.yaml": "check: {rules: [{rule: conflict-markers, severity: off}]}\n"})
    said = kilde("check", repository)

    assert (said.code, said.out) == (3, "")
    assert said.err == (
        "error: .kilde.yaml:1:17: check.rules[0].reason: rule 'conflict-markers' is switched without a reason\n"
        "hint: add reason: a sentence that says why\n"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--base", "nowhere"], "nowhere: no such revision in this repository"),
        (["--head", "main", "--staged"], "--head and --staged are two different things"),
        (["--config", "nowhere.yaml"], "nowhere.yaml: cannot be read: No such file or directory"),
    ],
)
def test_what_cannot_be_judged_ends_with_3(kilde: Kilde, repository: Path, arguments: list[str], said: str) -> None:
    commit(repository, {"a.yaml": "a: 1\n"})
    found = kilde("check", repository, *arguments)

    assert (found.code, found.out) == (3, "")
    assert said in found.err


def test_a_report_goes_into_a_file(kilde: Kilde, repository: Path, tmp_path: Path) -> None:
    commit(repository, {"a.yaml": CONFLICT})
    said = kilde("check", repository, "-o", "sarif", "--out", tmp_path / "report.sarif")

    assert (said.code, said.out) == (1, "")
    assert json.loads((tmp_path / "report.sarif").read_text())["version"] == "2.1.0"


def test_a_cluster_gives_its_version_and_its_definitions(
    kilde: Kilde, repository: Path, cluster_dir: Path, tmp_path: Path
) -> None:
    commit(repository, {"a/kustomization.yaml": "resources: [a.yaml]\n", "a/a.yaml": CAR.format("trucks", 6)})
    crd = tmp_path / "crd.yaml"
    crd.write_text(CRD.format("trucks"))
    kubeconfig = cluster_dir / "kubeconfig"
    kubectl = [str(Path(sys.executable).with_name("kubectl")), f"--kubeconfig={kubeconfig}"]
    subprocess.run([*kubectl, "apply", "-f", str(crd)], check=True, capture_output=True)
    alone = kilde("check", repository, "-o", "json", "--kubernetes-version", "1.30")
    said = kilde("check", repository, "-o", "json", "--kubeconfig", kubeconfig)
    subprocess.run([*kubectl, "delete", "-f", str(crd)], check=True, capture_output=True)

    assert [one["rule"] for one in json.loads(alone.out)["findings"]] == ["unknown-kind"]
    assert [(one["rule"], one["message"], one["hint"]) for one in json.loads(said.out)["findings"]] == [
        (
            "schema",
            "spec.doors: Invalid value: 6: spec.doors in body should be less than or equal to 5",
            "as Kubernetes 1.36 has it",
        )
    ]


def test_a_cluster_that_is_not_there_is_told(kilde: Kilde, repository: Path, tmp_path: Path) -> None:
    commit(repository, {"a.yaml": "a: 1\n"})
    said = kilde("check", repository, "--kubeconfig", tmp_path / "none")

    assert (said.code, said.out) == (3, "")
    assert str(tmp_path / "none") in said.err


def test_a_hostile_name_reaches_no_terminal(kilde: Kilde, repository: Path) -> None:
    commit(repository, {"a\x1b[2J\n::error::.yaml": CONFLICT})
    for form in ("text", "github"):
        said = kilde("check", repository, "-o", form)

        assert "\x1b" not in said.out
        assert "\n::error::" not in said.out


def test_the_rules_are_listed_each_with_its_reason(kilde: Kilde) -> None:
    said = kilde("check", "--rules")
    listed = json.loads(kilde("check", "--rules", "-o", "json").out)

    assert said.code == 0
    assert [f"{rule.id} ({rule.severity}): {rule.title}" in said.out for rule in RULES] == [True] * len(RULES)
    assert [one["id"] for one in listed] == [rule.id for rule in RULES]
    assert len({rule.id for rule in RULES}) == len(RULES)
    assert all(rule.docs.endswith(".") and not rule.title.endswith(".") for rule in RULES)
