"""What a render rests on: every input with its id, and why one file is among them or not."""

import pytest

from core.render.sandbox import DEPLOYMENT, SERVICE, tree
from kilde.core.basics.errors import InvalidInput, Place
from kilde.core.render import DirectoryOptions, RenderSource, render
from kilde.core.render.inputs import Input, Step, Why, inputs_of, why
from kilde.core.source.object_id import blob_id, listing_id
from kilde.core.source.tree import EntryKind, MemoryTree

FILES = {
    "base/kustomization.yaml": """
        resources:
        - d.yaml
        configMapGenerator:
        - name: cm
          files: [key=settings/a.txt]
        """,
    "base/d.yaml": DEPLOYMENT,
    "base/settings/a.txt": "a",
    "over/prod/kustomization.yaml": """
        resources: [../../base]
        patches:
        - path: patch.yaml
        """,
    "over/prod/patch.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: shop}\nspec: {replicas: 2}\n",
    "plain/a.yaml": SERVICE,
    "plain/README.md": "for people",
    "unrelated.yaml": SERVICE,
}
TO_BASE = Step(Place("over/prod/kustomization.yaml", 1, 13), "resources[0]", "../../base")
TO_DEPLOYMENT = Step(Place("base/kustomization.yaml", 2, 3), "resources[0]", "d.yaml")
TO_SETTING = Step(Place("base/kustomization.yaml", 5, 11), "configMapGenerator[0].files[0]", "key=settings/a.txt")
TO_PATCH = Step(Place("over/prod/kustomization.yaml", 3, 3), "patches[0].path", "patch.yaml")


def asked(path: str, top: str = "over/prod") -> Why:
    source = tree(FILES)
    trace = render(source, RenderSource(path=top, directory=DirectoryOptions())).trace
    return why(source, trace, top, path)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("over/prod/kustomization.yaml", Why(True, "it is read", ())),
        ("base/kustomization.yaml", Why(True, "it is read", (TO_BASE,))),
        ("/base/./d.yaml", Why(True, "it is read", (TO_BASE, TO_DEPLOYMENT))),
        (
            "over/prod/patch.yaml",
            Why(True, "it is read", (TO_PATCH,)),
        ),
        (
            "base/settings/a.txt",
            Why(True, "it is read", (TO_BASE, TO_SETTING)),
        ),
        (
            "base/Kustomization",
            Why(True, "it was looked for and is not there: it would count as soon as it is", (TO_BASE,)),
        ),
        (
            "over/prod/Chart.yaml/x",
            Why(True, "'over/prod/Chart.yaml' was looked for and is not there: it would count as soon as it is"),
        ),
        ("base/d.yaml/x", Why(True, "'base/d.yaml' is read, and a folder cannot be in its place", (TO_BASE, TO_DEPLOYMENT))),
        ("base", Why(True, "in this folder 'base/Kustomization' and 4 more are looked at")),
        ("unrelated.yaml", Why(False, "nothing that is rendered reads it")),
        ("base/gone.yaml", Why(False, "no such file, and nothing looks for it")),
    ],
)  # fmt: skip
def test_why_a_file_touches_a_kustomization(path: str, expected: Why) -> None:
    assert asked(path) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("plain/a.yaml", Why(True, "it is read")),
        ("plain/new.yaml", Why(True, "the folder 'plain' is listed: a new name in it counts")),
        ("plain/README.md", Why(False, "the folder 'plain' is listed, but the file is not read: only its name counts")),
        ("base/d.yaml", Why(False, "nothing that is rendered reads it")),
    ],
)
def test_why_a_file_touches_a_folder_of_manifests(path: str, expected: Why) -> None:
    assert asked(path, "plain") == expected


def test_a_path_out_of_the_repository_is_refused() -> None:
    with pytest.raises(InvalidInput, match="leaves the repository"):
        asked("../x")


def test_inputs_are_files_with_their_ids_listings_and_absences() -> None:
    source = MemoryTree({"plain/a.yaml": b"kind: A\napiVersion: v1\nmetadata: {name: a}\n", "plain/x": b""}, {"l": "x"})
    found = inputs_of(render(source, RenderSource(path="plain")).trace)
    assert found == [
        Input("plain", "listing", listing_id([("a.yaml", str(EntryKind.FILE)), ("x", str(EntryKind.FILE))])),
        *(Input(f"plain/{name}", "absent", "") for name in ("Chart.yaml", "Kustomization")),
        Input("plain/a.yaml", "file", blob_id(b"kind: A\napiVersion: v1\nmetadata: {name: a}\n")),
        *(Input(f"plain/{name}", "absent", "") for name in ("kustomization.yaml", "kustomization.yml")),
    ]
