"""What a real API server answered about one custom kind, request after request, asked of ours: whole answers; only where ../shared is."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from differential.normal import differences
from kilde.kubeapi.settings import Controllers, Settings
from kubeapi.client import APPLY, MERGE, Client, running

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]

# The recorder kept bodies as JSON: what it sent as bytes is written again here, to be refused (or taken) in the recorded words.
_BYTES = {
    "unknown+duplicate Strict (raw json)": b'{"apiVersion": "ssa.test/v1", "kind": "Example", "metadata": {"name": "q"},'
    b' "spec": {"name": "a", "name": "b", "zzz": 1}}',
    "bad json": b"{nope",
    "unsupported media type": b"x",
    "yaml body": b"apiVersion: ssa.test/v1\nkind: Example\nmetadata: {name: y1}\nspec: {replicas: 1}\n",
    "merge patch bad json": b"{",
}
_NOT_OURS = {
    "CRD right after create (conditions)": "is asked there before the controller of CRDs has looked at it; ours looks at once",
    "aggregated discovery": "the recorder's server was that of custom kinds alone, which has none",
    "openapi v3 index": "that server had no other groups",
    "livez verbose": "that server had fewer parts that could be unwell",
    "GET /apis/ssa.test/v1/namespaces/default/examples/x0": "the recorder noted this object as it had changed it for later requests",
    "protobuf only on CR": "the refusal is protobuf there; ours answers in JSON or YAML alone",
}
# The recorder gave one body another name after it was sent, and noted that.
_SENT_AS = {"non-structural CRD": "bads.ssa.test"}
_MASKS = (
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "<time>"),
    (re.compile(r"\bgen-[a-z0-9]{5}\b"), "<name>"),
    (re.compile(r"(current: |version: 1 \(|in record \(|resourceVersion: \\\")\d+"), r"\1<version>"),
    (re.compile(r'"\d+s"'), '"<age>"'),
    (re.compile(r'"manager": "oracle"'), '"manager": "kube-apiserver"'),  # the recorder's name for its server
)


class _Twins:
    """What the recorded server drew, and what ours drew in its place: one for one."""

    def __init__(self) -> None:
        self.ours: dict[str, dict[str, str]] = {
            "uid": {},
            "resourceVersion": {},
            "creationTimestamp": {},
            "continue": {},
        }

    def learn(self, recorded: Any, found: Any) -> None:
        if isinstance(recorded, dict) and isinstance(found, dict):
            for key in recorded.keys() & found.keys():
                if key in self.ours and isinstance(recorded[key], str):
                    self.ours[key].setdefault(recorded[key], found[key])
                self.learn(recorded[key], found[key])
        elif isinstance(recorded, list) and isinstance(found, list):
            for one, other in zip(recorded, found, strict=False):
                self.learn(one, other)

    def of(self, value: Any, key: str = "") -> Any:
        """A recorded value with what ours drew in place of what was drawn there."""
        if isinstance(value, dict):
            return {name: self.of(one, name) for name, one in value.items()}
        if isinstance(value, list):
            return [self.of(one) for one in value]
        return self.ours.get(key, {}).get(value, value) if isinstance(value, str) else value

    def in_text(self, text: str) -> str:
        """The same for a path, or for a message that quotes."""
        for key in ("continue", "uid"):
            for theirs, ours in self.ours[key].items():
                text = text.replace(theirs, ours)
        return text


async def _asked(client: Client, entry: dict[str, Any], path: str, body: Any) -> tuple[int, Any]:
    """The code, and the answer as it was recorded: an object, a list of a watch's events, or text."""
    sent = {"Content-Type": entry["content_type"], "Accept": entry["accept"], "User-Agent": "probe"}
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    async with client.session.request(entry["method"], client.url + path, data=data, headers=sent) as answer:
        return answer.status, _read((await answer.read()).decode(errors="replace"))


def _read(text: str) -> Any:
    try:
        found = [json.loads(line) for line in text.splitlines()]
    except ValueError:
        return text
    return found[0] if len(found) == 1 else found or text


def _masked(value: Any) -> Any:
    text = json.dumps(value, sort_keys=True)
    for pattern, mask in _MASKS:
        text = pattern.sub(mask, text)
    return _ordered(json.loads(text))


def _ordered(value: Any) -> Any:
    """Owners sorted: their order goes by the second of their last write, and then by name."""
    if isinstance(value, dict):
        value = {key: _ordered(one) for key, one in value.items()}
        if isinstance(value.get("managedFields"), list):
            value["managedFields"].sort(
                key=lambda owner: (owner["manager"], owner["operation"], owner.get("subresource", ""))
            )
        return value
    return [_ordered(one) for one in value] if isinstance(value, list) else value


def _entries(shared: Path, name: str) -> Any:
    file = shared / "conformance" / "apiserver" / name
    if not file.exists():
        pytest.skip(f"no {name} in ../shared")
    return json.loads(file.read_text())


async def test_a_custom_kind_is_served_as_recorded(shared: Path, tmp_path: Path) -> None:
    twins, found = _Twins(), list[str]()
    async with running(Settings(kubeconfig=tmp_path / "kubeconfig", controllers=Controllers.OFF, tls=False)) as client:
        for number, entry in enumerate(_entries(shared, "recorded.json")):
            title = entry["title"] or f"{entry['method']} {entry['path']}"
            body = _BYTES.get(title, twins.of(entry["request"]))
            if title in _SENT_AS:
                body["metadata"]["name"] = _SENT_AS[title]
            code, answer = await _asked(client, entry, twins.in_text(entry["path"]), body)
            recorded = entry["response"] if not isinstance(entry["response"], str) else _read(entry["response"])
            twins.learn(recorded, answer)
            if title not in _NOT_OURS:
                wanted = json.loads(twins.in_text(json.dumps({"code": entry["status"], "body": twins.of(recorded)})))
                lines = differences(_masked(wanted), _masked({"code": code, "body": answer}))
                found += [f"{number} {title}: {line}" for line in lines]
    assert found == [], "\n".join(found)


_AS_APPLIED = {
    "apply": lambda body: {"spec": body},
    "applyraw": lambda body: body,
    "applymeta": lambda body: {"metadata": body},
    "applystatus": lambda body: {"status": body},
}
_AS_PATCHED = {
    "merge": (MERGE, "", lambda body: body),
    "json": ("application/json-patch+json", "", lambda body: body),
    "status": (MERGE, "/status", lambda body: {"status": body}),
    "scale": (MERGE, "/scale", lambda replicas: {"spec": {"replicas": replicas}}),
}


class _Play:
    """One script of writes to an object, by several managers."""

    kinds = "/apis/ssa.test/v1/namespaces/default/examples"

    def __init__(self, client: Client, number: int) -> None:
        self._client, self._name, self._version = client, f"c{number}", ""

    async def do(self, step: list[Any]) -> dict[str, Any]:
        """What the recording tells of an answer: refused how, or what is there now, whose it is, and whether that was a write."""
        what, manager, force, body, options = step
        url = f"{self.kinds}/{self._name}"
        query = f"?fieldManager={manager}" + "".join(f"&{more}" for more in options.values())
        if what in _AS_APPLIED:
            whole = self._object(_AS_APPLIED[what](body))
            path = url + ("/status" if what == "applystatus" else "") + query + f"&force={json.dumps(bool(force))}"
            code, answer = await self._client.ask("PATCH", path, whole, Content_Type=APPLY)
        elif what in _AS_PATCHED:
            media, below, patch = _AS_PATCHED[what]
            code, answer = await self._client.ask("PATCH", url + below + query, patch(body), Content_Type=media)
        elif what == "create":
            code, answer = await self._client.ask("POST", self.kinds + query, self._object({"spec": body}))
        else:
            _, live = await self._client.ask("GET", url)
            code, answer = await self._client.ask("PUT", url + query, {**live, "spec": body})
        return await self._told(code, answer, url)

    def _object(self, parts: dict[str, Any]) -> dict[str, Any]:
        metadata = {**parts.get("metadata", {}), "name": self._name}
        return {"apiVersion": "ssa.test/v1", "kind": "Example", **parts, "metadata": metadata}

    async def _told(self, code: int, answer: Any, url: str) -> dict[str, Any]:
        if code >= 400:
            causes = answer.get("details", {}).get("causes")
            told = {"code": code, "message": answer["message"], "reason": answer.get("reason")}
            return (
                told if causes is None else told | {"causes": [[c["reason"], c["field"], c["message"]] for c in causes]}
            )
        _, live = await self._client.ask("GET", url)
        meta = live["metadata"]
        before, self._version = self._version, meta["resourceVersion"]
        return {
            "code": code,
            "meta": {key: meta[key] for key in ("labels", "annotations", "finalizers", "generation") if key in meta},
            "spec": live.get("spec"),
            "status": live.get("status"),
            "mf": sorted((_owner(entry) for entry in meta.get("managedFields", [])), key=json.dumps),
            "rvchange": before != self._version,
        }


def _owner(entry: dict[str, Any]) -> dict[str, Any]:
    named = {"manager": entry["manager"], "op": entry["operation"], "f": entry["fieldsV1"]}
    return named | ({"sub": entry["subresource"]} if "subresource" in entry else {})


async def test_scripts_of_server_side_apply_end_as_recorded(shared: Path, tmp_path: Path) -> None:
    recorded, found = _entries(shared, "server_side_apply.json"), list[str]()
    async with running(Settings(kubeconfig=tmp_path / "kubeconfig", controllers=Controllers.OFF, tls=False)) as client:
        definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
        assert (await client.ask("POST", definitions, recorded["crd"]))[0] == 201
        for number, case in enumerate(recorded["cases"]):
            play = _Play(client, number)
            for step, answer in zip(case["steps"], case["answers"], strict=True):
                wanted = {**answer, "mf": sorted(answer["mf"], key=json.dumps)} if "mf" in answer else answer
                told = await play.do(step)
                found += [f"{case['title']}: {line}" for line in differences(_unordered(wanted), _unordered(told))]
    assert found == [], "\n".join(found)


def _unordered(told: dict[str, Any]) -> dict[str, Any]:
    return json.loads(json.dumps({**told, "causes": sorted(told.get("causes") or ())}, sort_keys=True))
