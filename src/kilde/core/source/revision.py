"""Revision: a commit that a name was resolved to, who made it and when."""

import re
from dataclasses import dataclass

_COMMIT = re.compile(r"[0-9a-f]{40,64}")


def shortened(revision: str) -> str:
    """Seven digits of a commit; a chart's version as it is; of a digest as many digits."""
    kind, colon, digest = revision.partition(":")
    if colon:
        return f"{kind}:{digest[:7]}"
    return revision[:7] if _COMMIT.match(revision) else revision


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One commit. `committed_at` is RFC 3339 UTC; `signature` is git's one-letter state (`%G?`: N none, G good, B bad, …)."""

    sha: str
    author: str = ""
    committer: str = ""
    committed_at: str = ""
    message: str = ""
    signature: str = "N"
    signer: str = ""

    @property
    def short(self) -> str:
        return shortened(self.sha)
