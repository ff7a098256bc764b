"""Whole trees: bases, overlays, components, diamonds, and every field of a kustomization. The same for a seed on every machine."""

import base64
import random
from typing import Any

from fuzz.kinds import Kinds
from fuzz.objects import GENERATED, NAMESPACES, Object
from fuzz.patches import WRITTEN_NULLS, Patches
from fuzz.plugins import Plugins
from fuzz.style import Writer

Files = dict[str, bytes]
TOP = "top"
DIGEST = "sha256:24a0c4b4a4c0eb97a1aabb8e29f18e917d05abfe1b7a7c07857230879ce7d3d3"
ODD_FILES = (b"plain\n", b"", b"\xff\xfe\x00", "ünï\n".encode(), b"a\r\nb\r\n", b"x" * 200 + b"\n", b"two\nlines", b"  lead \n", b"\xef\xbb\xbfbom",
             b"key: value\nother: [1]\n", b"tab\there\n", b"trail \n")  # fmt: skip
ENV_FILES = (
    b"A=1\nB=two words\n",
    b"# note\nA=x=y\n\n  C=3\nD=\n",
    b"\xef\xbb\xbfA='q'\r\nB=\"z\"\r\n",
    b"A=trail \nB=\xc3\xbc\n",
    b"E=1",
)


def generated(seed: int) -> Files:
    """A tree whose folder `top` is to be built."""
    return _Maker(random.Random(seed)).make()


class _Maker:
    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.wild = dice.choice((0.0, 0.1, 0.3, 0.3, 0.7))
        self.density = dice.choice((0.3, 0.6, 1.0))  # of fields
        self.files: Files = {}
        self.kinds = Kinds(dice, self.wild)
        self.patches = Patches(self.kinds, dice, self.wild)
        self.plugins = Plugins(self.kinds, self.patches, dice)
        self.folder = ""
        self.seen: dict[str, list[Object]] = {}
        self.generated: set[tuple[str, str, str]] = set()

    def chance(self, probability: float) -> bool:
        return self.dice.random() < probability

    def pick(self, *choices: Any) -> Any:
        return self.dice.choice(choices)

    def make(self) -> Files:
        shape = self.dice.random()
        if shape < 0.3:
            self.kustomization(TOP, [])
        elif shape < 0.6:
            self.kustomization("base", [])
            self.kustomization(TOP, ["../base"])
        elif shape < 0.72:
            self.kustomization("base", [])
            for name in ("mid1", "mid2"):
                self.kustomization(name, ["../base"], affixed=True)
            self.kustomization(TOP, ["../mid1", "../mid2"])
        elif shape < 0.82:
            self.kustomization("base", [])
            self.kustomization("mid", ["../base"])
            self.kustomization(TOP, ["../mid"])
        else:
            self.kustomization("base", [])
            self.kustomization("part", [], component=True, above=self.seen["base"])
            if self.chance(0.4):
                self.kustomization("part2", [], component=True, above=self.seen["base"])
            self.kustomization(
                TOP, ["../base"], components=[name for name in ("../part", "../part2") if name[3:] in self.seen]
            )
        return self.files

    def write(self, stem: str, content: str | bytes, suffix: str = "yaml") -> str:
        """A file of the present folder; its path from there."""
        name = f"{stem}{len(self.files)}.{suffix}" if self.chance(0.8) else f"sub/{stem}{len(self.files)}.{suffix}"
        self.files[f"{self.folder}/{name}"] = (
            content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
        )
        return name

    def document(self, value: Any) -> str:
        return Writer(self.dice, self.wild).document(value)

    def objects_file(self) -> tuple[str, list[Object]]:
        """A file of one to three objects, sometimes as a list, with empty documents and odd ends."""
        made = [self.kinds.new() for _ in range(self.dice.choice((1, 1, 1, 2, 3)))]
        if self.chance(0.05):
            text = self.document({"apiVersion": "v1", "kind": self.pick("List", "ConfigMapList"), "items": made})
        else:
            separator = self.pick("---\n", "---\n", "--- # note\n", "---\n# only a comment\n---\n", "---\n---\n")
            text = separator.join(map(self.document, made))
        lead = self.pick("", "", "", "---\n", "# a comment\n", "\ufeff") if self.chance(self.wild) else ""
        tail = self.pick("", "---\n", "...\n", "\n\n", "# end") if self.chance(self.wild) else ""
        text = lead + text + tail
        if self.chance(0.03):
            text = text.replace("\n", "\r\n")
        return self.write("r", text), made

    # --- kustomizations

    def kustomization(
        self, folder: str, bases: list[str], *, component: bool = False, affixed: bool = False,
        components: list[str] | None = None, above: list[Object] | None = None,
    ) -> None:  # fmt: skip
        self.folder = folder
        made = [found for base in bases for found in self.seen[base[3:]]]
        resources = list(bases)
        for _ in range(self.dice.randint(0 if bases or component else 1, 3)):
            path, new = self.objects_file()
            resources.append(path)
            made += new
        self.seen[folder] = made
        known = made + list(above or [])
        fields: Object = {"apiVersion": "kustomize.config.k8s.io/v1alpha1", "kind": "Component"} if component else {}
        if not component and self.chance(0.3):
            fields = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}
        if resources:
            fields["bases" if bases == resources and self.chance(0.1) else "resources"] = resources
        if components:
            fields["components"] = components
        fields |= {name: make() for name, make in self.chosen(known) if name not in fields}
        if affixed and self.chance(0.9):
            fields[self.pick("namePrefix", "nameSuffix", "namespace")] = f"{folder[-2:]}x"
        if len(fields) <= 2:
            fields["namePrefix"] = "p-"
        name = self.pick("kustomization.yaml", "kustomization.yaml", "kustomization.yml", "Kustomization")
        self.files[f"{folder}/{name}"] = self.document(fields).encode()

    def chosen(self, known: list[Object]) -> list[tuple[str, Any]]:
        table = [*self.simple_fields(), *(self.object_fields(known) if known else [])]
        return [(name, make) for name, probability, make in table if self.chance(probability * self.density)]

    def simple_fields(self) -> list[tuple[str, float, Any]]:
        return [
            ("namePrefix", 0.2, lambda: self.pick("p-", "x", "1-", "a.")),
            ("nameSuffix", 0.15, lambda: self.pick("-s", "-v1", "2")),
            ("namespace", 0.2, lambda: self.dice.choice(NAMESPACES)),
            ("commonLabels", 0.1, self.text_map),
            ("labels", 0.2, self.labels),
            ("commonAnnotations", 0.12, self.text_map),
            ("images", 0.2, self.images),
            ("imageTags", 0.02, self.images),
            ("configMapGenerator", 0.3, lambda: self.generators(secret=False)),
            ("secretGenerator", 0.2, lambda: self.generators(secret=True)),
            ("generatorOptions", 0.12, self.generator_options),
            ("sortOptions", 0.12, self.sort_options),
            ("buildMetadata", 0.08, lambda: self.dice.sample(["originAnnotations", "transformerAnnotations", "managedByLabel"], self.dice.randint(1, 2))),
            ("metadata", 0.04, lambda: {"name": "k", "labels": {"a": "b"}}),
            ("configurations", 0.1, lambda: [self.write("config", self.document(self.plugins.configuration()))]),
            ("crds", 0.05, lambda: [self.write("crd", self.document(self.plugins.crds()))]),
            ("openapi", 0.05, lambda: self.pick({"path": self.write("openapi", self.document(self.plugins.openapi()))}, {"version": "v1.21.2"})),
        ]  # fmt: skip

    def object_fields(self, known: list[Object]) -> list[tuple[str, float, Any]]:
        def one() -> Object:
            return self.dice.choice(known)

        def inline_or_file(found: Object) -> str:
            text = Writer(self.dice, self.wild, WRITTEN_NULLS).document(found)
            return text if self.chance(0.6) else self.write("plugin", text)

        return [
            ("patches", 0.45, lambda: [self.patches.entry(one(), self.write) for _ in range(self.dice.choice((1, 1, 2, 3)))]),
            ("patchesStrategicMerge", 0.12, lambda: [inline_or_file(self.patches.strategic(one())) for _ in range(self.dice.choice((1, 2)))]),
            ("patchesJson6902", 0.1, lambda: [self.patches.json6902(one(), self.write)]),
            ("replicas", 0.08 if self.workload(known) else 0.005, lambda: [{"name": self.workload(known), "count": self.pick(0, 5)}]),
            ("replacements", 0.2, lambda: self.replacements(known)),
            ("vars", 0.1, lambda: self.variables(known)),
            ("transformers", 0.15, lambda: [inline_or_file(self.plugins.transformer(one(), self.write)) for _ in range(self.dice.choice((1, 1, 2)))]),
            ("generators", 0.05, lambda: [inline_or_file(self.plugins.generator())]),
            ("validators", 0.02, lambda: [inline_or_file(self.plugins.transformer(one(), self.write))]),
        ]  # fmt: skip

    def workload(self, known: list[Object]) -> str:
        names = [
            found["metadata"]["name"] for found in known if found["kind"] in ("Deployment", "StatefulSet", "ReplicaSet")
        ]
        return str(self.dice.choice(names or [""]))

    def text_map(self) -> Object:
        return {
            key: self.kinds.text()
            for key in self.dice.sample(["app", "team", "a", "x.example/y", "n", "tier"], self.dice.randint(1, 2))
        }

    def labels(self) -> list[Object]:
        return [
            {
                "pairs": self.text_map(),
                **self.kinds.some({"includeSelectors": self.chance(0.7), "includeTemplates": self.chance(0.7)}, 0.3),
                **self.kinds.some({"fields": [self.plugins.field_spec("spec/extra/labels")]}, 0.1),
            }
            for _ in range(self.dice.choice((1, 1, 2)))
        ]

    def images(self) -> list[Object]:
        names = ("nginx", "busybox", "reg:5000/a/b", "registry.example/shop/app", "my-nginx", ".*", "ngin.")
        changes = {
            "newName": self.pick("foo/bar", "busybox", "reg:1/x"),
            "newTag": self.pick("v9", "1.0", "2"),
            "digest": DIGEST,
            "tagSuffix": "-x",
        }
        return [
            {"name": self.dice.choice(names), **self.kinds.some(changes, 0.4)}
            for _ in range(self.dice.choice((1, 1, 2)))
        ]

    def generator_options(self) -> Object:
        return self.kinds.some(
            {"disableNameSuffixHash": self.chance(0.7), "immutable": self.chance(0.7), "labels": self.text_map, "annotations": self.text_map}, 0.5
        )  # fmt: skip

    def generators(self, *, secret: bool) -> list[Object]:
        return [self.generator(secret=secret) for _ in range(self.dice.choice((1, 1, 2)))]

    def generator(self, *, secret: bool) -> Object:
        literals = ["a=1", "b='q'", "c=x=y", "d=true", "e=several words", "f=<&>", "g=", 'h="dq"', "i=\u263a", "j=line1\nline2", "k k=v", "l=" + "x" * 90,
                    "m=\U0001f600", "n= lead", "o=trail ", "p=\"half'", "q=0x1"]  # fmt: skip
        files = [self.file_source() for _ in range(self.dice.choice((0, 0, 1, 2)))]
        found: Object = {
            "name": self.dice.choice(GENERATED),
            **self.kinds.some({"literals": self.dice.sample(literals, self.dice.randint(1, 3))}, 0.8),
            **({"files": files} if files else {}),
            **self.kinds.some({"namespace": self.dice.choice(NAMESPACES), "options": self.generator_options}, 0.15),
        }
        kind = "Secret" if secret else "ConfigMap"
        key = (kind, found["name"], found.get("namespace", "default"))
        if key in self.generated and self.chance(0.95):
            found["behavior"] = self.pick("merge", "merge", "replace")
        elif self.chance(0.1):
            found["behavior"] = self.pick("create", "", "merge")
        self.generated.add(key)
        if self.chance(0.15):
            found[self.pick("envs", "env")] = [self.write("env", self.dice.choice(ENV_FILES), "env")]
            if "env" in found:
                found["env"] = found["env"][0]
        if secret and self.chance(0.4):
            found["type"] = self.pick("Opaque", "kubernetes.io/tls", "x")
        return found

    def file_source(self) -> str:
        path = self.write("f", self.dice.choice(ODD_FILES) if self.chance(0.8) else base64.b64encode(b"x" * 300), "txt")
        return path if self.chance(0.5) else f"key{self.dice.randint(0, 9)}={path}"

    def sort_options(self) -> Object:
        if self.chance(0.4):
            return {"order": "fifo"}
        kinds = self.dice.sample(["Deployment", "Service", "ConfigMap", "Namespace", "Thing", "Secret"], 4)
        return {
            "order": "legacy",
            **self.kinds.some({"legacySortOptions": {"orderFirst": kinds[:2], "orderLast": kinds[2:]}}, 0.5),
        }

    def replacements(self, known: list[Object]) -> list[Object]:
        found = [self.patches.replacement(known) for _ in range(self.dice.choice((1, 1, 2)))]
        return [{"path": self.write("repl", self.document(self.pick(found, found[0])))}] if self.chance(0.15) else found

    def variables(self, known: list[Object]) -> list[Object]:
        source = self.dice.choice(known)
        found: Object = {
            "name": "VAR",
            "objref": {"apiVersion": source["apiVersion"], "kind": source["kind"], "name": source["metadata"]["name"]},
        }
        if "namespace" in source["metadata"]:
            found["objref"]["namespace"] = source["metadata"]["namespace"]
        if self.chance(0.5):
            found["fieldref"] = {
                "fieldpath": self.pick("metadata.name", "kind", self.patches.path_in(source))
                if self.chance(0.8)
                else self.pick("spec.ports[0].port", "data.a")
            }
        return [found]
