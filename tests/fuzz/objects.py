"""Objects of many kinds as values: every field that kustomize knows something about, and scalars of every oddness."""

import random
from typing import Any

from fuzz.style import Plain

Object = dict[str, Any]
NAMES = ("web", "api", "db", "cm", "sec", "app", "web-1", "default")
GENERATED = ("cm", "sec", "gen", "app")  # the names of generated ConfigMaps and Secrets
NAMESPACES = ("prod", "dev", "default", "team-a")
KEYS = ("a", "b", "c", "d2", "d10", "e.f/g", "x-y", "Z", "_u", "some.file.txt", "k_1", "LONG_KEY_NAME", "ü")
TEXTS = (
    "abc", "web", "a b c", "yes", "no", "on", "y", "n", "1", "1.5", "true", "null", "", "~", "0777", "0x1F", "1e3", "12:30",
    "a: b", "a #b", "a#b", "*x", "&y", "- z", "-", "?", ": x", "'q'", '"d"', "it's", "line1\nline2\n", "line1\n\n\nline2",
    "  lead", "trail ", "x\n", "\nx", "tab\tx", "tab\t", "é", "\u263a", "\U0001f600 smile", "%x", "@x", "`x", "{a}", "[a]", "a,b", "=",
    "<<", "!x", "|", ">", "2001-01-01", "2001-01-01T10:00:00Z", "a\\b", "$(VAR)", "$$(VAR)", "x$(A)y", "---", "--- a", "...",
    "nginx:1.2", "1_000", "+1", "-1", "0o7", ".5", "5.", "1.", ".inf", ".nan", "NaN", "1e", "e1", "0b11", "1:2:3", "0.0",
    "a very long text with many words that goes on and on, past column eighty and then on and on it goes, further still",
    "averylongwordwithoutanyspacesthatgoesonandonpastcolumneightyandthenfurtherandfurtheruntilitends and then a space",
    "long: text with a colon that must be quoted and that goes on and on past column eighty to be folded, 'quoted' too",
    "ünïcödé text that is long enough to be folded somewhere after the eightieth column, as we want to see what is counted",
    'quoted "text" with \\ and \t tab that is long enough to be folded somewhere after the eightieth column of the line',
    "a  double  space  text  that  is  long  enough  to  go  past  the  eightieth  column  but  has  only  double  spaces",
    "#!/bin/sh\nset -e\n  indented\nend\n", "{\"a\": 1, \"b\": [true, null]}", "a: 1\nb:\n- x\n- y: z\n", "key=value\nother=1\n",
    "\u00a0nbsp", "\ufeffbom", "\u2028sep", "x\u0085y", "\x7f", "a\r\nb", "http://x.example/a?b=c&d=<e>", "@", "12h", "0x", "None", "1,000",
)  # fmt: skip
PLAINS = (
    "yes", "no", "on", "off", "y", "n", "1", "0777", "0x1F", "0b11", "0o17", "1e3", "1.50", "1_000", "-0", "+5", "08", "12:30", "1.0",
    "true", "True", "TRUE", "null", "~", "Null", "", "2001-01-01", "2001-01-01T10:00:00Z", "2001-1-1", ".5", "5.", "1e400", "-1.5e-7",
    "12345678901234567890", "9223372036854775808", "1e20", "123456.789", "1234567.5", "0.00001", "=", "<", "a b", "!!str 1", "!!int 3",
    "!!binary aGVsbG8=", "!foo bar", "! x", "1e+2", "0.1e1", "100000000000000000000", "-9223372036854775808", "plain text # note", "3.0",
    "!!str true", "NULL", "False", "No", "1.e1", "0.", "00", "0x", "-",
)  # fmt: skip
IMAGES = (
    "nginx", "nginx:1.2", "reg:5000/a/b:v1", "reg:5000/a/b", "nginx@sha256:abc", "busybox:1", "nginx:1.2@sha256:abc", "a/nginx:x", "nginx:{{v}}",
    "registry.example/shop/app:1.0.0", "registry.example/shop/app", "nginx@sha512:abc", "my-nginx:1", "", "nginx:",
)  # fmt: skip
RBAC = "rbac.authorization.k8s.io"


class Objects:
    """Makes objects. `wild` (0..1) says how often a value is odd."""

    def __init__(self, dice: random.Random, wild: float) -> None:
        self.dice, self.wild = dice, wild

    def chance(self, probability: float) -> bool:
        return self.dice.random() < probability

    def pick(self, *choices: Any) -> Any:
        return self.dice.choice(choices)

    def some(self, fields: dict[str, Any], probability: float = 0.4) -> Object:
        """Each of the fields with some probability; a callable makes its value."""
        chosen = [key for key in fields if self.chance(probability)]
        self.dice.shuffle(chosen)
        return {key: value() if callable(value := fields[key]) else value for key in chosen}

    def name(self) -> str:
        return self.dice.choice(NAMES)

    def scalar(self) -> Any:
        roll = self.dice.random()
        if roll < 0.3 + 0.4 * (1 - self.wild):
            return self.pick("abc", "web", "some text", 3, True, "x-1", "http://x.example/", "a b")
        return Plain(self.dice.choice(PLAINS)) if roll > 0.8 else self.dice.choice(TEXTS)

    def text(self) -> str:
        return (
            self.dice.choice(TEXTS) if self.chance(0.2 + 0.5 * self.wild) else self.pick("abc", "web", "one two", "x-1")
        )

    def mapping(self, most: int = 4) -> Object:
        keys = self.dice.sample(KEYS, self.dice.randint(1, most))
        return {key: self.scalar() for key in keys}

    def texts(self) -> Object:
        keys = self.dice.sample(KEYS, self.dice.randint(1, 3))
        return {key: self.text() for key in keys}

    def tree(self, depth: int = 3) -> Any:
        """Anything."""
        roll = self.dice.random()
        if depth and roll < 0.3:
            return {key: self.tree(depth - 1) for key in self.dice.sample(KEYS, self.dice.randint(0, 3))}
        if depth and roll < 0.45:
            return [self.tree(depth - 1) for _ in range(self.dice.randint(0, 3))]
        return None if roll < 0.5 else self.scalar()

    def labels(self) -> Object:
        return self.pick(
            {"app": "web"}, {"app": "api", "tier": "1"}, {"app": "web", "env": "dev"}, {"x": "y"}, {"team/a": "b"}
        )

    def metadata(self, name: str, namespace: str = "") -> Object:
        found: Object = {"name": name}
        if namespace:
            found["namespace"] = namespace
        if self.chance(0.35):
            found["labels"] = self.labels() if self.chance(0.9) else self.pick({}, None, {"n": Plain("null")}, {"n": 1})
        if self.chance(0.3):
            found["annotations"] = (
                self.texts() if self.chance(0.8) else self.pick({}, None, self.mapping(2), {"note": None})
            )
        if self.chance(0.05):
            found["annotations"] = {"config.kubernetes.io/local-config": self.pick("true", "false", "")}
        found |= self.some({"creationTimestamp": None, "finalizers": ["x.example/f", "b"], "generateName": "g-"}, 0.05)
        if self.chance(0.05):
            found["ownerReferences"] = [{"apiVersion": "v1", "kind": "ConfigMap", "name": self.name(), "uid": "u1"}]
        items = list(found.items())
        self.dice.shuffle(items)
        return dict(items)

    # --- pods

    def env(self) -> list[Object]:
        def source() -> Object:
            return self.pick(
                {"value": self.text()}, {"value": self.scalar()}, {"value": None},
                {"valueFrom": {"configMapKeyRef": {"name": self.name(), "key": "a"}}},
                {"valueFrom": {"secretKeyRef": {"name": self.name(), "key": "a", "optional": True}}},
                {"valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
            )  # fmt: skip

        return [{"name": name, **source()} for name in self.dice.sample("ABCDE", self.dice.randint(1, 3))]

    def ports(self) -> list[Object]:
        numbers = self.dice.sample((80, 443, 8080, 80), self.dice.randint(1, 3))
        return [
            {
                "containerPort": number,
                **self.some({"protocol": self.pick("TCP", "UDP"), "name": self.pick("http", "s")}),
            }
            for number in numbers
        ]

    def container(self, name: str) -> Object:
        return {
            "name": name,
            **self.some({"image": self.dice.choice(IMAGES)}, 0.8),
            **self.some(
                {
                    "env": self.env,
                    "envFrom": lambda: [
                        self.pick({"configMapRef": {"name": self.name()}}, {"secretRef": {"name": self.name()}})
                    ],
                    "ports": self.ports,
                    "volumeMounts": lambda: [
                        {"name": "v", "mountPath": self.pick("/x", "/y", "/$(VAR)")}
                        for _ in range(self.dice.randint(1, 2))
                    ],
                    "args": lambda: [self.text() for _ in range(self.dice.randint(0, 3))],
                    "command": lambda: ["sh", "-c", self.text()],
                    "resources": lambda: {"limits": {"cpu": self.pick("100m", 1, Plain("0.5")), "memory": "1Gi"}},
                    "livenessProbe": lambda: {"httpGet": {"port": self.pick(80, "http"), "path": "/$(VAR)"}},
                    "volumeDevices": lambda: [{"name": "d", "devicePath": self.pick("/dev/a", "/dev/b")}],
                    "securityContext": lambda: {"capabilities": {"add": ["A", self.pick("B", "C")]}},
                },
                0.2,
            ),
        }

    def volume(self, name: str) -> Object:
        source = self.pick(
            {"configMap": {"name": self.name()}}, {"secret": {"secretName": self.name()}}, {"emptyDir": {}},
            {"persistentVolumeClaim": {"claimName": self.name()}},
            {"projected": {"sources": [{"configMap": {"name": self.name()}}, {"secret": {"name": self.name()}}]}},
            {"image": {"reference": self.dice.choice(IMAGES)}},
            {"azureFile": {"secretName": self.name()}}, {"csi": {"nodePublishSecretRef": {"name": self.name()}}},
            {"nfs": {"server": self.pick("$(VAR)", "h"), "path": "/$(VAR)"}}, {"cephfs": {"secretRef": {"name": self.name()}}},
            {"flexVolume": {"secretRef": {"name": self.name()}}}, {"iscsi": {"secretRef": {"name": self.name()}}},
        )  # fmt: skip
        return {"name": name, **source}

    def pod_spec(self) -> Object:
        def containers(*names: str) -> list[Object]:
            return [self.container(name) for name in self.dice.sample(names, self.dice.randint(1, len(names)))]

        return {
            "containers": containers("main", "side", "app"),
            **self.some(
                {
                    "initContainers": lambda: containers("init", "main"),
                    "ephemeralContainers": lambda: containers("debug"),
                    "volumes": lambda: [
                        self.volume(name) for name in self.dice.sample(("v", "w", "d"), self.dice.randint(1, 2))
                    ],
                    "serviceAccountName": self.name,
                    "imagePullSecrets": lambda: [{"name": self.name()}, {"name": "other"}],
                    "priorityClassName": self.name,
                    "tolerations": lambda: [{"key": self.pick("a", "b"), "operator": "Exists"}],
                    "hostAliases": lambda: [{"ip": self.pick("1.2.3.4", "5.6.7.8"), "hostnames": ["a"]}],
                    "nodeSelector": self.texts,
                    "affinity": self.affinity,
                    "topologySpreadConstraints": lambda: [
                        {
                            "topologyKey": "zone",
                            "whenUnsatisfiable": "DoNotSchedule",
                            "maxSkew": 1,
                            "labelSelector": self.selector(),
                        }
                    ],
                    "restartPolicy": "Always",
                },
                0.15,
            ),
        }

    def affinity(self) -> Object:
        term = {"topologyKey": "zone", "labelSelector": self.selector()}
        kind = self.pick("podAffinity", "podAntiAffinity")
        return {
            kind: self.pick(
                {"requiredDuringSchedulingIgnoredDuringExecution": [term]},
                {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "podAffinityTerm": term}]},
            )
        }

    def selector(self) -> Object:
        return self.pick(
            {"matchLabels": self.labels()},
            {},
            {"matchExpressions": [{"key": "a", "operator": "Exists"}]},
            {"matchLabels": None},
        )

    def template(self) -> Object:
        metadata = self.some({"labels": self.labels, "annotations": self.texts, "name": self.name}, 0.4)
        return {**({"metadata": metadata} if metadata or self.chance(0.1) else {}), "spec": self.pod_spec()}
