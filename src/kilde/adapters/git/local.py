"""LocalRepository: a repository on this machine, only read: commits, index and working copy as trees, and what differs."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from kilde.adapters.git.failures import last_words
from kilde.adapters.git.limits import Limits
from kilde.adapters.git.objects import ObjectReader
from kilde.adapters.git.process import environment, users_environment
from kilde.adapters.git.tree import Folders, GitTree
from kilde.core.basics.errors import InvalidInput, LimitExceeded, RevisionNotFound, SourceError
from kilde.core.source.refspec import Refs
from kilde.core.source.repository_url import redact

_QUARANTINE = ("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_QUARANTINE_PATH")
_MOST_COMMITS = 20_000  # of one range
_MOST_BLOB = 8 << 20
_FULL_ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_NO_ID = re.compile(r"0+")


class NotARepository(SourceError):
    """A folder that is in no repository."""


class LocalRepository:
    """Whose folder `path` is in, or which it is. Nothing is written into it, not even objects; nothing is checked out.

    What is not committed becomes a tree in a folder of ours, which `close` removes. Every failure is a KildeError.
    """

    def __init__(self, path: Path, *, program: str = "git", limits: Limits | None = None) -> None:
        self._program, self._limits = program, limits or Limits()
        hooked = path == Path() and "GIT_DIR" in os.environ  # git started us: it says where it is
        env = {**os.environ, "LC_ALL": "C"} if hooked else users_environment()
        found = self._run(["-C", str(path), "rev-parse", "--absolute-git-dir"], env)
        self.folder = Path(found.decode("utf-8", "surrogateescape").rstrip("\n"))
        self.top = self._top(path, env)
        self._scratch = Path(tempfile.mkdtemp(prefix="kilde-check-"))
        self._objects = {name: os.environ[name] for name in _QUARANTINE if name in os.environ} if hooked else {}
        self._open()

    def _open(self) -> None:
        self._reader = ObjectReader(
            self.folder, self._scratch, self._limits, program=self._program, extra=self._objects
        )
        self._folders = Folders(self._reader, self._limits)

    def _top(self, path: Path, env: Mapping[str, str]) -> Path | None:
        """The working copy's root; None for a bare repository."""
        inside = self._run(["-C", str(path), "rev-parse", "--is-inside-work-tree"], env)
        if inside.strip() != b"true":
            return None
        return Path(os.fsdecode(self._run(["-C", str(path), "rev-parse", "--show-toplevel"], env)).rstrip("\n"))

    def close(self) -> None:
        self._reader.close()
        shutil.rmtree(self._scratch, ignore_errors=True)

    # What is there

    def commit(self, revision: str) -> str:
        """The id of the commit that a revision names. Raises RevisionNotFound."""
        if revision and not revision.startswith("-"):
            done = self._try(["rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"])
            if done.returncode == 0:
                return done.stdout.decode().strip()
        hint = "fetch it first, or name a branch, a tag or a commit of this repository"
        raise RevisionNotFound("no such revision in this repository", about=redact(revision), hint=hint)

    def tree_id(self, commit: str) -> str:
        """The id of a commit's tree."""
        return self._git(["rev-parse", "--verify", "--end-of-options", f"{commit}^{{tree}}"]).decode().strip()

    def tree(self, tree_id: str) -> GitTree:
        """The files of a tree."""
        return GitTree(self._reader, self._folders, tree_id, self._limits)

    def merge_base(self, one: str, other: str) -> str:
        """The newest commit that both have; "" where they have none."""
        done = self._try(["merge-base", one, other])
        return done.stdout.decode().split("\n")[0].strip() if done.returncode == 0 else ""

    def changed(self, before: str, after: str) -> frozenset[str]:
        """The paths that differ between two trees, those that went included."""
        listed = self._git(["diff-tree", "-r", "-z", "--no-renames", "--name-only", before, after])
        return frozenset(_names(listed))

    def empty_tree(self) -> str:
        """The id of the tree without files."""
        return self._git(["hash-object", "-t", "tree", "--stdin"]).decode().strip()

    def branch(self) -> str:
        """The branch that HEAD is; "" where it is a commit."""
        done = self._try(["symbolic-ref", "--quiet", "--short", "HEAD"])
        return done.stdout.decode("utf-8", "replace").strip() if done.returncode == 0 else ""

    def refs(self) -> Refs:
        """Branches and tags. A branch of a remote counts as one of ours where we have none of that name: a clone has only those."""
        form = "--format=%(refname) %(objectname) %(objecttype) %(*objectname) %(*objecttype)"
        listed = self._git(["for-each-ref", form, "refs/heads", "refs/tags", "refs/remotes"])
        here: dict[str, str] = {}
        there: dict[str, str] = {}
        for line in listed.decode("utf-8", "backslashreplace").splitlines():
            name, oid, kind, peeled, peeled_kind = (line + "    ").split(" ")[:5]
            commit = oid if kind == "commit" else peeled if peeled_kind == "commit" else ""
            if commit and not name.startswith("refs/remotes/"):
                here[name] = commit
            elif commit and name.count("/") > 2:
                there.setdefault(f"refs/heads/{name.split('/', 3)[3]}", commit)
        there.pop("refs/heads/HEAD", None)
        return Refs("", {**there, **here})

    def is_shallow(self) -> bool:
        """Whether it lacks a part of the history, and so perhaps branches and tags."""
        return self._git(["rev-parse", "--is-shallow-repository"]).strip() == b"true"

    def urls(self) -> tuple[str, ...]:
        """What its remotes are called."""
        done = self._try(["config", "--local", "-z", "--get-regexp", r"^remote\..*\.url$"])
        return tuple(pair.partition("\n")[2] for pair in done.stdout.decode("utf-8", "replace").split("\0") if pair)

    # What is not committed

    def staged(self) -> str:
        """The id of the tree that `git commit` would commit."""
        index = os.environ.get("GIT_INDEX_FILE") or self._git(["rev-parse", "--git-path", "index"]).decode().strip()
        return self._scratch_tree(Path(index), add=False)

    def working(self) -> str:
        """The id of the tree that the working copy would be: what is ignored is left out, what is new is in."""
        return self._scratch_tree(Path(self._git(["rev-parse", "--git-path", "index"]).decode().strip()), add=True)

    def _scratch_tree(self, index: Path, *, add: bool) -> str:
        """Made in an index and an object store of ours, beside those of the repository."""
        if self.top is None:
            raise InvalidInput(
                "is a bare repository: it has no working copy", about=str(self.folder), hint="give --head REV"
            )
        mine, objects = self._scratch / "index", self._scratch / "objects"
        objects.mkdir(exist_ok=True)
        source = index if index.is_absolute() else self.top / index
        with suppress(FileNotFoundError):  # nothing was ever added
            shutil.copyfile(source, mine)
        own = self._git(["rev-parse", "--git-path", "objects"]).decode().strip()
        elsewhere = [str((self.folder / own).resolve() if not Path(own).is_absolute() else own)]
        elsewhere += [path for path in (self._objects.get("GIT_ALTERNATE_OBJECT_DIRECTORIES"),) if path]
        extra = {
            "GIT_INDEX_FILE": str(mine),
            "GIT_OBJECT_DIRECTORY": str(objects),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": os.pathsep.join(elsewhere),
        }
        env = users_environment(extra=extra)  # what the user ignores and filters counts
        if add:
            self._run([*self._at(), "-c", "advice.addEmbeddedRepo=false", "add", "--all", "--", "."], env)
        made = self._run([*self._at(), "write-tree"], env).decode().strip()
        self._reader.close()
        self._objects = {name: value for name, value in extra.items() if name != "GIT_INDEX_FILE"}
        self._open()
        return made

    # What a range brings

    def new_commits(self, head: str, *, without: Sequence[str]) -> list[str]:
        """The commits of `head` that the others do not have, the oldest first. `--all` stands for every ref there is."""
        asked = ["rev-list", "--reverse", f"--max-count={_MOST_COMMITS + 1}", head, "--not", *without]
        found = self._git(asked).decode().split()
        if len(found) > _MOST_COMMITS:
            raise LimitExceeded(f"a range of more than {_MOST_COMMITS} commits", hint="give a nearer --base")
        return found

    def added(self, commits: Sequence[str]) -> Iterator[tuple[str, str, bytes]]:
        """Commit, path and content of every version of a file that the commits add; of a merge what none of its parents has.

        What is larger than 8 MiB comes without its content (b"").
        """
        if not commits:
            return
        asked = ["diff-tree", "--stdin", "--root", "-r", "-c", "--no-renames", "--raw", "--no-abbrev", "-z"]
        listed = self._git(asked, stdin="".join(f"{one}\n" for one in commits).encode())
        seen: set[tuple[str, str]] = set()
        for commit, oid, path in _raw(listed):
            if (oid, path) in seen:
                continue
            seen.add((oid, path))
            stored = self._reader.info(oid)
            if stored is None or stored.kind != "blob":
                continue
            content = b""
            if stored.size <= _MOST_BLOB:
                read = self._reader.contents(oid, most=_MOST_BLOB, about=path)
                content = read.content if read else b""
            yield commit, path, content

    # The program

    def _at(self) -> list[str]:
        return [f"--git-dir={self.folder}", *([f"--work-tree={self.top}"] if self.top else [])]

    def _git(self, arguments: Sequence[str], *, stdin: bytes = b"") -> bytes:
        env = environment(self._scratch, extra=self._objects)
        return self._run([*self._at(), *arguments], env, stdin=stdin)

    def _try(self, arguments: Sequence[str]) -> subprocess.CompletedProcess[bytes]:
        env = environment(self._scratch, extra=self._objects)
        return self._start([*self._at(), *arguments], env, b"")

    def _run(self, arguments: Sequence[str], env: Mapping[str, str], *, stdin: bytes = b"") -> bytes:
        done = self._start(arguments, env, stdin)
        if done.returncode:
            said = redact(last_words(done.stderr.decode("utf-8", "replace")))
            if "not a git repository" in said:
                raise NotARepository("is in no Git repository")
            raise SourceError(said or f"git ended with {done.returncode}")
        return done.stdout

    def _start(
        self, arguments: Sequence[str], env: Mapping[str, str], stdin: bytes
    ) -> subprocess.CompletedProcess[bytes]:
        cwd = self.top if getattr(self, "top", None) else None
        try:
            return subprocess.run(  # noqa: S603 - no shell; revisions come after --end-of-options
                [self._program, *arguments],
                env=dict(env),
                cwd=cwd,
                input=stdin,
                capture_output=True,
                check=False,
                timeout=self._limits.fetch_seconds,
            )
        except OSError as error:
            raise SourceError(f"git cannot be started: {error.strerror}", hint="install git") from None
        except subprocess.TimeoutExpired:
            raise SourceError(f"git did not end within {self._limits.fetch_seconds:g} s") from None


def is_no_commit(name: str) -> bool:
    """Whether an id is the row of zeros that stands for a ref that is not there."""
    return _NO_ID.fullmatch(name) is not None


def is_id(name: str) -> bool:
    """Whether it is a whole object id."""
    return _FULL_ID.fullmatch(name) is not None


def _names(listed: bytes) -> Iterator[str]:
    for name in listed.split(b"\0"):
        if name:
            yield name.decode("utf-8", "backslashreplace")


def _raw(listed: bytes) -> Iterator[tuple[str, str, str]]:
    """Commit, blob and path of each line of `diff-tree --stdin --raw -z`; what was deleted is left out."""
    commit, parts = "", iter(listed.split(b"\0"))
    for part in parts:
        if part.startswith(b":"):
            words = part.decode("ascii", "replace").split(" ")
            parents = len(words[0]) - len(words[0].lstrip(":"))
            mode, oid = words[parents], words[2 * parents + 1]
            path = next(parts, b"").decode("utf-8", "backslashreplace")
            if not is_no_commit(oid) and mode.startswith("100"):
                yield commit, oid, path
        elif is_id(text := part.decode("ascii", "replace").strip()):
            commit = text
