"""Who asks is told as git knows them, or as the machine does."""

import pytest

from kilde.cli.identity import author, who


def test_the_author_is_whom_git_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Ann Ø. Example")
    monkeypatch.setenv("GIT_AUTHOR_EMAIL", "ann@example.org")

    assert author() == "Ann Ø. Example <ann@example.org>"


def test_without_git_the_author_is_user_and_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("LOGNAME", "ann")

    assert who().startswith("ann@")
    assert author() == f"ann <{who()}>"
