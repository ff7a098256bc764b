"""Revision: a commit that a name was resolved to, who made it and when."""

from dataclasses import dataclass


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
        return self.sha[:7]
