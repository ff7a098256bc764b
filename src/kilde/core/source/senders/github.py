"""GitHub and GitHub Enterprise: `push` events, signed by X-Hub-Signature-256."""

from collections.abc import Iterable, Mapping

import msgspec

from kilde.core.source.push import Push, push
from kilde.core.source.webhook_signature import check_hmac, header

_MOST_COMMITS = 2048  # GitHub leaves out the commits beyond; then we do not know all paths


class Commit(msgspec.Struct):
    """The paths one commit touched."""

    added: list[str] = []
    removed: list[str] = []
    modified: list[str] = []


class Repository(msgspec.Struct):
    """A repository with its addresses, as GitHub and those that follow it write them."""

    html_url: str = ""
    clone_url: str = ""
    ssh_url: str = ""
    git_url: str = ""
    default_branch: str = ""


class Payload(msgspec.Struct):
    """The part of a push event that matters."""

    ref: str
    repository: Repository
    before: str = ""
    after: str = ""
    forced: bool = False
    commits: list[Commit] | None = None


def event(headers: Mapping[str, str]) -> str:
    return header(headers, "X-GitHub-Event")


def verify(headers: Mapping[str, str], body: bytes, secrets: Mapping[str, str]) -> bool:
    return check_hmac(
        secrets.get("webhook.github.secret", ""), body, header(headers, "X-Hub-Signature-256"), about="GitHub"
    )


def read(event_name: str, body: bytes) -> tuple[Push, ...]:
    if event_name != "push":
        return ()
    payload = msgspec.json.decode(body, type=Payload)
    repository = payload.repository
    commits = payload.commits or []
    complete = commits and not payload.forced and len(commits) < _MOST_COMMITS
    return (
        push(
            urls=(repository.html_url, repository.clone_url, repository.ssh_url, repository.git_url),
            ref=payload.ref,
            before=payload.before,
            after=payload.after,
            paths=touched(commits) if complete else None,
            default=repository.default_branch,
        ),
    )


def touched(commits: Iterable[Commit]) -> Iterable[str]:
    """Every path the commits name."""
    return (path for commit in commits for paths in (commit.added, commit.removed, commit.modified) for path in paths)
