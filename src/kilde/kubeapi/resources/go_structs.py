"""What a real API server holds of an object, as it prints it where it refuses a change: its structs with Go's names, or how two differ."""

import base64
import difflib
import functools
import json
import zlib
from collections.abc import Mapping
from typing import NamedTuple

from kilde.core.basics.values import Json, Object
from kilde.kubeapi.resources.causes import Struct

_HOST = ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace", "hostUsers")
_METADATA = ("name", "generateName", "namespace", "labels", "annotations", "ownerReferences", "finalizers")
_ZERO: Mapping[str, Json] = {"s": "", "i": 0, "b": False, "q": "0", "o": 0}
_ESCAPED = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


class _Field(NamedTuple):
    """`name` is Go's, `key` that of JSON in small letters, `type` a word of tools/pack_go_structs.py; embedded: no name."""

    name: str
    key: str
    type: str


@functools.cache
def _structs() -> dict[str, tuple[_Field, ...]]:
    from kilde.kubeapi.resources._go_structs import PACKED  # only a refused change needs it

    lines = zlib.decompress(base64.b85decode(PACKED)).decode().splitlines()
    return {name: tuple(map(_field, words)) for name, *words in (line.split(" ") for line in lines)}


def _field(word: str) -> _Field:
    if word.startswith("+"):
        return _Field("", "", word[1:])
    name, _, kind = word.partition(":")
    name, _, key = name.partition("=")
    return _Field(name, (key or name).lower(), kind)


def held(struct: str, value: Object) -> Object:
    """An object of v1 as the struct of that name is written."""
    if struct == "PodSpec":  # what is beside the security context in v1 is within it
        beside = {key: value[key] for key in _HOST if key in value}
        value = {**value, "securityContext": {**(value.get("securityContext") or {}), **beside}}
    found = {key.lower(): one for key, one in value.items()}
    made: Object = Struct()
    for field in _structs()[struct]:
        if field.name:
            made[field.name] = _held(field.type, found.get(field.key))
        elif field.type == "ObjectMeta":
            metadata = value.get("metadata") or {}
            made |= {key: metadata[key] for key in _METADATA if metadata.get(key)}
        else:
            made |= held(field.type, value)
    return made


def _held(kind: str, value: Json) -> Json:
    if kind.startswith("*"):
        return None if value is None else _held(kind[1:], value)
    if kind.startswith("["):
        return [_held(kind[1:], one) for one in value] if isinstance(value, list) else None
    if kind in ("m", "y", "t"):
        return dict(sorted(value.items())) if isinstance(value, dict) else value
    if kind == "l":
        return _selector(value if isinstance(value, dict) else {})
    if kind in _ZERO:
        return _ZERO[kind] if value is None else value
    return held(kind, value if isinstance(value, dict) else {})


def _selector(value: Object) -> Object:
    made: Object = Struct()
    if value.get("matchLabels"):
        made["matchLabels"] = dict(sorted(value["matchLabels"].items()))
    if value.get("matchExpressions"):
        order = ("key", "operator", "values")
        made["matchExpressions"] = [
            Struct({key: one[key] for key in order if key in one}) for one in value["matchExpressions"]
        ]
    return made


def difference(struct: str, old: Json, new: Json) -> str:
    """How the JSON of two structs, or of two lists of them, differs, as `diff -u` tells it without its head."""
    before, after = (_lines(struct, one) for one in (old, new))
    told = difflib.unified_diff(before, after, lineterm="")
    return "".join(f"{line}\n" for line in list(told)[2:])


def _lines(struct: str, value: Json) -> list[str]:
    made = [held(struct, one) for one in value] if isinstance(value, list) else held(struct, value or {})
    text = json.dumps(made, indent=1, ensure_ascii=False)
    return escaped(text).split("\n")


def escaped(text: str) -> str:
    """JSON as Go writes it."""
    return "".join(map(_letter, text)) if any(map(text.__contains__, _ESCAPED)) else text


def _letter(letter: str) -> str:
    return _ESCAPED.get(letter, letter)


def changed(words: str, struct: str, old: Json, new: Json) -> str:
    """Why a struct may not become another, and how it would."""
    return f"{words}\n{difference(struct, old, new)}"
