"""Patches, selectors and replacements made to fit given objects, more or less."""

import json
import random
from typing import Any

from fuzz.kinds import Kinds
from fuzz.objects import NAMES, Object
from fuzz.style import Plain, Writer

_IDENTITY = ("name", "containerPort", "port", "mountPath", "ip", "devicePath", "topologyKey", "key", "protocol")
_ELEMENT = {
    "name": ("main", "side", "v", "A", "B", "new"),
    "containerPort": (80, 443, 8080),
    "port": (80, 443),
    "mountPath": ("/x", "/y"),
}
WRITTEN_NULLS = ("null", "~")  # one that is not written becomes "" where it is merged into a list in flow style


class Patches:
    """Made with the same dice as the objects."""

    def __init__(self, kinds: Kinds, dice: random.Random, wild: float) -> None:
        self.kinds, self.dice, self.wild = kinds, dice, wild

    def chance(self, probability: float) -> bool:
        return self.dice.random() < probability

    # --- strategic merge

    def strategic(self, found: Object) -> Object:
        metadata: Object = {"name": found["metadata"]["name"]}
        if "namespace" in found["metadata"]:
            metadata["namespace"] = found["metadata"]["namespace"]
        if self.chance(0.15):
            metadata["annotations"] = (
                {"patched": self.kinds.text(), **({"note": None} if self.chance(0.3) else {})}
                if self.chance(0.9)
                else None
            )
        if self.chance(0.1):
            metadata["labels"] = {"patched": self.kinds.text(), "app": self.dice.choice((None, "web2"))}
        patch: Object = {"apiVersion": found["apiVersion"], "kind": found["kind"], "metadata": metadata}
        if self.chance(0.04):
            return {**patch, "$patch": "delete"}
        source = found if self.chance(0.6) else self.kinds.table[found["kind"]][1]()
        body = {key: value for key, value in source.items() if key not in ("apiVersion", "kind", "metadata")}
        return {**patch, **self.part(body, 0)}

    def part(self, value: Any, depth: int) -> Any:
        """Some of a value, changed here and there."""
        if isinstance(value, dict):
            return self.part_of_map(value, depth)
        if isinstance(value, list):
            return self.part_of_list(value, depth)
        roll = self.dice.random()
        return value if roll < 0.3 else None if roll < 0.38 else self.kinds.scalar()

    def part_of_map(self, value: Object, depth: int) -> Object:
        chosen = {key: self.part(item, depth + 1) for key, item in value.items() if self.chance(0.75)}
        if self.chance(0.06):
            chosen["added"] = self.kinds.tree(2)
        if depth and self.chance(0.05):
            chosen["$patch"] = self.dice.choice(("delete", "replace", "merge"))
        if self.chance(0.02):
            chosen["$retainKeys"] = ["a"]
        return chosen

    def part_of_list(self, value: list[Any], depth: int) -> Any:
        out: list[Any] = []
        for item in value:
            if isinstance(item, dict):
                if self.chance(0.7):
                    changed = self.part_of_map(item, depth + 1)
                    keys = [key for key in _IDENTITY if key in item]
                    out.append(
                        {**({key: item[key] for key in keys} if self.chance(0.95) else {}), **changed}
                        if self.chance(0.5)
                        else {**changed, **{key: item[key] for key in keys}}
                    )
            elif self.chance(0.7):
                out.append(item if self.chance(0.6) else self.part(item, depth + 1))
        if value and isinstance(value[0], dict) and self.chance(0.25):
            out.append({**value[0], **{key: self.dice.choice(_ELEMENT[key]) for key in _ELEMENT if key in value[0]}})
        if self.chance(0.05):
            out.insert(self.dice.randint(0, len(out)), {"$patch": self.dice.choice(("replace", "delete", "merge"))})
        if self.chance(0.1):
            self.dice.shuffle(out)
        return out

    # --- JSON 6902

    def operations(self, found: Object) -> list[Object]:
        return [self.operation(found) for _ in range(self.dice.choice((1, 1, 1, 2, 3)))]

    def operation(self, found: Object) -> Object:
        paths = [
            path for path in pointers(found) if path not in ("/apiVersion", "/kind")
        ]  # or kustomize loses track of it
        path = self.dice.choice(paths)
        if self.chance(0.15):
            path = self.dice.choice(
                (
                    "/metadata/name",
                    "/metadata/namespace",
                    "/metadata/annotations",
                    "/metadata/labels/app",
                    "/spec/replicas",
                )
            )
        name = self.dice.choice(("replace", "replace", "add", "add", "add", "remove", "copy", "move", "test"))
        if name == "add" and self.chance(0.6):
            holder = path.rpartition("/")[0]
            keys = ("-", "0") if isinstance(at(found, holder), list) else ("new", "x~1y", "a")
            path = holder + "/" + self.dice.choice(keys if self.chance(0.95) else ("new", "-"))
        if name == "remove":
            return {"op": name, "path": path}
        if name in ("copy", "move"):
            holder = self.dice.choice(paths).rpartition("/")[0]
            key = "-" if isinstance(at(found, holder), list) else "moved"
            return {"op": name, "from": path, "path": f"{holder}/{key}"}
        value = self.kinds.tree(2)
        if path in ("/metadata/name", "/metadata/namespace"):
            value = self.dice.choice(NAMES)
        if name == "test":
            value = at(found, path)
        return {"op": name, "path": path, "value": value}

    # --- selectors

    def selector(self, found: Object, *, some: float = 0.6) -> Object:
        group, _, version = found["apiVersion"].rpartition("/")
        name = found["metadata"]["name"]
        choices: list[tuple[str, tuple[str, ...]]] = [
            ("group", (group or "", group, ".*", "apps|batch")),
            ("version", (version, "v1", "v.*")),
            ("kind", (found["kind"], found["kind"], "Deployment|ConfigMap", ".*", "Dep.*")),
            ("name", (name, name, ".*", f"{name[0]}.*", "web|api", f"^{name}$", "(web)(-1)?", "[a-c].*")),
            ("namespace", (found["metadata"].get("namespace", "default"), "default", "prod|dev", "")),
            ("labelSelector", ("app=web", "app", "!app", "app!=web", "app in (web,api)", "tier notin (1), app", "app==api,tier=1")),
            ("annotationSelector", ("a=abc", "note", "!a", "patched")),
        ]  # fmt: skip
        weights = (0.2, 0.2, some, some, 0.15, 0.15, 0.06)
        chosen = {
            key: self.dice.choice(values)
            for (key, values), weight in zip(choices, weights, strict=True)
            if self.chance(weight)
        }
        return chosen or {"kind": found["kind"]}

    # --- what a kustomization says

    def entry(self, found: Object, write: Any) -> Object:
        """One entry of `patches`. `write` puts a text into a file of the kustomization and gives its path."""
        writer = Writer(self.dice, self.wild, WRITTEN_NULLS)
        entry: Object = {}
        if self.chance(0.65):
            documents = [self.strategic(found)]
            if self.chance(0.06):
                documents.append(self.strategic(self.dice.choice(self.kinds.made)))
            text = "---\n".join(
                Writer(self.dice, self.wild, WRITTEN_NULLS).document(document) for document in documents
            )
            if self.chance(0.35 if len(documents) == 1 else 0.05):
                entry["target"] = self.selector(found)
        else:
            operations = self.operations(found)
            text = writer.document(operations) if self.chance(0.75) else json.dumps(plainless(operations))
            entry["target"] = self.selector(found)
        entry |= {"path": write("patch", text)} if self.chance(0.5) else {"patch": text}
        if self.chance(0.1):
            entry["options"] = {self.dice.choice(("allowNameChange", "allowKindChange")): self.chance(0.8)}
        return entry

    def json6902(self, found: Object, write: Any) -> Object:
        group, _, version = found["apiVersion"].rpartition("/")
        target = {"group": group, "version": version, "kind": found["kind"], "name": found["metadata"]["name"]}
        if "namespace" in found["metadata"]:
            target["namespace"] = found["metadata"]["namespace"]
        text = Writer(self.dice, self.wild, WRITTEN_NULLS).document(self.operations(found))
        return {"target": {key: value for key, value in target.items() if value}} | (
            {"path": write("json", text)} if self.chance(0.5) else {"patch": text}
        )

    # --- replacements

    def replacement(self, made: list[Object]) -> Object:
        source = self.dice.choice(made)
        found: Object = {}
        if self.chance(0.15):
            found["sourceValue"] = self.kinds.text()
        else:
            found["source"] = {"kind": source["kind"], "name": source["metadata"]["name"]}
            if self.chance(0.7):
                path = self.path_in(source)
                found["source"]["fieldPath"] = "kind" if path == "metadata.annotations" else path
            if self.chance(0.15):
                found["source"]["options"] = {
                    "delimiter": self.dice.choice((":", "-", "/", ".")),
                    "index": self.dice.choice((0, 0, 1)),
                }
        found["targets"] = [self.target(self.dice.choice(made)) for _ in range(self.dice.choice((1, 1, 2)))]
        return found

    def target(self, found: Object) -> Object:
        target: Object = {"select": self.selector(found, some=0.8)}
        if self.chance(0.9):
            target["fieldPaths"] = [self.path_in(found, new=True) for _ in range(self.dice.choice((1, 1, 2)))]
        if self.chance(0.12):
            target["reject"] = [self.selector(self.dice.choice(self.kinds.made))]
        if self.chance(0.6):
            target["options"] = {"create": True}
        if self.chance(0.12):
            target.setdefault("options", {}).update(
                delimiter=self.dice.choice((":", "-", "/")), index=self.dice.choice((-1, 0, 1, 5))
            )
        return target

    def path_in(self, found: Object, *, new: bool = False) -> str:
        """A path to a field, its lists walked by index, by match or by star."""
        steps: list[str] = []
        value: Any = found
        if new:
            value = {
                key: item for key, item in found.items() if key not in ("apiVersion", "kind")
            }  # else no hash of ours
        while isinstance(value, (dict, list)) and value and (len(steps) < 2 or self.chance(0.85)):
            if isinstance(value, dict):
                key = self.dice.choice(list(value))
                steps.append(self.escaped(str(key)))
                value = value[key]
                continue
            index = self.dice.randrange(len(value))
            value = value[index]
            keys = [key for key in _IDENTITY if isinstance(value, dict) and isinstance(value.get(key), str)]
            roll = self.dice.random()
            steps.append(
                f"[{keys[0]}={value[keys[0]]}]" if keys and roll < 0.5 else "*" if roll < 0.7 and new
                else f"[={value}]" if isinstance(value, str) and roll < 0.8 and "." not in value else str(index)
            )  # fmt: skip
        if new and self.chance(0.25):
            steps = steps[: self.dice.randint(1, len(steps))] + self.dice.choice(
                (["extra"], ["extra", "deep"], ["[name=n]", "v"], ["0"])
            )
        return ".".join(steps)

    def escaped(self, key: str) -> str:
        if "." not in key:
            return key
        return key.replace(".", "\\.") if self.chance(0.5) else f"[{key}]"


def pointers(value: Any, path: str = "") -> list[str]:
    """Every JSON pointer into a value but the root's."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found: list[str] = []
    for key, item in items:
        inner = f"{path}/" + str(key).replace("~", "~0").replace("/", "~1")
        found += [inner, *pointers(item, inner)]
    return found


def at(value: Any, pointer: str) -> Any:
    for step in pointer.split("/")[1:]:
        step = step.replace("~1", "/").replace("~0", "~")
        try:
            value = value[int(step)] if isinstance(value, list) else value[step]
        except (KeyError, IndexError, ValueError, TypeError):
            return "x"
    return value


def plainless(value: Any) -> Any:
    """Scalars that stand for themselves as plain strings, for JSON."""
    if isinstance(value, dict):
        return {str(key): plainless(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plainless(item) for item in value]
    return str(value) if isinstance(value, Plain) else value
