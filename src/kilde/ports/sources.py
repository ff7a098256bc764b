"""Sources: repositories as the engine sees them; one mirror a repository, whoever asks."""

from dataclasses import dataclass, field
from typing import Protocol

from kilde.core.source.revision import Revision
from kilde.core.source.tree import Tree


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What opens a repository; from Argo CD's labelled Secrets. Its repr shows no value."""

    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    bearer_token: str = field(default="", repr=False)
    ssh_private_key: str = field(default="", repr=False)
    tls_client_cert: str = field(default="", repr=False)
    tls_client_key: str = field(default="", repr=False)
    tls_ca: str = field(default="", repr=False)  # PEM bundle, from argocd-tls-certs-cm
    known_hosts: str = field(default="", repr=False)  # text of argocd-ssh-known-hosts-cm
    insecure: bool = False  # the user said so: neither TLS certificate nor host key is checked
    proxy: str = field(default="", repr=False)


class Sources(Protocol):
    """Promises.

    * `fetch` brings the mirror of a repository up to date, once for all who ask at the same time; it raises
      SourceUnavailable (network, authentication, host key) and leaves the mirror as it was.
    * `resolve` answers from the mirror alone: branch, tag, commit, semver range ("^1.2", "1.x"), "HEAD" or "" → commit.
      Raises RevisionNotFound.
    * `tree` answers from the mirror alone, by object id; nothing is ever checked out, nothing from the repository is run.
    * Messages never contain a credential, nor a URL with one.
    """

    async def fetch(self, url: str, credentials: Credentials) -> None: ...

    async def resolve(self, url: str, revision: str) -> str: ...

    async def revision(self, url: str, sha: str) -> Revision: ...

    async def tree(self, url: str, sha: str) -> Tree: ...

    async def changed_paths(self, url: str, old: str, new: str) -> frozenset[str] | None:
        """Paths of files that differ between two commits; None where it cannot be told (then everything may differ)."""
        ...

    async def push_revert(
        self, url: str, credentials: Credentials, *, branch: str, to: str, path: str, author: str, message: str
    ) -> str:
        """Commits on top of `branch` the content that `path` ("" for all) had in commit `to`, pushes, gives the new commit's id.

        Raises SourceUnavailable when the push is refused; the mirror stays as it was.
        """
        ...
