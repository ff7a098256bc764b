"""Clones: remote bases for one `kilde build`, fetched by the user's own git into a folder that goes with it; nothing is checked out."""

import asyncio
import posixpath
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kilde.adapters.git.failures import last_words, unavailable
from kilde.adapters.git.limits import Limits
from kilde.adapters.git.mounted import MountedTree
from kilde.adapters.git.objects import ObjectReader
from kilde.adapters.git.process import Finished, Git
from kilde.adapters.git.tree import Folders, GitTree
from kilde.core.basics.errors import InvalidInput, LimitExceeded, SourceUnavailable
from kilde.core.render.kustomize.remote import RemoteRepository
from kilde.core.source.refspec import is_full_id
from kilde.core.source.repository_url import RepositoryUrl, Scheme, parse, redact
from kilde.core.source.tree import EntryKind, Tree

_LIMITS = Limits(blob_bytes=64 << 20, readers=1)
_REMOTE = "kilde"
_FETCH = ("fetch", "--quiet", "--no-progress", "--no-tags", "--no-recurse-submodules", "--no-auto-maintenance")
_EVERYTHING = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
_MOST_MODULES, _MOST_LEVELS = 200, 10


@dataclass(frozen=True, slots=True)
class Clone:
    """One repository at one commit; keeps the promises of core's Fetched."""

    tree: MountedTree
    commit: str
    write_out: Callable[["Clone"], tuple[str, Tree]]

    def export(self) -> tuple[str, Tree]:
        return self.write_out(self)


class Clones:
    """Each repository is fetched once a build, however often it is named. Synchronous; `close` removes everything.

    `over`: what makes a Tree over a folder that was written out.
    """

    def __init__(self, over: Callable[[str], Tree], *, program: str = "git", limits: Limits = _LIMITS) -> None:
        self._over, self._program, self._limits = over, program, limits
        self._folder: Path | None = None
        self._clones: dict[tuple[str, str, bool], Clone] = {}
        self._exports: dict[str, tuple[str, Tree]] = {}
        self._readers: list[ObjectReader] = []

    def repository(self, wanted: RemoteRepository) -> Clone:
        """Raises SourceUnavailable, in words for people and without credentials."""
        key = (wanted.clone_url, wanted.ref, wanted.submodules)
        if key not in self._clones:
            self._clones[key] = asyncio.run(self._clone(wanted))
        return self._clones[key]

    def close(self) -> None:
        """Ends the readers and removes the folder."""
        for reader in self._readers:
            reader.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def _new_folder(self, kind: str) -> Path:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="kilde-build-"))
            (self._folder / "home").mkdir()
        return Path(tempfile.mkdtemp(prefix=f"{kind}-", dir=self._folder))

    async def _clone(self, wanted: RemoteRepository) -> Clone:
        work = _Work(self._git(), wanted.seconds, self._new_folder, self._readers, wanted.submodules)
        tree, commit = await work.fetch(wanted.clone_url, wanted.ref or "HEAD", levels=0)
        return Clone(tree, commit, self._export)

    def _git(self) -> Git:
        folder = self._new_folder("home")
        return Git(folder, self._limits, program=self._program, users=True)

    def _export(self, clone: Clone) -> tuple[str, Tree]:
        if clone.commit not in self._exports:
            from kilde.adapters.git.export import export

            folder = self._new_folder("files")
            export(clone.tree, folder)
            self._exports[clone.commit] = str(folder.resolve()), self._over(str(folder))
        return self._exports[clone.commit]


class _Work:
    """The fetching of one repository with its submodules."""

    def __init__(
        self,
        git: Git,
        seconds: float,
        new_folder: Callable[[str], Path],
        readers: list[ObjectReader],
        submodules: bool,
    ) -> None:
        self._git, self._new_folder, self._readers, self._submodules = git, new_folder, readers, submodules
        self._seconds = min(seconds, git.limits.clone_seconds)
        self._modules = 0

    async def fetch(self, address: str, ref: str, *, levels: int) -> tuple[MountedTree, str]:
        """The tree and the commit id of a ref; `levels`: submodules that led here."""
        url = _parsed(address)
        repository = self._new_folder("clone")
        await self._must(url, ["init", "--quiet", "--bare", "--template=", str(repository)])
        commit = await self._fetch_ref(url, address, repository, ref, levels)
        reader = ObjectReader(repository, self._git.home, self._git.limits, program=self._git.program)
        self._readers.append(reader)
        root = reader.info(f"{commit}^{{tree}}")
        if root is None:
            raise SourceUnavailable(f"the commit {commit} has no files", about=str(url))
        tree = GitTree(reader, Folders(reader, self._git.limits), root.oid, self._git.limits)
        mounts = await self._modules_of(tree, repository, address, levels) if self._submodules else {}
        return MountedTree(tree, mounts), commit

    async def _fetch_ref(self, url: RepositoryUrl, address: str, repository: Path, ref: str, levels: int) -> str:
        done = await self._run_fetch(url, address, repository, levels, ref)
        if done.code and levels and is_full_id(ref):  # a server may refuse to give a commit that no ref names
            done = await self._run_fetch(url, address, repository, levels, *_EVERYTHING, depth=False)
        if done.code:
            raise _told(done.error, url, ref)
        name = ref if levels else "FETCH_HEAD"
        found = await self._run([f"--git-dir={repository}", "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}"])
        if found.code:
            raise SourceUnavailable(f"'{ref}' is no commit there", about=str(url))
        return found.output.decode().strip()

    async def _run_fetch(
        self, url: RepositoryUrl, address: str, repository: Path, levels: int, *refs: str, depth: bool = True
    ) -> Finished:
        extra = {}
        if levels:  # git trusts what a repository names less than what its user names
            extra["GIT_PROTOCOL_FROM_USER"] = "0"
        else:
            extra = _allowed(url)
        shallow = ["--depth=1"] if depth else []
        return await self._git.run(
            [f"--git-dir={repository}", *_FETCH, *shallow, "--", _REMOTE, *refs],
            config=[(f"remote.{_REMOTE}.url", address)],
            extra=extra,
            secrets=[url.password] if url.password else [],
            seconds=self._seconds,
        )

    async def _modules_of(self, tree: GitTree, repository: Path, address: str, levels: int) -> dict[str, MountedTree]:
        listing = tree.entry(".gitmodules")
        if listing is None or listing.kind is not EntryKind.FILE:
            return {}
        mounts: dict[str, MountedTree] = {}
        for path, module in (await self._listed(repository, listing.oid)).items():
            entry = tree.entry(path)
            if entry is None or entry.kind is not EntryKind.SUBMODULE:
                continue
            self._modules += 1
            if levels >= _MOST_LEVELS or self._modules > _MOST_MODULES:
                raise LimitExceeded("more submodules than anything honest has", about=redact(address))
            mounts[path], _ = await self.fetch(_absolute(module, address), entry.oid, levels=levels + 1)
        return mounts

    async def _listed(self, repository: Path, oid: str) -> dict[str, str]:
        """Path → URL of every submodule that .gitmodules names."""
        done = await self._run([f"--git-dir={repository}", "config", "--no-includes", f"--blob={oid}", "-z", "--list"])
        if done.code:
            raise SourceUnavailable(f".gitmodules cannot be read: {last_words(done.error)}")
        modules: dict[str, dict[str, str]] = {}
        for pair in done.output.decode("utf-8", "replace").split("\0"):
            name, _, value = pair.partition("\n")
            section, _, rest = name.partition(".")
            module, _, key = rest.rpartition(".")
            if section == "submodule" and module:
                modules.setdefault(module, {})[key] = value
        return {
            posixpath.normpath(module["path"]): module["url"]
            for module in modules.values()
            if module.get("path") and module.get("url")
        }

    async def _run(self, arguments: list[str]) -> Finished:
        return await self._git.run(arguments, seconds=self._seconds)

    async def _must(self, url: RepositoryUrl, arguments: list[str]) -> None:
        done = await self._run(arguments)
        if done.code:
            raise SourceUnavailable(f"git {arguments[0]} failed: {last_words(done.error)}", about=str(url))


def _parsed(address: str) -> RepositoryUrl:
    try:
        return parse(address)
    except InvalidInput as error:
        raise SourceUnavailable(error.what, about=error.about, hint=error.hint) from None


def _allowed(url: RepositoryUrl) -> dict[str, str]:
    """Only the protocol that was asked for, unless the user's environment says what git may use."""
    import os

    return {} if "GIT_ALLOW_PROTOCOL" in os.environ else {"GIT_ALLOW_PROTOCOL": url.scheme.value}


def _told(error: str, url: RepositoryUrl, ref: str) -> SourceUnavailable:
    if "couldn't find remote ref" in error or "not our ref" in error or "no such remote ref" in error:
        return SourceUnavailable(f"it has no branch, tag or commit '{ref}' that it gives", about=str(url))
    return unavailable(error, url)


def _absolute(module: str, parent: str) -> str:
    """A submodule's URL; one that begins with `./` or `../` is relative to its parent's."""
    if not module.startswith(("./", "../")):
        return f"file://{module}" if module.startswith("/") else module
    url = _parsed(parent)
    head = parent[: len(parent) - len(url.path)] if url.scheme is not Scheme.FILE else "file://"
    path = posixpath.normpath(posixpath.join(url.path.rstrip("/"), module))
    if path.startswith(".."):
        raise SourceUnavailable(f"the submodule's URL '{module}' leads out of the server", about=redact(parent))
    return head + path
