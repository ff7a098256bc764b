"""What `kilde check` needs: a repository opened, the trees that are compared, and everything that the rules may look at."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from kilde.adapters.folder import FolderTree
from kilde.adapters.git.local import LocalRepository, NotARepository
from kilde.core.basics.errors import InvalidInput, KildeError
from kilde.core.check.config import FILE, NO_CONFIG, Config, read_config
from kilde.core.check.context import Context, History, NoHistory
from kilde.core.check.judging import Report, judge, known_ids
from kilde.core.check.rules import RULES
from kilde.core.source.tree import Tree

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to be judged: `path` is a repository, a folder in one, or a folder in none.

    `head` "" is the working copy, or with `staged` what the next commit would have; `base` "" judges everything. `config` is a file
    in place of the one in the tree.
    """

    path: Path = Path()
    base: str = ""
    head: str = ""
    staged: bool = False
    config: Path | None = None


class _Range:
    """The versions that commits add."""

    def __init__(self, repository: LocalRepository, commits: list[str]) -> None:
        self._repository, self._commits = repository, commits

    def added(self) -> Iterable[tuple[str, str, bytes]]:
        return self._repository.added(self._commits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The tree that is judged, and what of it."""

    tree: Tree
    changed: frozenset[str] | None = None
    history: History = field(default_factory=NoHistory)


def check(asked: Asked, progress: Progress = lambda what: None) -> Report:
    """Judges; everything that is found is in the report. KildeError where it cannot be judged."""
    with _judged(asked) as judged:
        config = _config(asked, judged.tree)
        context = Context(
            tree=judged.tree,
            changed=judged.changed,
            history=judged.history,
            today=time.strftime("%Y-%m-%d", time.gmtime()),
        )
        return judge(context, RULES, config, begin=lambda rule: progress(rule.title))


@contextmanager
def _judged(asked: Asked) -> Iterator[Judged]:
    if not asked.path.is_dir():
        raise InvalidInput("no such folder", about=str(asked.path))
    try:
        repository = LocalRepository(asked.path)
    except NotARepository:
        if asked.base or asked.head or asked.staged:
            raise
        yield Judged(tree=FolderTree(asked.path))
        return
    try:
        yield _of_repository(repository, asked)
    finally:
        repository.close()


def _of_repository(repository: LocalRepository, asked: Asked) -> Judged:
    if asked.head and asked.staged:
        raise InvalidInput("--head and --staged are two different things", hint="give one of them")
    head = repository.commit(asked.head) if asked.head else ""
    tree_id = repository.tree_id(head) if head else _uncommitted(repository, asked)
    tree = repository.tree(tree_id)
    if not asked.base:
        return Judged(tree=tree)
    base = repository.commit(asked.base)
    tip = head or _tip(repository)
    fork = (repository.merge_base(base, tip) if tip else "") or base
    commits = repository.new_commits(tip, without=[base]) if tip else []
    changed = repository.changed(repository.tree_id(fork), tree_id)
    return Judged(tree=tree, changed=changed, history=_Range(repository, commits))


def _uncommitted(repository: LocalRepository, asked: Asked) -> str:
    return repository.staged() if asked.staged else repository.working()


def _tip(repository: LocalRepository) -> str:
    """The commit under the working copy; "" before the first one."""
    try:
        return repository.commit("HEAD")
    except KildeError:
        return ""


def _config(asked: Asked, tree: Tree) -> Config:
    ids = known_ids(RULES)
    if asked.config is not None:
        try:
            return read_config(asked.config.read_bytes(), ids, file=str(asked.config))
        except OSError as error:
            raise InvalidInput(f"cannot be read: {error.strerror}", about=str(asked.config)) from None
    return read_config(tree.read(FILE), ids) if tree.entry(FILE) is not None else NO_CONFIG
