"""The objects that variations begin with, and where each is served."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from kilde.core.objects.ref import split_api_version
from kilde.kubeapi.resources.catalog import Catalog

FILE = Path(__file__).with_name("manifests.yaml")
_CATALOG = Catalog()


class Manifest(NamedTuple):
    """An object that may be created, and its collection's path."""

    path: str
    body: dict[str, Any]

    @property
    def kind(self) -> str:
        return f"{self.body['kind']}/{self.body['metadata']['name']}"

    @property
    def url(self) -> str:
        """The path of the object itself."""
        return f"{self.path}/{self.body['metadata']['name']}"


def manifests(namespace: str, *kinds: str) -> list[Manifest]:
    """All of them, or those of some kinds, as they are in a namespace of that name."""
    text = FILE.read_text().replace("NAMESPACE", namespace)
    found = [Manifest(collection(body, namespace), body) for body in yaml.safe_load_all(text)]
    return [one for one in found if not kinds or one.body["kind"] in kinds]


def collection(body: dict[str, Any], namespace: str) -> str:
    """The path under which objects like this one are created."""
    group, version = split_api_version(body["apiVersion"])
    resource = _CATALOG.of_kind(group, version, body["kind"])
    assert resource is not None, body["kind"]
    root = f"/apis/{group}/{version}" if group else f"/api/{version}"
    return f"{root}/namespaces/{namespace}/{resource.plural}" if resource.namespaced else f"{root}/{resource.plural}"


def copied(body: dict[str, Any]) -> dict[str, Any]:
    """A copy that may be changed anywhere."""
    made: dict[str, Any] = json.loads(json.dumps(body))
    return made
