"""templatePatch: a strategic merge patch, in YAML or JSON, over one generated Application. It cannot change the project."""

from functools import cache

from kilde.core.apps.application import read_application
from kilde.core.basics.errors import KildeError
from kilde.core.basics.reading import Reader
from kilde.core.basics.values import Object
from kilde.core.objects.patches.strategic_merge import strategic_merge
from kilde.core.objects.typed.node import Node
from kilde.core.objects.typed.schema import from_openapi
from kilde.core.objects.yaml_reader import read_documents
from kilde.core.sets.failures import TemplateFailed


def patched(application: Object, patch: str) -> Object:
    """The Application with the patch merged in. TemplateFailed where the text is no patch."""
    try:
        documents = read_documents(patch.encode(), file="templatePatch")
        wanted = documents[0].value if documents else {}
        if not isinstance(wanted, dict):
            raise TemplateFailed("it is not an object")
        out = strategic_merge(application, wanted, _node())
    except KildeError as error:
        raise TemplateFailed(f"error while applying templatePatch: {error}") from error
    if not isinstance(out.get("metadata"), dict) or not isinstance(out.get("spec"), dict):
        raise TemplateFailed("error while applying templatePatch: metadata and spec must stay objects")
    if wrong := _mistyped(out):
        raise TemplateFailed(f"invalid templatePatch: {'; '.join(wrong)}")
    spec = {key: value for key, value in out["spec"].items() if key != "project"}
    if "project" in application["spec"]:
        spec["project"] = application["spec"]["project"]
    kept: Object = {key: out[key] for key in ("metadata", "operation") if key in out}
    return {**kept, "metadata": dict(out["metadata"]), "spec": spec}


def _mistyped(application: Object) -> list[str]:
    """What no Application could have there: else the API server refused it, one Application at a time."""
    meta = Reader(application["metadata"], "metadata")
    for name in ("labels", "annotations"):
        meta.text_map(name)
    meta.texts("finalizers")
    return [*meta.problems, *read_application(application).mistyped]


@cache
def _node() -> Node:
    """Any object: only the lists of metadata (finalizers, ownerReferences) merge."""
    return from_openapi({"type": "object", "x-kubernetes-preserve-unknown-fields": True})
