"""OpenAPI documents: whole and closed in themselves, and read by the real kubectl."""

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

from kilde.kubeapi.resources.catalog import Catalog
from kilde.kubeapi.resources.discovery import V2, Discovery, Document
from kilde.kubeapi.resources.kinds import Resource, status
from kilde.kubeapi.resources.openapi import OpenApi

WIDGETS = Resource(
    "example.com", "v1", "widgets", "widget", "Widget", namespaced=True, sub_resources=(status("Widget"),), custom=True
)
SCHEMA = {
    "type": "object",
    "description": "A thing that turns.",
    "required": ["spec"],
    "properties": {
        "spec": {
            "type": "object",
            "description": "What is wanted.",
            "properties": {
                "size": {"type": "integer", "description": "How large."},
                "colours": {"type": "array", "items": {"type": "string"}},
            },
        }
    },
}
CATALOG = Catalog([WIDGETS])
OPENAPI = OpenApi(CATALOG, {("example.com", "v1", "Widget"): SCHEMA})
PATHS = [
    url.removeprefix("/openapi/v3/").split("?")[0]
    for url in (one["serverRelativeURL"] for one in json.loads(OPENAPI.index.body)["paths"].values())
]


def read(path: str) -> Any:
    document = OPENAPI.document(path)
    assert document is not None
    return json.loads(document.body)


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"].removeprefix("#/components/schemas/")
        for child in value.values():
            yield from references(child)
    elif isinstance(value, list):
        for child in value:
            yield from references(child)


@pytest.mark.parametrize("path", PATHS)
def test_a_document_defines_all_it_refers_to(path: str) -> None:
    found = read(path)
    assert (found["openapi"], found["info"]["title"].split()[0]) == ("3.0.0", "Kubernetes")
    assert set(references(found)) <= set(found["components"].get("schemas", ()))


@pytest.mark.parametrize("path", PATHS)
def test_the_address_of_a_document_carries_its_hash(path: str) -> None:
    assert json.loads(OPENAPI.index.body)["paths"][path] == {
        "serverRelativeURL": f"/openapi/v3/{path}?hash={OPENAPI.hash(path)}"
    }


@pytest.mark.parametrize(
    "path", ["apis/none.example.com", "apis/none.example.com/v1", "apis/apps/v2", "api/v2", "", "apis/apps/v1/x"]
)
def test_there_is_no_document_of_what_is_not_served(path: str) -> None:
    assert OPENAPI.document(path) is None
    with pytest.raises(KeyError):
        OPENAPI.hash(path)


def test_the_schema_of_a_deployment_has_what_a_patch_needs() -> None:
    schemas = read("apis/apps/v1")["components"]["schemas"]
    pod, container = schemas["io.k8s.api.core.v1.PodSpec"], schemas["io.k8s.api.core.v1.Container"]
    spec = schemas["io.k8s.api.apps.v1.DeploymentSpec"]
    assert schemas["io.k8s.api.apps.v1.Deployment"]["x-kubernetes-group-version-kind"] == [
        {"group": "apps", "kind": "Deployment", "version": "v1"}
    ]
    assert spec["required"] == ["selector", "template"]
    assert spec["properties"]["strategy"]["x-kubernetes-patch-strategy"] == "retainKeys"
    assert pod["properties"]["containers"]["x-kubernetes-patch-merge-key"] == "name"
    assert container["properties"]["ports"]["x-kubernetes-list-map-keys"] == ["containerPort", "protocol"]
    assert schemas["io.k8s.api.core.v1.ContainerPort"]["properties"]["protocol"]["default"] == "TCP"


@pytest.mark.parametrize(
    ("path", "address", "strategic"),
    [
        ("apis/apps/v1", "/apis/apps/v1/namespaces/{namespace}/deployments/{name}", True),
        ("api/v1", "/api/v1/namespaces/{name}", True),
        ("apis/example.com/v1", "/apis/example.com/v1/namespaces/{namespace}/widgets/{name}", False),
    ],
)
def test_a_patch_says_its_media_types_and_that_it_takes_field_validation(
    path: str, address: str, *, strategic: bool
) -> None:
    patch = read(path)["paths"][address]["patch"]
    assert "fieldValidation" in [one["name"] for one in patch["parameters"]]
    assert ("application/strategic-merge-patch+json" in patch["requestBody"]["content"]) is strategic
    assert "application/apply-patch+yaml" in patch["requestBody"]["content"]


def test_no_two_operations_of_a_document_share_a_name() -> None:
    for path in PATHS:
        names = [
            one["operationId"]
            for item in read(path)["paths"].values()
            for one in item.values()
            if isinstance(one, dict) and "operationId" in one
        ]
        assert len(names) == len(set(names)), path


def test_a_changed_schema_changes_the_hash_of_its_own_document_only() -> None:
    other = OpenApi(CATALOG, {("example.com", "v1", "Widget"): {"type": "object"}})
    assert other.hash("apis/example.com/v1") != OPENAPI.hash("apis/example.com/v1")
    assert other.hash("apis/apps/v1") == OPENAPI.hash("apis/apps/v1")


class _Server(BaseHTTPRequestHandler):
    """Answers discovery and OpenAPI as the embedded API does; all that `explain` and `api-resources` ask."""

    def do_GET(self) -> None:
        found = self._find(self.path.split("?")[0])
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", found.content_type if found else "text/plain")
        self.end_headers()
        self.wfile.write(found.body if found else b"404 page not found\n")

    def _find(self, path: str) -> Document | None:
        discovery = Discovery(CATALOG)
        if path in ("/api", "/apis"):
            return discovery.aggregated(V2, core=path == "/api")
        if path == "/openapi/v3":
            return OPENAPI.index
        return OPENAPI.document(path.removeprefix("/openapi/v3/")) if path.startswith("/openapi/v3/") else None

    def log_message(self, *args: object) -> None:
        """Says nothing: pytest shows what matters."""


@pytest.fixture
def kubectl(tmp_path: Path) -> Iterator[Any]:
    program = shutil.which("kubectl", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if program is None:
        pytest.skip("kubectl is not installed")
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Server)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()

    def run(*words: str) -> str:
        command = [program, f"--server=http://127.0.0.1:{server.server_port}", f"--cache-dir={tmp_path}", *words]
        done = subprocess.run(
            command, env={"HOME": str(tmp_path), "KUBECONFIG": "/dev/null"}, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    yield run
    server.shutdown()
    thread.join()
    server.server_close()


def test_kubectl_lists_what_discovery_says(kubectl: Any) -> None:
    lines = kubectl("api-resources", "--no-headers").splitlines()
    assert len(lines) == len({(one.group, one.plural) for one in CATALOG.resources})
    assert any(line.split() == ["deployments", "deploy", "apps/v1", "true", "Deployment"] for line in lines)


def test_kubectl_explains_a_custom_resource(kubectl: Any) -> None:
    text = kubectl("explain", "widget.spec")
    assert "What is wanted." in text
    assert "size\t<integer>\n    How large." in text


def test_kubectl_explains_the_fields_of_a_built_in_kind(kubectl: Any) -> None:
    text = kubectl("explain", "deployment.spec.template.spec", "--recursive")
    assert "containers\t<[]Container> -required-" in text
    assert "terminationGracePeriodSeconds\t<integer>" in text


def test_kubectl_names_the_values_of_an_enumerated_field(kubectl: Any) -> None:
    assert "enum: Recreate, RollingUpdate" in kubectl("explain", "deployment.spec.strategy", "--recursive")


def test_kubectl_says_what_a_field_is_for(kubectl: Any) -> None:
    text = kubectl("explain", "configmap.data")
    assert "FIELD: data <map[string]string>" in text
    assert "Data contains the configuration data." in text
