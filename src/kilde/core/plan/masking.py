"""Secret values never reach a diff, a log or a record: here they are taken out, so that equality shows but content does not."""

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Any

from kilde.core.basics.values import Object
from kilde.core.objects.object_meta import texts_of

_BLOCKS = ("data", "stringData")
_HIDDEN = "********"
_SHORT = 3  # characters
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def is_secret(body: Object) -> bool:
    return body.get("kind") == "Secret" and body.get("apiVersion") == "v1"


def mask_pair(live: Object | None, wanted: Object | None) -> tuple[Object | None, Object | None]:
    """Both sides of a comparison with each secret value as `+` runs: equal values get equal runs, others differ in length."""
    seen: dict[Any, str] = {}
    return _masked(live, seen), _masked(wanted, seen)


def masked(body: Object) -> Object:
    """One object without its secret values."""
    return _masked(body, {}) or {}


def redacted(text: str, *bodies: Object | None) -> str:
    """A message about an object, without the values of the Secrets among `bodies`: whoever refuses one may quote it."""
    values = {value for body in bodies if body is not None and is_secret(body) for value in _values(body)}
    for value in sorted(values, key=len, reverse=True):
        # a short one as a whole word only: the digit 1 within another word tells nothing
        whole = rf"(?<!\w){re.escape(value)}(?!\w)"
        text = text.replace(value, _HIDDEN) if len(value) > _SHORT else re.sub(whole, _HIDDEN, text)
    return text


def _values(body: Object) -> Iterator[str]:
    """Each secret value as written, decoded, and as it looks inside quotation marks."""
    for block in _BLOCKS:
        for leaf in _leaves(body.get(block)):
            for text in (leaf, _decoded(leaf) if block == "data" else ""):
                quoted = text.encode("unicode_escape").decode().replace('"', '\\"')
                yield from (form for form in (text, text.strip(), quoted) if form)


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text).decode()
    except (binascii.Error, ValueError):
        return ""


def _masked(body: Object | None, seen: dict[Any, str]) -> Object | None:
    if body is None or not is_secret(body):
        return body
    out = dict(body)
    for block in _BLOCKS:
        found = out.get(block)
        if isinstance(found, dict):
            out[block] = {key: _run(value, seen) for key, value in found.items()}
        elif found is not None:
            out[block] = _run(found, seen)  # of the wrong type, and perhaps secret all the same
    meta = out.get("metadata")
    texts = texts_of(meta.get("annotations")) if isinstance(meta, dict) else {}
    if isinstance(meta, dict) and _LAST_APPLIED in texts:
        out["metadata"] = {**meta, "annotations": {**texts, _LAST_APPLIED: _run(texts[_LAST_APPLIED], seen)}}
    return out


def _run(value: Any, seen: dict[Any, str]) -> str:
    return seen.setdefault(value if isinstance(value, str) else repr(value), "+" * (8 + len(seen)))
