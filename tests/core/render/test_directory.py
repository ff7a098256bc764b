"""A folder of plain manifests, as Argo CD reads one."""

import pytest

from core.render.sandbox import DEPLOYMENT, SERVICE, Files, tree
from kilde.core.basics.errors import KildeError, Place
from kilde.core.render import DirectoryOptions, RenderSource, render
from kilde.core.render.globs import compile_glob
from kilde.core.source.tree import MemoryTree

CM = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: NAME}\n"


def named(name: str) -> str:
    return CM.replace("NAME", name)


FILES: Files = {
    "app/b.yaml": named("b"),
    "app/a.yml": "# comment\n---\n" + named("a1") + "---\n" + named("a2"),
    "app/c.json": '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}',
    "app/README.md": "no manifest",
    "app/values.yaml": "replicas: 1\nbroken: [\n",
    "app/skipped.yaml": "# +argocd:skip-file-rendering\n" + named("skipped"),
    "app/list.yaml": "kind: List\napiVersion: v1\nitems:\n- apiVersion: v1\n  kind: Secret\n  metadata: {name: l1}\n- "
    + named("l2").replace("\n", "\n  "),
    "app/sub/d.yaml": named("d"),
    "app/.hidden/e.yaml": named("e"),
    "other/f.yaml": named("f"),
}


def names(**options: object) -> list[str]:
    source = RenderSource(path="app", directory=DirectoryOptions(**options))  # type: ignore[arg-type]
    return [manifest.name for manifest in render(tree(FILES), source).manifests]


def test_the_files_of_the_folder_are_read_in_order_and_lists_unpacked() -> None:
    assert names() == ["a1", "a2", "b", "c", "l1", "l2"]


def test_recursing_goes_into_hidden_folders_too() -> None:
    assert names(recurse=True) == ["e", "a1", "a2", "b", "c", "l1", "l2", "d"]


def test_exclude_wins_over_include() -> None:
    assert names(recurse=True, include="{a,b}*", exclude="a.*") == ["b"]
    assert names(recurse=True, include="*.yaml", exclude="sub/*") == ["e", "b", "l1", "l2"]


@pytest.mark.parametrize(
    ("glob", "matching", "other"),
    [
        ("*.yaml", "a/b.yaml", "a.yml"),
        ("a?.y[a-c]ml", "ab.yaml", "a.yaml"),
        ("{x,y/*}.json", "y/z.json", "z.json"),
        ("[!a]b", "cb", "ab"),
        ("a\\*b", "a*b", "axb"),
        ("a,b", "a,b", "a"),
    ],
)
def test_globs_are_gobwas(glob: str, matching: str, other: str) -> None:
    pattern = compile_glob(glob)
    assert pattern.fullmatch(matching)
    assert not pattern.fullmatch(other)


@pytest.mark.parametrize("glob", ["[a", "{a", "a}", "x" * 2000])
def test_what_is_no_glob_is_refused(glob: str) -> None:
    with pytest.raises(KildeError, match="glob"):
        compile_glob(glob)


def test_every_object_knows_its_file_and_line() -> None:
    rendered = render(tree(FILES), RenderSource(path="app", directory=DirectoryOptions()))
    assert [manifest.origin for manifest in rendered.manifests] == [
        Place("app/a.yml", 3),
        Place("app/a.yml", 7),
        Place("app/b.yaml", 1),
        Place("app/c.json", 1),
        Place("app/list.yaml", 4),
        Place("app/list.yaml", 7),
    ]


REFUSED: dict[str, tuple[str, str]] = {
    "broken, though it looks like a manifest": (
        named("x") + "data: [\n",
        "app/x.yaml:5:1: did not find expected node content while parsing a flow node",
    ),
    "no kind": ("apiVersion: v1\nmetadata: {name: kind}\n# kind:\n", "app/x.yaml:1: Object 'Kind' is missing"),
}
# what Argo CD renders all the same: text, and what is wrong with its object
MISREAD: dict[str, tuple[str, str]] = {
    "a boolean for a name": (
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: n\n",
        "app/x.yaml:4:3: metadata.name: must be a string, not false (quote it)",
    ),
    "a number for a label": (
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\n  labels:\n    a: 1\n",
        "app/x.yaml:6:5: metadata.labels.a: must be a string (quote it)",
    ),
    "a number for an annotation of an object in a list": (
        "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: X\n  metadata:\n    annotations: {a: 1}\n",
        "app/x.yaml:4: metadata.annotations.a: must be a string (quote it)",
    ),
    "labels that are a list": (
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\n  labels: [a]\n",
        "app/x.yaml:5:3: metadata.labels: must be a map of strings",
    ),
    "no apiVersion": ("kind: X # apiVersion:\nmetadata: {}\n", "app/x.yaml:1: Object 'apiVersion' is missing"),
    "no metadata": ("apiVersion: v1\nkind: X\n", "app/x.yaml:1: X: metadata is missing, or no map"),
    "a key that is there twice": (
        named("x") + "data: {a: b}\ndata: {a: c}\n",
        "app/x.yaml:5:1: mapping key 'data' already defined",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_wrong_manifest_is_refused_with_its_place(name: str) -> None:
    text, message = REFUSED[name]
    with pytest.raises(KildeError) as caught:
        render(MemoryTree({"app/x.yaml": text.encode()}), RenderSource(path="app"))
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "text", ["apiVersion: v1\nmetadata: {name: y}\n", "kind: [\n", "metadata: x\nkind: Deployment: y\n"]
)
def test_a_file_that_lacks_one_of_the_three_words_is_not_meant_as_a_manifest(text: str) -> None:
    files = {"app/x.yaml": named("x").encode(), "app/y.yaml": text.encode()}
    found = render(MemoryTree(files), RenderSource(path="app")).manifests
    assert [manifest.name for manifest in found] == ["x"]


@pytest.mark.parametrize("name", MISREAD)
def test_a_manifest_that_argo_cd_would_take_is_rendered_and_knows_its_mistake(name: str) -> None:
    text, message = MISREAD[name]
    [found] = render(MemoryTree({"app/x.yaml": text.encode()}), RenderSource(path="app")).manifests
    assert str(found.mistake) == message


def test_of_a_key_that_is_there_twice_the_last_counts() -> None:
    text = named("x") + "data: {a: b}\ndata: {a: c}\n"
    [found] = render(MemoryTree({"app/x.yaml": text.encode()}), RenderSource(path="app")).manifests
    assert found.body["data"] == {"a": "c"}


def test_a_symlink_is_followed_inside_of_the_repository_and_refused_out_of_it() -> None:
    files = {"app/a.yaml": b"", "shared/service.yaml": named("x").encode(), "shared/more/x.yaml": b"no: object"}
    links = {"app/x.yaml": "../shared/service.yaml", "app/gone.yaml": "nowhere", "app/folder.yaml": "../shared/more"}
    rendered = render(MemoryTree(files, links), RenderSource(path="app"))
    assert [manifest.origin for manifest in rendered.manifests] == [Place("shared/service.yaml", 1)]
    assert {"app/x.yaml", "shared/service.yaml"} <= rendered.trace.seen.keys()
    with pytest.raises(KildeError, match=r"app/x\.yaml: a symlink on the way leaves the repository"):
        render(MemoryTree(files, {"app/x.yaml": "../../etc/passwd"}), RenderSource(path="app"))
    with pytest.raises(KildeError, match=r"app/x\.yaml: the symlink 'app/x\.yaml' leaves the repository"):
        render(MemoryTree(files, {"app/x.yaml": "/etc/passwd"}), RenderSource(path="app"))
    with pytest.raises(KildeError, match=r"app/x\.yaml: symlinks that lead to each other"):
        render(MemoryTree(files, {"app/x.yaml": "y.yaml", "app/y.yaml": "x.yaml"}), RenderSource(path="app"))


def test_the_tool_is_found_as_argo_cd_finds_it() -> None:
    files = {
        "k/kustomization.yaml": "resources: [s.yaml]\n",
        "k/s.yaml": SERVICE,
        "h/Chart.yaml": "",
        "d/d.yaml": DEPLOYMENT,
    }
    found = tree(files)
    assert render(found, RenderSource(path="k")).source_type == "Kustomize"
    assert render(found, RenderSource(path="k", directory=DirectoryOptions())).source_type == "Kustomize"
    assert render(found, RenderSource(path="./d/")).source_type == "Directory"
    with pytest.raises(KildeError, match="h: is a Helm chart, which needs the helm program"):
        render(found, RenderSource(path="h"))
    plain = render(found, RenderSource(path="k", directory=DirectoryOptions(recurse=True)))
    assert (plain.source_type, [m.name for m in plain.manifests]) == ("Directory", ["shop"])


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nowhere", "nowhere: app path does not exist"),
        ("../x", "../x: app path outside root"),
        ("/app", "/app: app path is absolute"),
        ("app/b.yaml", "app/b.yaml: app path is not a directory"),
    ],
)
def test_a_wrong_path_is_told(path: str, message: str) -> None:
    with pytest.raises(KildeError) as caught:
        render(tree(FILES), RenderSource(path=path))
    assert str(caught.value) == message
