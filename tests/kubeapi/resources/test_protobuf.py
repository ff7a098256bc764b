"""Protobuf bodies: decoded as JSON would have said them; whatever the bytes, the answer is an object or NotProtobuf."""

import base64
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilde.kubeapi.resources.catalog import Catalog
from kilde.kubeapi.resources.discovery import V2, Discovery
from kilde.kubeapi.resources.kinds import BUILTIN
from kilde.kubeapi.resources.openapi import OpenApi
from kilde.kubeapi.resources.protobuf import decode, known_kinds
from kilde.kubeapi.resources.protobuf_messages import MAGIC, table
from kilde.kubeapi.resources.protobuf_writer import NoMessage, encode, event
from kilde.kubeapi.resources.wire import NotProtobuf

RECORDINGS = Path(__file__).parents[3].parent / "shared" / "conformance" / "apiserver" / "builtin" / "protobuf.json"


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = b""
    while value >= 0x80:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def part(number: int, value: "bytes | str | int") -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def body(api_version: str, kind: str, raw: bytes) -> bytes:
    return MAGIC + part(1, part(1, api_version) + part(2, kind)) + part(2, raw) + part(3, "") + part(4, "")


def entry(key: str, value: "bytes | str") -> bytes:
    return part(1, key) + part(2, value)


CASES: list[tuple[str, str, bytes, dict[str, Any]]] = [
    (
        "v1",
        "ConfigMap",
        part(1, part(1, "c") + part(8, b"")) + part(2, entry("k", "v")),
        {"metadata": {"name": "c"}, "data": {"k": "v"}},
    ),
    (
        "v1",
        "ConfigMap",
        part(3, entry("k", b"\x00\xff")) + part(4, 0),
        {"binaryData": {"k": "AP8="}, "immutable": False},
    ),
    (
        "v1",
        "ConfigMap",
        part(1, part(8, part(1, 1700000000))),
        {"metadata": {"creationTimestamp": "2023-11-14T22:13:20Z"}},
    ),
    ("apps/v1", "Deployment", part(2, part(1, 0) + part(5, 0)), {"spec": {"replicas": 0}}),
    (
        "apps/v1",
        "Deployment",
        part(
            2,
            part(
                4,
                part(1, "RollingUpdate")
                + part(2, part(1, part(1, 1) + part(2, 0) + part(3, "25%")) + part(2, part(1, 0) + part(2, 3))),
            ),
        ),
        {"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": 3}}}},
    ),
    (
        "v1",
        "Pod",
        part(
            2,
            part(1, part(1, "v") + part(2, part(2, b"")))
            + part(2, part(1, "c") + part(16, 0) + part(8, part(1, entry("cpu", part(1, "1"))))),
        ),
        {
            "spec": {
                "volumes": [{"name": "v", "emptyDir": {}}],
                "containers": [{"name": "c", "resources": {"limits": {"cpu": "1"}}}],
            }
        },
    ),
    (
        "v1",
        "Service",
        part(2, part(1, part(1, "p") + part(3, 80) + part(4, part(1, 0) + part(2, -1)))),
        {"spec": {"ports": [{"name": "p", "port": 80, "targetPort": -1}]}},
    ),
    (
        "policy/v1",
        "DeleteOptions",
        part(1, 0) + part(4, "Orphan"),
        {"gracePeriodSeconds": 0, "propagationPolicy": "Orphan"},
    ),
    ("v1", "ConfigMap", part(99, "newer") + part(98, 7), {}),
]


@pytest.mark.parametrize(("api_version", "kind", "raw", "wanted"), CASES)
def test_a_body_says_what_its_json_would_say(api_version: str, kind: str, raw: bytes, wanted: dict[str, Any]) -> None:
    assert decode(body(api_version, kind, raw)) == {"apiVersion": api_version, "kind": kind, **wanted}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        MAGIC,
        MAGIC + b"\xff",
        body("v1", "Nope", b""),
        body("v1", "ConfigMap", b"\x0a\x05a"),
        body("v1", "ConfigMap", part(1, 7)),
        body("v1", "ConfigMap", part(1, part(1, b"\xff"))),
        body("v1", "ConfigMap", b"\x0b"),
    ],
)
def test_what_is_no_object_is_refused(data: bytes) -> None:
    with pytest.raises(NotProtobuf):
        decode(data)


def test_a_schema_nested_without_end_is_refused() -> None:
    schema = b""
    for _ in range(300):
        schema = part(26, schema)  # JSONSchemaProps.not
    version = part(1, "v1") + part(4, part(1, schema))
    with pytest.raises(NotProtobuf, match="levels deep"):
        decode(body("apiextensions.k8s.io/v1", "CustomResourceDefinition", part(2, part(7, version))))


@given(st.sampled_from(sorted(known_kinds())), st.binary(max_size=60))
def test_random_bytes_give_an_object_or_a_refusal(name: str, raw: bytes) -> None:
    api_version, kind = name.split(" ")
    try:
        found = decode(body(api_version, kind, raw))
    except NotProtobuf:
        return
    json.dumps(found)


_WORDS = st.sampled_from(["", "a", "ü", "x" * 200])
_WHOLE = st.integers(-(2**63), 2**63 - 1)
_SCHEMA = st.just({"type": "object"})
_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "bool": st.booleans(),
    "bytes": st.binary(max_size=5).map(lambda data: base64.b64encode(data).decode()),
    "double": st.sampled_from([0, 1, -2, 0.5, 1e300]),
    "int": _WHOLE,
    "intorstring": _WHOLE | _WORDS,
    "microtime": st.sampled_from(["2024-02-29T12:00:00.000001Z", "1969-12-31T23:59:59.999999Z"]),
    "quantity": st.sampled_from(["0", "100m", "1Gi"]),
    "raw": st.sampled_from([{"a": [1, {"b": None}]}, "text", 1.5, []]),
    "schemaorarray": _SCHEMA | st.lists(_SCHEMA, min_size=1, max_size=2),
    "schemaorbool": _SCHEMA | st.booleans(),
    "schemaorstrings": _SCHEMA | st.lists(_WORDS, min_size=1, max_size=2),
    "string": _WORDS,
    "strings": st.lists(_WORDS, max_size=3),
    "time": st.sampled_from(["2024-02-29T12:00:00Z", "1969-12-31T23:59:59Z"]),
}
_LEFT_OUT = (None, "", 0, False, [])


@st.composite
def objects(draw: st.DrawFn, index: int, depth: int = 0) -> dict[str, Any]:
    """Any object of a message, as JSON has it: with what is never left out there, without what always is."""
    made: dict[str, Any] = {}
    for field in table().messages[index].values():
        must = field.always or (field.code.startswith("@") and not field.pointer)
        if field.inline:
            made |= draw(objects(int(field.code[1:]), depth))
        elif field.code[:2] in ("[]", "{}"):
            if depth < 4 and draw(st.booleans()):
                one = valued(field.code[2:], depth + 1)
                many = st.lists(one, min_size=1, max_size=2)
                made[field.name] = draw(many if field.code[0] == "[" else st.dictionaries(_WORDS, one, min_size=1))
        elif (must and not field.pointer) or (depth < 4 and draw(st.booleans())):
            value = draw(valued(field.code, depth + 1))
            if must or field.pointer or value not in _LEFT_OUT:
                made[field.name] = value
    return made


def valued(code: str, depth: int) -> st.SearchStrategy[Any]:
    return objects(int(code[1:]), depth) if code.startswith("@") else _VALUES[code]


@given(st.data(), st.sampled_from(sorted(table().kinds.items())))
def test_what_is_written_is_read_again(data: st.DataObject, chosen: tuple[str, int]) -> None:
    api_version, kind = chosen[0].split(" ")
    wanted = {"apiVersion": api_version, "kind": kind, **data.draw(objects(chosen[1]))}
    assert decode(encode(wanted)) == wanted


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_a_list_is_read_again(version: str) -> None:
    items = [{"metadata": {"name": name}} for name in ("a", "b")]
    meta = {"resourceVersion": "7", "remainingItemCount": 0}
    wanted = {
        "apiVersion": f"meta.k8s.io/{version}",
        "kind": "PartialObjectMetadataList",
        "metadata": meta,
        "items": items,
    }
    read = decode(encode(wanted))
    for item in read["items"]:
        assert item["metadata"].pop("creationTimestamp", None) is None
    assert read == wanted


def test_an_object_has_one_form_to_the_byte() -> None:
    meta = part(1, "c") + b"".join(part(number, "") for number in (2, 3, 4, 5, 6)) + part(7, 0) + part(8, b"")
    assert encode(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"b": "2", "a": "1"}}
    ) == body("v1", "ConfigMap", part(1, meta) + part(2, entry("a", "1")) + part(2, entry("b", "2")))


def test_an_event_of_a_watch_is_a_frame() -> None:
    assert event("ADDED", b"xyz") == b"\x00\x00\x00\x0e" + part(1, "ADDED") + part(2, part(1, b"xyz"))


@pytest.mark.parametrize("kind", ["example.org/v1 Widget", "meta.k8s.io/v1 Table", "example.org/v1 WidgetList"])
def test_a_kind_without_messages_is_refused(kind: str) -> None:
    with pytest.raises(NoMessage):
        encode(dict(zip(("apiVersion", "kind"), kind.split(" "), strict=True)))


def test_every_built_in_kind_can_be_sent() -> None:
    assert {f"{one.api_version} {one.kind}" for one in BUILTIN} <= known_kinds()


@pytest.mark.skipif(not RECORDINGS.exists(), reason="the recordings (../shared/conformance) are not here")
def test_recorded_bodies_are_read() -> None:
    scenarios = json.loads(RECORDINGS.read_text())["scenarios"]
    bodies = [
        decode(base64.b64decode(step["b64"])) for scenario in scenarios for step in scenario["steps"] if "b64" in step
    ]
    assert [(one["apiVersion"], one["kind"]) for one in bodies] == [
        ("v1", "Namespace"),
        ("authentication.k8s.io/v1", "TokenRequest"),
        ("v1", "DeleteOptions"),
        ("v1", "ConfigMap"),
    ]
    assert bodies[1]["spec"]["expirationSeconds"] == 3600
    assert bodies[2]["propagationPolicy"] == "Foreground"


CATALOG = Catalog()


class _Recorder(BaseHTTPRequestHandler):
    """Answers what kubectl's generators ask before they POST, and keeps what they POST."""

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        aggregated = path in ("/api", "/apis")
        found = Discovery(CATALOG).aggregated(V2, core=path == "/api") if aggregated else OpenApi(CATALOG).index
        self._answer(200, found.content_type, found.body)

    def do_POST(self) -> None:
        data = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.bodies.append((self.headers["Content-Type"], data))  # type: ignore[attr-defined]
        answer = {
            "kind": "Status",
            "apiVersion": "v1",
            "status": "Failure",
            "code": 409,
            "reason": "AlreadyExists",
            "message": "seen",
        }
        self._answer(409, "application/json", json.dumps(answer).encode())

    def _answer(self, code: int, content_type: str, data: bytes) -> None:
        self.send_response(code)
        self.send_header("Content-Type", content_type)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: object) -> None:
        """Says nothing."""


@pytest.fixture
def posted(tmp_path: Path) -> Iterator[Any]:
    program = shutil.which("kubectl", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if program is None:
        pytest.skip("kubectl is not installed")
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Recorder)
    server.bodies = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()

    def run(words: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """What kubectl posted, and what it prints as JSON of the same object without a server."""
        base = [program, f"--server=http://127.0.0.1:{server.server_port}", f"--cache-dir={tmp_path}"]
        environment = {"HOME": str(tmp_path), "KUBECONFIG": "/dev/null"}
        printed = subprocess.run(
            [*base, "--dry-run=client", "-o", "json", *words.split()],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        subprocess.run([*base, *words.split()], env=environment, capture_output=True, text=True, timeout=60)
        content_type, data = server.bodies[-1]  # type: ignore[attr-defined]
        assert content_type == "application/vnd.kubernetes.protobuf"
        return decode(data), json.loads(printed.stdout)

    yield run
    server.shutdown()
    thread.join()
    server.server_close()


def without_empty(value: Any) -> Any:
    if isinstance(value, dict):
        found = {key: without_empty(child) for key, child in value.items()}
        return {key: child for key, child in found.items() if child not in (None, {}, [], "", 0, False)}
    return [without_empty(child) for child in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    "words",
    [
        "create namespace n",
        "create configmap c --from-literal=a=b",
        "create secret generic s --from-literal=a=b",
        "create deployment d --image=web:1 --replicas=3 --port=80 -- run it",
        "create job j --image=job:1",
        "create cronjob cj --image=job:1 --schedule=@hourly",
        "create ingress i --rule=a.example.com/p*=s:80,tls=t",
        "create role r --verb=get,list --resource=pods,deployments.apps",
        "create rolebinding rb --role=r --serviceaccount=n:s --user=u",
        "create clusterrole cr --verb=get --non-resource-url=/healthz",
        "create quota q --hard=cpu=1,memory=1Gi",
        "create poddisruptionbudget p --selector=a=b --min-available=50%",
        "create priorityclass pc --value=100 --description=d",
        "create service nodeport s --tcp=80:8080 --node-port=30080",
        "create serviceaccount sa",
    ],
)
def test_what_kubectl_posts_is_what_it_prints(posted: Any, words: str) -> None:
    ours, theirs = posted(words)
    for side in (ours, theirs):
        side["metadata"].pop("namespace", None)
    assert without_empty(ours) == without_empty(theirs)
