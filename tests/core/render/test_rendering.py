"""render: Argo CD's settings, the trace of what was read, and a cache that changes nothing but the time."""

import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from core.render.generated_trees import generated
from core.render.sandbox import DEPLOYMENT, SERVICE, tree
from kilde.core.basics.errors import KildeError, Place
from kilde.core.render import KustomizeOptions, RenderCache, RenderSource, kustomize_build, render
from kilde.core.render.source import substituted
from kilde.core.source.tree import FOLDER, MemoryTree

BASE = {
    "base/kustomization.yaml": "resources: [d.yaml, s.yaml]\n",
    "base/d.yaml": DEPLOYMENT,
    "base/s.yaml": SERVICE,
    "over/kustomization.yaml": "resources: [../base]\nnamePrefix: o-\nimages: [{name: registry.example/shop, newTag: '5'}]\n",
    "extra/kustomization.yaml": "kind: Component\nnameSuffix: -x\n",
}


def rendered(**options: Any) -> dict[str, Any]:
    source = RenderSource(path="over", kustomize=KustomizeOptions(**options))
    return {manifest.kind: manifest.body for manifest in render(tree(BASE), source).manifests}


def test_objects_come_with_the_file_and_line_they_were_written_in() -> None:
    found = render(tree(BASE), RenderSource(path="over"))
    assert [(str(m), m.origin) for m in found.manifests] == [
        ("Service o-shop", Place("base/s.yaml", 1)),
        ("apps/Deployment o-shop", Place("base/d.yaml", 1)),
    ]


def test_the_trace_holds_all_that_was_read_and_all_that_was_missed() -> None:
    found = render(tree(BASE), RenderSource(path="over")).trace
    absent = {path for path, oid in found.seen.items() if oid is None}
    assert {path for path, noted in found.seen.items() if noted == FOLDER} == {"over", "base"}
    assert set(found.seen) - absent - {"over", "base"} == {path for path in BASE if not path.startswith("extra")}
    assert absent == {
        "over/Chart.yaml", "over/kustomization.yml", "over/Kustomization", "base/kustomization.yml", "base/Kustomization",
    }  # fmt: skip
    assert found.still_true(tree(BASE))
    assert not found.still_true(tree({**BASE, "base/s.yaml": SERVICE + "x: y\n"}))
    assert not found.still_true(tree({**BASE, "base/Kustomization": "namePrefix: x"}))
    assert found.still_true(tree({**BASE, "base/unread.yaml": "x: y\n"}))


def test_settings_do_what_kustomize_edit_would() -> None:
    found = rendered(
        name_prefix="p-",
        name_suffix="-s",
        namespace="ns",
        images=("registry.example/shop=other/shop:7", "new/image@sha256:1"),
        replicas=(("shop", 4),),
        common_annotations={"note": "x"},
        patches=({"target": {"kind": "Service"}, "patch": "- {op: add, path: /spec/type, value: NodePort}"},),
        components=("../extra",),
    )
    deployment, service = found["Deployment"], found["Service"]
    assert deployment["metadata"] == {"name": "p-shop-x-s", "namespace": "ns", "annotations": {"note": "x"}}
    assert deployment["spec"]["replicas"] == 4
    assert deployment["spec"]["template"]["spec"]["containers"][0]["image"] == "other/shop:7"
    assert service["spec"]["type"] == "NodePort"


@pytest.mark.parametrize("patch", [{"target": "x"}, {"patch": 1}, {"pathc": "x"}, {"target": {"kind": ["x"]}}])
def test_a_wrong_patch_among_the_settings_is_told(patch: dict[str, Any]) -> None:
    with pytest.raises(KildeError, match=r"over/kustomization.yaml:1: source.kustomize.patches: \[0\]"):
        rendered(patches=(patch,))


@pytest.mark.parametrize(
    ("text", "gives"),
    [
        ("$A-${A}", "x-x"),
        ("$$A $", "$A $"),
        ("${NOPE:-y}$NOPE", ""),
        ("${}|${$}|$-|$1|${A", "|$|||A"),
        ("a $ b $/", "a $ b $/"),
    ],
)
def test_names_are_found_as_go_finds_them(text: str, gives: str) -> None:
    assert substituted(text, {"A": "x"}) == gives


def test_values_of_annotations_lose_their_quotes() -> None:
    found = rendered(common_annotations={"a": '"q"', "b": 'q"', "c": '"'})
    assert found["Service"]["metadata"]["annotations"] == {"a": "q", "b": 'q"', "c": '"'}


def test_labels_go_into_selectors_unless_told_otherwise() -> None:
    assert rendered(common_labels={"a": "b"})["Service"]["spec"]["selector"] == {"app": "shop", "a": "b"}
    plain = rendered(common_labels={"a": "b"}, label_without_selector=True)
    assert plain["Service"]["spec"]["selector"] == {"app": "shop"}
    assert plain["Deployment"]["spec"]["template"]["metadata"]["labels"] == {"app": "shop"}
    wide = rendered(common_labels={"a": "b"}, label_without_selector=True, label_include_templates=True)
    assert wide["Deployment"]["spec"]["template"]["metadata"]["labels"] == {"app": "shop", "a": "b"}


def test_labels_join_those_of_their_kind_that_the_kustomization_has() -> None:
    more = (
        "labels: [{pairs: {a: git}, fields: [{path: spec/x, kind: Service, create: true}]}]\ncomponents: [../extra]\n"
    )
    files = tree({**BASE, "over/kustomization.yaml": BASE["over/kustomization.yaml"] + more})

    def service(**options: Any) -> dict[str, Any]:
        settings = KustomizeOptions(common_labels={"a": "b"}, components=("../extra",), **options)
        found = render(files, RenderSource(path="over", kustomize=settings)).manifests
        return next(manifest.body for manifest in found if manifest.kind == "Service")

    with pytest.raises(KildeError, match="label a already in kustomization file"):
        service(label_without_selector=True)
    forced = service(label_without_selector=True, force_common_labels=True)
    assert (forced["metadata"]["labels"], forced["spec"]["x"]) == ({"a": "b"}, {"a": "b"})
    assert forced["metadata"]["name"] == "o-shop-x", "a component that is there already is not added again"
    wide = service(label_without_selector=True, label_include_templates=True)
    assert wide["metadata"]["labels"] == {"a": "b"}
    with pytest.raises(KildeError, match="labelIncludeTemplates asks for labelWithoutSelector"):
        service(label_include_templates=True)


def test_a_missing_component_is_an_error_unless_it_may_be_missing() -> None:
    with pytest.raises(KildeError, match=r"components: \.\./gone: no such folder"):
        rendered(components=("../gone",))
    assert rendered(components=("../gone", "../extra"), ignore_missing_components=True)["Service"]["metadata"] == {
        "name": "o-shop-x"
    }


@pytest.mark.parametrize(
    ("settings", "image"),
    [
        (["i:1"], "i:1"),
        (["i=b"], "b:0"),
        (["i=q:6/b:2@sha256:1"], "q:6/b:2@sha256:1"),
        (["i=*:2"], "i:2"),
        (["*=x"], "x:0"),
        (["*=*"], "i:0"),
        (["=:"], "i:0"),
        (["=x"], "i:0"),
        ([":2"], "i:0"),
        (["i="], "i:0"),
        (["i=:2"], "i:2"),
        (["i=a=b"], "a=b:0"),
        (["i:2", "i:3"], "i:3"),
        (["i:2", "i=x"], "x:0"),
        (["i=x", "x=y"], "y:0"),
        (["x=y", "i=x"], "y:0"),
    ],
)
def test_images_are_set_as_kustomize_sets_them(settings: list[str], image: str) -> None:
    """What kustomize 5.8.1 makes of an image `i:0` after `kustomize edit set image`."""
    pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: 'i:0'}]}\n"
    files = tree({"over/kustomization.yaml": "resources: [p.yaml]\n", "over/p.yaml": pod})
    found = render(files, RenderSource(path="over", kustomize=KustomizeOptions(images=tuple(settings))))
    assert found.manifests[0].body["spec"] == {"containers": [{"name": "c", "image": image}]}


@pytest.mark.parametrize("text", ["", "i", "*"])
def test_what_is_no_image_is_told(text: str) -> None:
    with pytest.raises(KildeError, match="invalid format of image"):
        rendered(images=(text,))


def build(source: MemoryTree, cache: RenderCache | None) -> str:
    try:
        return kustomize_build(source, "top", cache=cache).text()
    except KildeError as error:
        return f"error: {error}"


@pytest.mark.parametrize("seed", range(100, 160))
def test_a_cached_render_is_the_cold_render_whatever_was_edited(seed: int) -> None:
    """One cache over a history of random edits: lines removed, files swapped, removed and put back."""
    dice = random.Random(seed)
    files = {path: text.encode() for path, text in generated(seed).items()}
    original = dict(files)
    cache = RenderCache(documents=dice.choice([2, 1000]), bases=dice.choice([1, 1000]))
    for _ in range(8):
        assert build(MemoryTree(files), cache) == build(MemoryTree(files), None)
        path = dice.choice(sorted(original))
        lines = original[path].splitlines(keepends=True)
        edits = [
            lambda p=path, text=lines: files.update({p: b"".join(text[:-1])}),
            lambda p=path: files.pop(p, None),
            lambda: files.update(original),
            lambda p=path: files.update({p: original[dice.choice(sorted(original))]}),
        ]
        dice.choice(edits)()


def test_what_a_caller_does_to_a_manifest_does_not_reach_the_cache() -> None:
    cache = RenderCache()
    first = render(tree(BASE), RenderSource(path="over"), cache=cache)
    first.manifests[0].body["metadata"]["name"] = "spoilt"
    assert render(tree(BASE), RenderSource(path="over"), cache=cache).manifests[0].name == "o-shop"


def test_a_base_is_read_once_for_all_its_overlays() -> None:
    class Counting(MemoryTree):
        reads = 0

        def read(self, path: str) -> bytes:
            self.reads += path.endswith("d.yaml")
            return super().read(path)

    overlays = {f"o{n}/kustomization.yaml": f"resources: [../base]\nnamePrefix: o{n}-\n".encode() for n in range(50)}
    source = Counting({path: text.encode() for path, text in BASE.items() if path.startswith("base/")} | overlays)
    cache = RenderCache()
    names = [render(source, RenderSource(path=f"o{n}"), cache=cache).manifests[0].name for n in range(50)]
    assert names == [f"o{n}-shop" for n in range(50)]
    assert source.reads == 1


def test_threads_can_share_a_cache() -> None:
    overlays = {f"o{n}/kustomization.yaml": f"resources: [../base]\nnamePrefix: o{n}-\n".encode() for n in range(40)}
    source = MemoryTree({path: text.encode() for path, text in tree_files().items()} | overlays)
    cache = RenderCache(documents=3, bases=1)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda n: render(source, RenderSource(path=f"o{n % 40}"), cache=cache), range(200)))
    assert [rendering.manifests[0].name for rendering in found] == [f"o{n % 40}-shop" for n in range(200)]


def tree_files() -> dict[str, str]:
    return {path: text for path, text in BASE.items() if path.startswith("base/")}
