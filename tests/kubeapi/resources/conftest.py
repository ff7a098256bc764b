"""Replays recorded requests against the pure functions alone: no HTTP, no storage, only what an object is judged to be."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from kilde.core.objects.defaults.apply import apply_defaults
from kilde.core.objects.patches.json_patch import json_patch
from kilde.core.objects.patches.merge_patch import merge_patch
from kilde.core.objects.patches.strategic_merge import strategic_merge
from kilde.core.objects.typed.schema import builtin
from kilde.kubeapi.resources import custom
from kilde.kubeapi.resources.catalog import Catalog
from kilde.kubeapi.resources.causes import Cause
from kilde.kubeapi.resources.kinds import Resource
from kilde.kubeapi.resources.validation import validate_create, validate_update

RECORDINGS = Path(__file__).parents[3].parent / "shared" / "conformance" / "apiserver" / "builtin"
NOW = "2026-01-01T00:00:00Z"
Found = list[tuple[str, str, str]]


def dumped(message: str) -> str:
    """A dump of the server's internal structures (a key begins with a capital) becomes <object>; a compiler's words, <detail>."""
    message = message.partition("\n@@ ")[0]  # how structs differ is told by live tests
    message = re.sub(r"(compilation failed: ).*", r"\1<detail>", message, flags=re.DOTALL)
    head, mark, rest = message.partition(" value: ")
    if not mark or rest[:1] not in "{[":
        return message
    try:
        value, end = json.JSONDecoder().raw_decode(rest)
    except ValueError:
        return message
    return f"{head}{mark}<object>{rest[end:]}" if re.search(r'"[A-Z]\w*": ', json.dumps(value)) else message


@dataclass
class PureServer:
    """Objects by path; `send` gives what is wrong with a request's object, or stores it."""

    objects: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def definitions(self) -> list[custom.Definition]:
        return list(
            custom.served(one for one in self.objects.values() if one.get("kind") == "CustomResourceDefinition")
        )

    def send(self, step: dict[str, Any]) -> Found:
        path = step["p"].split("?")[0]
        resource, named = self._resource(path)
        if step["m"] == "POST":
            body = self._expand(step.get("b") or {})
            causes, obj = self._create(resource, path, body)
            name = (obj.get("metadata") or {}).get("name") or ""
            return self._store(f"{path}/{name}", obj, causes, dry="dryRun" in step["p"])
        old = self.objects[path]
        new = step["b"] if step["m"] == "PUT" else self._patched(old, step, resource)
        causes, obj = self._update(resource, new, old)
        assert named
        return self._store(path, obj, causes, dry="dryRun" in step["p"])

    def _store(self, path: str, obj: dict[str, Any], causes: list[Cause], *, dry: bool) -> Found:
        if not causes and not dry:
            self.objects[path] = obj
        return sorted((cause.field, cause.reason, dumped(cause.message)) for cause in causes)

    def _resource(self, path: str) -> tuple[Resource, bool]:
        parts = path.strip("/").split("/")
        group, version, rest = ("", parts[1], parts[2:]) if parts[0] == "api" else (parts[1], parts[2], parts[3:])
        if rest[0] == "namespaces" and len(rest) > 2:
            rest = rest[2:]
        catalog = Catalog([one for definition in self.definitions for one in definition.resources])
        found = catalog.at(group, version, rest[0])
        if found is None:
            pytest.skip(f"nothing is served at {path}")
        return found, len(rest) > 1

    @staticmethod
    def _expand(value: Any) -> Any:
        if isinstance(value, dict):
            if "$repeat" in value:
                text, times = value["$repeat"]
                return text * times
            return {key: PureServer._expand(child) for key, child in value.items()}
        return [PureServer._expand(child) for child in value] if isinstance(value, list) else value

    def _create(self, resource: Resource, path: str, body: dict[str, Any]) -> tuple[list[Cause], dict[str, Any]]:
        metadata = dict(body.get("metadata") or {})
        if metadata.get("generateName") and not metadata.get("name"):
            metadata["name"] = metadata["generateName"][:58] + "rrrrr"
        if resource.namespaced:
            metadata.setdefault("namespace", "n")
        obj = {"apiVersion": resource.api_version, "kind": resource.kind, **body, "metadata": metadata}
        if resource.custom:
            return self._custom(resource, obj, None)
        if resource.kind == "CustomResourceDefinition":
            obj = custom.with_defaults(obj)
            obj["status"] = custom.initial_status(obj)
            causes = custom.check_definition(obj)
            if not causes:
                obj["status"] = custom.named_status(obj, [], NOW)
            return causes, obj
        obj = self._prepared(apply_defaults(obj))
        return validate_create(obj), obj

    @staticmethod
    def _prepared(obj: dict[str, Any]) -> dict[str, Any]:
        """What a server makes of a Job before it is judged: its selector and labels."""
        if obj["kind"] != "Job" or (obj.get("spec") or {}).get("manualSelector"):
            return obj
        uid, name = "uid1", obj["metadata"]["name"]
        labels = {
            "batch.kubernetes.io/controller-uid": uid,
            "batch.kubernetes.io/job-name": name,
            "controller-uid": uid,
            "job-name": name,
        }
        spec = dict(obj["spec"])
        template = dict(spec["template"])
        template["metadata"] = {
            **(template.get("metadata") or {}),
            "labels": {**((template.get("metadata") or {}).get("labels") or {}), **labels},
        }
        spec |= {"template": template, "selector": {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}}
        return {**obj, "spec": spec, "metadata": {**obj["metadata"], "uid": uid}}

    def _update(
        self, resource: Resource, new: dict[str, Any], old: dict[str, Any]
    ) -> tuple[list[Cause], dict[str, Any]]:
        if resource.custom:
            return self._custom(resource, new, old)
        if resource.kind == "CustomResourceDefinition":
            return custom.check_definition_update(new, old), new
        new = apply_defaults(new)
        return validate_update(new, old), new

    def _custom(
        self, resource: Resource, obj: dict[str, Any], old: dict[str, Any] | None
    ) -> tuple[list[Cause], dict[str, Any]]:
        definition = next(
            one for one in self.definitions if one.group == resource.group and one.plural == resource.plural
        )
        version = definition.version(resource.version)
        assert version is not None
        obj = custom.defaulted(custom.pruned(obj, version.schema)[0], version.schema)
        return custom.validate(obj, definition, version, old), obj

    @staticmethod
    def _patched(old: dict[str, Any], step: dict[str, Any], resource: Resource) -> dict[str, Any]:
        kind = step.get("ct", "")
        if "json-patch" in kind:
            found = json_patch(old, step["b"])
            assert isinstance(found, dict)
            return found
        if "strategic" in kind:
            node = builtin().node(resource.group, resource.version, resource.kind)
            assert node is not None
            return strategic_merge(old, step["b"], node)
        return merge_patch(old, step["b"])


@pytest.fixture
def pure_server() -> PureServer:
    return PureServer()


def recorded(area: str) -> Iterator[Any]:
    """The scenarios of an area as pytest parameters; one that is skipped where there are no recordings."""
    path = RECORDINGS / f"{area}.json"
    if not path.exists():
        yield pytest.param(None, marks=pytest.mark.skip(reason="the recordings (../shared/conformance) are not here"))
        return
    for scenario in json.loads(
        path.read_text().replace("{ns}", "n").replace("<rand>", "rrrrr").replace("<uid1>", "uid1")
    )["scenarios"]:
        yield pytest.param(scenario, id=scenario["name"])


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that takes `scenario` names its area in the marker `area`."""
    marker = metafunc.definition.get_closest_marker("parametrize_area")
    if "scenario" in metafunc.fixturenames and marker is not None:
        metafunc.parametrize("scenario", list(recorded(marker.args[0])))


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "parametrize_area(name): gives the recorded scenarios of that area")


def judged(server: PureServer, scenario: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
    """(what we say, what a real server said) for each write of a scenario that either refused."""
    for step, answer in zip(scenario["steps"], scenario["expect"], strict=True):
        if (
            step.get("m") not in ("POST", "PUT", "PATCH")
            or "fieldManager=" in step["p"]
            or "/scale" in step["p"]
            or "/status" in step["p"]
        ):
            continue
        if step["m"] == "PUT" and "resourceVersion" not in step["b"]["metadata"]:
            continue  # the storage refuses it, not the rules for objects
        code = (answer or {}).get("code", 201)
        if code not in (200, 201, 422):
            continue
        details = ((answer or {}).get("body") or {}).get("details") if code == 422 else None
        causes = (details or {}).get("causes") or []
        wanted = sorted((one["field"], one["reason"], one["message"]) for one in causes)
        yield server.send(step), wanted


@pytest.fixture(name="judged")
def judged_fixture() -> Any:
    return judged
