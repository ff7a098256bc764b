"""push_revert: a commit that puts a path back to what it was, made of Git objects without any checkout, and pushed."""

import asyncio
import re
from dataclasses import replace
from pathlib import Path

from kilde.adapters.git.failures import last_words, unavailable
from kilde.adapters.git.mirror import Mirror
from kilde.adapters.git.process import Finished, Git
from kilde.adapters.git.transport import REMOTE, Transport, transport
from kilde.adapters.git.tree import GitTree
from kilde.core.basics.errors import PathNotFound, RevisionNotFound, SourceError, SourceUnavailable
from kilde.core.source.git_tree import replace_entry
from kilde.core.source.refspec import is_ref_name
from kilde.core.source.revert import Revert, by_hand
from kilde.core.source.tree import EntryKind
from kilde.ports.sources import Credentials

_ATTEMPTS = 3  # somebody else's push may come between our fetch and ours
_PERSON = re.compile(r"(?P<name>[^<>\n\0]*+)<(?P<mail>[^<>\s\0]*+)>\Z")
_OVERTAKEN = re.compile(r"\((?:fetch first|non-fast-forward|stale info|failed to update ref|cannot lock ref)[^)]*\)")
_REFUSAL = re.compile(r"^!\t[^\t]*\t\[[^\]]*\] \((?P<why>.*)\)$", re.MULTILINE)


async def push_revert(
    mirror: Mirror, git: Git, private: Path, credentials: Credentials, wanted: Revert, target: GitTree, *, at: float
) -> str:
    """Commits, as of `at` seconds since the epoch, and pushes; gives the new commit's id, or the branch's present one when
    that content is there already.

    `target` is the tree of `wanted.to`. Raises RevisionNotFound (no such branch), PathNotFound (`to` has no such path:
    nothing is ever deleted by a rollback to before it was made), SourceUnavailable (refused; says what to type by hand).
    """
    for attempt in range(1, _ATTEMPTS + 1):
        await mirror.fetch(credentials)
        async with mirror.lock:
            with transport(mirror.url, credentials, private) as way:
                branch = await _branch(git, way, mirror, wanted.branch)
                tip = mirror.refs.branch(branch)
                if not tip:
                    raise RevisionNotFound(f"there is no branch '{branch}'", about=str(mirror.url))
                made = await _commit(mirror, git, tip, wanted, target, at=at)
                if made == tip:
                    return tip
                done = await _push(git, way, mirror, made, branch)
            if not done.code:
                await _git(git, mirror, ["update-ref", f"refs/heads/{branch}", made, tip])
                await mirror.refresh()
                return made
        if not (attempt < _ATTEMPTS and _OVERTAKEN.search(_said(done))):
            break
    raise _refused(done, mirror, wanted, branch)


async def _branch(git: Git, way: Transport, mirror: Mirror, name: str) -> str:
    """The branch to push to; HEAD is what the server says it is."""
    if name in ("", "HEAD"):
        done = await git.run(
            ["ls-remote", "--symref", "--", REMOTE, "HEAD"], config=way.config, extra=way.extra, secrets=way.secrets
        )
        match = re.match(r"ref: refs/heads/(\S+)\tHEAD", done.output.decode("utf-8", "replace"))
        if done.code or match is None:
            raise RevisionNotFound("the repository's HEAD names no branch", about=str(mirror.url), hint="name a branch")
        name = match.group(1)
    name = name.removeprefix("refs/heads/")
    if not is_ref_name(name):
        raise RevisionNotFound(f"'{name}' cannot be the name of a branch", about=str(mirror.url))
    return name


async def _commit(mirror: Mirror, git: Git, tip: str, wanted: Revert, target: GitTree, *, at: float) -> str:
    """The id of a new commit on top of `tip`; `tip` itself when nothing would change."""
    before = await asyncio.to_thread(mirror.reader.info, f"{tip}^{{tree}}")
    assert before is not None, "the branch was fetched just now"
    tree = await _restored(mirror, git, before.oid, _paths(wanted), target, about=wanted.to)
    if tree == before.oid:
        return tip
    match = _PERSON.match(wanted.author.strip())
    name, mail = (match["name"].strip(), match["mail"]) if match else (re.sub(r"[<>\n\0]", "", wanted.author), "")
    person = {"NAME": name or "kilde", "EMAIL": mail, "DATE": f"{int(at)} +0000"}
    extra = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in person.items()}
    message = wanted.message.replace("\0", "").strip() + "\n"
    return await _git(git, mirror, ["commit-tree", tree, "-p", tip], stdin=message.encode(), extra=extra)


def _paths(wanted: Revert) -> tuple[str, ...]:
    paths = tuple(path.strip("/") for path in wanted.paths)
    return () if "" in paths else paths


async def _restored(mirror: Mirror, git: Git, tree: str, paths: tuple[str, ...], target: GitTree, *, about: str) -> str:
    """The id of `tree` with each path as `target` has it, or gone where it has none."""
    if not paths:
        return target.root
    found = {path: await asyncio.to_thread(target.mode_and_entry, path) for path in paths}
    if not any(found.values()):
        raise PathNotFound(f"commit {about} has no such path", about=", ".join(paths))
    for path, entry in found.items():
        mode, oid = (entry[0], entry[1].oid) if entry else ("", "")
        tree = await _graft(mirror, git, tree, path.split("/"), mode, oid)
    return tree


async def _graft(mirror: Mirror, git: Git, tree: str, names: list[str], mode: str, oid: str) -> str:
    """The id of `tree` with the entry at `names` set (gone where `oid` is ""); "" when nothing is left of it.

    Only the folders on the way are written.
    """
    stored = await asyncio.to_thread(mirror.reader.contents, tree, most=git.limits.tree_bytes) if tree else None
    raw = stored.content if stored else b""
    name, *deeper = names
    if deeper:
        entry = (await asyncio.to_thread(mirror.folders.read, tree, about=name)).get(name) if tree else None
        folder = entry is not None and entry[1].kind is EntryKind.FOLDER
        if not oid and not folder:
            return tree  # what is to go is not there: a file in the folder's place stays
        below = entry[1].oid if entry is not None and folder else ""
        mode, oid = "40000", await _graft(mirror, git, below, deeper, mode, oid)
    width = len(tree or oid) // 2
    changed = replace_entry(raw, name.encode(), mode.encode(), bytes.fromhex(oid), oid_bytes=width)
    if not changed:
        return ""
    return await _git(git, mirror, ["hash-object", "-t", "tree", "-w", "--stdin"], stdin=changed)


async def _git(
    git: Git, mirror: Mirror, arguments: list[str], *, stdin: bytes = b"", extra: dict[str, str] | None = None
) -> str:
    """What a command over the mirror printed. Raises SourceError when it failed, which only a broken disk makes it do."""
    done = await git.run([f"--git-dir={mirror.store.path}", *arguments], stdin=stdin, extra=extra)
    if done.code:
        raise SourceError(f"git {arguments[0]} in its mirror: {last_words(done.error)}", about=str(mirror.url))
    return done.output.decode().strip()


async def _push(git: Git, way: Transport, mirror: Mirror, commit: str, branch: str) -> Finished:
    """Pushes without force: a branch that has moved refuses it."""
    arguments = ["push", "--porcelain", "--no-verify", "--no-follow-tags", "--no-signed", "--recurse-submodules=no"]
    return await git.run(
        [f"--git-dir={mirror.store.path}", *arguments, "--", REMOTE, f"{commit}:refs/heads/{branch}"],
        config=way.config,
        extra=way.extra,
        secrets=way.secrets,
        seconds=git.limits.fetch_seconds,
    )


def _said(done: Finished) -> str:
    return done.output.decode("utf-8", "replace") + done.error


def _refused(done: Finished, mirror: Mirror, wanted: Revert, branch: str) -> SourceUnavailable:
    commands = by_hand(str(mirror.url), replace(wanted, branch=branch, paths=_paths(wanted)))
    match = _REFUSAL.search(done.output.decode("utf-8", "replace"))
    if match is None:
        error = unavailable(done.error, mirror.url)
        what = error.what
    else:
        said = [
            line.removeprefix("remote: ").strip() for line in done.error.splitlines() if line.startswith("remote: ")
        ]
        what = f"the push to branch '{branch}' was refused: " + "; ".join([match["why"], *filter(None, said[:3])])
        if "currently checked out" in match["why"]:
            what += "; its owner can allow it by `git config receive.denyCurrentBranch updateInstead`"
    return SourceUnavailable(what, about=str(mirror.url), hint="by hand: " + " && ".join(commands))
