"""Words for tests of ApplicationSets: a set from YAML, a world that answers what a test wrote down."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import yaml

from kilde.core.basics.values import Object
from kilde.core.sets.application_set import ApplicationSet, read_application_set
from kilde.core.sets.failures import GeneratorFailed
from kilde.core.sets.generating import Generated, generate
from kilde.core.sets.outside import Answer, KnownCluster, Request
from kilde.core.sets.policy import ANYTHING
from kilde.core.source.tree import MemoryTree, Tree


class World:
    """Keeps the promises of Outside."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.known: list[KnownCluster] = []
        self.secrets: dict[str, dict[str, str]] = {}
        self.maps: dict[str, dict[str, str]] = {}
        self.found: list[Object] = []
        self.answers: dict[str, Answer] = {}
        self.asked: list[Request] = []
        self.trees: list[tuple[str, str]] = []

    def answer(self, url: str, body: Any, *, status: int = 200, **headers: str) -> None:
        """`next_` in a header's name stands for `-`."""
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        self.answers[url] = Answer(status=status, headers=named, body=msgspec.json.encode(body))

    def tree(self, url: str, revision: str, *, project: str) -> Tree:
        self.trees.append((url, revision))
        return MemoryTree(self.files)

    def clusters(self) -> Sequence[KnownCluster]:
        return self.known

    def request(self, request: Request) -> Answer:
        self.asked.append(request)
        return self.answers.get(request.url, Answer(status=404))

    def secret(self, name: str, *, for_forge: bool = False) -> Mapping[str, str]:
        if name not in self.secrets:
            raise GeneratorFailed(f"there is no secret {name}")
        return self.secrets[name]

    def config_map(self, name: str, *, for_forge: bool = False) -> Mapping[str, str]:
        if name not in self.maps:
            raise GeneratorFailed(f"there is no configmap {name}")
        return self.maps[name]

    def objects(self, *, group: str, version: str, plural: str, name: str, selector: str) -> Sequence[Object]:
        return self.found

    def now(self) -> float:
        return 1_800_000_000.0


def a_set(spec: str | dict[str, Any], **metadata: Any) -> ApplicationSet:
    """A set named `all`; a spec without a template gets one that names Applications by `name`."""
    read = yaml.safe_load(spec) if isinstance(spec, str) else spec
    name = "{{.name}}" if read.get("goTemplate") else "{{name}}"
    read.setdefault("template", {"metadata": {"name": name}, "spec": {"project": "default"}})
    meta = {"name": "all", "namespace": "argocd", "uid": "u-1", **metadata}
    return read_application_set({"metadata": meta, "spec": read})


def made(spec: str | dict[str, Any], world: World | None = None) -> Generated:
    return generate(a_set(spec), world or World())


def names(spec: str | dict[str, Any], world: World | None = None) -> list[str]:
    """The names of what the set makes, in its order; an AssertionError with the error where it fails."""
    found = made(spec, world)
    assert found.error == ""
    return [str(body["metadata"].get("name")) for body in found.applications]


def parameters(
    generator: dict[str, Any], world: World | None = None, *, go: bool = True, **spec: Any
) -> list[dict[str, Any]]:
    """What a generator gives, by way of a template that prints all of it."""
    from kilde.core.sets.generating import _of_entry
    from kilde.core.sets.generators.asking import Asking
    from kilde.core.sets.templates import Filler

    owner = a_set({"goTemplate": go, "generators": [generator], **spec})
    from kilde.core.sets.generating import _children

    asking = Asking(owner=owner, outside=world or World(), filler=Filler(go=go), policy=ANYTHING, children=_children)
    return _of_entry(asking, generator, {})[0][1]
