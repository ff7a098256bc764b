"""Repositories that mean harm: each is refused with one line, soon, and nothing outside of the tree is read."""

import time

import pytest

from kilde.core.basics.errors import KildeError
from kilde.core.render import DirectoryOptions, RenderSource, render
from kilde.core.source.tree import MemoryTree

R = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: b}\n"
K = "kustomization.yaml"


def chain(length: int) -> dict[str, bytes]:
    """Kustomizations side by side, each the base of the next."""
    return {f"k{n}/{K}": f"resources: [../k{n + 1}]\n".encode() for n in range(length)}


def bomb() -> bytes:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    return "\n".join(lines).encode()


def doubling(levels: int) -> dict[str, bytes]:
    """Each component is used twice by the one above: 2^levels uses from a few files."""
    files = {f"c{n}/{K}": f"kind: Component\ncomponents: [../c{n + 1}, ../c{n + 1}]\n".encode() for n in range(levels)}
    return {**files, f"c{levels}/{K}": b"kind: Component\nnamePrefix: x\n", f"top/{K}": b"components: [../c0]\n"}


HOSTILE: dict[str, tuple[dict[str, bytes], str]] = {
    "a circle": ({f"a/{K}": b"resources: [../b]\n", f"b/{K}": b"resources: [../a]\n"}, "a"),
    "itself": ({f"a/{K}": b"resources: [../a]\n"}, "a"),
    "a folder above": ({f"a/b/{K}": b"resources: [..]\n", f"a/{K}": b"resources: [b]\n"}, "a/b"),
    "200 bases, one on the other": (chain(200), "k0"),
    "a million uses of a component": (doubling(20), "top"),
    "out of the repository": ({f"a/{K}": b"resources: [../../etc/passwd]\n"}, "a"),
    "an absolute path": ({f"a/{K}": b"resources: [/etc/passwd]\n"}, "a"),
    "a generator out of the folder": ({f"a/{K}": b"configMapGenerator: [{name: x, files: [../s]}]\n", "s": b"x"}, "a"),
    "a patch out of the folder": (
        {f"a/{K}": b"resources: [r.yaml]\npatches: [{path: ../p.yaml}]\n", "a/r.yaml": R, "p.yaml": R},
        "a",
    ),
    "an alias bomb": ({f"a/{K}": b"resources: [r.yaml]\n", "a/r.yaml": bomb()}, "a"),
    "an alias bomb in the kustomization": ({f"a/{K}": bomb()}, "a"),
    "10,000 brackets": ({f"a/{K}": b"resources: [r.yaml]\n", "a/r.yaml": b"[" * 10_000}, "a"),
    "100 MB": ({f"a/{K}": b"resources: [r.yaml]\n", "a/r.yaml": b"#" * (100 << 20)}, "a"),
    "a binary file": ({f"a/{K}": b"resources: [r.yaml]\n", "a/r.yaml": bytes(range(256))}, "a"),
    "a pattern that takes for ever": (
        {
            f"a/{K}": b"resources: [r.yaml]\npatches: [{target: {name: '(a+)+(?=b)'}, patch: '[]'}]\n"
            b"replacements: [{sourceValue: x, targets: [{select: {name: '(c+)+$'}, fieldPaths: [data.zz]}]}]\n",
            "a/r.yaml": R.replace(b"name: c", b"name: " + b"c" * 250),
        },
        "a",
    ),
    "a JSON patch that doubles and doubles": (
        {
            f"a/{K}": b"resources: [r.yaml]\npatches: [{target: {kind: ConfigMap}, path: p.yaml}]\n",
            "a/r.yaml": R,
            "a/p.yaml": b"".join(b"- {op: copy, from: /data, path: /data/x%d}\n" % n for n in range(40)),
        },
        "a",
    ),
    "a text that doubles and doubles": (
        {
            f"a/{K}": b"resources: [r.yaml]\nreplacements:\n" + b"- source: {kind: ConfigMap, fieldPath: data.a}\n"
            b"  targets: [{select: {kind: ConfigMap}, fieldPaths: [data.a], options: {delimiter: ',', index: 99}}]\n"
            * 60,
            "a/r.yaml": R,
        },
        "a",
    ),
    "replacements that double and double": (
        {
            f"a/{K}": b"resources: [r.yaml]\nreplacements:\n"
            + b"".join(
                b"- source: {kind: ConfigMap, fieldPath: data}\n"
                b"  targets: [{select: {kind: ConfigMap}, fieldPaths: [data.x%d], options: {create: true}}]\n" % n
                for n in range(40)
            ),
            "a/r.yaml": R,
        },
        "a",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_it_is_refused_soon_and_in_one_line(name: str) -> None:
    files, path = HOSTILE[name]
    begun = time.process_time()
    with pytest.raises(KildeError) as caught:
        render(MemoryTree(files), RenderSource(path=path))
    assert time.process_time() - begun < 3.0
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 2_000


def test_5000_folders_inside_one_another_are_refused_by_both_tools() -> None:
    deep = "/".join(["d"] * 5_000)
    source = MemoryTree({f"{deep}/r.yaml": R, f"{K}": f"resources: [{deep}]\n".encode()})
    with pytest.raises(KildeError):
        render(source, RenderSource(path=""))
    with pytest.raises(KildeError, match="nested deeper"):
        render(_OneFolderAnother(), RenderSource(path="d", directory=DirectoryOptions(recurse=True)))


class _OneFolderAnother(MemoryTree):
    """A tree in which every folder holds a folder."""

    def __init__(self) -> None:
        super().__init__({"d/r.yaml": R})

    def entry(self, path: str):  # type: ignore[no-untyped-def]
        return super().entry("d") if path.replace("/", "").strip("d") == "" else None

    def list(self, path: str):  # type: ignore[no-untyped-def]
        entry = super().entry("d")
        return (entry,) if entry else ()
