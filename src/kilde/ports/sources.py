"""Sources: repositories as the engine sees them; one mirror a repository, whoever asks."""

from typing import Protocol

from kilde.core.source.credentials import Credentials
from kilde.core.source.revert import Revert
from kilde.core.source.revision import Revision
from kilde.core.source.signature import Signature, Signers
from kilde.core.source.tree import Tree


class Sources(Protocol):
    """Promises.

    * `fetch` brings the mirror of a repository up to date, once for all who ask at the same time; it raises
      SourceUnavailable (network, authentication, host key) and leaves the mirror as it was.
    * `resolve` answers from the mirror alone: branch, tag, commit, semver range ("^1.2", "1.x"), "HEAD" or "" → commit.
      Raises RevisionNotFound.
    * `tree` answers from the mirror alone, by object id; nothing is ever checked out, nothing from the repository is run. A chart's
      archive is fetched when it is first asked for, with the credentials of the last fetch.
    * Messages never contain a credential, nor a URL with one.
    """

    async def fetch(self, url: str, credentials: Credentials) -> None: ...

    async def resolve(self, url: str, revision: str, *, tag_prefix: str = "") -> str:
        """`tag_prefix`: only tags that begin with it count for a range, and the range is of what follows it."""
        ...

    async def revision(self, url: str, sha: str) -> Revision: ...

    async def tree(self, url: str, sha: str) -> Tree: ...

    async def changed_paths(self, url: str, old: str, new: str) -> frozenset[str] | None:
        """Paths of files that differ between two commits; None where it cannot be told (then everything may differ)."""
        ...

    async def signature(self, url: str, sha: str, signers: Signers) -> Signature:
        """What is known of a commit's signature, by these signers alone. Raises SourceUnavailable when it cannot be checked."""
        ...

    async def push_revert(self, url: str, credentials: Credentials, wanted: Revert) -> str:
        """Commits it on top of the branch, pushes, gives the new commit's id.

        A path that `wanted.to` does not have goes; PathNotFound if it has none of them. Raises SourceUnavailable when the push is
        refused, with the commands to type instead; the mirror stays as it was.
        """
        ...

    async def close(self) -> None:
        """Ends what is open. What was fetched stays."""
        ...


__all__ = ["Credentials", "Sources"]
