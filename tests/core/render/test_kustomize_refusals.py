"""What kustomize refuses is refused: one line with the file, the line, the field and, where there is one, a suggestion."""

import pytest

from core.render.sandbox import Files, built
from kilde.core.basics.errors import KildeError

R = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\ndata: {a: b}\n"
K = "kustomization.yaml"

# the files, the folder that is built, the whole message
REFUSALS: dict[str, tuple[Files, str, str]] = {
    "an unknown field": (
        {K: "namePrefix: x\nresorces: [r.yaml]\n"},
        "",
        "kustomization.yaml:2:1: resorces: unknown field (did you mean 'resources'?)",
    ),
    "an unknown field further in": (
        {K: "images:\n- name: x\n  newtga: y\n"},
        "",
        "kustomization.yaml:3:3: images[0].newtga: unknown field (did you mean 'newTag'?)",
    ),
    "a number for a string": (
        {K: "commonLabels:\n  a: 1\n"},
        "",
        "kustomization.yaml:2:3: commonLabels.a: must be a string, not the number 1; quote it",
    ),
    "a YAML 1.1 boolean for a namespace": (
        {K: "namespace: n\n"},
        "",
        "kustomization.yaml:1:1: namespace: must be a string, not the boolean false; quote it",
    ),
    "a file that is not there, but nearly": (
        {K: "resources: [deploymnet.yaml]\n", "deployment.yaml": R},
        "",
        "kustomization.yaml:1:13: resources: deploymnet.yaml: no such file or folder (did you mean 'deployment.yaml'?)",
    ),
    "a patch file that is not there, but nearly": (
        {K: "resources: [r.yaml]\npatches:\n- path: patch.yml\n", "r.yaml": R, "patch.yaml": R},
        "",
        "kustomization.yaml:3:3: patch.yml: no such file (did you mean 'patch.yaml'?)",
    ),
    "an operation of a JSON patch that is none": (
        {
            K: 'resources: [r.yaml]\npatches:\n- {target: {kind: ConfigMap}, patch: \'[{"op": "replcae", "path": "/a"}]\'}\n',
            "r.yaml": R,
        },
        "",
        "r.yaml:1: ConfigMap.v1.[noGrp]/c.[noNs]: unexpected kind of operation 'replcae' (did you mean 'replace'?);"
        " one of add, remove, replace, move, copy, test, by the JSON patch in kustomization.yaml",
    ),
    "an empty kustomization": ({K: "kind: Kustomization\n"}, "", "kustomization.yaml:1: the kustomization is empty"),
    "an unknown version": (
        {K: "apiVersion: kustomize.config.k8s.io/v1\nnamePrefix: x\n"},
        "",
        "kustomization.yaml:1:1: apiVersion: apiVersion for Kustomization should be kustomize.config.k8s.io/v1beta1",
    ),
    "no kustomization": (
        {"other.yaml": R},
        "",
        ".: unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization'"
        " (a folder that is built or used as a base needs one)",
    ),
    "two kustomizations": (
        {K: "namePrefix: x\n", "Kustomization": "namePrefix: x\n"},
        "",
        ".: found multiple kustomization files: kustomization.yaml, Kustomization",
    ),
    "a missing resource": (
        {K: "resources:\n- nothing.yaml\n"},
        "",
        "kustomization.yaml:2:3: resources: nothing.yaml: no such file or folder",
    ),
    "broken YAML in a resource": (
        {K: "resources: [r.yaml]\n", "r.yaml": "a: b\n  c: d\n"},
        "",
        "r.yaml:2:4: mapping values are not allowed in this context",
    ),
    "an object without a kind": (
        {K: "resources: [r.yaml]\n", "r.yaml": "a: 1\n---\nb: 2\n"},
        "",
        "r.yaml:1: missing Resource metadata: it has no kind",
    ),
    "an object without a name": (
        {K: "resources: [r.yaml]\n", "r.yaml": R + "---\nkind: Foo\n"},
        "",
        "r.yaml:7: Foo: missing metadata.name in object",
    ),
    "one object twice": (
        {K: "resources: [r.yaml, s.yaml]\n", "r.yaml": R, "s.yaml": "# again\n" + R},
        "",
        "s.yaml:2: ConfigMap.v1.[noGrp]/c.[noNs]: may not add resource with an already registered id, which r.yaml:1 has too",
    ),
    "a file outside of the folder": (
        {"r.yaml": R, f"app/{K}": "resources: [../r.yaml]\n"},
        "app",
        "app/kustomization.yaml:1:13: resources: ../r.yaml: is a file, not a folder"
        " (a file must lie in or below the folder of its kustomization)",
    ),
    "a kustomization that includes itself": (
        {f"a/{K}": "resources: [../b]\n", f"b/{K}": "resources: [../a]\n"},
        "a",
        "b/kustomization.yaml:1:13: resources: ../a: a -> b -> a: cycle detected: candidate root 'a' contains visited root 'a'",
    ),
    "a patch for nothing": (
        {K: "resources: [r.yaml]\npatches:\n- path: p.yaml\n", "r.yaml": R, "p.yaml": R.replace("name: c", "name: d")},
        "",
        "p.yaml:1: ConfigMap.v1.[noGrp]/d.[noNs]: no resource matches this strategic merge patch"
        " (there is ConfigMap.v1.[noGrp]/c.[noNs])",
    ),
    "a JSON patch of a missing field": (
        {
            K: 'resources: [r.yaml]\npatches:\n- target: {kind: ConfigMap}\n  patch: \'[{"op": "remove", "path": "/data/x"}]\'\n',
            "r.yaml": R,
        },
        "",
        "r.yaml:1: ConfigMap.v1.[noGrp]/c.[noNs]: operation remove /data/x: unable to remove a nonexistent key,"
        " by the JSON patch in kustomization.yaml",
    ),
    "a replacement from nothing": (
        {
            K: "resources: [r.yaml]\nreplacements:\n- source: {kind: X}\n  targets:\n  - select: {kind: Z}\n",
            "r.yaml": R,
        },
        "",
        "kustomization.yaml:2:1: replacements: nothing selected by (kind X)",
    ),
    "replicas of nothing": (
        {K: "resources: [r.yaml]\nreplicas:\n- {name: c, count: 1}\n", "r.yaml": R},
        "",
        "kustomization.yaml:3:3: replicas: no resource with name c can be scaled",
    ),
    "a key given twice to a generator": (
        {K: "configMapGenerator:\n- name: c\n  literals: [a=1, a=2]\n"},
        "",
        "kustomization.yaml:2:3: c: illegally repeats the key 'a'",
    ),
    "a generator for what is there": (
        {K: "resources: [r.yaml]\nconfigMapGenerator:\n- name: c\n", "r.yaml": R},
        "",
        "kustomization.yaml:3:3: ConfigMap.v1.[noGrp]/c.[noNs]: exists already (behavior must be merge or replace)",
    ),
    "an external plugin": (
        {K: "transformers: [t.yaml]\n", "t.yaml": "apiVersion: example.com/v1\nkind: T\nmetadata: {name: t}\n"},
        "",
        "t.yaml:1: T.v1.example.com/t.[noNs]: external plugins and functions are not run: unable to load plugin"
        " (kilde build runs them with --enable-alpha-plugins; an Application has none run, whatever kustomize.buildOptions says)",
    ),
    "a component among the resources": (
        {K: "resources: [c]\n", f"c/{K}": "kind: Component\nnamePrefix: x\n"},
        "",
        "kustomization.yaml:1:13: resources: c: a Component cannot be a resource (list it under components)",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_the_message_says_where_and_what(name: str) -> None:
    files, path, message = REFUSALS[name]
    with pytest.raises(KildeError) as caught:
        built(files, path)
    assert str(caught.value) == message


def test_a_remote_base_is_refused_without_asking_the_network() -> None:
    for address in ("https://example.com/x//y?ref=main", "git@example.com:a/b", "github.com/a/b", "file:///etc"):
        with pytest.raises(KildeError) as caught:
            built({K: f"resources:\n- {address}\n"})
        assert str(caught.value) == (
            f"kustomization.yaml:2:3: resources: {address}: remote bases are not allowed here"
            " (copy it into the repository and refer to the copy)"
        )


def test_a_helm_chart_is_refused_with_what_is_missing() -> None:
    with pytest.raises(KildeError) as caught:
        built({K: "helmCharts:\n- name: x\n"})
    assert str(caught.value).startswith("kustomization.yaml:2:3: helmCharts: x: must specify --enable-helm")
