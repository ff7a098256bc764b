"""Remote addresses: read as kustomize reads them, which a stand-in for git betrays by what it is asked to fetch."""

import os
import subprocess
from pathlib import Path

import pytest
from build_real import where

from kilde.core.render.kustomize.remote import is_web_file, parse_remote

ADDRESSES = [
    "https://example.com/org/repo",
    "https://example.com/org/repo/",
    "https://example.com/org/repo/a/b?ref=v1",
    "https://example.com/org/repo.git/a/b?version=v1",
    "https://example.com/org/repo.git?ref=a&version=b",
    "https://example.com/a/b/c/d//e/f?ref=x",
    "https://example.com/a/b/c/d//?ref=x",
    "https://example.com/org",
    "https://example.com",
    "https://user@example.com/org/repo/x",
    "https://user:word@example.com/org/repo/x",
    "https://dev.example.com/org/project/_git/repo/path/in?ref=b",
    "https://dev.example.com/org/project/_git/repo",
    "HTTPS://Example.com/org/repo/x",
    "http://example.com:8080/org/repo/x",
    "ssh://git@example.com/org/repo/x?ref=v",
    "ssh://git@example.com:2222/org/repo.git//x",
    "ssh://example.com/org/repo.git/x",
    "git@example.com:org/repo/x",
    "git@example.com:org/repo.git//x?ref=a%2Fb",
    "git@example.com/org/repo/x",
    "git@example.com:/org/repo.git/x",
    "git-user1@example.com:org/repo",
    "1git@example.com:org/repo",
    "example.com:org/repo",
    "example.com/org/repo",
    "github.com/org/repo",
    "github.com/org/repo/sub?ref=v1",
    "github.com:org/repo/sub",
    "GitHub.com/org/repo.git/sub",
    "git@github.com:org/repo/sub",
    "git@github.com/org/repo/sub",
    "https://github.com/org/repo/sub",
    "http://github.com/org/repo/sub",
    "https://user@github.com/org/repo/sub",
    "ssh://git@github.com/org/repo.git/sub",
    "ssh://github.com/org/repo",
    "git::https://example.com/org/repo/x",
    "git::github.com/org/repo",
    "GIT::git@example.com:org/repo",
    "git::example.com/org/repo",
    "gitlab.com/org/repo",
    "file:///tmp/no-such/repo",
    "file:///tmp/no-such/repo//sub?ref=x",
    "file:///tmp/no-such/repo.git/sub",
    "FILE:///tmp/no-such/repo.git",
    "file://relative/repo",
    "s3::https://example.com/org/repo",
    "git://example.com/org/repo",
    "ext::sh -c id",
    "https://example.com/org/repo//../x",
    "https://example.com/org/repo//a/../../x",
    "https://example.com/org/repo/..",
    "https://example.com/org/repo/a/../b",
    "https://example.com/org/repo?ref=a;b",
    "https://example.com/org/repo?ref=%zz",
    "https://example.com/org/repo?ref=a+b%20c",
    "https://example.com/org/repo?ref=",
    "https://example.com/org/repo?ref=a&ref=b",
    "https://example.com/org/repo?&ref=a",
    "https://example.com/org/repo#fragment?ref=a",
    "https://example.com//org/repo",
    "https://example.com/.git",
    "https://example.com/org/repo.gitx/y",
    "https:///org/repo",
    "ssh://git@/org/repo",
    "git@:org/repo",
    "user@host",
    "/absolute/path",
    "./github.com/org/repo",
    "../x",
    "x//y",
]
GIT = """#!/bin/sh
echo "$*" >> "{log}"
[ "$1" != fetch ]
"""


@pytest.mark.parametrize("address", ADDRESSES)
def test_git_is_asked_for_what_kustomize_asks_it_for(tmp_path: Path, address: str) -> None:
    if not where("kustomize").exists():
        pytest.skip("kustomize is not built (make real)")
    (tmp_path / "bin").mkdir()
    log = tmp_path / "log"
    (tmp_path / "bin/git").write_text(GIT.format(log=log))
    (tmp_path / "bin/git").chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}/bin:{os.environ['PATH']}"}
    (tmp_path / "kustomization.yaml").write_text(f'components: ["{address}"]\n')
    subprocess.run([where("kustomize"), "build", str(tmp_path)], env=environment, capture_output=True)
    asked = [line for line in log.read_text().splitlines() if line.startswith("fetch")] if log.exists() else []
    found = parse_remote(address)
    assert asked == ([f"fetch --depth=1 {found.clone_url} {found.ref or 'HEAD'}"] if found else [])


@pytest.mark.parametrize(
    ("query", "seconds", "submodules"),
    [
        ("", 27, True),
        ("?timeout=61", 61, True),
        ("?timeout=1m30s", 90, True),
        ("?timeout=1.5s", 1.5, True),
        ("?timeout=-5", 27, True),
        ("?timeout=0", 27, True),
        ("?timeout=soon", 27, True),
        ("?timeout=5x", 27, True),
        ("?submodules=false", 27, False),
        ("?submodules=0&timeout=3", 3, False),
        ("?submodules=true", 27, True),
        ("?submodules=no", 27, True),
        ("?submodules=F", 27, False),
    ],
)
def test_a_query_says_how_long_git_may_take_and_whether_submodules_are_wanted(
    query: str, seconds: float, submodules: bool
) -> None:
    found = parse_remote(f"https://example.com/org/repo{query}")
    assert found is not None
    assert (found.seconds, found.submodules) == (seconds, submodules)


def test_what_is_fetched_as_a_file_first() -> None:
    assert is_web_file("https://example.com/x.yaml")
    assert is_web_file("HTTP://example.com/x.yaml")
    assert not is_web_file("git::https://example.com/x")
    assert not is_web_file("ssh://example.com/x")
    assert not is_web_file("http/x.yaml")
    assert not is_web_file("http://example.com/\nkind: X")
