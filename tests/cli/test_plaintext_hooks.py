"""Plain text on its way into a server: a real push, a real commit; what is refused is nowhere on the server's disk."""

from pathlib import Path

import pytest

from cli.test_check_hooks import Work, guarded, script, work

__all__ = ["guarded", "work"]
pytestmark = [pytest.mark.slow]
MARK = "c4nAry7Qx"
SECRET = f"apiVersion: v1\nkind: Secret\nmetadata: {{name: db}}\nstringData:\n  password: {MARK}\n"


def holds(folder: Path, text: str) -> bool:
    """Whether it stands in any file, or in any object of the repository (git keeps those compressed)."""
    import subprocess

    listed = ["git", "cat-file", "--batch-all-objects", "--unordered", "--batch"]
    objects = subprocess.run(listed, cwd=folder, stdout=subprocess.PIPE, check=True).stdout
    files = (path.read_bytes() for path in folder.rglob("*") if path.is_file())
    return any(text.encode() in content for content in (objects, *files))


def test_a_push_that_brings_a_secret_is_refused_and_so_is_one_that_only_took_it_out_again(guarded: Work) -> None:
    guarded.commit({"a.yaml": "a: b\n"})
    guarded.run("git", "push", "--quiet", "origin", "main")
    guarded.commit({"apps/web/db.yaml": SECRET})
    said = guarded.run("git", "push", "--quiet", "origin", "main", fails=True)
    assert "5:13  Secret in plain text: 1 value: password  [plaintext-secrets]" in said
    guarded.run("git", "rm", "--quiet", "apps/web/db.yaml")
    guarded.commit({"apps/web/other.yaml": "a: b\n"})
    more = guarded.run("git", "push", "--quiet", "origin", "main", fails=True)
    assert "[plaintext-secrets-in-history]" in more
    assert MARK not in said + more
    assert not holds(guarded.server, MARK)

    guarded.run("git", "reset", "--quiet", "--soft", "origin/main")
    guarded.run("git", "commit", "--quiet", "--allow-empty", "--message", "without it")
    guarded.run("git", "push", "--quiet", "origin", "main")
    assert not holds(guarded.server, MARK)


def test_a_commit_that_has_a_secret_is_refused(work: Work) -> None:
    work.commit({"a.yaml": "a: b\n"})
    work.hook(work.folder / ".git", "pre-commit", script("pre-commit"))
    work.write({".env": f"DB_PASSWORD={MARK}\n"})
    said = work.run("git", "commit", "--quiet", "--message", "a secret", fails=True)
    assert "1:13  credential: the value of 'DB_PASSWORD' (9 characters)  [plaintext-secrets]" in said
    assert MARK not in said
    work.write({".env": "DB_PASSWORD=${DB_PASSWORD}\n"})
    work.run("git", "commit", "--quiet", "--message", "no secret")
