"""Continue tokens: where a list stopped, and as of when."""

import base64
import binascii
from typing import NamedTuple

import msgspec

from kilde.kubeapi.interface import ApiError
from kilde.kubeapi.logic.failures import bad_request


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
    """400 if it is none of ours."""
    try:
        raw = msgspec.json.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        start = str(raw["start"]).removesuffix("\0")
        namespace, _, name = start.rpartition("/")
        return Token(int(raw["rv"]), (namespace, name))
    except (ValueError, KeyError, TypeError, binascii.Error, msgspec.MsgspecError) as error:
        raise bad_token() from error


def bad_token() -> ApiError:
    return bad_request("invalid continue token: continue key is not valid")


def expired() -> ApiError:
    """What a list answers whose state has been forgotten; upstream adds a token for the inconsistent rest."""
    return ApiError(
        410,
        "Expired",
        "The provided continue parameter is too old to display a consistent list result. You can start a new list without "
        "the continue parameter.",
    )
