"""The suffix of a generated ConfigMap's or Secret's name: ten letters of a SHA-256 over what is in it."""

from typing import Any

from kilde.core.objects.yaml_scalars import text_of, to_json
from kilde.core.render.kustomize.collection import Collection
from kilde.core.render.kustomize.resource import Resource

_NOT_VOWELS = str.maketrans("013ae", "ghkmt")


def add_hashes(collection: Collection) -> None:
    """Appends its hash to the name of every object that asks for one."""
    for resource in collection:
        if resource.needs_hash:
            suffix = name_hash(resource)
            resource.remember_id()
            resource.set_metadata("name", f"{resource.name}-{suffix}")
    collection.changed()


def name_hash(resource: Resource) -> str:
    """The hash as kustomize computes it: over the JSON of data and kind, with an always empty name."""
    body, kind = resource.body, resource.kind
    content: dict[str, Any]
    if kind == "ConfigMap":
        content = {"kind": kind, "name": "", "data": _text_or(body, "data")}
        if "binaryData" in body:
            content["binaryData"] = to_json(body["binaryData"])
    elif kind == "Secret":
        content = {"kind": kind, "name": "", "type": _text_or(body, "type"), "data": _text_or(body, "data")}
        if "stringData" in body:
            content["stringData"] = to_json(body["stringData"])
    else:
        content = to_json(body)
    import hashlib  # loads OpenSSL: only for those who generate

    digest = hashlib.sha256(go_json(content)).hexdigest()
    return digest[:10].translate(_NOT_VOWELS)


def _text_or(body: dict[str, Any], field: str) -> Any:
    found = body.get(field, "")
    return to_json(found) if isinstance(found, dict) else None if isinstance(found, list) else text_of(found)


def go_json(value: Any) -> bytes:
    """Compact JSON with sorted keys, escaped as Go's encoding/json escapes it."""
    import json

    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    for plain, escaped in _GO_ESCAPES:
        if plain in text:
            text = text.replace(plain, escaped)
    return text


_GO_ESCAPES = (
    (b"<", b"\\u003c"),
    (b">", b"\\u003e"),
    (b"&", b"\\u0026"),
    ("\u2028".encode(), b"\\u2028"),
    ("\u2029".encode(), b"\\u2029"),
)
