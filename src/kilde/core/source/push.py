"""Push: a forge tells that a branch or tag of a repository has moved. It is a nudge to fetch, never a source of truth."""

from collections.abc import Iterable
from dataclasses import dataclass

from kilde.core.basics.errors import InvalidInput
from kilde.core.source.repository_url import Scheme, parse
from kilde.core.source.semver import parse_range

_NOTHING = frozenset("0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """One ref that moved. `urls`: every spelling of the repository the sender gave; `ref`: its full name (refs/heads/main).

    `before` and `after` are commit ids, "" where there was or is none. `changed_paths` is None when the sender does not tell, or
    may not tell all. `default_branch` is "" where unknown.
    """

    urls: tuple[str, ...]
    ref: str
    before: str = ""
    after: str = ""
    changed_paths: frozenset[str] | None = None
    default_branch: str = ""

    def concerns(self, repo_url: str) -> bool:
        """Whether an application with this repoURL reads the repository: same host and path, whatever protocol, user or port.

        As Argo CD matches: a push names the web address, the application may use ssh.
        """
        wanted = _place(repo_url)
        return wanted != "" and any(_place(url) == wanted for url in self.urls)

    def moves(self, revision: str) -> bool:
        """Whether a targetRevision may resolve to something else after this push."""
        name = self.ref.removeprefix("refs/heads/").removeprefix("refs/tags/")
        if revision in ("", "HEAD"):
            return not self.default_branch or name == self.default_branch
        if revision in (self.ref, name):
            return True
        return self.ref.startswith("refs/tags/") and parse_range(revision) is not None


def commit_or_none(sha: str) -> str:
    """A commit id as forges write it; "" for the zeros that stand for none."""
    return "" if set(sha) <= _NOTHING else sha


def push(
    *,
    urls: Iterable[str],
    ref: str,
    before: str = "",
    after: str = "",
    paths: Iterable[str] | None = None,
    default: str = "",
) -> Push:
    """A Push of what a sender wrote: no empty or repeated URL, zeros as none, paths only when the branch was there before."""
    old, new = commit_or_none(before), commit_or_none(after)
    known = frozenset(paths) if paths is not None and old and new else None
    return Push(
        urls=tuple(dict.fromkeys(url for url in urls if url)),
        ref=ref,
        before=old,
        after=new,
        changed_paths=known,
        default_branch=default.removeprefix("refs/heads/"),
    )


def _place(url: str) -> str:
    try:
        parsed = parse(url)
    except InvalidInput:
        return ""
    path = parsed.path.strip("/").removesuffix(".git")
    return f"/{path}" if parsed.scheme is Scheme.FILE else f"{parsed.host}/{path}".lower()
