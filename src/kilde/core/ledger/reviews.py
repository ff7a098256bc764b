"""Reviews on record: what a forge told about a commit after it was deployed, as a record of its own."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from kilde.core.ledger.record import Record

REVIEWED = "commit-reviewed"
_OPENED = "operation-opened"


class Commit(NamedTuple):
    """A commit of a repository, and the project whose credentials open that."""

    url: str
    project: str
    sha: str


def reviewed_body(commit: Commit, forge: str, request: str, reviewers: Iterable[str]) -> dict[str, Any]:
    """Of a record: reviewers are people, and stand where those of operations do."""
    return {
        "repository": commit.url,
        "project": commit.project,
        "forge": forge,
        "request": request,
        "revision": {"sha": commit.sha, "reviewers": list(reviewers)},
    }


def unreviewed(records: Iterable[Record]) -> list[Commit]:
    """Commits that operations among these records deployed and no later record tells of, each once, the oldest first."""
    found: dict[Commit, None] = {}
    for record in records:
        body = record.body
        sha = str((body.get("revision") or {}).get("sha", ""))
        if record.kind == REVIEWED:
            found = {commit: None for commit in found if commit.sha != sha}
        elif record.kind == _OPENED and sha:
            found[Commit(str((body.get("source") or {}).get("repoURL", "")), str(body.get("project", "")), sha)] = None
    return list(found)


def reviews_in(records: Iterable[Record]) -> dict[str, tuple[str, tuple[str, ...]]]:
    """By commit: the address of its merge request, and who approved it; people as the records have them."""
    return {
        sha: said
        for record in records
        if (said := _said(record.body)) and (sha := str(record.body["revision"].get("sha", "")))
    }


def _said(body: Mapping[str, Any]) -> tuple[str, tuple[str, ...]] | None:
    revision = body.get("revision")
    if not isinstance(revision, dict):
        return None
    people = revision.get("reviewers")
    return str(body.get("request", "")), tuple(map(str, people)) if isinstance(people, list) else ()
