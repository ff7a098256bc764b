"""FakeSources: repositories as dictionaries, with an upstream and a mirror that only `fetch` brings up to date."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from kilde.core.basics.errors import PathNotFound, RevisionNotFound, SourceUnavailable
from kilde.core.source.refspec import Refs, is_commit_id, resolve
from kilde.core.source.revert import Revert, by_hand
from kilde.core.source.revision import Revision
from kilde.core.source.signature import Signature, Signers, Verified
from kilde.core.source.tree import MemoryTree, Tree
from kilde.ports.sources import Credentials


@dataclass(frozen=True, slots=True)
class _Commit:
    """One commit: its whole content, and what it says."""

    files: Mapping[str, bytes]
    revision: Revision


@dataclass(slots=True)
class _Repository:
    """`refs` is what the upstream has, `mirrored` what the last fetch saw; commits stay for ever in both."""

    commits: dict[str, _Commit] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    head: str = "refs/heads/main"
    mirrored: Refs | None = None
    fetched: set[str] = field(default_factory=set)
    down: str = ""
    refusal: str = ""
    fetches: int = 0


class FakeSources:
    """Keeps the promises of ports.sources. What a test does upstream is a plain call; `fetches(url)` counts what it cost."""

    def __init__(self) -> None:
        self._repositories: dict[str, _Repository] = {}

    # what happens upstream

    def create(self, url: str, *, head: str = "main") -> None:
        """An empty repository whose HEAD names `head`."""
        self._repositories[url] = _Repository(head=f"refs/heads/{head}")

    def commit(
        self,
        url: str,
        files: Mapping[str, bytes],
        *,
        branch: str = "main",
        message: str = "change",
        author: str = "A <a@example>",
        signer: str = "",
    ) -> str:
        """A commit on top of the branch whose whole content is `files`, signed where a `signer` is named; gives its id."""
        one = self._repositories[url]
        text = repr((one.refs.get(f"refs/heads/{branch}"), sorted(files.items()), message, author, len(one.commits)))
        sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
        made = Revision(
            sha=sha,
            author=author,
            committer=author,
            committed_at="2026-01-02T03:04:05Z",
            message=message + "\n",
            signature="E" if signer else "N",
            signer=signer,
        )
        one.commits[sha] = _Commit(dict(files), made)
        one.refs[f"refs/heads/{branch}"] = sha
        return sha

    def point(self, url: str, ref: str, sha: str) -> None:
        """Makes or moves a ref, such as refs/tags/v1.0.0."""
        self._repositories[url].refs[ref] = sha

    def remove(self, url: str, ref: str) -> None:
        """Deletes a ref."""
        del self._repositories[url].refs[ref]

    def take_down(self, url: str, reason: str = "the server is away") -> None:
        """Every fetch and push fails until `bring_up`."""
        self._repositories[url].down = reason

    def bring_up(self, url: str) -> None:
        self._repositories[url].down = ""

    def refuse_pushes(self, url: str, reason: str = "protected branch") -> None:
        self._repositories[url].refusal = reason

    def fetches(self, url: str) -> int:
        """How many fetches went to the repository, failed ones too."""
        return self._repositories[url].fetches

    # the port

    async def fetch(self, url: str, credentials: Credentials) -> None:
        one = self._repositories.get(url)
        if one is None:
            raise SourceUnavailable("repository not found", about=url)
        one.fetches += 1
        if one.down:
            raise SourceUnavailable(one.down, about=url)
        one.mirrored = Refs(one.refs.get(one.head, ""), dict(one.refs))
        one.fetched = set(one.commits)

    async def resolve(self, url: str, revision: str, *, tag_prefix: str = "") -> str:
        one = self._mirror(url)
        assert one.mirrored is not None
        found = resolve(revision, one.mirrored, tag_prefix=tag_prefix)
        if not found and is_commit_id(revision):
            alike = [sha for sha in one.fetched if sha.startswith(revision.lower())]
            found = alike[0] if len(alike) == 1 else ""
        if not found:
            raise RevisionNotFound(f"unable to resolve '{revision or 'HEAD'}' to a commit SHA", about=url)
        return found

    async def revision(self, url: str, sha: str) -> Revision:
        return self._commit(url, sha).revision

    async def tree(self, url: str, sha: str) -> Tree:
        return MemoryTree(dict(self._commit(url, sha).files))

    async def changed_paths(self, url: str, old: str, new: str) -> frozenset[str] | None:
        one = self._mirror(url)
        if not {old, new} <= one.fetched:
            return None
        before, after = one.commits[old].files, one.commits[new].files
        return frozenset(path for path in {*before, *after} if before.get(path) != after.get(path))

    async def signature(self, url: str, sha: str, signers: Signers) -> Signature:
        """Good where the signer is a word of the allowed signers."""
        signer = self._commit(url, sha).revision.signer
        if not signer:
            return Signature(Verified.NONE)
        good = signer in signers.ssh.split()
        return Signature(Verified.GOOD if good else Verified.UNKNOWN, signer if good else "", (f"SHA256:{signer}",))

    async def push_revert(self, url: str, credentials: Credentials, wanted: Revert) -> str:
        branch, to, paths = wanted.branch, wanted.to, wanted.paths
        target = self._commit(url, to).files
        await self.fetch(url, credentials)
        one = self._mirror(url)
        name = one.head.removeprefix("refs/heads/") if branch in ("", "HEAD") else branch
        tip = one.refs.get(f"refs/heads/{name}")
        if tip is None:
            raise RevisionNotFound(f"there is no branch '{name}'", about=url)
        restored = {p: c for p, c in target.items() if _below(p, paths)}
        if not restored:
            raise PathNotFound(f"commit {to} has no such path", about=", ".join(paths))
        before = one.commits[tip].files
        after = {p: c for p, c in before.items() if not _below(p, paths)} | restored
        if after == before:
            return tip
        if one.refusal:
            commands = by_hand(url, replace(wanted, branch=name))
            raise SourceUnavailable(
                f"the push to branch '{name}' was refused: {one.refusal}",
                about=url,
                hint="by hand: " + " && ".join(commands),
            )
        made = self.commit(url, after, branch=name, message=wanted.message, author=wanted.author)
        await self.fetch(url, credentials)
        return made

    async def close(self) -> None:
        """Nothing is open."""

    def _mirror(self, url: str) -> _Repository:
        one = self._repositories.get(url)
        if one is None or one.mirrored is None:
            raise SourceUnavailable("the repository has not been fetched yet", about=url)
        return one

    def _commit(self, url: str, sha: str) -> _Commit:
        one = self._mirror(url)
        if sha not in one.fetched:
            raise RevisionNotFound(f"unable to resolve '{sha}' to a commit SHA", about=url)
        return one.commits[sha]


def _below(path: str, folders: tuple[str, ...]) -> bool:
    return not folders or any(path == folder or path.startswith(folder + "/") for folder in folders)
