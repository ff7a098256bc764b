"""configMapGenerator and secretGenerator."""

import base64
from collections.abc import Mapping
from typing import Any

from kilde.core.basics.errors import Place, RenderFailed
from kilde.core.objects.yaml_scalars import Quoted, plain_key
from kilde.core.render.kustomize.generators.key_values import key_values
from kilde.core.render.kustomize.loader import Loader
from kilde.core.render.kustomize.resource import Resource

_BEHAVIORS = ("create", "merge", "replace")
_BASE64_LINE = 70


def config_map(loader: Loader, args: Mapping[str, Any], options: Mapping[str, Any] | None, place: Place) -> Resource:
    """One ConfigMap. `options` are the kustomization's generatorOptions."""
    body = _base("ConfigMap", args, place)
    data: dict[str, str] = {}
    binary: dict[str, str] = {}
    for key, content in key_values(loader, args, place).items():
        try:
            data[plain_key(key)] = Quoted(content.decode("utf-8"))
        except UnicodeDecodeError:
            binary[plain_key(key)] = _wrapped(content)
    if data:
        body["data"] = data
    if binary:
        body["binaryData"] = binary
    return _finished(body, args, options, place)


def secret(loader: Loader, args: Mapping[str, Any], options: Mapping[str, Any] | None, place: Place) -> Resource:
    """One Secret."""
    body = _base("Secret", args, place)
    body["type"] = args.get("type") or "Opaque"
    body["data"] = {plain_key(key): _wrapped(content) for key, content in key_values(loader, args, place).items()}
    return _finished(body, args, options, place)


def _base(kind: str, args: Mapping[str, Any], place: Place) -> dict[str, Any]:
    name = args.get("name")
    if not name:
        raise RenderFailed(f"a generated {kind} must have a name", place=place)
    metadata = {"name": Quoted(name)}
    if args.get("namespace"):
        metadata["namespace"] = Quoted(args["namespace"])
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata}


def _wrapped(content: bytes) -> str:
    """Base64; broken into lines of 70 where it is longer than one."""
    text = base64.b64encode(content).decode()
    if len(text) <= _BASE64_LINE:
        return Quoted(text)
    return Quoted("".join(text[at : at + _BASE64_LINE] + "\n" for at in range(0, len(text), _BASE64_LINE)))


def merged_options(local: Mapping[str, Any] | None, general: Mapping[str, Any] | None) -> dict[str, Any]:
    """Options of one entry over those of all: maps merge, flags cannot be taken back."""
    local, general = local or {}, general or {}
    found: dict[str, Any] = {
        name: {**(general.get(name) or {}), **(local.get(name) or {})} for name in ("labels", "annotations")
    }
    for flag in ("disableNameSuffixHash", "immutable"):
        found[flag] = bool(general.get(flag)) or bool(local.get(flag))
    return found


def _finished(
    body: dict[str, Any], args: Mapping[str, Any], general: Mapping[str, Any] | None, place: Place
) -> Resource:
    options = merged_options(args.get("options"), general)
    for field in ("labels", "annotations"):
        if options[field]:
            body["metadata"][field] = {plain_key(key): Quoted(value) for key, value in options[field].items()}
    if options["immutable"]:
        body["immutable"] = True
    behavior = args.get("behavior")
    made = Resource(body, place)
    made.behavior = behavior if behavior in _BEHAVIORS else "unspecified"
    made.needs_hash = not options["disableNameSuffixHash"]
    return made
