"""The page on `kilde check` does what it says: its commands, its jobs, and its table of rules."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from cli.test_check_hooks import BAD, GOOD, TOLD, Work
from docs.console import Step, play, steps, terminal
from kilde.core.check.rules import RULES

PAGE = Path(__file__).parents[2] / "docs" / "check.md"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def test_the_page_on_check_happens_as_it_is_told(tmp_path: Path) -> None:
    text = re.sub(r"^> ", "", PAGE.read_text(), flags=re.MULTILINE)  # what bash asks with when a command goes on
    story = steps(text, own_cluster=False)
    assert len(story) > 8
    with terminal(tmp_path) as one:
        play(one, here_documents(story))


def here_documents(story: list[Step]) -> list[Step]:
    """Commands that go on until EOF: their lines are no output."""
    return [
        Step("\n".join([step.command, *step.shown]), (), step.may_fail, step.in_background)
        if step.command.endswith("<<'EOF'")
        else step
        for step in story
    ]


def test_every_rule_is_on_the_page() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| (.+) \| (\w+) \|$", PAGE.read_text(), re.MULTILINE)

    assert rows == [(rule.id, rule.title, str(rule.severity)) for rule in RULES]


def jobs() -> dict[str, object]:
    """The YAML blocks of the page, by their first key."""
    blocks = re.findall(r"^```yaml\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    return {next(iter(found)): found for found in map(yaml.safe_load, blocks)}


@pytest.fixture
def clone(tmp_path: Path) -> Work:
    """A pull request as a pipeline has it: a clone whose HEAD is a commit, on top of a branch of the server."""
    author = Work(tmp_path / "author")
    author.commit(GOOD)
    author.run("git", "push", "--quiet", "origin", "main")
    author.run("git", "checkout", "--quiet", "-b", "feature")
    author.commit(BAD)
    author.run("git", "push", "--quiet", "origin", "feature")
    author.run("git", "clone", "--quiet", str(author.server), str(tmp_path / "runner"), cwd=tmp_path)
    author.folder = tmp_path / "runner"
    author.run("git", "checkout", "--quiet", "--detach", "origin/feature")
    return author


def run_job(clone: Work, lines: list[str], **variables: str) -> subprocess.CompletedProcess[str]:
    script = "\n".join(["set -e", *(line for line in lines if not line.startswith("pip "))])
    return subprocess.run(
        ["bash", "-c", script],
        cwd=clone.folder,
        env={**clone.env, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_job_for_github_annotates_the_line(clone: Work) -> None:
    steps_of = jobs()["name"]["jobs"]["kilde"]["steps"]  # type: ignore[index]
    done = run_job(clone, [step["run"] for step in steps_of if "run" in step], GITHUB_BASE_REF="main")

    assert done.returncode == 1
    assert done.stdout.startswith(
        "::error file=apps/web/web.yaml,title=kilde check%3A image-without-tag,line=14,col=11::"
    )


def test_the_job_for_gitlab_leaves_a_report(clone: Work) -> None:
    job = jobs()["kilde"]["kilde"]  # type: ignore[index]
    lines = [*job["before_script"], *job["script"]]
    done = run_job(clone, lines, CI_MERGE_REQUEST_TARGET_BRANCH_NAME="main")
    (issue,) = yaml.safe_load((clone.folder / "quality.json").read_text())

    assert done.returncode == 1
    assert (issue["check_name"], issue["location"]) == (
        "image-without-tag",
        {"path": "apps/web/web.yaml", "lines": {"begin": 14}},
    )
    assert TOLD.partition("  [")[0] in issue["description"]
