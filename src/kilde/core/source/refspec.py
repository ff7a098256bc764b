"""What an application follows: a targetRevision resolved among the refs that a repository has."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from kilde.core.source.semver import Version, parse_range, parse_version

_FULL_ID = re.compile(r"(?:[0-9a-f]{40}|[0-9a-f]{64})\Z")
_SHORT_ID = re.compile(r"[0-9a-f]{7,64}\Z")  # Argo CD: truncated commit ids have 7 or more digits
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|\A[/.-]|[/.]\Z|\.lock\Z|/\.")  # git-check-ref-format(1)


@dataclass(frozen=True, slots=True)
class Refs:
    """The refs of a repository at one moment: full name → commit id (tags are peeled), and where HEAD points ("": nowhere)."""

    head: str = ""
    by_name: Mapping[str, str] = field(default_factory=dict)

    def branch(self, name: str) -> str:
        """The commit of a branch; "" if there is none."""
        return self.by_name.get(f"refs/heads/{name}", "")


def resolve(revision: str, refs: Refs, *, tag_prefix: str = "") -> str:
    """The commit that `revision` names among `refs`; "" if none does.

    In Argo CD's order (lsRemote): HEAD (also when nothing is said), a semver constraint among the tags, a branch, a tag,
    a full ref name. A commit id is not a ref: whoever gets "" asks the object store, see `is_commit_id`.
    """
    if revision in ("", "HEAD"):
        return refs.head
    if is_full_id(revision):
        return ""
    tagged = _best_tag(revision, refs, tag_prefix)
    if tagged:
        return tagged
    for name in (f"refs/heads/{revision}", f"refs/tags/{revision}", f"refs/tags/{tag_prefix}{revision}", revision):
        if name in refs.by_name:
            return refs.by_name[name]
    return ""


def is_full_id(revision: str) -> bool:
    """Whether this is a whole object id, which is never looked for among the refs."""
    return _FULL_ID.match(revision.lower()) is not None


def is_commit_id(revision: str) -> bool:
    """Whether this can be a commit id, whole or cut short."""
    return _SHORT_ID.match(revision.lower()) is not None


def is_ref_name(name: str) -> bool:
    """Whether Git would let a branch or tag have this name (git-check-ref-format)."""
    return bool(name) and name != "@" and _FORBIDDEN.search(name) is None


def _best_tag(revision: str, refs: Refs, tag_prefix: str) -> str:
    """The commit of the highest tag in the range `revision`; "" when it is a plain version, no range, or nothing fits.

    A version in full or in part (`v1.2`) is the name of a tag, not a range. As there, a tag 0.0.0 never wins.
    """
    if parse_version(revision) is not None or (wanted := parse_range(revision)) is None:
        return ""
    start = f"refs/tags/{tag_prefix}"
    best, commit = Version(0), ""
    for name, oid in refs.by_name.items():
        if name.startswith(start):
            version = parse_version(name.removeprefix(start))
            if version is not None and version > best and version in wanted:
                best, commit = version, oid
    return commit
