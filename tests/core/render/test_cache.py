"""The cache by property: whatever was edited, and whoever rendered what before, a cached render is the cold render."""

import posixpath
import random
from collections.abc import Callable

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from core.render.generated_trees import TOPS, repository
from kilde.core.basics.errors import KildeError
from kilde.core.render import DirectoryOptions, RenderCache, RenderSource, kustomize_build, render
from kilde.core.source.tree import MemoryTree, Trace, TracedTree, Tree, touched


class Link(bytes):
    """The target of a symlink."""


Files = dict[str, bytes]
Result = tuple[object, ...]
Edit = Callable[[random.Random, Files], None]
FOLDERS = ("lib", "lib/base", "lib/mid", "lib/part", "apps", "apps/a", "apps/b/deep", "plain")
NAMES = (
    "kustomization.yaml",
    "kustomization.yml",
    "Kustomization",
    "r0.yaml",
    "Chart.yaml",
    "file.txt",
    "names.yaml",
    "new.yaml",
)


def rendered(tree: Tree, top: str, cache: RenderCache | None) -> tuple[Result, dict[str, str | None]]:
    """Everything that a render tells, errors included, and what it looked at."""
    traced = TracedTree(tree)
    directory = DirectoryOptions(recurse=True) if top == TOPS[-1] else None
    try:
        found = render(traced, RenderSource(path=top, directory=directory), cache=cache)
        built = () if directory else kustomize_build(tree, top, cache=cache)
        text = built.text() if built else ""
        told: Result = (text, found.warnings, [(m.body, m.origin) for m in found.manifests], found.source_type)
    except KildeError as error:
        told = (type(error).__name__, str(error), error.hint)
    return told, traced.trace.seen


# --- edits


def keep(_: random.Random, __: Files) -> None:
    """Nothing: what was rendered before is rendered again."""


def drop_line(dice: random.Random, files: Files) -> None:
    path = dice.choice(sorted(files))
    lines = files[path].splitlines(keepends=True)
    if lines:
        del lines[dice.randrange(len(lines))]
    files[path] = b"".join(lines)


def repeat_line(dice: random.Random, files: Files) -> None:
    path = dice.choice(sorted(files))
    lines = files[path].splitlines(keepends=True)
    files[path] = b"".join([*lines, dice.choice(lines or [b"x: y\n"])])


def delete(dice: random.Random, files: Files) -> None:
    del files[dice.choice(sorted(files))]


def add(dice: random.Random, files: Files) -> None:
    path = f"{dice.choice(FOLDERS)}/{dice.choice(NAMES)}"
    if dice.random() < 0.2:
        path += "/inside"  # a folder where a file would be looked for
    put(
        files,
        path,
        dice.choice([b"", b"namePrefix: n-\n", b"resources: [r0.yaml]\n", files[dice.choice(sorted(files))]]),
    )


def swap(dice: random.Random, files: Files) -> None:
    first, second = dice.choice(sorted(files)), dice.choice(sorted(files))
    files[first], files[second] = files[second], files[first]


def rename(dice: random.Random, files: Files) -> None:
    path = dice.choice(sorted(files))
    put(files, posixpath.join(posixpath.dirname(path), dice.choice(NAMES)), files.pop(path))


def rename_folder(dice: random.Random, files: Files) -> None:
    old, new = dice.choice(FOLDERS), dice.choice((*FOLDERS, "elsewhere"))
    if not new.startswith(old):
        for path in [path for path in files if path.startswith(old + "/")]:
            put(files, new + path.removeprefix(old), files.pop(path))


def delete_folder(dice: random.Random, files: Files) -> None:
    old = dice.choice(FOLDERS)
    for path in [path for path in files if path.startswith(old + "/")]:
        del files[path]


def folder_to_file(dice: random.Random, files: Files) -> None:
    old = dice.choice(FOLDERS)
    for path in [path for path in files if path.startswith(old + "/")]:
        del files[path]
    put(files, old, b"kind: X\nmetadata: {name: x}\n")


def to_symlink(dice: random.Random, files: Files) -> None:
    path = dice.choice(sorted(files))
    files[path] = Link(files[path].split(b"\n")[0] or b"x")  # mostly of the same id as a file with that text


def put(files: Files, path: str, content: bytes) -> None:
    """Writes a file, in the place of whatever is in its way."""
    parts = path.split("/")
    for depth in range(1, len(parts)):
        files.pop("/".join(parts[:depth]), None)
    for below in [other for other in files if other.startswith(path + "/")]:
        del files[below]
    files[path] = content


EDITS: tuple[Edit, ...] = (
    drop_line, drop_line, repeat_line, delete, add, add, swap, rename, rename_folder, delete_folder, folder_to_file,
    to_symlink,
)  # fmt: skip


def tree_of(files: Files) -> MemoryTree:
    links = {path: content.decode(errors="replace") for path, content in files.items() if isinstance(content, Link)}
    return MemoryTree({path: content for path, content in files.items() if path not in links}, links)


def differing(before: Files, after: Files) -> list[str]:
    """The paths that Git names when it compares two commits."""
    return [
        path
        for path in before.keys() | after.keys()
        if (type(before.get(path)), before.get(path)) != (type(after.get(path)), after.get(path))
    ]


SEEDS = st.integers(min_value=0, max_value=1 << 20)


@settings(max_examples=100, deadline=None)
@given(seed=SEEDS, edits=st.lists(st.tuples(st.sampled_from(EDITS), SEEDS), max_size=6), small=st.booleans())
def test_a_cached_render_is_the_cold_render_whatever_was_edited(
    seed: int, edits: list[tuple[Edit, int]], small: bool
) -> None:
    """Tree and edits come of seeds; hypothesis leaves out edits until only those remain that matter."""
    files: Files = {path: text.encode() for path, text in repository(random.Random(seed)).items()}
    original = dict(files)
    cache = RenderCache(documents=2, bases=1) if small else RenderCache()
    memory: dict[str, tuple[Files, Result, Trace]] = {}
    for edit, number in [(keep, 0), *edits, (keep, 1)]:
        dice = random.Random(number)
        edit(dice, files)
        if not files:
            files.update(original)
        note(f"{edit.__name__}: {sorted(differing(original, files))}")
        tree = tree_of(files)
        for top in dice.sample(TOPS, 4):
            cold, seen = rendered(tree, top, None)
            assert rendered(tree, top, cache) == (cold, seen)
            if top in memory:
                then, result, trace = memory[top]
                met = touched(tree_of(then), tree, differing(then, files)) & trace.seen.keys()
                assert trace.still_true(tree) == (not met), "looking again and comparing commits come to the same"
                assert met or cold == result, "nothing that was looked at has changed"
            memory[top] = (dict(files), cold, Trace(seen))


POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n  - {name: a, args: [$(X)], image: i}\n"
TRICKY = {
    "variables of a shared base": {
        "base/kustomization.yaml": "resources: [p.yaml]\nvars:\n- {name: X, objref: {kind: Pod, name: p, apiVersion: v1}}\n",
        "base/p.yaml": POD,
        "first/kustomization.yaml": "resources: [../base]\nnamePrefix: a-\n",
        "second/kustomization.yaml": "resources: [../base]\nnamePrefix: b-\n",
    },
    "a base that lies around one of its overlays": {
        "base/kustomization.yaml": "resources: [p.yaml, ../x]\n",
        "base/p.yaml": POD,
        "x/kustomization.yaml": "namePrefix: x-\n",
        "first/kustomization.yaml": "resources: [../base]\n",
        "second": "x/over",
        "x/over/kustomization.yaml": "resources: [../../base]\n",
    },
    "a schema that comes after a base was read": {
        "base/kustomization.yaml": "resources: [p.yaml]\n",
        "base/p.yaml": POD + "---\n{apiVersion: e/v1, kind: Thing, metadata: {name: t}}\n",
        "own/kustomization.yaml": "openapi: {path: s.json}\n",
        "own/s.json": '{"definitions": {}}',
        "first/kustomization.yaml": "resources: [../base]\n",
        "second/kustomization.yaml": "resources: [../base, ../own]\npatches:\n- patch: |-\n    apiVersion: v1\n    kind: Pod\n"
        "    metadata: {name: p}\n    spec: {containers: [{name: a, command: [c]}]}\n",
    },
}


@pytest.mark.parametrize("name", TRICKY)
def test_a_base_is_not_taken_for_what_it_is_not_here(name: str) -> None:
    files = dict(TRICKY[name])
    second = files.pop("second", "second")
    tree, cache = tree_of({path: text.encode() for path, text in files.items()}), RenderCache()
    for top in ("first", second, second):
        assert rendered(tree, top, cache) == rendered(tree, top, None)


def test_the_repositories_are_not_all_broken() -> None:
    told = [rendered(tree_of({p: t.encode() for p, t in repository(random.Random(seed)).items()}), top, None)[0]
            for seed in range(30) for top in TOPS]  # fmt: skip
    good = [result for result in told if len(result) == 4]
    assert len(good) > len(told) / 4
    assert len(good) < len(told)
