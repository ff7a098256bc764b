"""The values of enumerated fields of built-in kinds: what `kubectl explain` lists, and the words in which OpenAPI tells them."""

import base64
import functools
import zlib
from collections.abc import Mapping

import msgspec

Values = Mapping[str, str]


@functools.cache
def _table() -> Mapping[str, Mapping[str, Values]]:
    from kilde.kubeapi.resources._enums import PACKED  # text that only OpenAPI needs

    return msgspec.json.decode(zlib.decompress(base64.b85decode(PACKED)), type=dict[str, dict[str, dict[str, str]]])


def enumerated(definition: str) -> Mapping[str, Values]:
    """Field → value → what it means, of a definition. A field that is a list of them ends in `[]`, a map in `{}`."""
    return _table().get(definition, {})


def listed(values: Values) -> str:
    """The paragraph that a field's description ends with (kube-openapi's generators/enum.go)."""
    lines = sorted(f' - `"{value}"` {meaning}'.rstrip() for value, meaning in values.items())
    return "\n".join(["", "", "Possible enum values:", *lines])
