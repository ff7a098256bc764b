"""Commits that cannot be rendered, and the one sentence that each of them is told with: in the condition and on the command line."""

from typing import Any

from adapters.git.upstream import Special

MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n"
BUILD = "app/kustomization.yaml"


def bomb() -> str:
    """Ten levels of ten aliases each: a billion nodes, said in half a kilobyte."""
    lines = [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]\n" for n in range(1, 10)]
    return MAP + "l0: &l0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(lines)


# name → (the files of the commit beside app/a.yaml, what the condition says after LOADING)
REFUSED_TO_RENDER: dict[str, tuple[dict[str, Any], str]] = {
    "a flow mapping that does not end": (
        {"app/b.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b\n"},
        "app/b.yaml:4:1: did not find expected ',' or '}' while parsing a flow mapping",
    ),
    "a tab for indentation": (
        {"app/b.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n\tname: b\n"},
        "app/b.yaml:4:1: found character that cannot start any token while scanning for the next token",
    ),
    "JSON that breaks off": (
        {"app/b.json": '{"apiVersion": "v1", "kind": "ConfigMap", '},
        "app/b.json:2:1: did not find expected node content while parsing a flow node",
    ),
    "a number that JSON has not": ({"app/b.yaml": MAP + "x: .inf\n"}, "app/b.yaml:4:4: '.inf' has no place in JSON"),
    "an alias of nothing": ({"app/b.yaml": MAP + "data: *nope\n"}, "app/b.yaml:4:7: unknown anchor 'nope'"),
    "no kind": (
        {"app/b.yaml": "apiVersion: v1\nmetadata: {name: b} # kind:\n"},
        "app/b.yaml:1: Object 'Kind' is missing",
    ),
    "annotations that are a list": (
        {"app/b.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b, annotations: [x]}\n"},
        "app/b.yaml:3:21: metadata.annotations: must be a map of strings",
    ),
    "an annotation that is a number": (
        {"app/b.yaml": MAP.replace("name: b", "name: b, annotations: {port: 80}")},
        "app/b.yaml:3:35: metadata.annotations.port: must be a string (quote it)",
    ),
    "two files that make one object, in a build": (
        {BUILD: "resources: [b.yaml, z.yaml]\n", "app/b.yaml": MAP, "app/z.yaml": MAP},
        "app/z.yaml:1: ConfigMap.v1.[noGrp]/b.[noNs]: may not add resource with an already registered id, "
        "which app/b.yaml:1 has too",
    ),
    "a path outside of the repository": (
        {BUILD: "resources: [../../etc/passwd]\n"},
        "app/kustomization.yaml:1:13: resources: ../../etc/passwd: app: '../../etc/passwd' leaves the repository",
    ),
    "an absolute path": (
        {BUILD: "resources: [/etc/passwd]\n"},
        "app/kustomization.yaml:1:13: resources: /etc/passwd: '/etc/passwd' is an absolute path (write it relative to this file)",
    ),
    "a file outside of the build's folder": (
        {BUILD: "resources: [../other.yaml]\n", "other.yaml": MAP},
        "app/kustomization.yaml:1:13: resources: ../other.yaml: is a file, not a folder "
        "(a file must lie in or below the folder of its kustomization)",
    ),
    "a file that is not there": (
        {BUILD: "resources: [nothere.yaml]\n"},
        "app/kustomization.yaml:1:13: resources: nothere.yaml: no such file or folder",
    ),
    "a field that nobody knows": (
        {BUILD: "resorces: [b.yaml]\n", "app/b.yaml": MAP},
        "app/kustomization.yaml:1:1: resorces: unknown field (did you mean 'resources'?)",
    ),
    "a build of itself": (
        {BUILD: "resources: [../other]\n", "other/kustomization.yaml": "resources: [../app]\n"},
        "other/kustomization.yaml:1:13: resources: ../app: app -> other -> app: cycle detected: "
        "candidate root 'app' contains visited root 'app'",
    ),
    "a build from elsewhere": (
        {BUILD: "resources: [https://forge.example/shop]\n"},
        "app/kustomization.yaml:1:13: resources: https://forge.example/shop: remote files are not allowed here "
        "(copy it into the repository and refer to the copy)",
    ),
    "a symlink out": (
        {"app/b.yaml": Special("120000", "/etc/passwd")},
        "app/b.yaml: the symlink 'app/b.yaml' leaves the repository: it leads to '/etc/passwd'",
    ),
    "a symlink out, in a build": (
        {BUILD: "resources: [b.yaml]\n", "app/b.yaml": Special("120000", "../../../etc/passwd")},
        "app/kustomization.yaml:1:13: resources: b.yaml: app/b.yaml: a symlink on the way leaves the repository",
    ),
    "an alias bomb": ({"app/b.yaml": bomb()}, "app/b.yaml:8:45: aliases stand for more than 100000 nodes"),
    "10,000 brackets": ({"app/b.yaml": MAP + "x: " + "[" * 10_000}, "app/b.yaml:4:103: nested deeper than 100 levels"),
    "10,000 brackets and nothing else": (
        {"app/b.yaml": "[" * 10_000},
        "app/b.yaml:1:101: nested deeper than 100 levels",
    ),
    "10,000 brackets of JSON": (
        {"app/b.json": '{"apiVersion":"v1","kind":"ConfigMap","x":' + "[" * 10_000 + "]" * 10_000 + "}"},
        "app/b.json:1:142: nested deeper than 100 levels",
    ),
    "10,000 brackets in a kustomization": (
        {BUILD: "resources: " + "[" * 10_000},
        "app/kustomization.yaml:1:111: nested deeper than 100 levels",
    ),
    "a binary file": ({"app/b.yaml": bytes(range(256)) * 8}, "app/b.yaml: control characters are not allowed"),
    "a binary end of a manifest": (
        {"app/b.yaml": MAP.encode() + b"\0\1\xff"},
        "app/b.yaml: control characters are not allowed",
    ),
    "a file in another encoding": (
        {"app/b.yaml": MAP.encode() + b"data: {k: caf\xe9}\n"},
        "app/b.yaml: invalid trailing UTF-8 octet",
    ),
}


_NUMBER = 'unable to decode "app/b.yaml:1": json: cannot unmarshal number into Go struct field ObjectMeta.metadata.name of type string'
_BOOL = _NUMBER.replace("number", "bool").replace("metadata.name", "metadata.labels")

# name → (the files of the commit beside app/a.yaml, what the command line says, what the sync says of the object)
REFUSED_TO_DECODE: dict[str, tuple[dict[str, Any], str, str]] = {
    "no name": (
        {"app/b.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n"},
        "app/b.yaml:1: ConfigMap has no metadata.name",
        "resource name may not be empty",
    ),
    "a name that is a number": (
        {"app/b.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: 12}\n"},
        "app/b.yaml:3:12: metadata.name: must be a string, not 12 (quote it)",
        _NUMBER,
    ),
    "a name that is a number, in a build": (
        {BUILD: "resources: [b.yaml]\n", "app/b.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: 12}\n"},
        "app/b.yaml:1: metadata.name: must be a string, not 12 (quote it)",
        _NUMBER,
    ),
    "a label that is true": (
        {"app/b.yaml": MAP.replace("name: b", "name: b, labels: {v: true}")},
        "app/b.yaml:3:30: metadata.labels.v: must be a string (quote it)",
        _BOOL,
    ),
    "a label that is true, in a build": (
        {BUILD: "resources: [b.yaml]\n", "app/b.yaml": MAP.replace("name: b", "name: b, labels: {v: true}")},
        "app/b.yaml:1: metadata.labels.v: must be a string (quote it)",
        _BOOL,
    ),
}
