"""`kilde check` on credentials: in files, in history, allowed and no more, in every output; and the values are in none of them."""

import base64
import json
import random
from pathlib import Path

import pytest

from cli.command_line import Kilde
from cli.test_check import commit, git, repository
from core.check.leaks.corpus import positives, token_makers

__all__ = ["repository"]
MARK = "c4nAry7Qx"
SECRET = f"apiVersion: v1\nkind: Secret\nmetadata: {{name: db}}\nstringData:\n  password: {MARK}\n"


def test_a_secret_is_told_with_file_line_and_what_to_do(kilde: Kilde, repository: Path) -> None:
    commit(repository, {"apps/db.yaml": SECRET})
    said = kilde("check", repository)
    fingerprint = said.out.partition("fingerprint ")[2][:16]

    assert (said.code, said.out) == (
        1,
        "apps/db.yaml\n"
        "  error      5:13  Secret in plain text: 1 value: password  [plaintext-secrets]\n"
        f"                   → seal it with kilde seal; or allow it in .kilde-allow.yaml: fingerprint {fingerprint}, rule raw-secret\n"
        "\n"
        "1 error\n",
    )


def test_what_is_allowed_passes_until_its_day_and_then_the_entry_is_told_of(kilde: Kilde, repository: Path) -> None:
    commit(repository, {"apps/db.yaml": SECRET})
    fingerprint = kilde("check", repository).out.partition("fingerprint ")[2][:16]
    entry = f"allow:\n- fingerprint: {fingerprint}\n  reason: the vendor's test password\n"
    commit(repository, {".kilde-allow.yaml": f"{entry}  expires: '9999-12-31'\n"})
    assert kilde("check", repository).code == 0
    commit(repository, {".kilde-allow.yaml": f"{entry}  expires: '2020-01-31'\n"})
    said = kilde("check", repository, "-o", "json")
    found = {each["rule"]: each["message"] for each in json.loads(said.out)["findings"]}
    assert sorted(found) == ["allow-file", "plaintext-secrets"]
    assert found["allow-file"] == (
        f"an allowance has expired on 2020-01-31: fingerprint {fingerprint} (the vendor's test password)"
    )
    commit(repository, {".kilde-allow.yaml": entry})
    said = kilde("check", repository)
    assert said.code == 1
    assert "allow[0]: has no day on which it expires" in said.out
    assert "until then it allows nothing" in said.out


def test_what_a_later_commit_took_out_is_found_in_the_range(kilde: Kilde, repository: Path) -> None:
    base = commit(repository, {"a.yaml": "a: 1\n"})
    bad = commit(repository, {"db.yaml": SECRET, "kept.env": f"DB_PASSWORD={MARK}\n"})
    (repository / "db.yaml").unlink()
    commit(repository, {"b.yaml": "b: 1\n"})

    assert kilde("check", repository).out.count("error  ") == 1  # the one that is still there
    said = kilde("check", repository, "--base", base)
    assert said.code == 1
    assert f"Secret in plain text: 1 value: password (in commit {bad[:10]})  [plaintext-secrets-in-history]" in said.out
    assert said.out.count("kept.env") == 1
    assert said.out.count("[plaintext") == 2

    every = kilde("check", repository, "--history")
    assert every.out == said.out
    assert kilde("check", repository, "--history", f"{bad}..HEAD").out.count("[plaintext") == 1
    assert kilde("check", repository, "--history", f"{base}..{bad}").out == said.out
    gone = kilde("check", repository, "--history", "no-such-branch..HEAD")
    assert (gone.code, gone.out) == (3, "")
    assert "no such revision" in gone.err


def test_a_merge_and_a_branch_of_its_own_are_gone_through_once(kilde: Kilde, repository: Path) -> None:
    base = commit(repository, {"a.yaml": "a: 1\n"})
    git(repository, "checkout", "--quiet", "-b", "side")
    commit(repository, {"side.env": f"API_TOKEN={MARK}a1b2\n"})
    git(repository, "rm", "--quiet", "side.env")
    git(repository, "commit", "--quiet", "--message", "out")
    git(repository, "checkout", "--quiet", "main")
    commit(repository, {"b.yaml": "b: 1\n"})
    git(repository, "merge", "--quiet", "--no-edit", "side")
    said = kilde("check", repository, "--base", base)
    assert said.out.count("[plaintext-secrets-in-history]") == 1
    assert kilde("check", repository).code == 0


def test_a_generators_file_is_told_of_unless_it_is_ignored(kilde: Kilde, repository: Path) -> None:
    kustomization = "secretGenerator:\n- name: db\n  files: [in.txt, out.txt]\n"
    commit(repository, {"app/kustomization.yaml": kustomization, ".gitignore": "out.txt\n", "app/in.txt": MARK})
    (repository / "app" / "out.txt").write_text(MARK)
    assert kilde("check", repository).out.count("file of a Secret") == 1


@pytest.mark.parametrize("output", ["text", "json", "sarif", "junit", "github", "gitlab"])
def test_no_value_is_in_any_output(kilde: Kilde, repository: Path, tmp_path: Path, output: str) -> None:
    """The whole corpus in one repository, in files and in history; broken files, too."""
    dice = random.Random(1)
    values, files = (
        [MARK],
        {"db.yaml": SECRET, "broken.yaml": f"a: [\npassword: {MARK}\n", ".kilde-allow.yaml": f"allow: {MARK}\n"},
    )
    for number, case in enumerate(positives(21)):
        files[f"{number}/{case.path}"] = case.text
        values.append(case.value)
    values += [token_makers()["github"](dice)]
    files["tokens.txt"] = f"see {values[-1]}\n"
    commit(repository, files)
    git(repository, "rm", "-r", "--quiet", "--cached", "1", "2", "3")
    git(repository, "commit", "--quiet", "--message", "out")
    report = tmp_path / "report"
    said = kilde("check", repository, "--history", "-o", output)
    kilde("check", repository, "--history", "-o", output, "--out", report)
    words = said.out + said.err + report.read_text()
    assert said.code == 1
    forms = {form for value in values if len(value) >= 8 for form in (value, base64.b64encode(value.encode()).decode())}
    assert [form for form in forms if form in words] == []
    assert len(words) > 10_000


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be"])
def test_a_secret_is_found_however_its_text_is_encoded(kilde: Kilde, repository: Path, encoding: str) -> None:
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    (repository / "db.yaml").write_bytes((mark + SECRET.replace("\n", "\r\n")).encode(encoding))
    said = kilde("check", repository)
    assert "5:13  Secret in plain text: 1 value: password" in said.out


@pytest.mark.parametrize(("size", "found"), [(9, ["raw-secret", "too-large"]), (17, ["too-large"])])
def test_what_is_behind_the_first_megabytes_is_told_as_not_looked_at(
    kilde: Kilde, repository: Path, size: int, found: list[str]
) -> None:
    for name in ("large.yaml", "large.zip"):
        (repository / name).write_bytes(
            (SECRET + "---\n" if name == "large.yaml" else "\0").encode() + b"# more\n" * (size * 150_000)
        )
    said = kilde("check", repository)
    assert [f"rule {rule}" in said.out for rule in ("raw-secret", "too-large")] == [
        rule in found for rule in ("raw-secret", "too-large")
    ]
    assert "large.zip" not in said.out
