"""GitSources: repositories by the git program; keeps the promises of ports.sources."""

import asyncio
from collections import OrderedDict
from pathlib import Path
from typing import TypeVar

from kilde.adapters.git.bundle import write_bundle
from kilde.adapters.git.limits import Limits
from kilde.adapters.git.mirror import Mirror
from kilde.adapters.git.private import PrivateFolder
from kilde.adapters.git.process import Git
from kilde.adapters.git.push import push_revert
from kilde.adapters.git.reach import mirror_name
from kilde.adapters.git.signatures import check_signature
from kilde.adapters.git.store import make_room
from kilde.adapters.git.tree import GitTree
from kilde.core.basics.errors import InvalidInput, RevisionNotFound, SourceUnavailable
from kilde.core.source.commit import parse_commit, tree_of
from kilde.core.source.refspec import is_commit_id, is_full_id, is_ref_name, resolve
from kilde.core.source.repository_url import RepositoryUrl, parse
from kilde.core.source.revert import Revert
from kilde.core.source.revision import Revision
from kilde.core.source.signature import Signature, Signers
from kilde.core.source.tree import Tree
from kilde.ports.clock import Clock
from kilde.ports.sources import Credentials

_K = TypeVar("_K")
_V = TypeVar("_V")
_REMEMBERED = 4096  # commits and their trees, of one mirror
_DIFFERENCES = 32  # of one mirror: applications are at a few commits at a time
_DIFFERENCE_BYTES = 4 * 1024 * 1024  # of paths; beyond that all may differ


class _Known:
    """What was asked of one mirror before and cannot change: bounded, the oldest answers go first."""

    def __init__(self) -> None:
        self.commits: OrderedDict[str, str] = OrderedDict()  # commit id as written → whole id
        self.trees: OrderedDict[str, str] = OrderedDict()  # commit id → tree id
        self.changes: OrderedDict[tuple[str, str], frozenset[str]] = OrderedDict()
        self.comparing = asyncio.Lock()  # a thousand applications ask for the same difference at once: one git answers


class GitSources:
    """One mirror a repository, below `folder`. Belongs to one event loop; the Trees it gives may be used from any thread."""

    def __init__(self, folder: Path, *, clock: Clock, limits: Limits | None = None, program: str = "git") -> None:
        self._folder, self._clock, self._limits = folder, clock, limits or Limits()
        self._git = Git(folder / "home", self._limits, program=program)
        self._mirrors: OrderedDict[str, Mirror] = OrderedDict()
        self._known: dict[str, _Known] = {}
        self._urls: dict[str, RepositoryUrl] = {}
        for one in (folder, folder / "home"):
            one.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._private = PrivateFolder(folder / "private")

    async def fetch(self, url: str, credentials: Credentials) -> None:
        await self._mirror(url).fetch(credentials)

    async def resolve(self, url: str, revision: str, *, tag_prefix: str = "") -> str:
        mirror = self._mirror(url)
        found = resolve(revision, mirror.refs, tag_prefix=tag_prefix)
        if not found and is_commit_id(revision):
            found = await self._commit(mirror, revision.lower())
        if found:
            return found
        if is_full_id(revision) or (revision.startswith("refs/") and is_ref_name(revision)):
            mirror.want(revision)
        raise _not_found(revision, mirror)

    async def revision(self, url: str, sha: str) -> Revision:
        mirror = self._mirror(url)
        stored = await asyncio.to_thread(mirror.reader.contents, _id(sha), most=self._limits.blob_bytes, about=sha)
        if stored is None or stored.kind != "commit":
            raise _not_found(sha, mirror)
        return parse_commit(sha, stored.content)

    async def tree(self, url: str, sha: str) -> Tree:
        return await self.git_tree(url, sha)

    async def git_tree(self, url: str, sha: str) -> GitTree:
        """The same, as the class that also knows Git's modes."""
        mirror = self._mirror(url)
        trees = self._known[mirror.url.key].trees
        if sha not in trees:
            stored = await asyncio.to_thread(mirror.reader.contents, _id(sha), most=self._limits.blob_bytes, about=sha)
            if stored is None or not tree_of(stored.content):
                raise _not_found(sha, mirror)
            _remember(trees, sha, tree_of(stored.content))
        return GitTree(mirror.reader, mirror.folders, trees[sha], self._limits)

    async def changed_paths(self, url: str, old: str, new: str) -> frozenset[str] | None:
        mirror = self._mirror(url)
        if old == new:
            return frozenset()
        known = self._known[mirror.url.key]
        async with known.comparing:
            if (old, new) not in known.changes:
                paths = await self._diff(mirror, _id(old), _id(new))
                if paths is None:
                    return None
                _remember(known.changes, (old, new), paths, most=_DIFFERENCES)
            return known.changes[old, new]

    async def push_revert(self, url: str, credentials: Credentials, wanted: Revert) -> str:
        mirror = self._mirror(url)
        target = await self.git_tree(url, wanted.to)
        at = self._clock.now()
        return await push_revert(mirror, self._git, self._private.path, credentials, wanted, target, at=at)

    async def bundle(self, url: str, shas: frozenset[str], target: Path) -> frozenset[str]:
        """Writes those of the commits that the mirror has, with their history, as a Git bundle; which they are. Nothing is fetched."""
        store = self._mirror(url).store
        if not store.exists():
            return frozenset()
        return await write_bundle(self._git, store.path, self._private.path, shas, target)

    async def signature(self, url: str, sha: str, signers: Signers) -> Signature:
        mirror = self._mirror(url)
        return await check_signature(self._git, mirror.store.path, self._private.path, _id(sha), signers)

    async def _diff(self, mirror: Mirror, old: str, new: str) -> frozenset[str] | None:
        arguments = ["-r", "-z", "--name-only", "--no-renames", "--no-ext-diff", "--end-of-options", old, new]
        try:
            done = await self._git.run([f"--git-dir={mirror.store.path}", "diff-tree", *arguments])
        except SourceUnavailable:
            return None
        if done.code or len(done.output) > _DIFFERENCE_BYTES:
            return None
        return frozenset(name.decode("utf-8", "backslashreplace") for name in done.output.split(b"\0") if name)

    async def _commit(self, mirror: Mirror, name: str) -> str:
        commits = self._known[mirror.url.key].commits
        if name not in commits:
            stored = await asyncio.to_thread(mirror.reader.info, f"{name}^{{commit}}")
            if stored is None:
                return ""
            _remember(commits, name, stored.oid)
        return commits[name]

    async def close(self) -> None:
        """Ends the reader processes and removes what is private; nothing can be fetched afterwards. The mirrors stay."""
        for mirror in self._mirrors.values():
            mirror.close()
        self._private.close()

    async def _make_room(self) -> None:
        keep = frozenset(mirror.store.path.stem for mirror in self._mirrors.values())
        if not await asyncio.to_thread(make_room, self._folder, keep, self._limits.folder_bytes):
            raise SourceUnavailable(
                f"the mirrors of all repositories take more than {self._limits.folder_bytes:,} bytes",
                hint="fewer or smaller repositories, or a higher limit",
            )

    def _mirror(self, text: str) -> Mirror:
        url = self._urls.get(text)
        if url is None:
            try:
                url = self._urls[text] = parse(text)
            except InvalidInput as error:  # who asks knows repositories that are away, not ones that cannot be
                raise SourceUnavailable(error.what, about=error.about, hint=error.hint) from None
        key = url.key
        if key not in self._mirrors:
            self._mirrors[key] = Mirror(
                self._folder, url, mirror_name(url), self._git, self._private.path, self._make_room
            )
            self._known[key] = _Known()
        self._mirrors.move_to_end(key)
        for idle in list(self._mirrors.values())[: -self._limits.readers]:
            idle.reader.rest()
        return self._mirrors[key]


def _remember(known: "OrderedDict[_K, _V]", key: _K, value: _V, *, most: int = _REMEMBERED) -> None:
    known[key] = value
    while len(known) > most:
        known.popitem(last=False)


def _id(sha: str) -> str:
    if not is_full_id(sha):
        raise RevisionNotFound(f"'{sha}' is not a whole commit id")
    return sha


def _not_found(revision: str, mirror: Mirror) -> RevisionNotFound:
    """In Argo CD's words; the hint says what the repository has instead."""
    refs = mirror.refs
    branches = sorted(name.removeprefix("refs/heads/") for name in refs.by_name if name.startswith("refs/heads/"))
    if not refs.by_name:
        hint = "the repository is empty"
    elif revision in ("", "HEAD"):
        hint = f"its HEAD names a branch that does not exist; set targetRevision to one of: {', '.join(branches[:5])}"
    else:
        hint = f"branches: {', '.join(branches[:5])}{', …' if len(branches) > 5 else ''}"
    return RevisionNotFound(
        f"unable to resolve '{revision or 'HEAD'}' to a commit SHA", about=str(mirror.url), hint=hint
    )
