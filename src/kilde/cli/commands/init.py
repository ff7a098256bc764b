"""`kilde init`: a config repository to begin with."""

import json
import os
import subprocess
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from urllib.parse import quote

import click

from kilde.core.basics.errors import KildeError

_BRANCH = "main"
_URL = "${repo_url}"
_PATIENCE = 60.0


@click.command(
    epilog="Example: kilde init config-repo --repo-url git@git.example.org:team/config.git",
    short_help="Write a config repository to begin with.",
)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--repo-url", default="", help="Where it will be pushed to; the folder itself if not given.")
def command(*, folder: Path, repo_url: str) -> None:
    """Writes a config repository into DIR and commits it.

    It has one small application in two environments (apps/base, apps/overlays/staging and production), the cluster's own
    configuration (cluster-config) and the Applications that deploy them (argocd-apps).
    """
    root = folder.absolute()
    _refuse_content(root)
    url = repo_url or f"file://{quote(str(root))}"
    template = files("kilde.cli") / "config_repo"
    try:
        root.mkdir(parents=True, exist_ok=True)
        written = list(_write(template, root, url))
    except OSError as error:
        raise KildeError(f"it could not be written: {error.strerror}", about=str(error.filename)) from error
    _commit(root)
    click.echo(f"wrote {len(written)} files and committed them to branch {_BRANCH} in {folder}")
    click.echo(f"the Applications in {folder / 'argocd-apps'} deploy from {url}")


def _refuse_content(root: Path) -> None:
    if root.exists() and not root.is_dir():
        raise KildeError("it is a file", about=str(root), hint="name a folder that is new or empty")
    if root.is_dir() and any(root.iterdir()):
        raise KildeError("the folder is not empty", about=str(root), hint="name a folder that is new or empty")


def _write(template: Traversable, folder: Path, url: str) -> list[Path]:
    written: list[Path] = []
    for item in sorted(template.iterdir(), key=lambda found: found.name):
        target = folder / item.name
        if item.is_dir():
            target.mkdir()
            written += _write(item, target, url)
        else:
            target.write_text(item.read_text().replace(_URL, json.dumps(url, ensure_ascii=False)))
            written.append(target)
    return written


def _commit(root: Path) -> None:
    _git(root, "init", "--quiet", f"--initial-branch={_BRANCH}")
    _git(root, "add", "--all")
    nobody = {"GIT_AUTHOR_NAME": "kilde init", "GIT_AUTHOR_EMAIL": "kilde@localhost"}
    nobody |= {"GIT_COMMITTER_NAME": "kilde init", "GIT_COMMITTER_EMAIL": "kilde@localhost"}
    unknown = _run(root, "var", "GIT_COMMITTER_IDENT").returncode
    _git(root, "commit", "--quiet", "--no-verify", "-m", "Begin", more=nobody if unknown else {})


def _git(root: Path, *arguments: str, more: dict[str, str] | None = None) -> None:
    done = _run(root, *arguments, more=more)
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise KildeError(said[-1] if said else f"exit code {done.returncode}", about=f"git {arguments[0]}")


def _run(root: Path, *arguments: str, more: dict[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run(  # noqa: S603  # no shell; the words are ours
            ["git", "-C", str(root), *arguments],  # noqa: S607  # the user's git, wherever it is
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE,
            stdin=subprocess.DEVNULL,
            env={**(more or {}), **os.environ},
        )
    except FileNotFoundError as error:
        raise KildeError("not found", about="git", hint="install git; the files are written already") from error
    except subprocess.TimeoutExpired as error:
        raise KildeError(f"no end after {_PATIENCE:.0f} s", about=f"git {arguments[0]}") from error
