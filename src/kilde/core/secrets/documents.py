"""Secrets and SealedSecrets as people write them: documents in, typed and ordered objects out, as Go's types read and print them.

What a type does not know is dropped; what has another type than the field is an error that names the field and never its value.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from kilde.core.basics.errors import InvalidInput, InvalidYaml, Place
from kilde.core.basics.values import Object
from kilde.core.objects.yaml_reader import read_documents
from kilde.core.secrets import base64, json_text
from kilde.core.secrets.scope import API_VERSION, KIND

_METADATA = (
    "name",
    "generateName",
    "namespace",
    "selfLink",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "labels",
    "annotations",
    "ownerReferences",
    "finalizers",
    "managedFields",
)
_TEXTS = frozenset(("name", "generateName", "namespace", "selfLink", "uid", "resourceVersion"))
_MAPS = frozenset(("labels", "annotations"))
_NUMBERS = frozenset(("generation", "deletionGracePeriodSeconds"))
_TIMES = frozenset(("creationTimestamp", "deletionTimestamp"))
_SEPARATED = re.compile(rb"^---", re.MULTILINE)


def read(data: bytes, *, file: str) -> list[Object]:
    """The objects of a YAML or JSON text: several documents, and the items of Lists. InvalidInput with file and line."""
    if data.lstrip()[:1] == b"{" and (found := json_text.read(data)) is not None:
        values = [(value, Place(file)) for value in found]
    else:
        values = [(document.value, document.place()) for document in read_documents(data, file=file, duplicates="last")]
    objects = []
    for value, place in values:
        if not isinstance(value, dict):
            raise InvalidYaml("is not an object", place=place, hint="write apiVersion, kind, metadata and what follows")
        listed = value.get("items") if value.get("kind") in ("List", "SecretList", "SealedSecretList") else None
        objects += [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else [value]
    return objects


def expect(obj: Object, kind: str, api_version: str, *, about: str) -> None:
    """InvalidInput unless the object is of that kind; one that names neither is taken at its word."""
    found, version = obj.get("kind"), obj.get("apiVersion")
    if (found or kind) != kind or (version or api_version) != api_version:
        hint = f"give a {kind} ({api_version})"
        raise InvalidInput(
            f"is a {version or ''}/{found or '?'}, not a {kind}".replace(" /", " "), about=about, hint=hint
        )


def metadata_of(obj: Object, *, about: str, within: str = "metadata") -> Object:
    """An ObjectMeta with its known fields in Go's order; absent and empty ones are left out, creationTimestamp is null then."""
    given = _mapping(obj.get("metadata"), within, about)
    found: Object = {}
    for field in _METADATA:
        value = _field(given.get(field), field, f"{within}.{field}", about)
        if value or field == "creationTimestamp":
            found[field] = value or None
    return found


def _field(value: Any, field: str, path: str, about: str) -> Any:
    if value is None:
        return None
    if field in _TEXTS or field in _TIMES:
        return typed(value, str, path, about)
    if field in _MAPS:
        return text_map(value, path, about)
    if field in _NUMBERS:
        return typed(value, int, path, about)
    if field == "finalizers":
        return [typed(item, str, f"{path}[{n}]", about) for n, item in enumerate(typed(value, list, path, about))]
    return typed(value, list, path, about)


def text_map(value: Any, path: str, about: str) -> dict[str, str]:
    """A map of texts, sorted; a null value is the empty text, as Go reads it."""
    given = _mapping(value, path, about)
    return {key: typed("" if given[key] is None else given[key], str, f"{path}.{key}", about) for key in sorted(given)}


def secret_values(obj: Object, *, about: str) -> dict[str, bytes]:
    """What a Secret holds: `data`, and `stringData` over it, sorted. InvalidInput names the key, never the value."""
    found: dict[str, bytes] = {}
    for key, value in text_map(obj.get("data"), "data", about).items():
        try:
            found[key] = base64.decode(value)
        except base64.IllegalBase64 as error:
            hint = "put plain text into stringData"
            raise InvalidInput(str(error), about=f"{about}: data.{key}", hint=hint) from None
    for key, value in text_map(obj.get("stringData"), "stringData", about).items():
        found[key] = encoded(value)
    return dict(sorted(found.items()))


def encoded(text: str) -> bytes:
    """UTF-8; half of a surrogate pair becomes U+FFFD, as in Go."""
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace").encode() if _is_odd(text) else text.encode()


def _is_odd(text: str) -> bool:
    return any("\ud800" <= char <= "\udfff" for char in text)


def sealed_secret(obj: Object, *, about: str) -> Object:
    """A SealedSecret in the order and with the fields of its type. InvalidInput for another kind or a wrong type."""
    expect(obj, KIND, API_VERSION, about=about)
    spec = _mapping(obj.get("spec"), "spec", about)
    found: Object = {"template": template_of(spec, about=about)}
    _put(found, "data", spec.get("data"), lambda v, path: typed(v, str, path, about), "spec.data")
    found["encryptedData"] = text_map(spec.get("encryptedData"), "spec.encryptedData", about)
    read_obj: Object = {
        "kind": KIND,
        "apiVersion": API_VERSION,
        "metadata": metadata_of(obj, about=about),
        "spec": found,
    }
    status = obj.get("status")
    if isinstance(status, dict) and status:
        read_obj["status"] = status
    return read_obj


def template_of(spec: Mapping[str, Any], *, about: str) -> Object:
    """What a Secret is made with, from `spec.template`. InvalidInput."""
    given = _mapping(spec.get("template"), "spec.template", about)
    template: Object = {"metadata": metadata_of(given, about=about, within="spec.template.metadata")}
    _put(template, "type", given.get("type"), lambda value, path: typed(value, str, path, about), "spec.template.type")
    _put(
        template,
        "immutable",
        given.get("immutable"),
        lambda v, path: typed(v, bool, path, about),
        "spec.template.immutable",
    )
    _put(template, "data", given.get("data"), lambda v, path: _nullable_texts(v, path, about), "spec.template.data")
    return template


def _put(into: Object, key: str, value: Any, read_value: Callable[[Any, str], Any], path: str) -> None:
    if value is not None and (found := read_value(value, path)) not in ("", {}):
        into[key] = found


def _nullable_texts(value: Any, path: str, about: str) -> dict[str, str | None]:
    given = _mapping(value, path, about)
    return {
        key: None if given[key] is None else typed(given[key], str, f"{path}.{key}", about) for key in sorted(given)
    }


def typed(value: Any, kind: type, path: str, about: str) -> Any:
    """The value, if it is of that type."""
    right = isinstance(value, kind) and not (kind is int and isinstance(value, bool))
    if not right:
        raise InvalidInput(f"must be {_NAMES[kind]}, not {_NAMES.get(type(value), 'null')}", about=f"{about}: {path}")
    return value


_NAMES: Mapping[type, str] = {
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "a map",
}


def _mapping(value: Any, path: str, about: str) -> dict[str, Any]:
    if value is None:
        return {}
    found: dict[str, Any] = typed(value, dict, path, about)
    return found
