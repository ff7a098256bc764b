"""A commit object as Git stores it, read into a Revision."""

import re
from datetime import UTC, datetime, timedelta

from kilde.core.basics.errors import SourceError
from kilde.core.source.revision import Revision

_LONGEST_MESSAGE = 16_384  # characters: a record of what was said, not a store
_MOMENT = re.compile(r"(?P<seconds>-?\d{1,12}) [+-]\d{4}\Z")
_LONGEST_MOMENT = 19  # characters
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_commit(sha: str, raw: bytes) -> Revision:
    """Reads headers and message (git's commit format). Raises SourceError when `raw` is no commit.

    `signature` is "N" (none) or "E" (there is one, and nobody has given us a key to check it with): git's own letters.
    """
    head, _, message = raw.partition(b"\n\n")
    lines = head.decode("utf-8", "replace").split("\n")
    fields: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(" ")
        if name:  # a continuation of the header above begins with a blank
            fields.setdefault(name, value)
    if "tree" not in fields:
        raise SourceError("this object is not a commit", about=sha)
    author, _ = _person(fields.get("author", ""))
    committer, seconds = _person(fields.get("committer", ""))
    signed = "gpgsig" in fields or "gpgsig-sha256" in fields
    return Revision(
        sha=sha,
        author=author,
        committer=committer,
        committed_at=_rfc3339(seconds),
        message=message.decode("utf-8", "replace")[:_LONGEST_MESSAGE],
        signature="E" if signed else "N",
    )


def tree_of(raw: bytes) -> str:
    """The tree id a commit object names; "" when it names none."""
    first = raw.partition(b"\n")[0].decode("ascii", "replace")
    return first.removeprefix("tree ") if first.startswith("tree ") else ""


def _person(text: str) -> tuple[str, int]:
    before = text[:-_LONGEST_MOMENT]
    match = _MOMENT.search(text, len(before))
    return (text[: match.start()].rstrip(), int(match["seconds"])) if match else (text, 0)


def _rfc3339(seconds: int) -> str:
    try:
        return (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
    except OverflowError:  # a commit may claim any time
        return "1970-01-01T00:00:00Z"
