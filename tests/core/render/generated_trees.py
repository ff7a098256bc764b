"""Random kustomizations, the same for a seed on every machine: bases, overlays, components, and most fields."""

import random
import textwrap
from collections.abc import Sequence

Files = dict[str, str]
NAMES = ("web", "api", "db", "cm", "sec", "app")
SCALARS = (
    "abc", '"yes"', "yes", "no", "1", '"1"', "1.5", "0777", "0x1F", "1e3", "true", '"true"', "null", "~", "", '"a: b"',
    "2001-01-01", "12:30", '"line1\\nline2\\n"', "a b c", '"  lead"', "-1", '"é"', '"\\u263a"', ".5", "y", "on", "=",
    "a#b", '"*x"', '"tab\\tx"', '"a very long text with many words that goes on and on, past column eighty and then on"',
)  # fmt: skip


def generated(seed: int) -> Files:
    """A tree whose folder `top` is to be built."""
    return _Maker(random.Random(seed)).make()


TOPS = ("apps/a", "apps/b", "apps/b/deep", "lib/mid", "plain")
"""The folders of a repository that are rendered; the last one holds plain manifests."""


def repository(dice: random.Random) -> Files:
    """Bases that several overlays share, one above another, beside and around one another; and a folder without kustomization."""
    return _Maker(dice).make_repository()


def _indent(text: str, by: int = 2) -> str:
    return textwrap.indent(text, " " * by)


def _item(text: str) -> str:
    return "- " + _indent(text)[2:]


class _Maker:
    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.files: Files = {}
        self.names: Sequence[str] = NAMES
        self.made: list[tuple[str, str, str]] = []  # kind, name, namespace

    def make(self) -> Files:
        shape = self.dice.random()
        bases: list[str] = []
        if shape > 0.35:
            self.kustomization("base", [])
            bases = ["../base"]
        if shape > 0.75:
            for name in ("mid1", "mid2"):
                self.kustomization(name, ["../base"])
            bases = ["../mid1", "../mid2"]
        if shape > 0.9:
            self.kustomization("part", [], component=True)
        self.kustomization("top", bases, tail="components: [../part]\n" if shape > 0.9 else "")
        return self.files

    def make_repository(self) -> Files:
        names = [f"{name}{number}" for name in NAMES for number in range(3)]
        self.dice.shuffle(names)
        self.names = names[:6]
        self.kustomization("lib/base", [])
        self.names = names[6:]
        self.kustomization("lib/part", [], component=True, tail=self.maybe(0.3, self.variable_of_build()))
        self.kustomization("lib/mid", self.some(("../base",)), tail=self.maybe(0.3, self.variable_of_build()))
        shared = ("../../lib/base", "../../lib/mid", "../../lib", "../a", "https://example.org/x")
        for top in ("apps/a", "apps/b"):
            component = self.maybe(0.3, "components: [../../lib/part]\n")
            self.kustomization(
                top, self.some(shared[: self.dice.choice((1, 1, 2, 5))]), tail=component + self.extras(top)
            )
        self.kustomization("apps/b/deep", self.some(("../../../lib/base", "../../a", "../../../apps")))
        self.kustomization("lib", self.some(("mid", "../apps/b/deep")))
        for index in range(self.dice.randint(1, 3)):
            self.files[f"plain/{self.pick('m', 'sub/m')}{index}.yaml"] = self.new()
        return self.files

    def some(self, of: Sequence[str]) -> list[str]:
        return self.dice.sample(of, self.dice.randint(1, min(2, len(of))))

    def maybe(self, probability: float, text: str) -> str:
        return text if self.chance(probability) else ""

    def variable_of_build(self) -> str:
        if not self.made:
            return ""
        kind, name, _ = self.dice.choice(self.made)
        version = {"Deployment": "apps/v1", "StatefulSet": "apps/v1", "CronJob": "batch/v1"}.get(kind, "v1")
        return f"vars:\n- name: V{self.dice.randint(0, 2)}\n  objref: {{kind: {kind}, name: {name}, apiVersion: {version}}}\n"

    def extras(self, folder: str) -> str:
        """Fields that read further files, or that change what holds for the whole build."""
        found = ""
        if self.chance(0.2):
            self.files[f"{folder}/names.yaml"] = (
                "nameReference:\n- kind: ConfigMap\n  fieldSpecs:\n  - {kind: Thing, path: spec/a}\n"
            )
            found += "configurations: [names.yaml]\n"
        if self.chance(0.15):
            merge = '"x-kubernetes-patch-merge-key": "name", "x-kubernetes-patch-strategy": "merge"'
            self.files[f"{folder}/schema.json"] = (
                '{"definitions": {"t": {"properties": {"spec": {"type": "array", ' + merge + "}}}}}"
            )
            found += "openapi: {path: schema.json}\n"
        if self.chance(0.2):
            self.files[f"{folder}/settings.env"] = "A=1\nB=two\n"
            self.files[f"{folder}/file.txt"] = "text\n"
            found += "secretGenerator:\n- name: files\n  envs: [settings.env]\n  files: [file.txt]\n"
        return found

    def chance(self, probability: float) -> bool:
        return self.dice.random() < probability

    def pick(self, *choices: str) -> str:
        return self.dice.choice(choices)

    def name(self) -> str:
        return self.dice.choice(self.names)

    # --- objects

    def metadata(self, name: str, namespace: str) -> str:
        parts = [f"name: {name}"] + ([f"namespace: {namespace}"] if namespace else [])
        if self.chance(0.3):
            parts.append("labels:\n" + _indent(self.pick("app: web", 'tier: "1"', "x: null", "env: dev\napp: web")))
        if self.chance(0.25):
            parts.append(
                "annotations:\n" + _indent(self.pick("a: 1", "b: true\nc.d/e: text", "n: null", "t: 2001-01-01"))
            )
        self.dice.shuffle(parts)
        return "metadata:\n" + _indent("\n".join(parts))

    def container(self, *, patch: bool) -> str:
        parts = ["name: " + self.pick("main", "side", "init")]
        if self.chance(0.7):
            parts.append(
                "image: " + self.pick("nginx", "nginx:1.2", "reg:5000/a/b:v1", "nginx@sha256:abc", '"busybox:1"')
            )
        if self.chance(0.5):
            parts.append("env:\n" + "\n".join(map(self.variable, self.dice.sample("ABCD", self.dice.randint(1, 3)))))
        if self.chance(0.3):
            parts.append(f"envFrom:\n- configMapRef:\n    name: {self.name()}")
        if self.chance(0.4):
            parts.append(
                "ports:\n" + "\n".join(map(self.port, self.dice.sample((80, 443, 8080), self.dice.randint(1, 3))))
            )
        if self.chance(0.2):
            parts.append(f"volumeMounts:\n- name: v\n  mountPath: /x{self.dice.randint(0, 1)}")
        if patch and self.chance(0.15):
            parts.append("$patch: " + self.pick("delete", "replace", "merge"))
        return _item("\n".join(parts))

    def variable(self, name: str) -> str:
        source = self.pick(
            f"value: {self.dice.choice(SCALARS)}",
            f"valueFrom:\n  configMapKeyRef:\n    name: {self.name()}\n    key: k",
            f"valueFrom:\n  secretKeyRef: {{name: {self.name()}, key: k}}",
            "value: null",
        )
        return _item(f"name: {name}\n{source}")

    def port(self, number: int) -> str:
        protocol = f"\n  protocol: {self.pick('TCP', 'UDP')}" if self.chance(0.4) else ""
        return f"- containerPort: {number}{protocol}"

    def pod(self, *, patch: bool) -> str:
        parts = ["containers:\n" + self.container(patch=patch)]
        if self.chance(0.2):
            parts.append("initContainers:\n" + self.container(patch=patch))
        if self.chance(0.3):
            source = self.pick(
                f"configMap:\n    name: {self.name()}", f"secret:\n    secretName: {self.name()}", "emptyDir: {}"
            )
            parts.append(f"volumes:\n- name: v\n  {source}")
        if self.chance(0.2):
            parts.append(f"serviceAccountName: {self.name()}")
        if self.chance(0.15):
            parts.append("tolerations:\n- key: a\n  operator: Exists")
        return "\n".join(parts)

    def template(self, *, patch: bool) -> str:
        labels = "metadata:\n  labels:\n    app: web\n" if self.chance(0.6) else ""
        return "template:\n" + _indent(labels + "spec:\n" + _indent(self.pod(patch=patch)))

    def map_of_scalars(self) -> str:
        keys = self.dice.sample(["a", "b", "c", "d2", "d10", "e.f/g", "x-y", "Z", "_u"], self.dice.randint(1, 4))
        return "\n".join(f"{key}: {self.dice.choice(SCALARS)}" for key in keys)

    def body(self, kind: str, *, patch: bool) -> tuple[str, str]:
        """apiVersion, and everything below metadata."""
        if kind in ("Deployment", "StatefulSet"):
            parts = [self.template(patch=patch)]
            if self.chance(0.6):
                parts.append("replicas: " + self.pick("1", "2", '"3"'))
            if self.chance(0.6):
                parts.append("selector:\n  matchLabels:\n    app: web")
            return "apps/v1", "spec:\n" + _indent("\n".join(parts))
        if kind == "CronJob":
            job = "jobTemplate:\n  spec:\n" + _indent(self.template(patch=patch), 4)
            return "batch/v1", 'spec:\n  schedule: "* * * * *"\n' + _indent(job)
        if kind == "Service":
            selector = "\n  selector: {app: web}" if self.chance(0.7) else ""
            return (
                "v1",
                f"spec:\n  ports:\n  - port: {self.pick('80', '443')}\n    targetPort: {self.pick('http', '80')}"
                + selector,
            )
        if kind == "RoleBinding":
            subject = f"- kind: {self.pick('ServiceAccount', 'User')}\n  name: {self.pick(*NAMES, 'default')}"
            if self.chance(0.6):
                subject += f"\n  namespace: {self.pick('prod', 'default')}"
            role = f"roleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: Role\n  name: {self.name()}"
            return "rbac.authorization.k8s.io/v1", f"{role}\nsubjects:\n{subject}"
        if kind == "Role":
            return (
                "rbac.authorization.k8s.io/v1",
                f"rules:\n- resources: [configmaps]\n  resourceNames: [{self.name()}]",
            )
        if kind == "HorizontalPodAutoscaler":
            return "autoscaling/v2", f"spec:\n  scaleTargetRef:\n    kind: Deployment\n    name: {self.name()}"
        if kind == "ConfigMap":
            return "v1", "data:\n" + _indent(self.map_of_scalars())
        if kind == "Thing":
            return "example.com/v1", "spec:\n" + _indent(self.map_of_scalars())
        return "v1", "x: y"

    def manifest(self, kind: str, name: str, namespace: str, *, patch: bool = False) -> str:
        api_version, body = self.body(kind, patch=patch)
        return f"apiVersion: {api_version}\nkind: {kind}\n{self.metadata(name, namespace)}\n{body}\n"

    def new(self) -> str:
        kind = self.pick(
            "Deployment", "Deployment", "StatefulSet", "Service", "ConfigMap", "Secret", "ServiceAccount", "RoleBinding",
            "Role", "HorizontalPodAutoscaler", "CronJob", "Namespace", "Thing",
        )  # fmt: skip
        name = self.name()
        namespace = self.pick("prod", "dev", "default") if kind != "Namespace" and self.chance(0.25) else ""
        self.made.append((kind, name, namespace))
        return self.manifest(kind, name, namespace)

    # --- kustomizations

    def kustomization(self, folder: str, bases: list[str], *, component: bool = False, tail: str = "") -> None:
        resources = list(bases)
        for index in range(self.dice.randint(0 if bases or component else 1, 4)):
            self.files[f"{folder}/r{index}.yaml"] = "---\n".join(self.new() for _ in range(self.dice.randint(1, 2)))
            resources.append(f"r{index}.yaml")
        head = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n" if component else ""
        fields = [f"resources: [{', '.join(resources)}]"] if resources else []
        fields += [text for probability, text in self.fields() if self.chance(probability)]
        fields += ["namePrefix: p-"] if not fields else []
        self.files[f"{folder}/kustomization.yaml"] = head + "\n".join(fields) + "\n" + tail

    def fields(self) -> list[tuple[float, str]]:
        label = self.pick("l1: a", "app: zz", '"n": "yes"')
        where = self.pick("", "\n  includeSelectors: true", "\n  includeTemplates: true")
        change = self.pick(
            "newTag: v9", "newName: foo/bar", "digest: sha256:123", "newName: z\n  newTag: '1'", "tagSuffix: -x"
        )
        image = self.pick("nginx", "busybox", "reg:5000/a/b")
        return [
            (0.25, "namePrefix: " + self.pick("p-", "x", '"1-"')),
            (0.2, "nameSuffix: " + self.pick("-s", "-v1")),
            (0.25, "namespace: " + self.pick("prod", "dev")),
            (0.15, "commonLabels:\n  " + self.pick("app: web", 'team: "1"')),
            (0.2, f"labels:\n- pairs:\n    {label}{where}"),
            (0.15, "commonAnnotations:\n  an: " + self.pick('"1"', "text", '"a: b"')),
            (0.25, f"images:\n- name: {image}\n  {change}"),
            (0.1, f"replicas:\n- name: {self.name()}\n  count: 5"),
            (0.3, self.generator("configMapGenerator")),
            (0.25, self.generator("secretGenerator")),
            (
                0.1,
                "generatorOptions:\n  " + self.pick("disableNameSuffixHash: true", "labels: {g: l}", "immutable: true"),
            ),
            (0.4, self.patch()),
            (0.15, self.replacement()),
            (0.1, "sortOptions:\n  order: " + self.pick("fifo", "legacy")),
            (0.06, f"buildMetadata: [{self.pick('originAnnotations', 'transformerAnnotations', 'managedByLabel')}]"),
        ]

    def generator(self, field: str) -> str:
        literals = self.dice.sample(["a=1", "b='q'", "c=x=y", "d=true", "e=several words", "f=<&>", "g="], 2)
        lines = ["name: " + self.pick("cm", "sec", "gen"), "literals:", *(f'- "{literal}"' for literal in literals)]
        if self.chance(0.25):
            lines.append("behavior: " + self.pick("merge", "replace", "create"))
        return f"{field}:\n" + _item("\n".join(lines))

    def patch(self) -> str:
        if not self.made:
            return "namePrefix: q-"
        kind, name, namespace = self.dice.choice(self.made)
        target = f"\n  target:\n    kind: {self.pick(kind, '.*')}\n    name: {self.pick(name, '.*', 'w.*|api')}"
        if self.chance(0.6):
            text = self.manifest(kind, name, namespace, patch=True)
            return "patches:\n- patch: |\n" + _indent(text, 4) + (target.removeprefix("\n") if self.chance(0.4) else "")
        operation = self.pick(
            '- op: add\n  path: /metadata/labels\n  value: {j: "1"}',
            "- op: replace\n  path: /metadata/name\n  value: newname",
            "- op: add\n  path: /spec/x\n  value: 1.5",
            "- op: remove\n  path: /spec",
            "- op: test\n  path: /kind\n  value: Deployment",
        )
        return "patches:\n- patch: |\n" + _indent(operation, 4) + target

    def replacement(self) -> str:
        if not self.made:
            return "nameSuffix: -q"
        (kind, name, _), (other, _, _) = self.dice.choice(self.made), self.dice.choice(self.made)
        source = self.pick("metadata.name", "kind", "spec.replicas", "data.a", "spec.template.spec.containers.0.image")
        target = self.pick(
            "metadata.annotations.rep", "spec.replicas", "data.b", "spec.template.spec.containers.[name=main].image"
        )
        options = self.pick(
            "", "\n    options:\n      create: true", '\n    options:\n      delimiter: ":"\n      index: 5'
        )
        return (
            f"replacements:\n- source:\n    kind: {kind}\n    name: {name}\n    fieldPath: {source}\n"
            f"  targets:\n  - select:\n      kind: {other}\n    fieldPaths:\n    - {target}{options}"
        )
