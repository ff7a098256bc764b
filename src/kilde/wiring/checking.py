"""What `kilde check` needs: a repository opened, the trees that are compared, and everything that the rules may look at."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from kilde.adapters.folder import FolderTree
from kilde.adapters.git.local import LocalRepository, NotARepository
from kilde.core.basics.errors import InvalidInput, KildeError
from kilde.core.check.affected import affected
from kilde.core.check.config import FILE, NO_CONFIG, Config, read_config
from kilde.core.check.context import Context, History, NoHistory
from kilde.core.check.here import Named, OnlyTree, Revisions
from kilde.core.check.inventory import take_inventory
from kilde.core.check.judging import Report, judge, known_ids
from kilde.core.check.renderer import Plan
from kilde.core.check.rendering import rendered
from kilde.core.check.rules import RULES
from kilde.core.objects.typed.schema import DEFAULT_VERSION, nearest
from kilde.core.source.tree import Tree
from kilde.wiring.check_parts import JudgedSchemas, LocalRevisions, served
from kilde.wiring.sourcing import programs

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to be judged: `path` is a repository, a folder in one, or a folder in none.

    `history`: None, or the commits whose files are judged too: A..B, or all that a revision has ("": the one that is judged).
    `head` "" is the working copy, or with `staged` what the next commit would have; `base` "" judges everything. `config` is a file
    in place of the one in the tree; `branch` is the one that the change is for ("": any that there is).
    """

    path: Path = Path()
    base: str = ""
    head: str = ""
    branch: str = ""
    staged: bool = False
    config: Path | None = None
    kubernetes_version: str = ""
    helm: str = ""
    history: str | None = None


class _Range:
    """The versions that commits add."""

    def __init__(self, repository: LocalRepository, commits: list[str], progress: Progress) -> None:
        self._repository, self._commits, self._progress = repository, commits, progress

    def added(self) -> Iterator[tuple[str, str, bytes]]:
        numbers, last = {commit: number for number, commit in enumerate(self._commits, 1)}, ""
        for commit, path, content in self._repository.added(self._commits):
            if commit != last:
                last = commit
                self._progress(f"commit {numbers[commit]} of {len(self._commits)}")
            yield commit, path, content


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The tree that is judged, and what of it."""

    tree: Tree
    changed: frozenset[str] | None = None
    history: History = field(default_factory=NoHistory)
    revisions: Revisions
    before: Tree | None = None


def check(asked: Asked, progress: Progress = lambda what: None) -> Report:
    """Judges; everything that is found is in the report. KildeError where it cannot be judged."""
    with _judged(asked, progress) as judged:
        config = _config(asked, judged.tree)
        context = _context(asked, judged, config, progress)
        report = judge(context, RULES, config, begin=lambda rule: progress(rule.title))
        units = context.rendering.units
        return replace(report, judged=sum(unit.affected for unit in units), applications=len(units))


def _context(asked: Asked, judged: Judged, config: Config, progress: Progress) -> Context:
    version = nearest(asked.kubernetes_version or config.kubernetes_version or DEFAULT_VERSION)
    inventory = take_inventory(judged.tree)
    plan = Plan(
        tree=judged.tree,
        revisions=Named(judged.revisions, config.repositories),
        programs=programs(asked.helm),
        kube_version=f"{version}.0",
        apis=served(version, (one.body for one in inventory.written)),
        progress=progress,
    )
    rendering = rendered(plan, inventory)
    if judged.changed is not None and judged.before is not None:
        rendering = affected(rendering, plan, judged.before, judged.changed)
    return Context(
        tree=judged.tree,
        changed=judged.changed,
        history=judged.history,
        rendering=rendering,
        revisions=plan.revisions,
        schemas=JudgedSchemas(version, rendering.definitions),
        today=time.strftime("%Y-%m-%d", time.gmtime()),
    )


@contextmanager
def _judged(asked: Asked, progress: Progress) -> Iterator[Judged]:
    if not asked.path.is_dir():
        raise InvalidInput("no such folder", about=str(asked.path))
    try:
        repository = LocalRepository(asked.path)
    except NotARepository:
        if asked.base or asked.head or asked.staged or asked.history is not None:
            raise
        tree = FolderTree(asked.path)
        yield Judged(tree=tree, revisions=OnlyTree(tree))
        return
    try:
        yield _of_repository(repository, asked, progress)
    finally:
        repository.close()


def _of_repository(repository: LocalRepository, asked: Asked, progress: Progress) -> Judged:
    if asked.head and asked.staged:
        raise InvalidInput("--head and --staged are two different things", hint="give one of them")
    head = repository.commit(asked.head) if asked.head else ""
    tree_id = repository.tree_id(head) if head else _uncommitted(repository, asked)
    tree = repository.tree(tree_id)
    revisions = LocalRevisions(repository, tree, asked.branch)
    tip = head or _tip(repository)
    past = _past(repository, asked.history, tip) if asked.history is not None else None
    if not asked.base:
        history = _Range(repository, past, progress) if past else NoHistory()
        return Judged(tree=tree, history=history, revisions=revisions)
    base = repository.commit(asked.base)
    fork = (repository.merge_base(base, tip) if tip else "") or base
    commits = repository.new_commits(tip, without=[base]) if tip and past is None else past or []
    changed = repository.changed(repository.tree_id(fork), tree_id)
    before = repository.tree(repository.tree_id(fork))
    history = _Range(repository, commits, progress)
    return Judged(tree=tree, changed=changed, history=history, revisions=revisions, before=before)


def _past(repository: LocalRepository, asked: str, tip: str) -> list[str]:
    """The commits of a range, the oldest first; `A...B` counts as `A..B`."""
    before, dots, after = asked.partition("..")
    last = after.removeprefix(".") if dots else before
    end = repository.commit(last) if last else tip
    return repository.new_commits(end, without=[repository.commit(before)] if dots and before else []) if end else []


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
