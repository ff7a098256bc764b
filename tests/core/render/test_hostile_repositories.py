"""Repositories that mean harm: each is refused with one line, soon, and nothing outside of the tree is read."""

import os
import subprocess
import sys
import time
from pathlib import Path

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


def configs(count: int) -> bytes:
    return b"---\n".join(R.replace(b"name: c", b"name: c%d" % n) for n in range(count))


def pod(containers: str) -> bytes:
    return f"apiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec:\n  containers: {containers}\n".encode()


def with_objects(kustomization: str, objects: bytes, **files: bytes) -> tuple[dict[str, bytes], str]:
    named = {f"a/{name.replace('_', '.')}": content for name, content in files.items()}
    return {f"a/{K}": f"resources: [r.yaml]\n{kustomization}".encode(), "a/r.yaml": objects, **named}, "a"


def many(field: str, entry: str, count: int = 2_000) -> str:
    return f"{field}:\n" + entry * count


_PORTS = "[{name: a, ports: [" + ", ".join(f"{{containerPort: {n}, protocol: TCP}}" for n in range(4_000)) + "]}]"
_SELECT = "{select: {name: 'x(a|b)*'}}"
_OPERATION = """'[{"op": "remove", "path": "/data"}]'"""
HOSTILE |= {
    "thousands of patches for thousands of objects": with_objects(
        many("patches", f"- {{target: {{name: 'x(a|b)*'}}, patch: {_OPERATION}}}\n"), configs(2_000)
    ),
    "thousands of replacements for thousands of objects": with_objects(
        many("replacements", f"- {{sourceValue: x, targets: [{_SELECT}]}}\n"), configs(2_000)
    ),
    "thousands of images for thousands of objects": with_objects(
        many("images", "- {name: x, newTag: v}\n"), configs(2_000)
    ),
    "thousands of labels for thousands of objects": with_objects(
        "labels: [{pairs: {" + ", ".join(f"k{n}: {'v' * 60}" for n in range(2_000)) + "}}]\n", configs(2_000)
    ),
    "a name prefix of a megabyte": with_objects("namePrefix: " + "p" * (1 << 20) + "\n", configs(2_000)),
    "a patch of a megabyte for all": with_objects(
        "patches: [{target: {kind: ConfigMap}, path: p.yaml}]\n",
        configs(2_000),
        p_yaml=R + b"  big: " + b"v" * (1 << 20) + b"\n",
    ),
    "a JSON patch of a megabyte for all": with_objects(
        "patches: [{target: {kind: ConfigMap}, path: p.yaml}]\n",
        configs(2_000),
        p_yaml=b"- {op: add, path: /data/big, value: " + b"v" * (1 << 20) + b"}\n",
    ),
    "lists that merge by two keys, of thousands": with_objects(
        "patches: [{path: p.yaml}]\n", pod(_PORTS), p_yaml=pod(_PORTS)
    ),
    "a pattern for images that takes for ever": with_objects(
        "images: [{name: '(a+)+b', newTag: v1}]\nreplicas: [{name: none, count: 1}]\n",
        pod("[{name: a, image: " + "a" * 100_000 + "}]"),
    ),
    "a pattern in a path that takes for ever": with_objects(
        "replacements: [{sourceValue: x, targets: [{select: {kind: Pod}, fieldPaths: ['spec.l.[=(a+)+$]']}]}]\n",
        pod("[{name: a}]") + b"  l: [" + b"a" * 100_000 + b"b]\n",
    ),
    "a pattern of a thousand thousand thousand": with_objects(
        "patches: [{target: {name: '((a{1000}){1000}){1000}'}, patch: 'kind: X'}]\n", R
    ),
    "merge keys that multiply": with_objects(
        "",
        R
        + b"a0: &a0 {"
        + b", ".join(b"k%d: v" % n for n in range(300))
        + b"}\nb: {<<: ["
        + b"*a0, " * 100_000
        + b"*a0]}\n",
    ),
    "10,000 complex keys": with_objects("", R + b"x:\n  " + b"? " * 10_000 + b"\n"),
    "a variable that multiplies": with_objects(
        "vars: [{name: V, objref: {kind: ConfigMap, name: c, apiVersion: v1}, fieldref: {fieldpath: data.a}}]\n",
        R.replace(b"a: b", b"a: " + b"v" * 100_000)
        + b"".join(
            b"---\nkind: X\nmetadata: {name: x%d, annotations: {a: '%s'}}\n" % (n, b"$(V)" * 100) for n in range(1_000)
        ),
    ),
}


_LARGE = (
    "100 MB", "a patch of a megabyte for all", "a JSON patch of a megabyte for all", "a name prefix of a megabyte",
    "thousands of labels for thousands of objects", "a variable that multiplies", "an alias bomb", "merge keys that multiply",
)  # fmt: skip
# VmHWM is of this process alone; the peak of getrusage is that of whoever started it, too.
_MEASURE = f"""
from core.render.test_hostile_repositories import HOSTILE, KildeError, MemoryTree, RenderSource, render
for name in {_LARGE}:
    files, path = HOSTILE[name]
    try:
        render(MemoryTree(files), RenderSource(path=path))
    except KildeError:
        pass
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def test_what_is_large_takes_no_more_than_512_mib() -> None:
    folders = [str(Path(__file__).parents[2]), str(Path(__file__).parents[3] / "src")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(folders)}
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 512 << 10


def test_long_lists_with_a_key_each_merge_in_linear_time() -> None:
    env = "[{name: a, env: [" + ", ".join(f"{{name: E{n}, value: x}}" for n in range(20_000)) + "]}]"
    files, path = with_objects("patches: [{path: p.yaml}]\n", pod(env), p_yaml=pod(env))
    begun = time.process_time()
    render(MemoryTree(files), RenderSource(path=path))
    assert time.process_time() - begun < 10.0


@pytest.mark.parametrize("name", HOSTILE)
def test_it_is_refused_soon_and_in_one_line(name: str) -> None:
    files, path = HOSTILE[name]
    begun = time.process_time()
    with pytest.raises(KildeError) as caught:
        render(MemoryTree(files), RenderSource(path=path))
    assert time.process_time() - begun < 5.0
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
