"""Kustomizations and edits of them, generated: as kustomize writes them, and as people do."""

import random
from typing import Any

from hypothesis import strategies as st

from kilde.core.objects.yaml_writer import double_quoted, needs_quotes, plain_allowed, single_quoted, write_entry

FILES = {
    "a.yaml": "", "b.yaml": "", "c.yaml": "", "sub/d.yaml": "", "sub/e.yaml": "", ".hidden.yaml": "", "notes.txt": "n\n",
    "app.env": "K=v\nL=w\n", "one.patch.yaml": "kind: ConfigMap\nmetadata: {name: c}\n",
}  # fmt: skip
HEADER = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}
NAMES = ["web", "db", "cache-1", "reg.example.org:5000/a/b", "a10", "a2"]
TEXTS = [
    "x",
    "yes",
    "1.0",
    "0x1f",
    "v1.2-b",
    "a: b",
    "# c",
    "é",
    "two\nlines\n",
    "q'r\"s",
    " pad",
    "w " * 50 + "end",
    "012",
    "~",
]
KEYS = ["app", "tier", "k8s.io/name", "y", "10", "2", "team"]

names = st.sampled_from(NAMES)
texts = st.sampled_from(TEXTS)
tags = st.sampled_from(["v1", "1.0", "2", "latest", "1e3", "0.10", "yes"])
digests = st.sampled_from(["sha256:" + "ab" * 8, "sha256:12"])
maps = st.dictionaries(st.sampled_from(KEYS), texts, min_size=1, max_size=3)


def _some(required: dict[str, Any], **optional: Any) -> Any:
    return st.fixed_dictionaries({name: _as_strategy(value) for name, value in required.items()}, optional=optional)


def _as_strategy(value: Any) -> Any:
    return value if isinstance(value, st.SearchStrategy) else st.just(value)


def _by_name(item: Any, *, in_order: bool) -> Any:
    found = st.lists(item, min_size=1, max_size=4, unique_by=lambda entry: entry["name"])
    return found.map(lambda entries: sorted(entries, key=lambda entry: entry["name"])) if in_order else found


def _generators(**more: Any) -> Any:
    literals = st.lists(st.sampled_from(["k=v", "l='q'", "m=", "n=1: 2"]), min_size=1, max_size=3, unique=True)
    options = _some({}, disableNameSuffixHash=st.just(True), labels=maps)
    entry = _some(
        {"name": st.sampled_from(["settings", "flags", "keys"]), "literals": literals},
        namespace=st.sampled_from(["default", "shop"]),
        files=st.just(["notes.txt"]),
        options=options.filter(bool),
        **more,
    )
    return st.lists(entry, min_size=1, max_size=3, unique_by=lambda e: (e["name"], e.get("namespace", "default")))


PATCHES = st.lists(
    st.one_of(
        _some(
            {"path": st.sampled_from(["one.patch.yaml", "p.yaml"])},
            target=_some({"kind": "Deployment"}, name=names, labelSelector=st.just("a=b")),
        ),
        _some({"patch": st.sampled_from(["- op: remove\n  path: /a\n", "kind: A\nmetadata:\n  name: b"]), "target": {"kind": "A"}}),
    ),
    min_size=1,
    max_size=3,
)  # fmt: skip
PATHS = st.lists(
    st.sampled_from(["a.yaml", "b.yaml", "../base", "sub/d.yaml", "yes", "g/*.yaml"]),
    min_size=1,
    max_size=4,
    unique=True,
)


def values(*, in_order: bool, deprecated: bool = False, header: bool = True) -> Any:
    """What kustomizations say; `in_order`: lists that kustomize sorts are sorted."""
    image = _some({"name": names}, newName=names, newTag=tags, digest=digests, tagSuffix=st.just("-x"))
    fields: dict[str, Any] = {
        "resources": PATHS,
        "namespace": texts,
        "namePrefix": st.sampled_from(["p-", "1", "-"]),
        "nameSuffix": st.sampled_from(["-s", "yes"]),
        "images": _by_name(image, in_order=in_order),
        "replicas": _by_name(_some({"name": names, "count": st.integers(0, 9)}), in_order=in_order),
        "commonLabels": maps,
        "commonAnnotations": maps,
        "labels": st.lists(_some({"pairs": maps}, includeSelectors=st.just(True), includeTemplates=st.just(True)), min_size=1, max_size=2),
        "configMapGenerator": _generators(behavior=st.just("merge")),
        "secretGenerator": _generators(type=st.just("Opaque")),
        "generatorOptions": _some({}, labels=maps, disableNameSuffixHash=st.just(True)).filter(bool),
        "patches": PATCHES,
        "buildMetadata": st.lists(st.sampled_from(["originAnnotations", "managedByLabel"]), min_size=1, unique=True),
        "transformers": PATHS,
        "components": PATHS,
        "openapi": st.just({"path": "schema.json"}),
    }  # fmt: skip
    if deprecated:
        fields |= {
            "bases": st.lists(st.sampled_from(["../x", "../y"]), min_size=1, unique=True),
            "helmChartInflationGenerator": st.just(
                [{"chartName": "c", "chartVersion": "1.0", "values": "v.yaml", "chartHome": "h", "releaseNamespace": "x"}]
            ),
            "imageTags": st.just([{"name": "old", "newTag": "1"}]),
            "patchesStrategicMerge": st.lists(
                st.sampled_from(["one.patch.yaml", "kind: A\nmetadata:\n  name: b\n", "p.yaml"]), min_size=1, unique=True
            ),
            "patchesJson6902": st.just([{"path": "j.yaml", "target": {"version": "v1", "kind": "Service", "name": "web"}}]),
        }  # fmt: skip
    return st.fixed_dictionaries({name: st.just(text) for name, text in HEADER.items() if header}, optional=fields)


def canonical(value: dict[str, Any], rnd: random.Random) -> str:
    """As kustomize writes it, the fields in any order, comments only above them."""
    order = list(value)
    rnd.shuffle(order)
    out = []
    for name in order:
        out.append(rnd.choice(["", "", "\n", f"# about {name}\n", f"\n# {name}\n  # more\n"]))
        out.append(write_entry(name, value[name], indent=0))
    return "".join(out)


class Messy:
    """Writes as people do; `comments` gathers those that were written, each of its own."""

    def __init__(self, rnd: random.Random) -> None:
        self.rnd = rnd
        self.comments: list[str] = []

    def text(self, value: dict[str, Any]) -> str:
        found = self.maybe("---\n", 0.1) + self.mapping(value, 0)
        return found + self.maybe(f"{self.comment()}\n", 0.2) + self.maybe("\n\n", 0.1)

    def maybe(self, text: str, chance: float) -> str:
        keep = self.rnd.random() < chance
        if not keep and text.lstrip().startswith("#"):
            self.comments.pop()
        return text if keep else ""

    def comment(self) -> str:
        self.comments.append(f"# note {len(self.comments)}.")
        return self.comments[-1]

    def above(self, pad: str) -> str:
        return self.maybe("\n", 0.1) + self.maybe(f"{pad}{self.comment()}\n", 0.2)

    def end(self) -> str:
        return self.maybe(f"  {self.comment()}", 0.2) + "\n"

    def mapping(self, value: dict[str, Any], indent: int, *, first: bool = False) -> str:
        pad = " " * indent
        keys = list(value)
        self.rnd.shuffle(keys)
        out = []
        for place, key in enumerate(keys):
            lead = "" if first and place == 0 else self.above(pad) + pad
            out.append(lead + self.scalar(key, key=True) + ":" + self.value(value[key], indent))
        return "".join(out)

    def value(self, value: Any, indent: int) -> str:
        if isinstance(value, (dict, list)) and value and self.rnd.random() < 0.7:
            if isinstance(value, dict):
                return self.end() + self.mapping(value, indent + self.rnd.choice([2, 4]))
            return self.end() + self.sequence(value, indent + self.rnd.choice([0, 2]))
        if isinstance(value, (dict, list)):
            return " " + self.flow(value) + self.end()
        if isinstance(value, str) and "\n" in value and value[0] != " " and self.rnd.random() < 0.7:
            pad = " " * (indent + 2)
            chomp = "" if value.endswith("\n") else "-"
            return f" |{chomp}\n" + "".join(f"{pad}{line}\n" for line in value.removesuffix("\n").split("\n"))
        return " " + self.scalar(value) + self.end()

    def sequence(self, value: list[Any], indent: int) -> str:
        pad = " " * indent
        out = []
        for item in value:
            out.append(self.above(pad) + pad + "-")
            if isinstance(item, dict) and self.rnd.random() < 0.8:
                wide = self.rnd.choice([1, 1, 3])
                out.append(" " * wide + self.mapping(item, indent + 1 + wide, first=True))
            else:
                out.append(self.value(item, indent))
        return "".join(out)

    def flow(self, value: Any) -> str:
        gap = self.rnd.choice(["", " "])
        if isinstance(value, dict):
            return (
                "{"
                + gap
                + ", ".join(f"{self.scalar(k, key=True, flow=True)}: {self.flow(v)}" for k, v in value.items())
                + gap
                + "}"
            )
        if isinstance(value, list):
            return "[" + gap + ", ".join(map(self.flow, value)) + gap + "]"
        return self.scalar(value, flow=True)

    def scalar(self, value: Any, *, key: bool = False, flow: bool = False) -> str:
        if not isinstance(value, str):
            return str(value).lower()
        plain = bool(value) and plain_allowed(value) and not needs_quotes(value) and "\n" not in value
        if plain and not (flow and set(value) & set(",[]{}")) and self.rnd.random() < (0.9 if key else 0.6):
            return value
        return single_quoted(value) if "\n" not in value and self.rnd.random() < 0.4 else double_quoted(value)


def _pair(separator: str) -> Any:
    return st.builds(
        lambda key, value: f"{key}{separator}{value}",
        st.sampled_from([*KEYS, "new"]),
        texts.filter(lambda t: "\n" not in t),
    )


IMAGE_ARGUMENTS = st.one_of(
    st.builds("{}:{}".format, names, tags), st.builds("{}={}".format, names, names), st.builds("{}@{}".format, names, digests),
    st.builds("{}={}:{}".format, names, st.one_of(names, st.just("*")), st.one_of(tags, st.just("*"))),
    st.builds("{}={}:{}@{}".format, names, names, tags, st.one_of(digests, st.just("*"))), st.just("bad"), st.just("a=b=c"),
)  # fmt: skip
TARGETS = st.lists(
    st.sampled_from([("--kind", "Deployment"), ("--kind", "A"), ("--name", "web"), ("--label-selector", "a=b")]),
    max_size=2,
    unique_by=lambda t: t[0],
)
PATCH_FLAGS = st.builds(
    lambda flags, target: [*flags, *(word for pair in target for word in pair)],
    st.sampled_from(
        [["--path", "one.patch.yaml"], ["--path", "p.yaml"], ["--patch", "- op: remove\n  path: /a\n"], []]
    ),
    TARGETS,
)
SOURCES = st.lists(
    st.sampled_from(
        [
            "--from-literal=z=9",
            "--from-literal=k=again",
            "--from-file=notes.txt",
            "--from-file=n2=notes.txt",
            "--from-file=*.none",
            "--from-env-file=app.env",
            "--from-literal=bad",
            "--disableNameSuffixHash",
            "--namespace=shop",
            "--from-file=../out",
        ]
    ),
    min_size=1,
    max_size=2,
    unique=True,
)
OWN = st.sampled_from(["settings", "flags", "keys", "fresh"])
LIST_PATHS = st.lists(
    st.sampled_from(["a.yaml", "b.yaml", "*.yaml", "sub/*", "./c.yaml", "none.yaml", "kustomization.yaml", "sub"]),
    min_size=1,
    max_size=2,
)
CONFIGURATIONS = st.lists(
    st.sampled_from(["a.yaml", "[ab]*.yaml", "sub/*", "./c.yaml", "none.yaml", "sub"]), min_size=1, max_size=2
)
PATTERNS = st.lists(
    st.sampled_from(["a.yaml", "*", "*.yaml", "../*", "sub/?.yaml", "[ab].yaml", "none", "yes", "[", "g/\\*.yaml"]),
    min_size=1,
    max_size=2,
)
OPTIONS = st.sampled_from(["originAnnotations", "managedByLabel", "originAnnotations,transformerAnnotations", "bad"])
KEY_LISTS = st.lists(st.sampled_from([*KEYS, "new"]), min_size=1, max_size=2, unique=True).map(",".join)


def _command(*words: Any) -> Any:
    parts = [
        st.just([word]) if isinstance(word, str) else word.map(lambda v: v if isinstance(v, list) else [v])
        for word in words
    ]
    return st.tuples(*parts).map(lambda found: [word for part in found for word in part])


ADDITIONS = [
    _command("set", "image", st.lists(IMAGE_ARGUMENTS, min_size=1, max_size=3)),
    _command(
        "set",
        "replicas",
        st.lists(st.builds("{}={}".format, names, st.sampled_from(["0", "12", "x", "+3"])), min_size=1, max_size=2),
    ),
    _command("set", "namespace", texts),
    _command("set", "nameprefix", st.sampled_from(["new-", "9"])),
    _command("set", "namesuffix", "--", st.sampled_from(["-new", ""])),
    _command("set", "label", st.lists(_pair(":"), min_size=1, max_size=2)),
    _command("set", "annotation", st.lists(_pair(":"), min_size=1, max_size=2)),
    _command("set", "buildmetadata", OPTIONS),
    _command(
        "set",
        st.sampled_from(["configmap", "secret"]),
        OWN,
        st.lists(
            st.sampled_from(
                [
                    "--from-literal=k=new: 1",
                    "--from-literal=l=o",
                    "--from-literal=none=1",
                    "--namespace=shop",
                    "--new-namespace=other",
                    "--namespace=default",
                ]
            ),
            min_size=1,
            max_size=2,
            unique=True,
        ),
    ),
    _command(
        "add",
        "label",
        st.lists(_pair(":"), min_size=1, max_size=1),
        st.sampled_from(
            [
                [],
                ["--force"],
                ["-f", "--without-selector"],
                ["--without-selector"],
                ["--without-selector", "--include-templates"],
                ["--include-templates"],
            ]
        ),
    ),
    _command(
        "add",
        "annotation",
        st.lists(_pair(":"), min_size=1, max_size=1),
        st.sampled_from([[], ["--force"], ["--force=false"]]),
    ),
    _command("add", "resource", LIST_PATHS),
    _command("add", "resource", "--no-verify", LIST_PATHS),
    _command("add", "component", LIST_PATHS),
    _command("add", "transformer", CONFIGURATIONS),
    _command("add", "generator", CONFIGURATIONS),
    _command("add", "base", st.sampled_from(["sub", "sub,a.yaml", "nowhere", "a.yaml"])),
    _command("add", "buildmetadata", OPTIONS),
    _command("add", "patch", PATCH_FLAGS),
    _command("add", "configmap", OWN, SOURCES, st.sampled_from([[], ["--behavior=replace"], ["--behavior=odd"]])),
    _command("add", "secret", OWN, SOURCES, st.sampled_from([[], ["--type=kubernetes.io/tls"]])),
]
REMOVALS = [
    _command("remove", "resource", PATTERNS),
    _command("remove", "transformer", PATTERNS),
    _command("remove", "label", KEY_LISTS),
    _command("remove", "annotation", KEY_LISTS, st.sampled_from([[], ["-i"]])),
    _command("remove", "buildmetadata", OPTIONS),
    _command("remove", "patch", PATCH_FLAGS),
    _command(
        "remove",
        st.sampled_from(["configmap", "secret"]),
        st.sampled_from(["settings", "flags,keys", "none"]),
        st.sampled_from([[], ["--namespace=shop"]]),
    ),
]
additions = st.one_of(ADDITIONS)
removals = st.one_of(REMOVALS)
edits = st.one_of([*ADDITIONS, *REMOVALS])
