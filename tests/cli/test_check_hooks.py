"""`kilde check` where a change is held up: a real push to a real hook, a real commit, the real pre-commit."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from core.check.repository import application, deployment
from warm.program import warm_kilde

pytestmark = [pytest.mark.slow]

BIN = Path(sys.executable).parent
ROOT = Path(__file__).resolve().parents[2]
CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {}\n"
GOOD = {"argocd/web.yaml": application("web", "apps/web"), "apps/web/a.yaml": CONFIG_MAP.format("a")}
BAD = {"apps/web/web.yaml": deployment("web", image="registry.example/web")}
TOLD = "image 'registry.example/web' has neither tag nor digest  [image-without-tag]"


class Work:
    """A working copy with a server beside it whose hook is the one of the manual."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.server = folder / "work", folder / "server.git"
        self.env = {
            **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
            "PATH": f"{warm_kilde().parent}{os.pathsep}{BIN}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(folder),
            "GIT_CONFIG_NOSYSTEM": "1",
        }
        self.env |= {
            f"GIT_{who}_{what}": text
            for who in ("AUTHOR", "COMMITTER")
            for what, text in (("NAME", "a"), ("EMAIL", "a@b.example"))
        }
        folder.mkdir(exist_ok=True)
        self.run("git", "init", "--quiet", "--bare", "--initial-branch=main", str(self.server), cwd=folder)
        self.run("git", "init", "--quiet", "--initial-branch=main", str(self.folder), cwd=folder)
        self.run("git", "remote", "add", "origin", str(self.server))

    def run(self, *command: str, cwd: Path | None = None, fails: bool = False) -> str:
        """Both outputs together."""
        done = subprocess.run(
            command,
            cwd=cwd or self.folder,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert (done.returncode != 0) is fails, done.stdout
        return done.stdout

    def write(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / name).write_text(text)
        self.run("git", "add", "--all")

    def commit(self, files: dict[str, str]) -> str:
        self.write(files)
        self.run("git", "commit", "--quiet", "--message", "change")
        return self.run("git", "rev-parse", "HEAD").strip()

    def hook(self, folder: Path, name: str, script: str) -> None:
        path = folder / "hooks" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(script)
        path.chmod(0o755)


@pytest.fixture
def work(tmp_path: Path) -> Work:
    return Work(tmp_path / "both")


def script(name: str) -> str:
    """The hook as the manual has it."""
    page = (ROOT / "docs" / "check.md").read_text()
    found = re.search(rf"`hooks/{name}`[^\n]*\n+```sh\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


@pytest.fixture
def guarded(work: Work) -> Work:
    work.hook(work.server, "pre-receive", script("pre-receive"))
    return work


def on_server(work: Work, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["git", *arguments], cwd=work.server, env=work.env, capture_output=True, text=True, check=False
    )


def test_a_push_is_refused_with_what_is_wrong_and_leaves_nothing_behind(guarded: Work) -> None:
    guarded.commit(GOOD)
    guarded.run("git", "push", "--quiet", "origin", "main")
    before = on_server(guarded, "rev-parse", "main").stdout
    bad = guarded.commit(BAD)
    said = guarded.run("git", "push", "origin", "main", fails=True)

    assert "remote: apps/web/web.yaml" in said
    assert TOLD in said
    assert "pre-receive hook declined" in said
    assert on_server(guarded, "rev-parse", "main").stdout == before
    assert on_server(guarded, "cat-file", "-e", bad).returncode != 0
    assert {path.name for path in guarded.server.iterdir()} >= {"HEAD", "objects", "refs"}
    assert not (guarded.server / "apps").exists()


def test_only_what_the_push_brings_is_judged(guarded: Work) -> None:
    (guarded.server / "hooks" / "pre-receive").unlink()
    guarded.commit({**GOOD, **BAD})
    guarded.run("git", "push", "--quiet", "origin", "main")
    guarded.hook(guarded.server, "pre-receive", script("pre-receive"))
    guarded.commit({"argocd/api.yaml": application("api", "apps/api"), "apps/api/a.yaml": CONFIG_MAP.format("a")})

    assert "nothing found; 1 of 2 applications judged" in guarded.run("git", "push", "origin", "main")


def test_a_new_branch_is_judged_against_what_it_shares_and_a_deleted_one_not_at_all(guarded: Work) -> None:
    guarded.commit(GOOD)
    guarded.run("git", "push", "--quiet", "origin", "main")
    guarded.run("git", "checkout", "--quiet", "-b", "feature/x")
    guarded.commit({"README.md": "hello\n"})
    assert "nothing found; 0 of 1 application judged" in guarded.run("git", "push", "origin", "feature/x")
    guarded.run("git", "push", "--quiet", "origin", ":feature/x")
    guarded.commit(BAD)
    said = guarded.run("git", "push", "origin", "feature/x", "main", fails=True)

    assert TOLD in said
    assert on_server(guarded, "for-each-ref", "--format=%(refname)").stdout.split() == ["refs/heads/main"]


def test_what_was_bad_may_be_mended_by_force_and_a_tag_is_judged_too(guarded: Work) -> None:
    guarded.commit(GOOD)
    guarded.run("git", "push", "--quiet", "origin", "main")
    guarded.commit({"apps/web/a.yaml": CONFIG_MAP.format("b")})
    guarded.run("git", "push", "--quiet", "origin", "main")
    guarded.run("git", "reset", "--quiet", "--hard", "HEAD~1")
    guarded.run("git", "push", "--quiet", "--force", "origin", "main")
    guarded.commit(BAD)
    guarded.run("git", "tag", "--annotate", "--message", "v1", "v1")

    assert TOLD in guarded.run("git", "push", "origin", "v1", fails=True)


def test_a_branch_that_applications_follow_is_judged_as_itself(guarded: Work) -> None:
    revision = "    targetRevision: {}\n"
    staging = application("staging", "apps/staging", more=revision.format("staging"))
    production = application("production", "apps/production", more=revision.format("main"))
    guarded.commit(
        {"argocd/p.yaml": production, "argocd/s.yaml": staging, "apps/production/a.yaml": CONFIG_MAP.format("a")}
    )
    guarded.run("git", "push", "origin", "main", fails=True)  # the branch staging is not there yet
    guarded.run("git", "checkout", "--quiet", "-b", "staging")
    guarded.run("git", "rm", "-r", "--quiet", "apps/production")
    guarded.commit({"apps/staging/a.yaml": CONFIG_MAP.format("a")})
    (guarded.server / "hooks" / "pre-receive").unlink()
    guarded.run("git", "push", "--quiet", "origin", "main", "staging")
    guarded.hook(guarded.server, "pre-receive", script("pre-receive"))
    guarded.commit({"apps/staging/b.yaml": CONFIG_MAP.format("b")})

    assert "nothing found; 1 of 2 applications judged" in guarded.run("git", "push", "origin", "staging")


def test_a_push_that_cannot_be_judged_is_refused(guarded: Work) -> None:
    guarded.commit({**GOOD, ".kilde.yaml": "check: {rules: nonsense}\n"})
    said = guarded.run("git", "push", "origin", "main", fails=True)

    assert "remote: error: .kilde.yaml:1:9: check.rules: must be a list" in said


def test_a_commit_is_refused_by_the_hook_of_the_manual(work: Work) -> None:
    work.hook(work.folder / ".git", "pre-commit", script("pre-commit"))
    work.commit(GOOD)
    work.write(BAD)
    said = work.run("git", "commit", "--message", "bad", fails=True)
    assert TOLD in said
    (work.folder / "apps/web/web.yaml").write_text("broken: [\n")  # not staged: not judged
    assert TOLD in work.run("git", "commit", "--message", "bad", fails=True)
    work.write({"apps/web/web.yaml": deployment("web")})
    work.run("git", "commit", "--quiet", "--message", "good")
    (work.folder / "apps/web/web.yaml").write_text(BAD["apps/web/web.yaml"])

    assert TOLD in work.run("git", "commit", "--all", "--message", "bad again", fails=True)
    assert work.run("git", "log", "--format=%s").split() == ["good", "change"]


def test_pre_commit_runs_the_hook_that_the_repository_offers(work: Work, tmp_path: Path) -> None:
    if shutil.which("pre-commit", path=str(BIN)) is None:
        pytest.skip("pre-commit is not installed (pip install --group dev)")
    offered = Work(tmp_path / "offered")
    offered.commit({".pre-commit-hooks.yaml": (ROOT / ".pre-commit-hooks.yaml").read_text()})
    revision = offered.run("git", "rev-parse", "HEAD").strip()
    hooks = f"repos:\n- repo: {offered.folder}\n  rev: {revision}\n  hooks: [{{id: kilde-check-system}}]\n"
    work.commit({**GOOD, ".pre-commit-config.yaml": hooks})
    work.run("pre-commit", "install")
    work.write({"README.md": "hello\n"})
    assert "Passed" in work.run("git", "commit", "--message", "good")
    work.write(BAD)
    said = work.run("git", "commit", "--message", "bad", fails=True)

    assert "Failed" in said
    assert TOLD in said
