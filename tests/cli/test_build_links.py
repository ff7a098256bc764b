"""Symlinks and absolute paths under either load restrictor: followed and refused where kustomize does."""

from pathlib import Path

import pytest

from cli.both import both, write

C = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\n"
K = "app/kustomization.yaml"

# name → (files beside app/, whether kustomize builds it with root only, and with none)
TREES: dict[str, tuple[dict[str, str], bool, bool]] = {
    "a link to a file in the same folder": ({K: "resources: [l.yaml]", "app/c.yaml": C % "c", "app/l.yaml": "-> c.yaml"}, True, True),
    "a link to a file further in": ({K: "resources: [l.yaml]", "app/x/c.yaml": C % "c", "app/l.yaml": "-> x/c.yaml"}, True, True),
    "a link out of the folder": ({K: "resources: [l.yaml]", "c.yaml": C % "c", "app/l.yaml": "-> ../c.yaml"}, False, True),
    "a link out and in again": ({K: "resources: [l.yaml]", "app/c.yaml": C % "c", "app/l.yaml": "-> ../app/c.yaml"}, True, True),
    "a link to a link": (
        {K: "resources: [l.yaml]", "app/c.yaml": C % "c", "app/m.yaml": "-> c.yaml", "app/l.yaml": "-> m.yaml"}, True, True),
    "a link to itself": ({K: "resources: [l.yaml]", "app/l.yaml": "-> l.yaml"}, False, False),
    "a link to nothing": ({K: "resources: [l.yaml]", "app/l.yaml": "-> gone.yaml"}, False, False),
    "a file in a linked folder": ({K: "resources: [l/c.yaml]", "app/x/c.yaml": C % "c", "app/l": "-> x"}, True, True),
    "a file in a linked folder outside": ({K: "resources: [l/c.yaml]", "x/c.yaml": C % "c", "app/l": "-> ../x"}, False, True),
    "a linked base": (
        {K: "resources: [l]", "x/kustomization.yaml": "resources: [c.yaml]", "x/c.yaml": C % "c", "app/l": "-> ../x"}, True, True),
    "a linked base that looks upwards": (
        {K: "resources: [in/l]", "x/y/kustomization.yaml": "resources: [../z]", "x/z/kustomization.yaml": "resources: [c.yaml]",
         "x/z/c.yaml": C % "c", "app/in/l": "-> ../../x/y"}, True, True),
    "a base that is a circle by a link": ({K: "resources: [l]", "app/l": "-> ."}, False, False),
    "a linked kustomization file": ({K: "-> k.yaml", "app/k.yaml": "resources: [c.yaml]", "app/c.yaml": C % "c"}, True, True),
    "a linked kustomization file outside": ({K: "-> ../k.yaml", "k.yaml": "resources: [c.yaml]", "app/c.yaml": C % "c"}, False, True),
    "a linked component": (
        {K: "components: [l]", "x/kustomization.yaml": "kind: Component\nresources: [c.yaml]", "x/c.yaml": C % "c", "app/l": "-> ../x"},
        True, True),
    "a linked file of a generator": (
        {K: "configMapGenerator: [{name: g, files: [l.txt]}]", "app/t.txt": "text", "app/l.txt": "-> t.txt"}, True, True),
    "a linked file of a generator outside": (
        {K: "configMapGenerator: [{name: g, files: [l.txt]}]", "t.txt": "text", "app/l.txt": "-> ../t.txt"}, False, True),
    "a linked patch outside": (
        {K: "resources: [c.yaml]\npatches: [{path: l.yaml}]", "app/c.yaml": C % "c", "p.yaml": C % "c" + "data: {a: b}\n",
         "app/l.yaml": "-> ../p.yaml"}, False, True),
    "a file named absolutely": ({K: "resources: [HERE/app/c.yaml]", "app/c.yaml": C % "c"}, True, True),
    "a file named absolutely, not straight": ({K: "resources: [HERE/app/../app/./c.yaml]", "app/c.yaml": C % "c"}, True, True),
    "a file outside named absolutely": ({K: "resources: [HERE/c.yaml]", "c.yaml": C % "c"}, False, True),
    "a text outside named absolutely": ({K: "configMapGenerator: [{name: g, files: [HERE/t.txt]}]", "t.txt": "x"}, False, True),
    "a base named absolutely": (
        {K: "resources: [HERE/x]", "x/kustomization.yaml": "resources: [c.yaml]", "x/c.yaml": C % "c"}, False, False),
    "a patch named absolutely": (
        {K: "resources: [c.yaml]\npatches: [{path: HERE/app/p.yaml}]", "app/c.yaml": C % "c", "app/p.yaml": C % "c" + "data: {a: b}\n"},
        True, True),
}  # fmt: skip


@pytest.mark.parametrize("restrictor", ["LoadRestrictionsRootOnly", "LoadRestrictionsNone"])
@pytest.mark.parametrize("name", TREES)
def test_links_and_absolute_paths_lead_where_kustomize_goes(tmp_path: Path, name: str, restrictor: str) -> None:
    files, restricted, free = TREES[name]
    here = both(tmp_path, {path: text.replace("HERE", str(tmp_path)) for path, text in files.items()})
    said = here.same("app", "--load-restrictor", restrictor)
    assert (said.code == 0) is (restricted if restrictor == "LoadRestrictionsRootOnly" else free)


def test_the_folder_that_is_built_may_be_a_link(tmp_path: Path) -> None:
    here = both(tmp_path, {"deep/app/kustomization.yaml": "resources: [../x]", "l": "-> deep/app"})
    write(tmp_path, {"deep/x/kustomization.yaml": "resources: [c.yaml]", "deep/x/c.yaml": C % "c"})
    assert here.same("l").code == 0
