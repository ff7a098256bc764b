"""What `kilde check` needs: a repository opened, the trees that are compared, and everything that the rules may look at."""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from kilde.adapters.folder import FolderTree
from kilde.adapters.git.local import LocalRepository, NotARepository, is_id, is_no_commit
from kilde.core.basics.errors import InvalidInput, KildeError
from kilde.core.check.affected import affected
from kilde.core.check.config import FILE, NO_CONFIG, Config, read_config
from kilde.core.check.context import Context, History, NoHistory
from kilde.core.check.here import Named, OnlyTree, Revisions
from kilde.core.check.inventory import followed_branches, take_inventory
from kilde.core.check.judging import Report, judge, known_ids, merged
from kilde.core.check.renderer import Plan
from kilde.core.check.rendering import rendered
from kilde.core.check.rules import RULES
from kilde.core.objects.typed.schema import DEFAULT_VERSION, nearest
from kilde.core.source.tree import Tree
from kilde.wiring.check_parts import ClusterFacts, JudgedSchemas, LocalRevisions, facts_of, served
from kilde.wiring.programs import programs

Progress = Callable[[str], None]
_MOST_REFS = 1_000  # of one push
_BRANCHES = "refs/heads/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to be judged: `path` is a repository, a folder in one, or a folder in none.

    `history`: None, or the commits whose files are judged too: A..B, or all that a revision has ("": the one that is judged).
    `head` "" is the working copy, or with `staged` what the next commit would have; `base` "" judges everything (of what is staged:
    what the commit would change). `config` is a file in place of the one in the tree; `branch` is the one that the change is for
    ("": the present one, where an Application follows it). `kubeconfig` and `context` name a cluster whose version and CRDs count.
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
    kubeconfig: Path | None = None
    context: str = ""


@dataclass(frozen=True, slots=True)
class Update:
    """One ref of a push: what it was, what it is to be (ids; a row of zeros: nothing), and its whole name."""

    old: str
    new: str
    ref: str


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
class _Judged:
    """The tree that is judged, what of it, and what revisions mean in it once the branch is known."""

    tree: Tree
    changed: frozenset[str] | None = None
    history: History = field(default_factory=NoHistory)
    before: Tree | None = None
    branch: str = ""
    revisions: Callable[[str], Revisions]


def check(asked: Asked, progress: Progress = lambda what: None) -> Report:
    """Judges; everything that is found is in the report. KildeError where it cannot be judged."""
    if not asked.path.is_dir():
        raise InvalidInput("no such folder", about=str(asked.path))
    try:
        with _opened(asked.path) as repository:
            return _report(asked, _of_repository(repository, asked, progress), progress)
    except NotARepository:
        if asked.base or asked.head or asked.staged or asked.history is not None:
            raise
        tree = FolderTree(asked.path)
        return _report(asked, _Judged(tree=tree, revisions=lambda branch: OnlyTree(tree)), progress)


def check_push(asked: Asked, updates: Sequence[Update], progress: Progress = lambda what: None) -> Report:
    """Judges what a push brings, as Git's pre-receive hook is told of it: each ref against what it was. KildeError."""
    if len(updates) > _MOST_REFS:
        raise InvalidInput(f"a push of more than {_MOST_REFS} refs", hint="push fewer at once")
    reports = []
    with _opened(asked.path) as repository:
        for update in updates:
            if not is_no_commit(update.new):
                progress(update.ref)
                reports.append(_report(asked, _of_update(repository, update, progress), progress))
    return merged(reports)


def read_updates(lines: Iterable[str]) -> tuple[Update, ...]:
    """What a pre-receive hook gets on standard input: `old new ref` a line. InvalidInput."""
    found = []
    for line in lines:
        words = line.rstrip("\n").split(" ", 2)
        if len(words) != 3 or not is_id(words[0]) or not is_id(words[1]):
            hint = "it is what Git gives a pre-receive hook on standard input"
            raise InvalidInput("must be lines of 'old new ref'", about=line.strip()[:100], hint=hint)
        found.append(Update(*words))
    return tuple(found)


@contextmanager
def _opened(path: Path) -> Iterator[LocalRepository]:
    repository = LocalRepository(path)
    try:
        yield repository
    finally:
        repository.close()


def _report(asked: Asked, judged: _Judged, progress: Progress) -> Report:
    config = _config(asked, judged.tree)
    context = _context(asked, judged, config, progress)
    report = judge(context, RULES, config, begin=lambda rule: progress(rule.title))
    units = context.rendering.units
    guessed = (context.rendering.guessed,) if context.rendering.guessed else ()
    return replace(report, judged=sum(unit.affected for unit in units), applications=len(units), guessed=guessed)


def _context(asked: Asked, judged: _Judged, config: Config, progress: Progress) -> Context:
    cluster = _seen_in_cluster(asked, progress)
    version = nearest(asked.kubernetes_version or cluster.version or config.kubernetes_version or DEFAULT_VERSION)
    progress("reading")
    inventory = take_inventory(judged.tree)
    branch = asked.branch or (judged.branch if judged.branch in followed_branches(inventory) else "")
    plan = Plan(
        tree=judged.tree,
        revisions=Named(judged.revisions(branch), config.repositories),
        programs=programs(asked.helm),
        kube_version=f"{version}.0",
        apis=served(version, (one.body for one in (*inventory.written, *cluster.definitions))),
        definitions=cluster.definitions,
        home=config.home,
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


def _seen_in_cluster(asked: Asked, progress: Progress) -> ClusterFacts:
    if asked.kubeconfig is None and not asked.context:
        return ClusterFacts()
    progress("asking the cluster")
    return asyncio.run(facts_of(asked.kubeconfig, asked.context))


def _of_repository(repository: LocalRepository, asked: Asked, progress: Progress) -> _Judged:
    if asked.head and asked.staged:
        raise InvalidInput("--head and --staged are two different things", hint="give one of them")
    head = repository.commit(asked.head) if asked.head else ""
    tree_id = repository.tree_id(head) if head else _uncommitted(repository, asked)
    tree = repository.tree(tree_id)
    tip = head or _tip(repository)
    past = _past(repository, asked.history, tip) if asked.history is not None else None
    here = _Judged(
        tree=tree,
        history=_Range(repository, past, progress) if past else NoHistory(),
        branch="" if head else repository.branch(),
        revisions=lambda branch: LocalRevisions(repository, tree, branch),
    )
    base = repository.commit(asked.base) if asked.base else tip if asked.staged else ""
    if not base:
        return here
    fork = (repository.merge_base(base, tip) if tip else "") or base
    commits = repository.new_commits(tip, without=[base]) if tip and past is None else past or []
    before = repository.tree_id(fork)
    return replace(
        here,
        changed=repository.changed(before, tree_id),
        history=_Range(repository, commits, progress),
        before=repository.tree(before),
    )


def _past(repository: LocalRepository, asked: str, tip: str) -> list[str]:
    """The commits of a range, the oldest first; `A...B` counts as `A..B`."""
    before, dots, after = asked.partition("..")
    last = after.removeprefix(".") if dots else before
    end = repository.commit(last) if last else tip
    return repository.new_commits(end, without=[repository.commit(before)] if dots and before else []) if end else []


def _of_update(repository: LocalRepository, update: Update, progress: Progress) -> _Judged:
    """What one ref brings: a new branch against the newest commit that it shares with HEAD."""
    new = repository.commit(update.new)
    tree_id = repository.tree_id(new)
    tree = repository.tree(tree_id)
    if is_no_commit(update.old):
        tip = _tip(repository)
        base = repository.merge_base(new, tip) if tip else ""
    else:
        base = repository.commit(update.old)
    before = repository.tree_id(base) if base else ""
    return _Judged(
        tree=tree,
        branch=update.ref.removeprefix(_BRANCHES) if update.ref.startswith(_BRANCHES) else "",
        revisions=lambda branch: LocalRevisions(repository, tree, branch),
        changed=repository.changed(before, tree_id) if before else None,
        history=_Range(repository, repository.new_commits(new, without=["--all"]), progress),
        before=repository.tree(before) if before else None,
    )


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
