"""Comments that are schemas: they say how lists merge, where kustomize sees them."""

from pathlib import Path

import pytest

from core.render.sandbox import Files, tree
from core.render.test_against_kustomize import kustomize as kustomize
from core.render.test_against_kustomize import ours, real

MERGE = '{"type":"array","x-kubernetes-patch-merge-key":"name","x-kubernetes-patch-strategy":"merge"}'
HEAD = "apiVersion: example.com/v1\nkind: CR\nmetadata: {name: c}\nspec:\n"
LIST = "  - {name: a, v: 1}\n  - {name: b, v: 2}\n"
PATCH = HEAD + "  list:\n  - {name: b, v: 3}\n  - {name: c}\n"
DEPLOYMENT = (
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: c}\nspec:\n  template:\n    spec:\n      containers:%s\n"
)


def plain(resource: str, patch: str = PATCH, **more: str) -> Files:
    return {
        "kustomization.yaml": "resources: [r.yaml]\npatches: [{path: p.yaml}]\n",
        "r.yaml": resource,
        "p.yaml": patch,
        **more,
    }


TREES: dict[str, Files] = {
    "behind the name": plain(f"{HEAD}  list: # {MERGE}\n{LIST}"),
    "above the name": plain(f"{HEAD}  x: y\n  # {MERGE}\n  list:\n{LIST}"),
    "above the first name": plain(f"{HEAD}  # {MERGE}\n  list:\n{LIST}"),
    "above, with a blank line between": plain(f"{HEAD}  x: y\n  # {MERGE}\n\n  list:\n{LIST}"),
    "above, behind a blank line": plain(f"{HEAD}  x: y\n\n  # {MERGE}\n  list:\n{LIST}"),
    "above, on two lines": plain(f"{HEAD}  x: y\n  # words\n  # {MERGE}\n  list:\n{LIST}"),
    "above, with words behind": plain(f"{HEAD}  x: y\n  # {MERGE}\n  list: # words\n{LIST}"),
    "behind a value in flow style": plain(f"{HEAD}  list: [{{name: a, v: 1}}, {{name: b}}] # {MERGE}\n"),
    "above a value in flow style": plain(f"{HEAD}  x: y\n  # {MERGE}\n  list: [{{name: a, v: 1}}, {{name: b}}]\n"),
    "behind a flow value on lines": plain(f"{HEAD}  list: [{{name: a, v: 1}},\n    {{name: b}}] # {MERGE}\n"),
    "in the patch": plain(f"{HEAD}  list:\n{LIST}", PATCH.replace("list:", f"list: # {MERGE}")),
    "in both, the object's first": plain(
        f"{HEAD}  list: # {MERGE.replace('name', 'v')}\n{LIST}", f"{HEAD}  list: # {MERGE}\n  - {{name: a, v: 2}}\n"
    ),
    "of the map around it": plain(f'{HEAD.rstrip()} # {{"properties": {{"list": {MERGE}}}}}\n  list:\n{LIST}'),
    "words": plain(f"{HEAD}  list: # merges by name\n{LIST}"),
    "a setter": plain(f'{HEAD}  list: # {{"$ref":"#/definitions/io.k8s.cli.setters.x"}}\n{LIST}'),
    "an empty object": plain(f"{HEAD}  list: # {{}}\n{LIST}"),
    "no JSON": plain(f"{HEAD}  list: # {{merge: name}}\n{LIST}"),
    "without a space": plain(f"{HEAD}  list: #{MERGE}\n{LIST}"),
    "many signs": plain(f"{HEAD}  list: ### {MERGE}\n{LIST}"),
    "in a quoted text": plain(f"{HEAD}  text: 'x # {MERGE}'\n  list:\n{LIST}"),
    "in a block of text": plain(f"{HEAD}  text: |\n    x\n    # {MERGE}\n  list:\n{LIST}"),
    "with Windows line ends": plain(f"{HEAD}  list: # {MERGE}\n{LIST}".replace("\n", "\r\n")),
    "in the second document": plain(f"{HEAD.replace('name: c', 'name: other')}  a: b\n---\n{HEAD}  list: # {MERGE}\n{LIST}"),
    "of a built-in list, which then does not merge": plain(
        DEPLOYMENT % ' # {"x":"y"}\n      - {name: a, image: b}', DEPLOYMENT % "\n      - {name: z, image: y}"
    ),
    "a reference to a built-in type": plain(
        f'{HEAD.rstrip()} # {{"$ref":"#/definitions/io.k8s.api.core.v1.PodSpec"}}\n  containers:\n{LIST}',
        HEAD + "  containers:\n  - {name: b, v: 3}\n",
    ),
    "forgotten after a JSON patch": {
        "kustomization.yaml": "resources: [r.yaml]\npatches:\n- target: {kind: CR}\n"
        "  patch: '[{\"op\": \"add\", \"path\": \"/spec/y\", \"value\": \"z\"}]'\n- path: p.yaml\n",
        "r.yaml": f"{HEAD}  list: # {MERGE}\n{LIST}",
        "p.yaml": PATCH,
    },
    "kept from patch to patch": {
        "kustomization.yaml": "resources: [r.yaml]\npatches: [{path: p.yaml}, {path: q.yaml}]\n",
        "r.yaml": f"{HEAD}  list: # {MERGE}\n{LIST}",
        "p.yaml": PATCH,
        "q.yaml": HEAD + "  list:\n  - {name: a, v: 9}\n",
    },
    "kept from a base": {
        "kustomization.yaml": "resources: [base]\nnamePrefix: o-\npatches: [{path: p.yaml}]\n",
        "base/kustomization.yaml": "resources: [r.yaml]\nnameSuffix: -b\n",
        "base/r.yaml": f"{HEAD}  list: # {MERGE}\n{LIST}",
        "p.yaml": PATCH,
    },
    "of a patch in the kustomization": {
        "kustomization.yaml": "resources: [r.yaml]\npatches:\n- patch: |\n"
        + "".join(f"    {line}\n" for line in PATCH.replace("list:", f"list: # {MERGE}").splitlines()),
        "r.yaml": f"{HEAD}  list:\n{LIST}",
    },
}  # fmt: skip


@pytest.mark.parametrize("name", TREES)
def test_a_list_merges_as_its_comment_says(kustomize: str, tmp_path: Path, name: str) -> None:
    files = TREES[name]
    source = tree(files)
    expected = real(kustomize, tmp_path, source, files, ".")
    assert expected is not None
    assert ours(source, "", "") == expected
