"""Continue tokens: where a list stopped, and as of when."""

import base64
import json
import re
from typing import NamedTuple

import msgspec

from kilde.core.basics.json_words import json_problem
from kilde.kubeapi.interface import ApiError
from kilde.kubeapi.logic.failures import bad_request

_NOT_BASE64 = re.compile(r"[^A-Za-z0-9_-]")
_JSON = ((bool, "bool"), ((int, float), "number"), (str, "string"), (list, "array"), (dict, "object"), (object, "null"))


class Token(NamedTuple):
    """The resourceVersion of the list, and the (namespace, name) that comes first in the next part."""

    version: int
    start: tuple[str, str]


def encode(token: Token) -> str:
    """Base64 of {v, rv, start}, as apimachinery's; the start key is `namespace/name`."""
    namespace, name = token.start
    start = f"{namespace}/{name}" if namespace else name
    raw = msgspec.json.encode({"v": "meta.k8s.io/v1", "rv": token.version, "start": start + "\0"})
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def decode(text: str) -> Token:
    """400 if it is none of ours, in the words of apiserver's storage/continue.go."""
    raw = _bytes(text)
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise _bad(f": {json_problem(raw)}") from error
    if not isinstance(value, dict):
        raise _bad(f": json: cannot unmarshal {_name(value)} into Go value of type storage.continueToken")
    for key, kind in (("v", "string"), ("rv", "int64"), ("start", "string")):
        if not isinstance(value.get(key, ""), (int if kind == "int64" else str)) and key in value:
            why = f"json: cannot unmarshal {_name(value[key])} into Go struct field continueToken.{key} of type {kind}"
            raise _bad(f": {why}")
    version, start = value.get("rv", 0), value.get("start", "").removesuffix("\0")
    if value.get("v", "") != "meta.k8s.io/v1":
        raise _bad(f": server does not recognize this encoded version {value.get('v', '')}")
    if version == 0:
        raise _bad(": incorrect encoded start resourceVersion (version meta.k8s.io/v1)")
    if not start:
        raise _bad(": encoded start key empty (version meta.k8s.io/v1)")
    namespace, _, name = start.rpartition("/")
    return Token(version, (namespace, name))


def _bytes(text: str) -> bytes:
    wrong = _NOT_BASE64.search(text)
    if wrong is not None or len(text) % 4 == 1:
        at = len(text[: wrong.start()].encode()) if wrong is not None else len(text) - 1
        raise _bad(f": illegal base64 data at input byte {at}")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _name(value: object) -> str:
    return next(word for kind, word in _JSON if isinstance(value, kind))


def _bad(why: str) -> ApiError:
    return bad_request(f"invalid continue token: continue key is not valid{why}")


def expired() -> ApiError:
    """What a list answers whose state has been forgotten; upstream adds a token for the inconsistent rest."""
    return ApiError(
        410,
        "Expired",
        "The provided continue parameter is too old to display a consistent list result. You can start a new list without "
        "the continue parameter.",
    )
