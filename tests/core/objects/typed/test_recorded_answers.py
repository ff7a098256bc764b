"""Replays what a real 1.36 API server answered, purely: objects and owners, where ../shared/conformance is there."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from kilde.core.objects.defaults import apply_defaults
from kilde.core.objects.patches.json_patch import json_patch
from kilde.core.objects.patches.merge_patch import merge_patch
from kilde.core.objects.patches.strategic_merge import strategic_merge
from kilde.core.objects.ref import split_api_version
from kilde.core.objects.typed import scale
from kilde.core.objects.typed.errors import ApplyConflict, BadApply, TypingError
from kilde.core.objects.typed.field_set import FieldSet
from kilde.core.objects.typed.managed_fields import apply, update
from kilde.core.objects.typed.schema import builtin, from_openapi

_CONFORMANCE = Path(__file__).resolve().parents[5] / "shared" / "conformance" / "apiserver"
_NOW = "2026-01-01T00:00:00Z"
_STATUS = FieldSet.of(("f:status",))
_NOT_STATUS = FieldSet.of(("f:spec",), ("f:metadata",))


def _load(name: str) -> Any:
    file = _CONFORMANCE / name
    return json.loads(file.read_text()) if file.exists() else None


_CUSTOM = _load("server_side_apply.json") or {"crd": None, "cases": []}
_BUILTIN = _load("builtin/ssa.json") or {"scenarios": []}
_PATCHES = _load("builtin/patch.json") or {"scenarios": []}
_DEFAULTS = _load("builtin/defaults.json") or {"scenarios": []}

needs_recordings = pytest.mark.skipif(not _CONFORMANCE.exists(), reason="../shared/conformance is not here")


def _filled(value: Any, schema: dict[str, Any]) -> Any:
    """Schema defaults of a custom resource: enough for the recorded CRD."""
    if isinstance(value, dict):
        out = {key: _filled(child, schema.get("properties", {}).get(key, {})) for key, child in value.items()}
        for key, child in schema.get("properties", {}).items():
            if "default" in child:
                out.setdefault(key, child["default"])
        return out
    return [_filled(item, schema.get("items", {})) for item in value] if isinstance(value, list) else value


class _Customs:
    """The CRD's endpoint without validation."""

    version = "ssa.test/v1"

    def __init__(self, crd: dict[str, Any], number: int) -> None:
        self.schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        self.node = from_openapi(self.schema)
        self.name = f"c{number}"
        self.live: dict[str, Any] | None = None

    def _document(self, **parts: Any) -> dict[str, Any]:
        meta = {"name": self.name, **(parts.pop("metadata", None) or {})}
        return {"apiVersion": self.version, "kind": "Example", "metadata": meta, **parts}

    def do(self, step: list[Any]) -> bool:
        what, manager, force, body, _ = step
        sub = "status" if what in ("status", "applystatus") else ""
        common: dict[str, Any] = {
            "node": self.node,
            "manager": manager,
            "api_version": self.version,
            "subresource": sub,
            "now": _NOW,
            "reset_fields": _NOT_STATUS if sub else _STATUS,
        }
        applied = {
            "apply": lambda: self._document(spec=body),
            "applyraw": lambda: self._document(**body),
            "applymeta": lambda: self._document(metadata=body),
            "applystatus": lambda: self._document(status=body),
        }
        if what in applied:
            result = apply(self.live, applied[what](), force=bool(force), **common)
        elif what == "scale":
            return self._scale(manager, body)
        else:
            result = update(self.live, self._changed(what, body), **common)
        before, self.live = self.live, _filled(result.object, self.schema)
        return result.changed and before != self.live

    def _changed(self, what: str, body: Any) -> Any:
        if what == "create":
            return self._document(spec=body)
        if what == "merge":
            return merge_patch(self.live or {}, body)
        if what == "status":
            return merge_patch(self.live or {}, {"status": body})
        if what == "json":
            return json_patch(self.live or {}, body)
        return {**(self.live or {}), "spec": body}

    def _scale(self, manager: str, replicas: int) -> bool:
        assert self.live is not None
        parent = self.live["metadata"]["managedFields"]
        entries = scale.scale_entries(parent)
        identity = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"managedFields": entries}}
        now = update(
            {**identity, "spec": {"replicas": self.live["spec"]["replicas"]}},
            {**identity, "spec": {"replicas": replicas}},
            node=builtin().node("autoscaling", "v1", "Scale") or pytest.fail("no Scale"),
            manager=manager,
            api_version="autoscaling/v1",
            subresource="scale",
            now=_NOW,
        ).object["metadata"]["managedFields"]
        back = scale.parent_entries(parent, now, api_version=self.version)
        meta = {**self.live["metadata"], "managedFields": back}
        self.live = {**self.live, "metadata": meta, "spec": {**self.live["spec"], "replicas": replicas}}
        return True


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _tried(write: Any) -> tuple[dict[str, Any] | None, Any]:
    """(how it was refused, None) or (None, what came of it)."""
    try:
        return None, write()
    except ApplyConflict as error:
        return {"code": 409, "message": error.what, "causes": list(error.causes)}, None
    except (TypingError, BadApply) as error:
        return {"code": 400 if isinstance(error, BadApply) else 500, "message": error.what, "causes": []}, None


def _owners(live: dict[str, Any]) -> list[dict[str, Any]]:
    out = []
    for entry in live["metadata"].get("managedFields", []):
        owner = {"manager": entry["manager"], "op": entry["operation"], "f": entry["fieldsV1"]}
        out.append({**owner, "sub": entry["subresource"]} if "subresource" in entry else owner)
    return out


@needs_recordings
@pytest.mark.parametrize(
    ("number", "case"), list(enumerate(_CUSTOM["cases"])), ids=lambda x: x["title"][:60] if isinstance(x, dict) else ""
)
def test_a_custom_resource_ends_as_the_real_server_had_it(number: int, case: dict[str, Any]) -> None:
    server = _Customs(_CUSTOM["crd"], number)
    for step, answer in zip(case["steps"], case["answers"], strict=True):
        if answer["code"] == 422:
            return  # validation is somebody else's
        refused, changed = _tried(lambda step=step: server.do(step))
        if refused is not None:
            causes = [[cause["reason"], cause["field"], cause["message"]] for cause in refused["causes"]]
            assert (refused["code"], refused["message"]) == (answer["code"], answer["message"])
            assert sorted(causes) == sorted(answer.get("causes", []))
            continue
        assert server.live is not None
        assert answer["code"] in (200, 201)
        assert {"spec": server.live.get("spec"), "status": server.live.get("status")} == {
            "spec": answer["spec"],
            "status": answer["status"],
        }
        assert _owners(server.live) == answer["mf"]
        assert changed == answer["rvchange"]


_ALLOTTED = re.compile(r"<\w+>|(\d)\1{7}-\1{4}-\1{4}-\1{4}-\1{12}")


def _comparable(obj: dict[str, Any]) -> dict[str, Any]:
    """An object without what the store, admission and allocation put in; owners without times, sorted."""
    meta = {key: obj["metadata"][key] for key in ("labels", "annotations", "finalizers") if key in obj["metadata"]}
    owners = [{k: v for k, v in e.items() if k != "time"} for e in obj["metadata"].get("managedFields", [])]
    owners.sort(key=lambda e: (e["operation"], e["manager"], e["apiVersion"], e.get("subresource", "")))
    return {**obj, "metadata": {**meta, "managedFields": owners}}


class _Builtins:
    """Endpoints of built-in kinds: ownership and defaults, without admission, validation and allocation."""

    def __init__(self) -> None:
        self.stored: dict[str, dict[str, Any]] = {}

    def do(self, step: dict[str, Any]) -> dict[str, Any] | None:
        path, _, query = step["p"].partition("?")
        options = dict(part.split("=", 1) for part in query.split("&") if part)
        sub = path.rsplit("/", 1)[-1] if path.endswith("/status") else ""
        path = path.removesuffix("/status")
        if step["m"] == "DELETE":
            self.stored.pop(path, None)
            return None
        body = step.get("b")
        if step["m"] == "POST":
            path += "/" + body["metadata"]["name"]
        live = self.stored.get(path)
        like = live or body
        group, version = split_api_version(like["apiVersion"])
        node = builtin().node(group, version, like["kind"]) or pytest.fail(like["kind"])
        common: dict[str, Any] = {
            "node": node,
            "manager": options.get("fieldManager", "conformance"),
            "api_version": like["apiVersion"],
            "subresource": sub,
            "now": _NOW,
            "reset_fields": self._reset(like["kind"], node, sub),
        }
        kind = step.get("ct", "")
        if kind.startswith("application/apply"):
            made = apply(live, body, force=options.get("force") == "true", **common).object
        else:
            made = update(live, apply_defaults(self._new(kind, live or {}, body, node)), **common).object
        self.stored[path] = apply_defaults(made)
        return self.stored[path]

    @staticmethod
    def _reset(kind: str, node: Any, sub: str) -> FieldSet:
        if sub:
            return FieldSet.of(("f:spec",), ("f:metadata", "f:labels"))
        return _STATUS if node.child("status") and kind != "Service" else FieldSet()

    @staticmethod
    def _new(kind: str, live: dict[str, Any], body: Any, node: Any) -> Any:
        if kind.startswith("application/merge"):
            return merge_patch(live, body)
        if kind.startswith("application/strategic"):
            return strategic_merge(live, body, node)
        return json_patch(live, body) if kind.startswith("application/json-patch") else body


@needs_recordings
@pytest.mark.parametrize("scenario", _BUILTIN["scenarios"], ids=lambda scenario: scenario["name"])
def test_a_built_in_object_ends_as_the_real_server_had_it(scenario: dict[str, Any]) -> None:
    server = _Builtins()
    for step, answer in zip(scenario["steps"], scenario["expect"], strict=True):
        code = answer["code"] if answer else 200
        if code in (404, 422) or (code == 400 and "managedFields" not in str(answer["body"])):
            continue  # the namespace, validation and decoding are somebody else's
        refused, made = _tried(lambda step=step: server.do(step))
        if refused is not None:
            details = answer["body"].get("details") or {}
            assert (refused["code"], refused["message"]) == (code, answer["body"]["message"])
            assert sorted(refused["causes"], key=_text) == sorted(details.get("causes", []), key=_text)
            continue
        assert code in (200, 201)
        if answer and step.get("mf") and not step.get("drop") and made:
            mine, theirs = _comparable(made), _comparable(answer["body"])
            if made["kind"] == "Namespace":
                theirs.pop("spec")  # its finalizer is put in by the store
                mine.pop("spec", None)
            assert json.loads(_ALLOTTED.sub("_", json.dumps(mine))) == json.loads(
                _ALLOTTED.sub("_", json.dumps(theirs))
            )


@needs_recordings
@pytest.mark.parametrize(
    "scenario",
    [s for s in _PATCHES["scenarios"] if s["name"].startswith(("patch/smp", "patch/json"))],
    ids=lambda s: s["name"],
)
def test_a_patched_object_ends_as_the_real_server_had_it(scenario: dict[str, Any]) -> None:
    server = _Builtins()
    for step, answer in zip(scenario["steps"], scenario["expect"], strict=True):
        if answer and answer["code"] >= 400:
            continue
        made = server.do(step)
        template = (answer or {}).get("body", {}).get("spec.template")
        if template:
            assert made is not None
            assert made["spec"]["template"] == template
        elif answer and made and "data" in answer["body"]:
            assert made["data"] == answer["body"]["data"]


_PUT_IN_LATER = {
    "Pod": (
        "spec.serviceAccount",
        "spec.serviceAccountName",
        "spec.tolerations",
        "spec.volumes",
        "spec.priority",
        "status",
    ),
    "PersistentVolumeClaim": ("spec.dataSourceRef",),
    "Service": (
        "spec.clusterIP",
        "spec.clusterIPs",
        "spec.ipFamilies",
        "spec.ipFamilyPolicy",
        "spec.ports",
        "spec.healthCheckNodePort",
    ),
    "Job": ("spec.selector", "spec.template"),
    "PersistentVolume": ("status",),
}


def _without(obj: dict[str, Any]) -> dict[str, Any]:
    """An object without what is no default: metadata of the store, admission, allocation."""
    out = json.loads(json.dumps({key: value for key, value in obj.items() if key != "metadata"}))
    for path in (*_PUT_IN_LATER.get(obj["kind"], ()), "spec.preemptionPolicy" if obj["kind"] == "Pod" else "-"):
        *parents, last = path.split(".")
        holder = out
        for parent in parents:
            holder = holder.get(parent, {})
        holder.pop(last, None)
    for container in out.get("spec", {}).get("containers", []) if obj["kind"] == "Pod" else []:
        container.pop("volumeMounts", None)
    if obj["kind"] == "Pod":
        out["spec"].pop("imagePullSecrets", None)
    return out


_CREATED = [
    pytest.param(step["b"], answer["body"], id=f"{scenario['name']}-{number}")
    for scenario in _DEFAULTS["scenarios"]
    for number, (step, answer) in enumerate(zip(scenario["steps"], scenario["expect"], strict=True))
    if step.get("m") == "POST"
    and answer
    and answer["code"] == 201
    and not step.get("pick")
    and "kind" in answer["body"]
]


@needs_recordings
@pytest.mark.parametrize(("sent", "stored"), _CREATED)
def test_defaults_are_those_of_the_real_server(sent: dict[str, Any], stored: dict[str, Any]) -> None:
    made = apply_defaults({"apiVersion": stored["apiVersion"], "kind": stored["kind"], **sent})
    assert _without(made) == _without(stored)
